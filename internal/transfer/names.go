package transfer

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/ossastore/ossa/oss"
)

// NameError is a name that cannot be used on the other side.
type NameError struct {
	Name   string
	Reason string
}

func (e *NameError) Error() string { return fmt.Sprintf("the name %q: %s", e.Name, e.Reason) }

var partialSuffix = oss.PartialName("")

// SafeName refuses names of objects that are no file's name below a directory,
// or not the name of that object only. What it lets pass is used as it is: two
// keys never become one file, as long as the file system tells upper from lower
// case.
func SafeName(name string) error { return safeNameOn(name, runtime.GOOS == "windows") }

func safeNameOn(name string, windows bool) error {
	refuse := func(reason string) error { return &NameError{Name: name, Reason: reason} }
	if strings.IndexByte(name, 0) >= 0 {
		return refuse("it has a NUL byte")
	}
	if strings.HasSuffix(name, partialSuffix) {
		return refuse("names that end in " + partialSuffix + " are those of unfinished downloads")
	}
	for segment := range strings.SplitSeq(strings.TrimSuffix(name, "/"), "/") {
		switch segment {
		case "":
			return refuse("it begins with a slash or has two in a row")
		case ".", "..":
			return refuse("it has the segment " + segment)
		}
		if windows {
			if reason := windowsRefuses(segment); reason != "" {
				return refuse(reason)
			}
		}
	}
	if !windows && !filepath.IsLocal(filepath.FromSlash(name)) {
		return refuse("it does not stay below the directory")
	}
	return nil
}

// windowsRefuses is why a file of Windows cannot have a name, or would have
// another one.
func windowsRefuses(segment string) string {
	if i := strings.IndexAny(segment, `<>:"\|?*`); i >= 0 {
		return fmt.Sprintf("files of Windows cannot have %q in their names", segment[i])
	}
	for _, c := range segment {
		if c < ' ' {
			return "files of Windows cannot have control characters in their names"
		}
	}
	if strings.HasSuffix(segment, ".") || strings.HasSuffix(segment, " ") {
		return "Windows drops dots and blanks at the end of names"
	}
	base, _, _ := strings.Cut(strings.ToUpper(segment), ".")
	base = strings.TrimRight(base, " ")
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return "it is a device of Windows"
	}
	if rest, ok := strings.CutPrefix(base, "COM"); ok || strings.HasPrefix(base, "LPT") {
		if !ok {
			rest = base[len("LPT"):]
		}
		if len([]rune(rest)) == 1 && strings.Contains("0123456789¹²³", rest) {
			return "it is a device of Windows"
		}
	}
	return ""
}

// nesting finds keys that are below another key, as a/b is below a: there can be
// a file a or a directory a. It is asked about names in their order.
type nesting struct {
	files []string // that names to come can be below
}

// below returns the file that name would have to be in, or "".
func (n *nesting) below(name string) string {
	for len(n.files) > 0 && !strings.HasPrefix(name, n.files[len(n.files)-1]) {
		n.files = n.files[:len(n.files)-1]
	}
	for _, f := range n.files {
		if len(name) > len(f) && name[len(f)] == '/' {
			return f
		}
	}
	if !strings.HasSuffix(name, "/") {
		n.files = append(n.files, name)
	}
	return ""
}
