// Package process runs the real binary as a server that tests kill.
package process

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// What a server is started with.
const (
	AccessKeyID     = "OSSACRASHTEST"
	AccessKeySecret = "only-for-the-crash-test"
	Region          = "cn-hangzhou"
)

const (
	startMax = time.Minute // until a server must be ready, recovery included
	stopMax  = time.Minute // until a drained server must have ended
)

// Server is one run of the binary.
type Server struct {
	command *exec.Cmd
	ready   chan Addresses // closed without any if the process ends first
	Ended   chan struct{}  // closed when the process has ended

	// Once Ended is closed:
	Err       error  // of Wait
	complaint string // first line of stderr that no healthy server writes
}

// complaints are what such a line holds.
var complaints = []string{"level=ERROR", "panic:", "DATA RACE", "fatal error:"}

// Start starts the binary on the data directory, on a free port, with further
// flags. Its stderr goes to the log.
func Start(ossa, data string, log io.Writer, flags ...string) (*Server, error) {
	s := &Server{ready: make(chan Addresses, 1), Ended: make(chan struct{})}
	s.command = exec.Command(ossa, append([]string{"serve", "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
		"--region", Region, "--access-log=false"}, flags...)...)
	s.command.Env = append(os.Environ(),
		"OSSA_ROOT_ACCESS_KEY_ID="+AccessKeyID, "OSSA_ROOT_ACCESS_KEY_SECRET="+AccessKeySecret)
	stderr, err := s.command.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := s.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(s.Ended)
		s.watch(stderr, log)
		s.Err = s.command.Wait()
	}()
	return s, nil
}

// watch copies stderr to the log and picks the ready line out of it.
func (s *Server) watch(stderr io.Reader, log io.Writer) {
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
			s.ready <- Addresses{url, admin}
		}
		if err != nil {
			return
		}
	}
}

// Addresses are the URLs of a server.
type Addresses struct{ API, Admin string }

// URLs waits until the server is ready.
func (s *Server) URLs() (Addresses, error) {
	select {
	case urls, ok := <-s.ready:
		if ok {
			return urls, nil
		}
		<-s.Ended
		return Addresses{}, fmt.Errorf("the server ended before it was ready: %v", s.Err)
	case <-time.After(startMax):
		return Addresses{}, fmt.Errorf("the server was not ready within %v", startMax)
	}
}

// PID is that of the process.
func (s *Server) PID() int { return s.command.Process.Pid }

// Kill ends the process at once and waits for it.
func (s *Server) Kill() {
	s.command.Process.Kill() // it fails only if the process has ended by itself, which EndedAlone tells
	<-s.Ended
}

// Complained is an error if the server, which has ended, wrote of trouble.
func (s *Server) Complained() error {
	if s.complaint != "" {
		return fmt.Errorf("the server wrote: %s", s.complaint)
	}
	return nil
}

// Drain asks the server to finish and end.
func (s *Server) Drain() error {
	if err := s.command.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("SIGTERM: %w", err)
	}
	select {
	case <-s.Ended:
		if s.Err != nil {
			return fmt.Errorf("after SIGTERM the server ended with: %w", s.Err)
		}
		return nil
	case <-time.After(stopMax):
		s.Kill()
		return fmt.Errorf("the server still ran %v after SIGTERM", stopMax)
	}
}

// EndedAlone tells whether the process is gone though nobody killed it.
func (s *Server) EndedAlone() bool {
	select {
	case <-s.Ended:
		return true
	default:
		return false
	}
}

// Check runs `ossa check` on the data directory.
func Check(ossa, data string) error {
	out, err := exec.Command(ossa, "check", "--data", data).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("ossa check: exit status %d:\n%s", exit.ExitCode(), out)
	}
	return err
}
