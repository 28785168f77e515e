//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/ossastore/ossa/oss"
)

// What is no file, such as a device or a socket, is not replaced by one.
func TestEditNoFile(t *testing.T) {
	t.Setenv("OSSUTIL_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Skip(err)
	}
	err := editProfiles(name, func(e *profileEditor) error { e.set("default", "region", "new"); return nil })
	var usage *usageError
	if info, _ := os.Lstat(name); !errors.As(err, &usage) || info.Mode()&os.ModeNamedPipe == 0 {
		t.Errorf("%v, %v", err, info.Mode())
	}
}

// Profiles that are set at the same time are all there afterwards.
func TestEditProfilesTogether(t *testing.T) {
	t.Setenv("OSSUTIL_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	name := filepath.Join(t.TempDir(), "ossa", "config")
	const n = 20
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			if err := editProfiles(name, func(e *profileEditor) error { e.set(fmt.Sprint("p", i), "region", "r"); return nil }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if names, err := oss.ProfileNames(name); err != nil || len(names) != n {
		t.Errorf("%d profiles of %d: %q, %v", len(names), n, names, err)
	}
}
