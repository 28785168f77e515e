package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/smallfile"
	"github.com/ossastore/ossa/oss"
)

const (
	envConfigFile = "OSSA_CONFIG_FILE"
	envProfile    = "OSS_PROFILE" // ossutil reads it, too
)

// profileFile is where profiles of this program are kept: ossa/config in the
// user's directory of configurations. Its form is that of ossutil 2.
func profileFile(getenv func(string) string) (string, error) {
	if name := getenv(envConfigFile); name != "" {
		return name, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "ossa", "config"), nil
}

// profileFiles are the files that have profiles, the program's own first.
func profileFiles(getenv func(string) string) []string {
	var files []string
	if name, err := profileFile(getenv); err == nil && isFile(name) {
		files = append(files, name)
	}
	if name, err := oss.DefaultConfigFile(); err == nil && isFile(name) && !slices.Contains(files, name) {
		files = append(files, name)
	}
	return files
}

func isFile(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// findProfile reads the profile of a name, "" for the default one, from the first
// file that has it.
func findProfile(files []string, name string) (p *oss.Profile, file string, err error) {
	name = cmp.Or(name, defaultProfile)
	for _, file := range files {
		names, err := oss.ProfileNames(file)
		if err != nil {
			return nil, file, err
		}
		if slices.Contains(names, strings.ToLower(name)) {
			p, err := oss.LoadProfile(file, name)
			return p, file, err
		}
	}
	return nil, "", fmt.Errorf("%w %q; ossa config ls lists those that there are", errNoProfile, name)
}

const defaultProfile = "default"

var errNoProfile = errors.New("there is no profile")

// loadProfile reads the profile that was asked for, or else the default one if
// there is one and something is missing without it.
func (c *clientConfig) loadProfile(getenv func(string) string, complete bool) (*oss.Profile, error) {
	name := cmp.Or(c.profile, getenv(envProfile))
	if c.configFile == "" && name == "" && complete {
		return nil, nil
	}
	var profile *oss.Profile
	var err error
	if c.configFile != "" {
		profile, err = oss.LoadProfile(c.configFile, name)
	} else {
		profile, _, err = findProfile(profileFiles(getenv), name)
		if name == "" && errors.Is(err, errNoProfile) {
			return nil, nil
		}
	}
	if err != nil {
		return nil, &usageError{err}
	}
	return profile, nil
}

// profileEditor changes the text of a file of profiles, and leaves the rest of it
// as it is.
type profileEditor struct {
	lines []string
}

// maxProfileFile bounds the file, in bytes.
const maxProfileFile = 1 << 20

// openProfiles reads the program's own file to change it; none is an empty one.
// A file of ossutil's is never written.
func openProfiles(name string) (*profileEditor, error) {
	if foreign, err := oss.DefaultConfigFile(); err == nil && sameFile(name, foreign) {
		return nil, usagef("%s is ossutil's, which ossa does not change; look at %s", name, envConfigFile)
	}
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return &profileEditor{}, nil
	} else if err != nil {
		return nil, err
	}
	defer f.Close()

	text, err := io.ReadAll(io.LimitReader(f, maxProfileFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxProfileFile {
		return nil, fmt.Errorf("%s is longer than %d bytes", name, maxProfileFile)
	}
	return &profileEditor{strings.Split(strings.TrimRight(string(text), "\n"), "\n")}, nil
}

func sameFile(a, b string) bool {
	if a == b {
		return true
	}
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// section finds the lines of a profile: its head at first, and what belongs to it up to
// end. It is not there if first is negative.
func (e *profileEditor) section(name string) (first, end int) {
	first = -1
	for i, text := range e.lines {
		text = strings.TrimSpace(text)
		if !strings.HasPrefix(text, "[") {
			continue
		}
		if first >= 0 {
			return first, i
		}
		head := strings.Join(strings.Fields(strings.ToLower(strings.Trim(text, "[]"))), " ")
		if strings.TrimPrefix(head, "profile ") == name {
			first = i
		}
	}
	return first, len(e.lines)
}

// set gives a key of a profile a value; "" takes it away.
func (e *profileEditor) set(profile, key, value string) {
	first, end := e.section(profile)
	if first < 0 {
		head := "[profile " + profile + "]"
		if profile == defaultProfile {
			head = "[" + defaultProfile + "]"
		}
		if len(e.lines) > 0 && e.lines[len(e.lines)-1] != "" {
			e.lines = append(e.lines, "")
		}
		e.lines = append(e.lines, head)
		first, end = len(e.lines)-1, len(e.lines)
	}
	plain := strings.NewReplacer("-", "", "_", "")
	for i := first + 1; i < end; i++ {
		name, _, found := strings.Cut(e.lines[i], "=")
		if !found || plain.Replace(strings.ToLower(strings.TrimSpace(name))) != strings.ToLower(key) {
			continue
		}
		if value == "" {
			e.lines = slices.Delete(e.lines, i, i+1)
		} else {
			e.lines[i] = key + "=" + value
		}
		return
	}
	if value == "" {
		return
	}
	for end > first+1 && strings.TrimSpace(e.lines[end-1]) == "" {
		end--
	}
	e.lines = slices.Insert(e.lines, end, key+"="+value)
}

// remove takes a profile away, and reports whether it was there.
func (e *profileEditor) remove(profile string) bool {
	first, end := e.section(profile)
	if first >= 0 {
		e.lines = slices.Delete(e.lines, first, end)
	}
	return first >= 0
}

// save writes the file, which only its owner may read.
func (e *profileEditor) save(name string) error {
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	text := strings.TrimLeft(strings.Join(e.lines, "\n"), "\n")
	return smallfile.Write(vfs.Default, dir, filepath.Base(name), []byte(text+"\n"))
}
