package main

import (
	"bytes"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// fillFile writes a file of the bytes that put sends.
func fillFile(ts *testscript.TestScript, neg bool, args []string) {
	o := parseObject(ts, neg, args)
	ts.Check(os.WriteFile(ts.MkAbs(o.key), o.data, 0o666))
}

// putHostile puts an object of one byte whose key, quoted as in Go, may be
// anything that the server takes.
func putHostile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: hostile KEY")
	}
	key := strings.NewReplacer(`\0`, "\x00", `\n`, "\n").Replace(args[0])
	_, err := send(ts, "PUT", key, bytes.NewReader([]byte("x")), 1)
	ts.Check(err)
}
