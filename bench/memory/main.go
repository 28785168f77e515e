// Command memory measures how much memory the server takes: idle, and while
// many large parts come in at once. It starts the given binary on an empty
// directory, uploads one part a connection, and prints the resident memory that
// the kernel counted (VmRSS, and VmHWM for the peak).
//
//	go run ./bench/memory -ossa bin/ossa -conns 8 -part 1073741824
//
// It needs as much room in -dir as it uploads, and Linux for /proc.
package main

import (
	"bufio"
	"context"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ossastore/ossa/internal/sign"
)

const (
	region = "cn-hangzhou"
	bucket = "memory"
	key    = "large"
)

var credentials = sign.Credentials{AccessKeyID: "memorykey", AccessKeySecret: "memorysecret0123456789"}

func main() {
	var (
		binary = flag.String("ossa", "bin/ossa", "server's `binary`")
		conns  = flag.Int("conns", 8, "parts that are sent at once")
		size   = flag.Int64("part", 1<<30, "`bytes` of each part")
		dir    = flag.String("dir", os.TempDir(), "`directory` under which the data lies")
	)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *binary, *dir, *conns, *size); err != nil {
		fmt.Fprintln(os.Stderr, "memory:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, binary, dir string, conns int, size int64) (err error) {
	data, err := os.MkdirTemp(dir, "ossa-memory-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	s, err := start(ctx, binary, filepath.Join(data, "data"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()

	if _, err := s.call(ctx, sign.Request{Method: "PUT", Bucket: bucket}, nil, 0); err != nil {
		return err
	}
	idle, err := s.status("VmRSS")
	if err != nil {
		return err
	}
	began := time.Now()
	if err := s.upload(ctx, conns, size); err != nil {
		return err
	}
	took := time.Since(began)
	peak, err := s.status("VmHWM")
	if err != nil {
		return err
	}
	rate := float64(size) * float64(conns) / (1 << 20) / took.Seconds()
	fmt.Printf("%-28s %8.1f MiB\n", "resident, idle", idle)
	fmt.Printf("%-28s %8.1f MiB\n", fmt.Sprintf("peak, %d parts of %d MiB", conns, size>>20), peak)
	fmt.Printf("%-28s %8.1f MiB/s\n", "received, durable", rate)
	return nil
}

// server is a running server.
type server struct {
	cmd  *exec.Cmd
	base string // URL
}

var readyLine = regexp.MustCompile(`ossa: ready on (http://[^ ]+)`)

func start(ctx context.Context, binary, data string) (*server, error) {
	cmd := exec.CommandContext(ctx, binary, "serve", "--data", data, "--listen", "127.0.0.1:0", "--admin-listen", "off", "--access-log=false")
	cmd.Env = append(os.Environ(),
		"OSSA_ROOT_ACCESS_KEY_ID="+credentials.AccessKeyID, "OSSA_ROOT_ACCESS_KEY_SECRET="+credentials.AccessKeySecret, "OSSA_REGION="+region)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	log, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if m := readyLine.FindStringSubmatch(lines.Text()); m != nil {
			go io.Copy(io.Discard, log) // until the server ends
			return &server{cmd: cmd, base: m[1]}, nil
		}
	}
	return nil, errors.Join(errors.New("the server did not get ready"), cmd.Wait())
}

func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return s.cmd.Wait()
}

// status reads a line of the server's /proc/PID/status, in MiB.
func (s *server) status(name string) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kib, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024, err
		}
	}
	return 0, fmt.Errorf("no %s in /proc", name)
}

// upload sends one part a connection, all at once, and aborts the upload.
func (s *server) upload(ctx context.Context, conns int, size int64) error {
	body, err := s.call(ctx, sign.Request{Method: "POST", Bucket: bucket, Key: key, Query: []sign.Param{{Name: "uploads"}}}, nil, 0)
	if err != nil {
		return err
	}
	var initiated struct {
		UploadID string `xml:"UploadId"`
	}
	if err := xml.Unmarshal(body, &initiated); err != nil {
		return err
	}
	id := sign.Param{Name: "uploadId", Value: initiated.UploadID}
	done := make(chan error, conns)
	for n := range conns {
		go func() {
			number := sign.Param{Name: "partNumber", Value: strconv.Itoa(n + 1)}
			r := sign.Request{Method: "PUT", Bucket: bucket, Key: key, Query: []sign.Param{number, id}}
			_, err := s.call(ctx, r, &noise{left: size, chunk: chunk(n)}, size)
			done <- err
		}()
	}
	for range conns {
		err = errors.Join(err, <-done)
	}
	if err != nil {
		return err
	}
	_, err = s.call(ctx, sign.Request{Method: "DELETE", Bucket: bucket, Key: key, Query: []sign.Param{id}}, nil, 0)
	return err
}

// chunk is a piece of random bytes that a part repeats.
func chunk(n int) []byte {
	p := make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{byte(n)}).Read(p) // never fails
	return p
}

// noise gives out left bytes.
type noise struct {
	left  int64
	chunk []byte
}

func (r *noise) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	from := int(r.left % int64(len(r.chunk)))
	n := copy(p[:min(int64(len(p)), r.left)], r.chunk[from:])
	r.left -= int64(n)
	return n, nil
}

// call sends one signed request and returns the answer's body.
func (s *server) call(ctx context.Context, r sign.Request, body io.Reader, size int64) ([]byte, error) {
	r.Header = map[string][]string{}
	r.Host = strings.TrimPrefix(s.base, "http://")
	sign.SignV4Header(&r, credentials, region, time.Now())
	target := s.base + "/" + r.Bucket + "/" + sign.EscapePath(r.Key)
	if len(r.Query) > 0 {
		target += "?" + sign.EncodeQuery(r.Query)
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, target, body)
	if err != nil {
		return nil, err
	}
	request.Header = r.Header
	request.ContentLength = size
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s\n%s", r.Method, target, answer.Status, text)
	}
	return text, err
}
