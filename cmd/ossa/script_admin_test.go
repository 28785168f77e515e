package main

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

func uploadObject(ts *testscript.TestScript, neg bool, args []string) {
	o := parseObject(ts, neg, args)
	_, err := send(ts, "PUT", o.key, bytes.NewReader(o.data), int64(len(o.data)))
	ts.Check(err)
}

func wantRefusal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: refused METHOD KEY CODE [TEXT]")
	}
	_, err := send(ts, args[0], args[1], http.NoBody, 0)
	if err == nil {
		ts.Fatalf("%s %s was not refused", args[0], args[1])
	}
	if !strings.Contains(err.Error(), "<Code>"+args[2]+"</Code>") || len(args) > 3 && !strings.Contains(err.Error(), args[3]) {
		ts.Fatalf("refused with %v, want %s", err, args[2:])
	}
}

// exported are the variables that a file exports to a shell.
func exported(ts *testscript.TestScript, file string) map[string]string {
	values := make(map[string]string)
	for line := range strings.Lines(ts.ReadFile(file)) {
		assignment, ok := strings.CutPrefix(strings.TrimSpace(line), "export ")
		if name, value, found := strings.Cut(assignment, "="); ok && found {
			values[name] = value
		}
	}
	return values
}

func setCredentials(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: credentials FILE")
	}
	values := exported(ts, args[0])
	for _, name := range []string{envAccessKeyID, envAccessKeySecret, envSessionToken} {
		ts.Setenv(name, values[name])
	}
}

// setExported is a command that sets a variable of the script to what a file
// exports under a name.
func setExported(variable, name string) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) != 1 || exported(ts, args[0])[name] == "" {
			ts.Fatalf("usage: keyid|secret FILE, which exports %s", name)
		}
		ts.Setenv(variable, exported(ts, args[0])[name])
	}
}

func absent(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 || args[0] == "" {
		ts.Fatalf("usage: absent TEXT DIR")
	}
	files := 0
	ts.Check(filepath.WalkDir(ts.MkAbs(args[1]), func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files++
		b, err := os.ReadFile(name)
		if bytes.Contains(b, []byte(args[0])) {
			ts.Fatalf("%s holds %s", name, args[0])
		}
		return err
	}))
	if files == 0 {
		ts.Fatalf("there are no files below %s", args[1])
	}
}
