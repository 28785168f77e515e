package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// printer is how a command talks: results to stdout, the rest to stderr.
type printer struct {
	json   bool // for machines: one object a line, and nothing else on stdout
	quiet  bool // nothing but results and errors
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

// print prints an object for machines, as one line.
func (p *printer) print(v any) error {
	encoder := json.NewEncoder(p.stdout)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// say tells a person that something is done. Machines read the exit status.
func (p *printer) say(format string, args ...any) {
	if !p.json && !p.quiet {
		fmt.Fprintf(p.stdout, format+"\n", args...)
	}
}

// warn tells a person what is not as expected, and does not end the command.
func (p *printer) warn(format string, args ...any) {
	fmt.Fprintf(p.stderr, "ossa: "+format+"\n", args...)
}

// table prints rows under their heads, aligned.
func (p *printer) table(heads string, rows [][]string) error {
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(strings.Fields(heads), "\t"))
	for _, row := range rows {
		for i, cell := range row {
			row[i] = cmp.Or(cell, "-")
		}
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}
