package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	accessKeyID     = "OSSACRASHTEST"
	accessKeySecret = "only-for-the-crash-test"
	region          = "cn-hangzhou"

	startMax = time.Minute // until a server must be ready, recovery included
	stopMax  = time.Minute // until a drained server must have ended
)

// server is one run of the binary.
type server struct {
	command *exec.Cmd
	ready   chan addresses // closed without any if the process ends first
	ended   chan struct{}

	// Once ended is closed:
	err       error  // of Wait
	complaint string // first line of stderr that no healthy server writes
}

// complaints are what such a line holds.
var complaints = []string{"level=ERROR", "panic:", "DATA RACE", "fatal error:"}

// startServer starts the binary on the data directory, on a free port. Its
// stderr goes to the log.
func startServer(ossa, data string, log io.Writer) (*server, error) {
	s := &server{ready: make(chan addresses, 1), ended: make(chan struct{})}
	s.command = exec.Command(ossa, "serve", "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
		"--region", region, "--access-log=false", "--lifecycle-day", lifecycleDay.String(),
		"--lifecycle-every", lifecycleEvery.String(), "--lifecycle-rate", strconv.Itoa(lifecycleRate))
	s.command.Env = append(os.Environ(),
		"OSSA_ROOT_ACCESS_KEY_ID="+accessKeyID, "OSSA_ROOT_ACCESS_KEY_SECRET="+accessKeySecret)
	stderr, err := s.command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(s.ended)
		s.watch(stderr, log)
		s.err = s.command.Wait()
	}()
	return s, nil
}

// watch copies stderr to the log and picks the ready line out of it.
func (s *server) watch(stderr io.Reader, log io.Writer) {
	defer close(s.ready)
	found := false
	lines := bufio.NewReader(stderr)
	for {
		line, err := lines.ReadString('\n')
		io.WriteString(log, line)
		if s.complaint == "" && slices.ContainsFunc(complaints, func(c string) bool { return strings.Contains(line, c) }) {
			s.complaint = strings.TrimSpace(line)
		}
		if rest, ok := strings.CutPrefix(line, "ossa: ready on "); ok && !found {
			found = true
			url, rest, _ := strings.Cut(strings.TrimSpace(rest), " ") // URL (admin URL, ...
			admin, _, _ := strings.Cut(strings.TrimPrefix(rest, "(admin "), ",")
			s.ready <- addresses{url, admin}
		}
		if err != nil {
			return
		}
	}
}

// addresses are the URLs of a server.
type addresses struct{ api, admin string }

// urls waits until the server is ready.
func (s *server) urls() (addresses, error) {
	select {
	case urls, ok := <-s.ready:
		if ok {
			return urls, nil
		}
		<-s.ended
		return addresses{}, fmt.Errorf("the server ended before it was ready: %v", s.err)
	case <-time.After(startMax):
		return addresses{}, fmt.Errorf("the server was not ready within %v", startMax)
	}
}

// kill ends the process at once and waits for it.
func (s *server) kill() {
	s.command.Process.Kill() // it fails only if the process has ended by itself, which endedAlone tells
	<-s.ended
}

// complained is an error if the server, which has ended, wrote of trouble.
func (s *server) complained() error {
	if s.complaint != "" {
		return fmt.Errorf("the server wrote: %s", s.complaint)
	}
	return nil
}

// drain asks the server to finish and end.
func (s *server) drain() error {
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("SIGTERM: %w", err)
	}
	select {
	case <-s.ended:
		if s.err != nil {
			return fmt.Errorf("after SIGTERM the server ended with: %w", s.err)
		}
		return nil
	case <-time.After(stopMax):
		s.kill()
		return fmt.Errorf("the server still ran %v after SIGTERM", stopMax)
	}
}

// endedAlone tells whether the process is gone though nobody killed it.
func (s *server) endedAlone() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// check runs `ossa check` on the data directory.
func check(ossa, data string) error {
	out, err := exec.Command(ossa, "check", "--data", data).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("ossa check: exit status %d:\n%s", exit.ExitCode(), out)
	}
	return err
}
