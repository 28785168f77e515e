package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/ossastore/ossa/internal/server"
)

// Connections leave half of the process's files to the data; who asks for more
// is warned and gets it.
func TestConnectionsAndFiles(t *testing.T) {
	for _, tt := range []struct {
		connections, files, want int
		warned                   bool
	}{
		{0, 0, 4096, false}, {0, 1 << 20, 4096, false}, {0, 1024, 512, false}, {0, 1, 1, false},
		{100, 1024, 100, false}, {600, 1024, 600, true}, {100000, 0, 100000, false},
	} {
		var log bytes.Buffer
		var o server.Options
		c := limitsConfig{connections: tt.connections, requests: 1}
		c.options(&o, tt.files, slog.New(slog.NewTextHandler(&log, nil)))
		if warned := strings.Contains(log.String(), "level=WARN"); o.MaxConnections != tt.want || warned != tt.warned {
			t.Errorf("%d of %d files: %d, warned %v", tt.connections, tt.files, o.MaxConnections, warned)
		}
	}
	if openFiles() < 0 {
		t.Error("a negative number of files")
	}
}
