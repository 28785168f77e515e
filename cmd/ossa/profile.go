package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

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
