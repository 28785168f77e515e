package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

const (
	envStateDir         = "OSSA_STATE_DIR"
	defaultStateDirText = "~/.local/state/ossa"
)

// stateDirectory is where what is known from one run to the next is kept: what
// a flag says, if it does. It can be deleted at any time.
func stateDirectory(flag string) (string, error) {
	if dir := cmp.Or(flag, os.Getenv(envStateDir)); dir != "" {
		return filepath.Abs(dir)
	}
	if dir := os.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "ossa"), nil
	}
	if runtime.GOOS == "windows" {
		dir, err := os.UserCacheDir()
		return filepath.Join(dir, "ossa"), err
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", usagef("no place for state: %w; set "+envStateDir, err)
	}
	return filepath.Join(home, ".local", "state", "ossa"), nil
}

// reportUsage is what --report is for.
const reportUsage = "`file` for the list of failures, which are added to it; default one in the state directory"

// reportFile is the name of a report of a command that is given none.
func reportFile(state, command string) string {
	name := fmt.Sprintf("%s-%s-%d.jsonl", command, time.Now().UTC().Format("20060102-150405"), os.Getpid())
	return filepath.Join(state, "reports", name)
}
