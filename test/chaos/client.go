package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/ossastore/ossa/test/process"
)

// client is a client that runs.
type client struct {
	command *exec.Cmd
	out     bytes.Buffer // stdout and stderr
	ended   chan struct{}
	err     error // of Wait, once ended is closed
}

// startClient runs `ossa cp` on a machine.
func startClient(ossa string, m *machine, endpoint, key string, partSize int64, parallel int) (*client, error) {
	args := []string{"cp", m.file, "oss://" + bucket + "/" + key, "--parallel", strconv.Itoa(parallel)}
	if partSize > 0 {
		args = append(args, "--part-size", strconv.FormatInt(partSize, 10))
	}
	r := &client{command: m.ossa(ossa, endpoint, args...), ended: make(chan struct{})}
	r.command.Stdout, r.command.Stderr = &r.out, &r.out
	r.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // so that all it starts can be found
	if err := r.command.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(r.ended)
		r.err = r.command.Wait()
	}()
	return r, nil
}

// ossa is a command of the binary, as somebody types it on the machine.
func (m *machine) ossa(binary, endpoint string, args ...string) *exec.Cmd {
	c := exec.Command(binary, args...)
	c.Dir = m.dir
	c.Env = []string{
		"HOME=" + m.home, "TMPDIR=" + m.home, "PATH=" + os.Getenv("PATH"),
		"OSS_ENDPOINT=" + endpoint, "OSS_REGION=" + process.Region,
		"OSS_ACCESS_KEY_ID=" + process.AccessKeyID, "OSS_ACCESS_KEY_SECRET=" + process.AccessKeySecret,
	}
	return c
}

// openUploads is what `ossa uploads ls` shows of a key.
func openUploads(ossa string, m *machine, endpoint, key string) ([]string, error) {
	c := m.ossa(ossa, endpoint, "uploads", "ls", "oss://"+bucket+"/"+key, "--json")
	var complaint bytes.Buffer
	c.Stderr = &complaint
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("uploads ls: %w: %s", err, &complaint)
	}
	var ids []string
	for line := range bytes.Lines(out) {
		var u struct {
			Key      string `json:"key"`
			UploadID string `json:"upload_id"`
		}
		if err := json.Unmarshal(line, &u); err != nil || u.UploadID == "" {
			return nil, fmt.Errorf("uploads ls printed %q", line)
		}
		if u.Key == key { // others begin with it
			ids = append(ids, u.UploadID)
		}
	}
	return ids, nil
}

// signal sends a signal to the client and all that it has started.
func (r *client) signal(s syscall.Signal) { syscall.Kill(-r.command.Process.Pid, s) }

// verdict is what a client that was not killed says: nil for success, or an
// error that says why not.
type verdict struct {
	succeeded bool
	text      string
}

// verdict reads the exit status and the last words.
func (r *client) verdict() (verdict, error) {
	text := strings.TrimSpace(r.out.String())
	for _, bad := range []string{"panic:", "fatal error:", "goroutine ", "DATA RACE"} {
		if strings.Contains(text, bad) {
			return verdict{}, fmt.Errorf("the client crashed:\n%s", text)
		}
	}
	if syscall.Kill(-r.command.Process.Pid, 0) == nil {
		return verdict{}, errors.New("the client ended and a process of it is left")
	}
	var exit *exec.ExitError
	switch {
	case r.err == nil:
		return verdict{true, text}, nil
	case !errors.As(r.err, &exit):
		return verdict{}, r.err
	case exit.ExitCode() <= 0:
		return verdict{}, fmt.Errorf("the client ended with %v, killed by nobody here", exit)
	case text == "":
		return verdict{}, fmt.Errorf("the client failed with %v and did not say why", exit)
	}
	return verdict{false, text}, nil
}

// keyOf is the key of a round's object.
func keyOf(number int) string { return fmt.Sprintf("round/%d", number) }

// logName is where a round's evidence is.
func logName(dir, what string) string { return filepath.Join(dir, what+".log") }
