package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ossastore/ossa/oss"
	"github.com/ossastore/ossa/test/process"
)

// job is one run of the client.
type job struct {
	Endpoint, File, Key string
	PartSize            int64
	Parallel            int
}

const jobFlag = "OSSA_CHAOS_JOB"

// clientMain uploads a file with the library.
func clientMain(text string) int {
	var j job
	err := json.Unmarshal([]byte(text), &j)
	if err == nil {
		err = j.upload()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "upload:", err)
		return 1
	}
	return 0
}

func (j *job) upload() error {
	client, err := oss.NewClient(j.Endpoint, oss.WithRegion(process.Region), oss.WithCredentials(oss.EnvironmentCredentials()),
		oss.WithStallTimeout(3*time.Second), oss.WithAnswerTimeout(5*time.Second))
	if err != nil {
		return err
	}
	res, err := client.UploadFile(context.Background(), j.File, &oss.UploadRequest{
		Bucket: bucket, Key: j.Key, PartSize: j.PartSize, Parallel: j.Parallel, SkipIdentical: true,
	})
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(res)
	}
	return err
}

// client is a client that runs.
type client struct {
	command *exec.Cmd
	out     bytes.Buffer // stdout and stderr
	ended   chan struct{}
	err     error // of Wait, once ended is closed
}

// startClient runs the real client on a machine.
func startClient(c config, m *machine, j job) (*client, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	r := &client{command: exec.Command(self), ended: make(chan struct{})}
	r.command.Dir = m.dir
	r.command.Env = []string{
		jobFlag + "=" + string(text),
		"HOME=" + m.home, "TMPDIR=" + m.home, "PATH=" + os.Getenv("PATH"),
		"OSS_ACCESS_KEY_ID=" + process.AccessKeyID, "OSS_ACCESS_KEY_SECRET=" + process.AccessKeySecret,
	}
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
