package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// readFile reads a file that an argument names, "-" for stdin, of so many bytes
// at most.
func (p *printer) readFile(name string, most int64) ([]byte, error) {
	r := p.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", name, err)
	case int64(len(text)) > most:
		return nil, fmt.Errorf("%s is longer than %d bytes", name, most)
	}
	return text, nil
}

// confirm asks a person. Where nobody is, the answer is yes: scripts mean what
// they say.
func (s *clientSession) confirm(format string, args ...any) error {
	if !s.terminal || !isTerminalStream(s.stdin) {
		return nil
	}
	fmt.Fprintf(s.stderr, format+" [y/N] ", args...)
	answer := make(chan string, 1)
	go func() { answer <- readAnswer(s.stdin) }()
	select {
	case a := <-answer:
		if !strings.HasSuffix(a, "\n") {
			fmt.Fprintln(s.stderr) // in place of the one that was not typed
		}
		if a = strings.ToLower(strings.TrimSpace(a)); a == "y" || a == "yes" {
			return nil
		}
		return errors.New("nothing was done")
	case <-s.ctx.Done():
		// The read is left behind, and ends with the process.
		fmt.Fprintln(s.stderr)
		s.outlook = ""
		return s.ctx.Err()
	}
}

// maxAnswer bounds what is kept of an answer, in bytes.
const maxAnswer = 100

// readAnswer reads a line, and no byte of the next one.
func readAnswer(r io.Reader) string {
	var text []byte
	for b := make([]byte, 1); ; {
		if n, err := r.Read(b); n == 0 && err != nil {
			return string(text)
		} else if n == 0 {
			continue
		}
		if len(text) < maxAnswer {
			text = append(text, b[0])
		}
		if b[0] == '\n' {
			return string(text)
		}
	}
}
