package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"github.com/ossastore/ossa/oss"
)

// terminalServer is a server that a test has for itself, and how to run ossa
// with it on a terminal.
type terminalServer struct {
	t    *testing.T
	dir  string
	env  []string
	stop func()
}

func startTerminalServer(t *testing.T) *terminalServer {
	t.Helper()
	s := &terminalServer{t: t, dir: t.TempDir()}
	s.env = append(os.Environ(),
		envKeyID+"=admin", envKeySecret+"=s3cret-0123456789", envAccessKeyID+"=admin", envAccessKeySecret+"=s3cret-0123456789",
		"OSS_REGION=cn-hangzhou", envStateDir+"="+filepath.Join(s.dir, "state"), "HOME="+s.dir, "TERM=xterm", "NO_COLOR=1")
	command := s.command("serve", "--data", filepath.Join(s.dir, "data"), "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
	stderr, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ready, ended := make(chan string, 1), make(chan struct{})
	var log bytes.Buffer
	go func() {
		defer close(ended)
		copyUntilReady(&log, stderr, ready)
		command.Wait()
	}()
	s.stop = sync.OnceFunc(func() {
		command.Process.Kill()
		<-ended
	})
	t.Cleanup(s.stop)
	line, ok := within(ready)
	if !ok {
		t.Fatal("the server did not get ready")
	}
	words := strings.Fields(line) // ossa: ready on URL (admin URL, ...
	s.env = append(s.env, envAdminEndpoint+"="+strings.Trim(words[5], ",)"), envEndpoint+"="+words[3])
	return s
}

// command is ossa as TestMain made it, in a process of its own.
func (s *terminalServer) command(args ...string) *exec.Cmd {
	s.t.Helper()
	name, err := exec.LookPath("ossa")
	if err != nil {
		s.t.Fatal(err)
	}
	c := exec.Command(name, args...)
	c.Env, c.Dir = s.env, s.dir
	return c
}

// onTerminal runs ossa on a pseudo-terminal and returns what that shows.
func (s *terminalServer) onTerminal(during func(c *exec.Cmd, sofar string), args ...string) (string, error) {
	s.t.Helper()
	c := s.command(args...)
	terminal, err := pty.StartWithSize(c, &pty.Winsize{Rows: 40, Cols: 120})
	if err != nil {
		s.t.Fatal(err)
	}
	defer terminal.Close()
	var shown strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := terminal.Read(buf)
		shown.Write(buf[:n])
		if during != nil {
			during(c, shown.String())
		}
		if err != nil {
			if err != io.EOF && !errors.Is(err, syscall.EIO) { // that is how a terminal ends
				s.t.Fatal(err)
			}
			return shown.String(), c.Wait()
		}
	}
}

func (s *terminalServer) file(name string, size int64) {
	s.t.Helper()
	name = filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(name, nil, 0o666); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Truncate(name, size); err != nil {
		s.t.Fatal(err)
	}
}

// client is a client of the server.
func (s *terminalServer) client() *oss.Client {
	s.t.Helper()
	client, err := oss.NewClient(s.env[len(s.env)-1][len(envEndpoint)+1:], oss.WithRegion("cn-hangzhou"),
		oss.WithCredentials(oss.StaticCredentials("admin", "s3cret-0123456789", "")))
	if err != nil {
		s.t.Fatal(err)
	}
	return client
}

// makeBucket makes the bucket scripts.
func makeBucket(t *testing.T, s *terminalServer) {
	t.Helper()
	if _, err := s.client().PutBucket(t.Context(), &oss.PutBucketRequest{Bucket: "scripts"}); err != nil {
		t.Fatal(err)
	}
}
