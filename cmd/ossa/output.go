package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// printer is how a command talks: results to stdout, the rest to stderr.
type printer struct {
	json   bool // for machines: one object a line, and nothing else on stdout
	quiet  bool // nothing but results and errors
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer

	lost atomic.Pointer[error] // why something could not be said, the first time
}

// print prints an object for machines, as one line.
func (p *printer) print(v any) error {
	encoder := json.NewEncoder(p.stdout)
	encoder.SetEscapeHTML(false)
	return p.noticed(encoder.Encode(v))
}

// noticed remembers the error of a write to stdout. Not everybody looks at it
// where something is said, and a command whose results are lost has failed.
func (p *printer) noticed(err error) error {
	if err != nil {
		p.lost.CompareAndSwap(nil, &err)
	}
	return err
}

// unsaid is the error of what could not be said, if there was one.
func (p *printer) unsaid() error {
	if err := p.lost.Load(); err != nil {
		return *err
	}
	return nil
}

// say tells a person that something is done. Machines read the exit status.
func (p *printer) say(format string, args ...any) {
	if !p.json && !p.quiet {
		_, err := fmt.Fprintln(p.stdout, printable(fmt.Sprintf(format, args...)))
		p.noticed(err)
	}
}

// writeLine prints a line that is a result.
func (p *printer) writeLine(text string) error {
	_, err := io.WriteString(p.stdout, text+"\n")
	return err
}

// done tells that something was done: machines get v.
func (p *printer) done(v any, format string, args ...any) error {
	if p.json {
		return p.print(v)
	}
	p.say(format, args...)
	return nil
}

// warn tells a person what is not as expected, and does not end the command.
func (p *printer) warn(format string, args ...any) {
	fmt.Fprintln(p.stderr, "ossa: "+printable(strings.TrimPrefix(fmt.Sprintf(format, args...), "oss: ")))
}

// table prints rows under their heads, aligned.
func (p *printer) table(heads string, rows [][]string) error {
	t := p.rows(heads)
	t.begin() // the heads are there even if nothing else is
	for _, row := range rows {
		if err := t.add(row...); err != nil {
			return err
		}
	}
	return t.end()
}

// table is rows under their heads as they come: any number of them in bounded
// memory. One without rows is nothing. end can be called again: deferred, it prints
// what came before an error.
type table struct {
	w      io.Writer
	heads  []string
	widths []int // of columns, as a terminal counts; they only grow
	block  [][]string
}

// aligned is how many rows are looked at together to see how wide columns are.
const aligned = 1000

// rows begins a table.
func (p *printer) rows(heads string) *table {
	return &table{w: p.stdout, heads: strings.Fields(heads)}
}

// add prints a row, now or later.
func (t *table) add(cells ...string) error {
	t.begin()
	row := slices.Clone(cells)
	for i := range row {
		row[i] = cmp.Or(inert(row[i]), "-")
	}
	t.block = append(t.block, row)
	if len(t.block) < aligned {
		return nil
	}
	return t.end()
}

// begin sees that the heads are printed.
func (t *table) begin() {
	if t.widths == nil && len(t.block) == 0 {
		t.block = append(t.block, t.heads)
	}
}

// end prints what is left.
func (t *table) end() error {
	if t.widths == nil {
		t.widths = make([]int, len(t.heads))
	}
	for _, row := range t.block {
		for i, cell := range row {
			t.widths[i] = max(t.widths[i], runewidth.StringWidth(cell))
		}
	}
	var text strings.Builder
	for _, row := range t.block {
		for i, cell := range row {
			text.WriteString(cell)
			if i < len(row)-1 {
				text.WriteString(strings.Repeat(" ", t.widths[i]-runewidth.StringWidth(cell)+2))
			}
		}
		text.WriteByte('\n')
	}
	t.block = t.block[:0]
	_, err := io.WriteString(t.w, text.String())
	return err
}

// cell is text from a bucket in one cell of a table: quoted, where it could be
// taken for more.
func cell(text string) string {
	if text == "" || strings.Contains(text, " ") {
		return strconv.Quote(text)
	}
	return line(text)
}

// line is text from a bucket that ends a line: quoted, if it has characters that
// are more than ink, or could be taken for quoted.
func line(text string) string {
	quoted := strconv.Quote(text)
	if quoted[1:len(quoted)-1] != text {
		return quoted
	}
	return text
}

// fields prints names and what they are, aligned.
func (p *printer) fields(pairs ...string) error {
	width := 0
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			width = max(width, len(pairs[i]))
		}
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		if _, err := fmt.Fprintf(p.stdout, "%-*s  %s\n", width, pairs[i], inert(pairs[i+1])); err != nil {
			return err
		}
	}
	return nil
}

// plural counts things: 1 part, 2 parts. The word for many is given if it is not
// one with an s.
func plural(n int, one string, many ...string) string {
	switch {
	case n == 1:
		return "1 " + one
	case len(many) > 0:
		return strconv.Itoa(n) + " " + many[0]
	}
	return strconv.Itoa(n) + " " + one + "s"
}

// inert is printable on one line, and in one column of a table: what stands in a
// cell may be a server's word, even if no key is that free.
func inert(text string) string {
	if text = printable(text); strings.ContainsAny(text, "\n\t") {
		text = strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(text)
	}
	return text
}

// printable is text for people in which nothing but line ends has power over a
// terminal: what servers say and keys are called may be anybody's words.
func printable(text string) string {
	harmless := func(r rune) bool { return r == '\n' || r == '\t' || unicode.IsPrint(r) && r != utf8.RuneError }
	if strings.IndexFunc(text, func(r rune) bool { return !harmless(r) }) < 0 {
		return text
	}
	var safe strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRuneInString(text)
		if harmless(r) {
			safe.WriteString(text[:n])
		} else {
			quoted := strconv.Quote(text[:n])
			safe.WriteString(quoted[1 : len(quoted)-1])
		}
		text = text[n:]
	}
	return safe.String()
}
