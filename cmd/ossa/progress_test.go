package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"github.com/ossastore/ossa/internal/transfer"
	"github.com/ossastore/ossa/oss"
)

// tick is a clock that is set by hand.
type tick struct{ now time.Time }

func (c *tick) Now() time.Time { return c.now }

func newTick() *tick { return &tick{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)} }

// Whatever tasks report, and in whatever order they end, nothing that the meter
// tells falls, and 100% is said at the end only.
func TestMeterNeverFalls(t *testing.T) {
	clock := newTick()
	m := newMeter(clock.Now)
	tasks := []*transfer.Task{{Name: "a", Size: 1000}, {Name: "b", Size: 0}, {Name: "c", Size: 3000}}
	var bytes, files int64
	percent := -1
	look := func() {
		t.Helper()
		clock.now = clock.now.Add(time.Second)
		m.mu.Lock()
		defer m.mu.Unlock()
		p := m.percent()
		if m.done < bytes || m.files < files || p < percent {
			t.Errorf("fell to %d bytes, %d files, %d%% from %d, %d, %d%%", m.done, m.files, p, bytes, files, percent)
		}
		if p == 100 && m.files < 3 {
			t.Errorf("100%% after %d of 3 files", m.files)
		}
		bytes, files, percent = m.done, m.files, p
	}
	m.moved(tasks[0], oss.Progress{Phase: oss.Transferring, Total: 1000, Done: 700, Moved: 700})
	look()
	m.moved(tasks[0], oss.Progress{Phase: oss.Preparing, Total: 1000, Done: 10, Moved: 10}) // begun anew
	look()
	m.moved(tasks[2], oss.Progress{Phase: oss.Transferring, Total: 5000, Done: 5000}) // it grew since it was counted
	look()
	m.counted(3, 4000)
	look()
	m.ended(tasks[0], &transfer.Outcome{Status: transfer.Failed})
	look()
	m.ended(tasks[2], &transfer.Outcome{Status: transfer.Done})
	look()
	m.ended(tasks[1], &transfer.Outcome{Status: transfer.Skipped})
	look()
	if percent != 100 || files != 3 {
		t.Errorf("at the end: %d%%, %d files", percent, files)
	}
}

func TestMeterLine(t *testing.T) {
	clock := newTick()
	m := newMeter(clock.Now)
	task := &transfer.Task{Name: "a", Size: 100 << 20}
	m.line()
	clock.now = clock.now.Add(time.Second)
	m.moved(task, oss.Progress{Phase: oss.Transferring, Total: 100 << 20, Done: 25 << 20, Moved: 25 << 20})
	if got, want := m.line(), "25.0 MiB, 0 files, 25.0 MiB/s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	m.counted(4, 200<<20)
	if got, want := m.line(), "12%, 25.0 MiB of 200.0 MiB, 0 of 4 files, 25.0 MiB/s, 8s left"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestRemaining(t *testing.T) {
	for _, c := range []struct {
		rest int64
		rate float64
		want string
	}{
		{0, 10, ""}, {10, 0, ""}, {10, 10, "2s left"}, {590, 10, "60s left"}, {612, 10, "0:01:01 left"}, {36000 * 10, 10, "10:00:00 left"},
		{86400 << 20, 1, "1048576 days left"},
	} {
		if got := remaining(c.rest, c.rate); got != c.want {
			t.Errorf("%d at %v: %q, want %q", c.rest, c.rate, got, c.want)
		}
	}
}

// A name cannot move the cursor, and is as wide as the others.
func TestPad(t *testing.T) {
	for in, want := range map[string]string{
		"a":                      "a         ",
		"evil\x1b[2J\r\u202egnp": "...J??gnp ",
		"long/name/that/goes/on": "...oes/on ",
		"\u00e9\u00e9":           "\u00e9\u00e9        ",
	} {
		if got := pad(in, 9); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

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

// percentages are those that stand behind a name.
func percentages(t *testing.T, shown, name string) []int {
	t.Helper()
	var all []int
	for _, m := range regexp.MustCompile(regexp.QuoteMeta(name)+` +(\d+)%`).FindAllStringSubmatch(shown, -1) {
		p, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func rising(t *testing.T, what string, all []int) {
	t.Helper()
	if len(all) < 2 {
		t.Fatalf("%s: only these percentages: %v", what, all)
	}
	for i := 1; i < len(all); i++ {
		if all[i] < all[i-1] {
			t.Errorf("%s: %d%% after %d%%: %v", what, all[i], all[i-1], all)
		}
	}
}

// On a terminal there is a bar for each file under way and one for all, with
// percentages that rise, rates and what is left, and no color; in the end only
// what was done stays.
func TestProgressOnTerminal(t *testing.T) {
	s := startTerminalServer(t)
	if out, err := s.command("cp", "-", "oss://scripts/x").CombinedOutput(); err == nil {
		t.Fatalf("there is a bucket already: %s", out)
	}
	makeBucket(t, s)
	s.file("tree/one", 24<<20)
	s.file("tree/two", 20<<20)
	s.file("tree/small", 10)

	shown, err := s.onTerminal(nil, "cp", "-r", "tree", "oss://scripts/tree", "--limit-rate", "20MiB")
	if err != nil {
		t.Fatalf("%v\n%s", err, shown)
	}
	rising(t, "total", percentages(t, shown, "total"))
	rising(t, "one", percentages(t, shown, "one"))
	rising(t, "two", percentages(t, shown, "two"))
	for _, want := range []string{"uploading", "MiB/s", "left", "of 3 files", "3 copied (44.0 MiB) in "} {
		if !strings.Contains(shown, want) {
			t.Errorf("nothing says %q:\n%q", want, shown)
		}
	}
	if color := regexp.MustCompile(`\x1b\[[0-9;]*m`).FindString(shown); color != "" {
		t.Errorf("there is color: %q", color)
	}

	shown, err = s.onTerminal(nil, "cp", "oss://scripts/tree/one", "got", "--limit-rate", "15MiB")
	if err != nil {
		t.Fatalf("%v\n%s", err, shown)
	}
	rising(t, "download", percentages(t, shown, "one"))
	if !strings.Contains(shown, "downloading") || strings.Contains(shown, "total") {
		t.Errorf("a single download shows %q", shown)
	}

	shown, err = s.onTerminal(nil, "cp", "tree/one", "oss://scripts/quiet", "--quiet")
	if err != nil || shown != "" {
		t.Errorf("--quiet: %v, %q", err, shown)
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

// The command that goes on is printed without secrets, however they were given.
func TestCommandAgain(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"x cp -r dir oss://b/ --restart", "ossa cp -r dir oss://b/"},
		{"x cp a oss://b -k secret -e http://h", "ossa cp a oss://b -k ... -e http://h"},
		{"x cp a oss://b --access-key-secret=secret", "ossa cp a oss://b --access-key-secret ..."},
		{"x cp a oss://b -ksecret", "ossa cp a oss://b -k ..."},
		{"x cp a oss://b -k=secret --sts-token secret -tsecret", "ossa cp a oss://b -k ... --sts-token ... -t ..."},
		{"x cp -rk secret a oss://b", "ossa cp -rk ... a oss://b"},
		{"x cp -rfqksecret a oss://b", "ossa cp -rfqk ... a oss://b"},
		{"x cp -rt=secret a oss://b", "ossa cp -rt ... a oss://b"},
		{"x cp -rekt -ikey -c kt a oss://b", "ossa cp -rekt -ikey -c kt a oss://b"},
		{"x cp -- -kfile oss://b --restart", "ossa cp -- -kfile oss://b --restart"},
		{"x cp a*b oss://b", "ossa cp 'a*b' oss://b"},
	} {
		if got := commandAgain(strings.Fields(c.args)); got != c.want {
			t.Errorf("%s: %s, want %s", c.args, got, c.want)
		}
	}
}
