package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"github.com/ossastore/ossa/oss"
)

// A signal in the middle of work ends a command with status 130. What was done is
// told, and so is the command that goes on, or that begins anew.
func TestInterruptedWork(t *testing.T) {
	const goesOn = "interrupted; what was done stays, and this goes on with it:"
	const anew = "interrupted; this begins anew:"
	for _, c := range []struct {
		args      string
		operation string // that is held when it is asked for the nth time
		nth       int
		done      string // how lines of stdout begin, and how many there are; -1 for whatever
		count     int
		said      string
	}{
		{"rm -r oss://long/a --jobs 1", "POST delete", 2, "deleted oss://long/a/", 1000, goesOn},
		{"rm -r oss://long/a --jobs 1", "GET list-type", 3, "deleted oss://long/a/", -1, goesOn},
		{"rb -r oss://long --jobs 1", "DELETE uploadId", 2, "aborted oss://long/k", 1, goesOn},
		{"ls -r oss://long", "GET list-type", 3, "oss://long/a/long/directory/of/keys/", 2000, anew},
		{"ls -r oss://long --json", "GET list-type", 2, `{"type":"object",`, 1000, anew},
		{"ls -rl oss://long", "GET list-type", 2, "2026-", 1000, anew},
		{"du oss://long --jobs 1", "GET list-type", 2, "", 0, anew},
		{"du oss://long --jobs 1", "GET uploadId", 3, "", 0, anew},
		{"uploads ls oss://long -l", "GET uploadId", 3, "2026-", 2, anew},
		{"uploads clean oss://long --older-than 0s --jobs 1", "DELETE uploadId", 3, "aborted oss://long/k, upload ", 2, goesOn},
		{"uploads abort oss://long/k --all", "GET uploads", 1, "", 0, goesOn},
		{"restore -r oss://long --jobs 1", "POST restore", 4, "oss://long/a/", 3, goesOn},
		{"acl set -r oss://long private --jobs 1", "PUT acl", 3, "oss://long/a/", 2, goesOn},
		{"tag set -r oss://long a=b --jobs 1", "PUT tagging", 3, "oss://long/a/", 2, goesOn},
		{"tag rm -r oss://long c --jobs 1", "GET tagging", 3, "oss://long/a/", 2, goesOn},
		{"set-meta -r oss://long Expires:x --jobs 1", "GET acl", 1, "", 0, goesOn},
		{"cat oss://long/k", "GET", 1, "first", 1, anew},
	} {
		for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			t.Run(c.args+" "+sig.String(), func(t *testing.T) {
				t.Parallel()
				b := newLongBucket(t, 2500, 4, func(operation string, nth int) bool { return operation == c.operation && nth == c.nth })
				command := exec.Command(ossaBinary(t), strings.Fields(c.args)...)
				stdout := &firstWrite{written: make(chan struct{})}
				var stderr bytes.Buffer
				command.Env, command.Stdout, command.Stderr = b.environment(t.TempDir()), stdout, &stderr
				if err := command.Start(); err != nil {
					t.Fatal(err)
				}
				if _, held := within(b.held); !held {
					command.Process.Kill()
				}
				if c.operation == "GET" { // what it has got of the object is to be printed first
					within(stdout.written)
				}
				command.Process.Signal(sig)
				command.Wait()
				if code := command.ProcessState.ExitCode(); code != exitInterrupted {
					t.Errorf("status %d", code)
				}
				if n := lines(stdout.text.String(), c.done); c.done != "" && n != c.count && c.count >= 0 || c.done == "" && stdout.text.Len() > 0 {
					t.Errorf("%d lines of what was done, want %d", n, c.count)
				}
				if want := "ossa: " + c.said + "\n  ossa " + c.args + "\n"; stderr.String() != want {
					t.Errorf("said %q, want %q", stderr.String(), want)
				}
			})
		}
	}
}

// firstWrite is a buffer that tells when something is in it.
type firstWrite struct {
	text    strings.Builder
	once    sync.Once
	written chan struct{}
}

func (w *firstWrite) Write(p []byte) (int, error) {
	defer w.once.Do(func() { close(w.written) })
	return w.text.Write(p)
}

// ossaBinary is ossa as TestMain made it.
func ossaBinary(t *testing.T) string {
	t.Helper()
	name, err := exec.LookPath("ossa")
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// Before much is deleted or changed a person is asked. y and yes mean yes,
// everything else is no; Ctrl-C is an interruption, and nothing was begun.
func TestPrompts(t *testing.T) {
	const again = "[y/N] "
	s := startTerminalServer(t)
	if err := os.Mkdir(s.dir+"/empty", 0o777); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		name, args string
		typed      []string // an answer to each question
		status     int
		said       string
		deleted    bool
	}{
		{"yes", "rm -r oss://scripts/a", []string{"y\n"}, exitOK, "deleted oss://scripts/a/1", true},
		{"the whole word", "rm -r oss://scripts/a", []string{" YES \n"}, exitOK, "deleted oss://scripts/a/1", true},
		{"no", "rm -r oss://scripts/a", []string{"n\n"}, exitFailed, "\r\nossa: nothing was done\r\n", false},
		{"empty", "rm -r oss://scripts/a", []string{"\n"}, exitFailed, "\r\nossa: nothing was done\r\n", false},
		{"other words", "rm -r oss://scripts/a", []string{"y n\n"}, exitFailed, "\r\nossa: nothing was done\r\n", false},
		{"end of input", "rm -r oss://scripts/a", []string{"\x04"}, exitFailed, "\r\nossa: nothing was done\r\n", false},
		{"Ctrl-C", "rm -r oss://scripts/a", []string{"\x03"}, exitInterrupted, "\r\nossa: interrupted\r\n", false},
		{"nothing before the last answer", "rm -r oss://scripts/a oss://scripts/b", []string{"y\n", "n\n"}, exitFailed, "ossa: nothing was done", false},
		{"two answers", "rm -r oss://scripts/a oss://scripts/b", []string{"y\n", "y\n"}, exitOK, "deleted oss://scripts/a/1", true},
		{"rb yes", "rb -r oss://scripts", []string{"y\n"}, exitOK, "deleted oss://scripts\r\n", true},
		{"rb no", "rb -r oss://scripts", []string{"no\n"}, exitFailed, "\r\nossa: nothing was done\r\n", false},
		{"rb Ctrl-C", "rb -r oss://scripts", []string{"\x03"}, exitInterrupted, "\r\nossa: interrupted\r\n", false},
		{"sync yes", "sync empty oss://scripts/a --delete", []string{"yes\n"}, exitFailed, "nothing was deleted: the source is empty", false},
		{"sync no", "sync empty oss://scripts/a --delete", []string{"\n"}, exitFailed, "\r\nossa: nothing was done\r\n", false},
		{"sync Ctrl-C", "sync empty oss://scripts/a --delete", []string{"\x03"}, exitInterrupted, "\r\nossa: interrupted\r\n", false},
		{"acl no", "acl set -r oss://scripts/a private", []string{"\n"}, exitFailed, "ossa: nothing was done", false},
		{"acl yes", "acl set -r oss://scripts/a private", []string{"y\n"}, exitOK, "oss://scripts/a/1 is private", false},
		{"tag Ctrl-C", "tag rm -r oss://scripts/a", []string{"\x03"}, exitInterrupted, "\r\nossa: interrupted\r\n", false},
		{"set-meta yes", "set-meta -r oss://scripts/a Expires:x", []string{"y\n"}, exitOK, "oss://scripts/a/1 has other metadata", false},
		{"forced", "rm -rf oss://scripts/a", nil, exitOK, "deleted oss://scripts/a/1", true},
		{"rb forced", "rb -rf oss://scripts", nil, exitOK, "deleted oss://scripts\r\n", true},
		{"dry run", "rm -r oss://scripts/a --dry-run", nil, exitOK, "would delete oss://scripts/a/1", false},
		{"one object", "rm oss://scripts/a/1", nil, exitOK, "deleted oss://scripts/a/1", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			bucket := fmt.Sprintf("scripts-%d", i)
			promptBucket(t, s, bucket)
			inBucket := strings.NewReplacer("oss://scripts", "oss://"+bucket).Replace
			answers := c.typed
			shown, err := s.converse(func(terminal *os.File, sofar string) {
				if len(answers) > 0 && strings.Count(sofar, again) == len(c.typed)-len(answers)+1 {
					terminal.WriteString(answers[0])
					answers = answers[1:]
				}
			}, strings.Fields(inBucket(c.args))...)
			if code := exitCode(err); code != c.status || !strings.Contains(shown, inBucket(c.said)) || strings.Count(shown, again) != len(c.typed) {
				t.Errorf("status %d, want %d; shown %q, want %q", code, c.status, shown, c.said)
			}
			if strings.Contains(shown, "goes on") {
				t.Errorf("nothing was begun that could be gone on with: %q", shown)
			}
			_, err = s.client().HeadObject(t.Context(), &oss.HeadObjectRequest{Bucket: bucket, Key: "a/1"})
			if gone := err != nil; gone != c.deleted {
				t.Errorf("deleted: %v, want %v; %v", gone, c.deleted, err)
			}
		})
	}
}

// Without a terminal nobody is asked.
func TestNoPrompt(t *testing.T) {
	s := startTerminalServer(t)
	promptBucket(t, s, "scripts")
	command := s.command("rm", "-r", "oss://scripts/a")
	command.Stdin = strings.NewReader("n\n")
	out, err := command.CombinedOutput()
	if err != nil || string(out) != "deleted oss://scripts/a/1\n" {
		t.Errorf("%q, %v", out, err)
	}
	// As cron and systemd start programs; /dev/null is a device, and nobody sits there.
	command = s.command("rm", "-r", "oss://scripts/b")
	if out, err = command.Output(); err != nil || string(out) != "deleted oss://scripts/b/1\n" {
		t.Errorf("between null devices: %q, %v", out, err)
	}
}

// promptBucket makes a bucket with the objects a/1 and b/1.
func promptBucket(t *testing.T, s *terminalServer, bucket string) {
	t.Helper()
	client := s.client()
	if _, err := client.PutBucket(t.Context(), &oss.PutBucketRequest{Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a/1", "b/1"} {
		if _, err := client.PutObject(t.Context(), &oss.PutObjectRequest{Bucket: bucket, Key: key}); err != nil {
			t.Fatal(err)
		}
	}
}

// exitCode is the status of a process that ended with err.
func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	if err != nil {
		return -1
	}
	return exitOK
}

// An answer is a line, and what follows is left for the next one.
func TestReadAnswer(t *testing.T) {
	r := strings.NewReader("y\nno\nlast")
	for _, want := range []string{"y\n", "no\n", "last", ""} {
		if got := readAnswer(r); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := readAnswer(strings.NewReader(strings.Repeat("y", 10000) + "\n")); len(got) != maxAnswer {
		t.Errorf("%d bytes are kept", len(got))
	}
}

// converse runs ossa on a pseudo-terminal, and returns what that shows. say may
// type something, given what is shown so far.
func (s *terminalServer) converse(say func(terminal *os.File, sofar string), args ...string) (string, error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	// An interrupted terminal throws away what it has yet to show, and what the
	// program says of the interruption may be in it: noflsh has it keep that.
	c := exec.CommandContext(ctx, "sh", append([]string{"-c", `stty noflsh && exec "$0" "$@"`, ossaBinary(s.t)}, args...)...)
	c.Env, c.Dir = s.env, s.dir
	terminal, err := pty.StartWithSize(c, &pty.Winsize{Rows: 40, Cols: 120})
	if err != nil {
		s.t.Fatal(err)
	}
	defer terminal.Close()
	var shown strings.Builder
	for buf := make([]byte, 4096); ; {
		n, err := terminal.Read(buf)
		shown.Write(buf[:n])
		if err != nil { // that is how a terminal ends
			return shown.String(), c.Wait()
		}
		say(terminal, shown.String())
	}
}

// A signal ends a transfer with status 130 and the command that goes on, which
// sends the rest only.
func TestInterrupt(t *testing.T) {
	s := startTerminalServer(t)
	makeBucket(t, s)
	s.file("big file", 32<<20)
	var sent bool
	shown, err := s.onTerminal(func(c *exec.Cmd, sofar string) {
		if p := percentages(t, sofar, "big"); !sent && len(p) > 0 && p[len(p)-1] >= 40 {
			sent = true
			c.Process.Signal(syscall.SIGINT)
		}
	}, "cp", "big file", "oss://scripts/big", "--part-size", "1MiB", "--limit-rate", "30MiB", "-k", "s3cret-0123456789", "--restart=false")
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
		t.Fatalf("ended with %v:\n%s", err, shown)
	}
	if want := "ossa cp 'big file' oss://scripts/big --part-size 1MiB --limit-rate 30MiB -k ..."; !strings.Contains(shown, want) {
		t.Errorf("it does not say how to go on: %q", shown)
	}
	if strings.Contains(shown, "s3cret") {
		t.Errorf("it tells the secret: %q", shown)
	}

	out, err := s.command("cp", "big file", "oss://scripts/big", "--part-size", "1MiB", "--json").Output()
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`"bytes_moved":(\d+),.*"resumed":true`).FindSubmatch(out)
	if m == nil {
		t.Fatalf("it did not resume: %s", out)
	}
	if n, _ := strconv.Atoi(string(m[1])); n == 0 || n > 24<<20 {
		t.Errorf("sent %d bytes of 32 MiB after some 12 were there", n)
	}
}
