package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/ossastore/ossa/internal/transfer"
)

// What keys and files are called has no power over a terminal, and makes no lines
// of its own.
func TestTransferNamesAreHarmless(t *testing.T) {
	var out, errs bytes.Buffer
	s := &clientSession{printer: printer{stdout: &out, stderr: &errs}}
	w := newTransferWatch(s, true)
	evil := "a\x1b]0;b\x07\nc \u202e"
	for _, task := range []*transfer.Task{
		{Action: transfer.Download, Bucket: "b", Key: evil, Path: evil},
		{Action: transfer.Upload, Bucket: "b", Key: evil, Path: evil},
		{Action: transfer.Delete, Bucket: "b", Key: evil},
		{Action: transfer.Delete, Path: evil},
	} {
		for _, o := range []*transfer.Outcome{
			{Status: transfer.Done}, {Status: transfer.Planned}, {Status: transfer.Skipped, Reason: "r"}, {Status: transfer.Failed, Err: errors.New(evil)},
		} {
			w.Ended(task, o)
		}
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 4*3 {
		t.Errorf("%d lines:\n%q", len(lines), out.String())
	}
	if text := out.String() + errs.String(); strings.ContainsAny(text, "\x1b\x07\u202e") {
		t.Errorf("%q", text)
	}
}
