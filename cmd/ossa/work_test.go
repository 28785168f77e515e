package main

import (
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/ossastore/ossa/internal/transfer"
	"github.com/ossastore/ossa/oss"
)

// Failures of single objects hold up nothing, however many there are; those that
// the next object would have as well end the command.
func TestHopelessWork(t *testing.T) {
	down, denied := &oss.Error{Code: "InternalError", Status: http.StatusInternalServerError}, &oss.Error{Code: "AccessDenied", Status: http.StatusForbidden}
	repeat := func(n int, err error) (list []error) {
		for range n {
			list = append(list, err)
		}
		return list
	}
	for name, c := range map[string]struct {
		before []error
		last   error
		ends   bool
	}{
		"objects":        {repeat(3*transfer.InRowMax, denied), denied, false},
		"unfit ones":     {repeat(3*transfer.InRowMax, &unfitError{"odd"}), &unfitError{"odd"}, false},
		"server":         {repeat(transfer.InRowMax-1, down), down, true},
		"network":        {repeat(transfer.InRowMax-1, io.ErrUnexpectedEOF), io.ErrUnexpectedEOF, true},
		"server at ease": {append(repeat(transfer.InRowMax-1, down), denied), down, false},
		"no bucket":      {nil, &oss.Error{Code: "NoSuchBucket", Status: http.StatusNotFound}, true},
	} {
		s := &clientSession{printer: printer{stdout: io.Discard, stderr: io.Discard}}
		w := &work{jobs: 1, file: filepath.Join(t.TempDir(), "report")}
		if err := w.begin(s); err != nil {
			t.Fatal(err)
		}
		for i, err := range c.before {
			if err := w.fail(transfer.Failure{}, err); err != nil {
				t.Errorf("%s: ended after %d: %v", name, i+1, err)
			}
		}
		if err := w.fail(transfer.Failure{}, c.last); c.ends != errors.Is(err, c.last) || !c.ends && err != nil {
			t.Errorf("%s: %v at last", name, err)
		}
		w.report.Close()
	}
}
