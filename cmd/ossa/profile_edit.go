package main

import (
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

// profileEditor changes the text of a file of profiles, and leaves the rest of it
// as it is.
type profileEditor struct {
	lines []string
}

// maxProfileFile bounds the file, in bytes.
const maxProfileFile = 1 << 20

// editProfiles changes the program's own file, which others that change it wait for.
// A file that is ossutil's, or none of profiles, is never written.
func editProfiles(name string, change func(*profileEditor) error) error {
	if foreign, err := oss.DefaultConfigFile(); err == nil && sameFile(name, foreign) {
		return usagef("%s is ossutil's, which ossa does not change; look at %s", name, envConfigFile)
	}
	name, err := followLinks(name)
	if err != nil {
		return err
	}
	dir := filepath.Dir(name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	unlock, err := lockDirectory(dir)
	if err != nil {
		return err
	}
	defer unlock()

	editor, err := openProfiles(name)
	if err != nil {
		return err
	}
	if err := change(editor); err != nil {
		return err
	}
	text := strings.TrimLeft(strings.Join(editor.lines, "\n"), "\n")
	return smallfile.Write(vfs.Default, dir, filepath.Base(name), []byte(text+"\n"))
}

// maxLinks bounds a chain of symbolic links.
const maxLinks = 16

// followLinks is the file that symbolic links lead to, so that they stay what they
// are; it need not be there.
func followLinks(name string) (string, error) {
	for range maxLinks {
		target, err := os.Readlink(name)
		if err != nil {
			return name, nil // is none, or not there
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(name), target)
		}
		name = target
	}
	return "", fmt.Errorf("%s: symbolic links without end", name)
}

// openProfiles reads a file to change it; none is an empty one.
func openProfiles(name string) (*profileEditor, error) {
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &profileEditor{}, nil
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, usagef("%s is no file; look at %s", name, envConfigFile)
	}
	f, err := os.Open(name)
	if err != nil {
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
	if _, err := oss.ProfileNames(name); err != nil {
		return nil, usagef("%s is left as it is, as it is no file of profiles: %w", name, err)
	}
	plain := strings.TrimPrefix(string(text), "\ufeff")
	editor := &profileEditor{strings.Split(strings.TrimRight(plain, "\n"), "\n")}
	if slices.ContainsFunc(editor.lines, func(line string) bool { head, isHead := headOf(line); return isHead && head == "credentials" }) {
		return nil, usagef("%s is a file of ossutil 1, which ossa does not change; look at %s", name, envConfigFile)
	}
	return editor, nil
}

func sameFile(a, b string) bool {
	if a == b {
		return true
	}
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// headOf is the name of the section that a line begins; isHead is false for other
// lines.
func headOf(line string) (name string, isHead bool) {
	name, isHead = strings.CutPrefix(strings.TrimSpace(line), "[")
	return strings.Join(strings.Fields(strings.ToLower(strings.TrimSuffix(name, "]"))), " "), isHead
}

// linesOf finds the lines of a section, its heads included: it may be there in
// several pieces.
func (e *profileEditor) linesOf(section string) (found []int) {
	in := false
	for i, line := range e.lines {
		if head, isHead := headOf(line); isHead {
			in = head == section
		}
		if in {
			found = append(found, i)
		}
	}
	return found
}

// set gives a key of a profile a value; "" takes it away. The section is the one
// that readers take.
func (e *profileEditor) set(profile, key, value string) {
	section := e.linesOf("profile " + profile)
	if section == nil {
		section = e.linesOf(profile)
	}
	plain := strings.NewReplacer("-", "", "_", "")
	at := -1
	for _, i := range slices.Backward(section) {
		line := strings.TrimSpace(e.lines[i])
		name, _, found := strings.Cut(line, "=")
		if _, isHead := headOf(line); found && !isHead && plain.Replace(strings.ToLower(strings.TrimSpace(name))) == strings.ToLower(key) {
			e.lines = slices.Delete(e.lines, i, i+1) // if it is there twice, the last one counts
			at = i
		}
	}
	switch {
	case value == "":
		return
	case at < 0 && section == nil:
		head := "[profile " + profile + "]"
		if profile == defaultProfile {
			head = "[" + defaultProfile + "]"
		}
		if len(e.lines) > 0 && e.lines[len(e.lines)-1] != "" {
			e.lines = append(e.lines, "")
		}
		e.lines = append(e.lines, head)
		at = len(e.lines)
	case at < 0:
		at = section[len(section)-1] + 1
		for strings.TrimSpace(e.lines[at-1]) == "" {
			at--
		}
	}
	e.lines = slices.Insert(e.lines, at, key+"="+value)
}

// remove takes a profile away, and reports whether it was there.
func (e *profileEditor) remove(profile string) bool {
	lines := slices.Concat(e.linesOf("profile "+profile), e.linesOf(profile))
	slices.Sort(lines)
	for _, i := range slices.Backward(lines) {
		e.lines = slices.Delete(e.lines, i, i+1)
	}
	return len(lines) > 0
}
