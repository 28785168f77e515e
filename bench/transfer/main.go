// Command transfer measures ossa cp: how much memory it takes for a very large
// file and for very many small ones, and how fast it is, next to the official Go
// SDK v2 and to the calls that ossutil v1 is made of, against the same server.
//
//	go run . -ossa ../../bin/ossa            everything
//	go run . -ossa ../../bin/ossa memory     memory, against a server that keeps nothing
//	go run . -ossa ../../bin/ossa rate       rates, against ossa serve
//
// Each measurement is a process of its own. Memory is the peak that the kernel
// counted for it. The memory part needs room for the inodes of the small files; the
// rate part needs about five times -large.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/ossastore/ossa/test/process"
)

const bucket = "transfer"

type settings struct {
	binary, dir  string
	sparse       int64
	many         int
	large        int64
	small, bytes int
	rounds       int
}

func main() {
	if len(os.Args) > 2 && (os.Args[1] == "sdk" || os.Args[1] == "ossutil") { // a measured process
		var err error
		if os.Args[1] == "sdk" {
			err = sdk(context.Background(), os.Args[2:])
		} else {
			err = ossutil(os.Args[2:])
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "transfer %s: %v\n", os.Args[1], err)
			os.Exit(1)
		}
		return
	}
	var s settings
	flag.StringVar(&s.binary, "ossa", "bin/ossa", "`binary` of ossa")
	flag.StringVar(&s.dir, "dir", os.TempDir(), "`directory` under which everything lies")
	flag.Int64Var(&s.sparse, "sparse", 20<<30, "`bytes` of the sparse file")
	flag.IntVar(&s.many, "many", 200_000, "`files` of the large directory")
	flag.Int64Var(&s.large, "large", 2<<30, "`bytes` of the file for rates")
	flag.IntVar(&s.small, "small", 10_000, "`files` for rates")
	flag.IntVar(&s.bytes, "bytes", 10<<10, "`bytes` of each of these")
	flag.IntVar(&s.rounds, "rounds", 3, "`times` that each rate is measured; the best counts")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := s.run(ctx, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "transfer:", err)
		os.Exit(1)
	}
}

func (s *settings) run(ctx context.Context, what string) error {
	var err error
	if s.binary, err = filepath.Abs(s.binary); err != nil {
		return err
	}
	if s.dir, err = os.MkdirTemp(s.dir, "ossa-transfer-"); err != nil {
		return err
	}
	defer os.RemoveAll(s.dir)
	if what == "" || what == "memory" {
		if err := s.memory(ctx); err != nil {
			return err
		}
	}
	if what == "" || what == "rate" {
		return s.rates(ctx)
	}
	return nil
}

// result is a process that ended well.
type result struct {
	took time.Duration
	cpu  time.Duration // of all its threads
	peak int64         // bytes
}

func (s *settings) measure(ctx context.Context, endpoint string, words ...string) (result, error) {
	c := exec.CommandContext(ctx, words[0], words[1:]...)
	c.Env = append(os.Environ(), "OSS_ENDPOINT="+endpoint, "OSS_REGION="+process.Region, "OSS_ACCESS_KEY_ID="+process.AccessKeyID,
		"OSS_ACCESS_KEY_SECRET="+process.AccessKeySecret, "OSSA_STATE_DIR="+s.stateDir())
	began := time.Now()
	out, err := c.CombinedOutput()
	took := time.Since(began)
	if err != nil {
		return result{}, fmt.Errorf("%s: %w\n%s", strings.Join(words, " "), err, out)
	}
	usage := c.ProcessState.SysUsage().(*syscall.Rusage)
	cpu := c.ProcessState.UserTime() + c.ProcessState.SystemTime()
	return result{took, cpu, usage.Maxrss << 10}, nil
}

// stateDir is for journals and checkpoints.
func (s *settings) stateDir() string { return filepath.Join(s.dir, "state") }

func mib(n int64) float64 { return float64(n) / (1 << 20) }

// memory measures the peaks.
func (s *settings) memory(ctx context.Context) error {
	var k keepNothing
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	hs := &http.Server{Handler: &k}
	go hs.Serve(l)
	defer hs.Close()
	endpoint := "http://" + l.Addr().String()

	sparse := filepath.Join(s.dir, "sparse")
	if err := os.WriteFile(sparse, nil, 0o666); err != nil {
		return err
	}
	if err := os.Truncate(sparse, s.sparse); err != nil {
		return err
	}
	fmt.Println("| memory of ossa cp | peak | time | arrived |")
	fmt.Println("|---|---|---|---|")
	r, err := s.measure(ctx, endpoint, s.binary, "cp", sparse, "oss://"+bucket+"/sparse", "--parallel", "16", "--restart")
	if err != nil {
		return err
	}
	fmt.Printf("| sparse file of %.0f GiB, 16 parts at a time | %.1f MiB | %v | %.1f GiB |\n", mib(s.sparse)/1024, mib(r.peak), r.took.Round(time.Millisecond), mib(k.bytes.Swap(0))/1024)
	k.requests.Store(0)

	many := filepath.Join(s.dir, "many")
	if err := s.fill(many, s.many, 0, s.many); err != nil { // in one directory: the worst case
		return err
	}
	r, err = s.measure(ctx, endpoint, s.binary, "cp", "-r", many, "oss://"+bucket+"/many/", "--jobs", "16")
	if err != nil {
		return err
	}
	fmt.Printf("| %d files of one directory, 16 at a time | %.1f MiB | %v | %d requests |\n", s.many, mib(r.peak), r.took.Round(time.Millisecond), k.requests.Swap(0))
	r, err = s.measure(ctx, endpoint, s.binary, "sync", many, "oss://"+bucket+"/many/", "--jobs", "16")
	if err != nil {
		return err
	}
	fmt.Printf("| the same by ossa sync, with its journal | %.1f MiB | %v | %d requests |\n", mib(r.peak), r.took.Round(time.Millisecond), k.requests.Swap(0))
	return os.RemoveAll(many)
}

// fill makes n files of size bytes, at most perDir in a directory.
func (s *settings) fill(dir string, n, size, perDir int) error {
	random := rand.NewChaCha8([32]byte{1})
	data := make([]byte, size)
	for i := range n {
		name := filepath.Join(dir, fmt.Sprintf("dir-%03d", i/perDir), fmt.Sprintf("a-file-with-a-name-of-usual-length-%07d.dat", i))
		if i%perDir == 0 {
			if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
				return err
			}
		}
		random.Read(data)
		if err := os.WriteFile(name, data, 0o666); err != nil {
			return err
		}
	}
	return nil
}

// keepNothing answers as a server that has taken everything in. It tells no CRC-64.
type keepNothing struct{ requests, bytes atomic.Int64 }

func (k *keepNothing) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	k.requests.Add(1)
	n, _ := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{r.Body}, make([]byte, 256<<10))
	k.bytes.Add(n)
	q := r.URL.Query()
	w.Header().Set("X-Oss-Request-Id", "0")
	switch {
	case r.Method == "POST" && q.Has("uploads"):
		fmt.Fprint(w, "<InitiateMultipartUploadResult><UploadId>0123456789ABCDEF0123456789ABCDEF</UploadId></InitiateMultipartUploadResult>")
	case r.Method == "POST":
		fmt.Fprint(w, `<CompleteMultipartUploadResult><ETag>"0123456789ABCDEF0123456789ABCDEF-1"</ETag></CompleteMultipartUploadResult>`)
	case r.Method == "PUT":
		w.Header().Set("ETag", `"0123456789ABCDEF0123456789ABCDEF"`)
	case r.Method == "HEAD":
		w.WriteHeader(http.StatusNotFound)
	case q.Has("uploads"):
		fmt.Fprint(w, "<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>")
	default:
		fmt.Fprint(w, "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
	}
}

// rates measures how fast files go up and down.
func (s *settings) rates(ctx context.Context) error {
	server, err := process.Start(s.binary, filepath.Join(s.dir, "data"), io.Discard)
	if err != nil {
		return err
	}
	defer server.Drain()
	urls, err := server.URLs()
	if err != nil {
		return err
	}
	endpoint := urls.API
	if err := os.MkdirAll(s.stateDir(), 0o777); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if _, err := s.measure(ctx, endpoint, self, "sdk", "bucket"); err != nil {
		return err
	}
	large := filepath.Join(s.dir, "large")
	if err := writeRandom(large, s.large); err != nil {
		return err
	}
	small := filepath.Join(s.dir, "small")
	if err := s.fill(small, s.small, s.bytes, 1000); err != nil {
		return err
	}
	got := filepath.Join(s.dir, "got")

	fmt.Printf("\n| best of %d | ossa cp | Go SDK v2, its defaults | Go SDK v2, as many parts or files at a time | Go SDK 1.0 as ossutil v1 calls it |\n|---|---|---|---|---|\n", s.rounds)
	url := "oss://" + bucket + "/"
	for _, row := range []struct {
		what     string
		bytes    int64
		commands [4][]string
	}{
		{fmt.Sprintf("upload of %.0f MiB", mib(s.large)), s.large, [4][]string{
			{s.binary, "cp", large, url + "large-ossa", "--restart", "--quiet"},
			{self, "sdk", "up", large, "large-sdk", "0"},
			{self, "sdk", "up", large, "large-sdk", "12"},
			{self, "ossutil", "up", large, "large-ossutil"},
		}},
		{fmt.Sprintf("download of %.0f MiB", mib(s.large)), s.large, [4][]string{
			{s.binary, "cp", url + "large-ossa", got, "--quiet"},
			{self, "sdk", "down", "large-ossa", got, "0"},
			{self, "sdk", "down", "large-ossa", got, "12"},
			{self, "ossutil", "down", "large-ossa", got},
		}},
		{fmt.Sprintf("upload of %d files of %d KiB", s.small, s.bytes>>10), int64(s.small) * int64(s.bytes), [4][]string{
			{s.binary, "cp", "-r", small, url + "small-ossa/", "--quiet"},
			{self, "sdk", "upall", small, "small-sdk/", "3"},
			{self, "sdk", "upall", small, "small-sdk/", "16"},
			{self, "ossutil", "upall", small, "small-ossutil/"},
		}},
		{fmt.Sprintf("download of %d files of %d KiB", s.small, s.bytes>>10), int64(s.small) * int64(s.bytes), [4][]string{
			{s.binary, "cp", "-r", url + "small-ossa/", got, "--quiet"},
			{self, "sdk", "downall", "small-ossa/", got, "3"},
			{self, "sdk", "downall", "small-ossa/", got, "16"},
			{self, "ossutil", "downall", "small-ossa/", got},
		}},
	} {
		var best [4]result
		for range s.rounds {
			for i, words := range row.commands { // in turn, so that all have the same machine
				if err := s.putAway(got); err != nil {
					return err
				}
				syscall.Sync()
				r, err := s.measure(ctx, endpoint, words...)
				if err != nil {
					return err
				}
				if best[i].took == 0 || r.took < best[i].took {
					best[i] = r
				}
			}
		}
		fmt.Printf("| %s |", row.what)
		for _, r := range best {
			fmt.Printf(" %.2f s, %.0f MiB/s, %.1f s of CPU, %.0f MiB |", r.took.Seconds(), mib(row.bytes)/r.took.Seconds(), r.cpu.Seconds(), mib(r.peak))
		}
		fmt.Println()
	}
	return nil
}

// putAway makes room for a download. Many files are not deleted before the end:
// ext4 looks long for an inode that was not freed just now, and that would be what
// is measured.
func (s *settings) putAway(got string) error {
	info, err := os.Stat(got)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		return os.Remove(got)
	}
	away, err := os.MkdirTemp(s.dir, "away-")
	if err != nil {
		return err
	}
	return os.Rename(got, filepath.Join(away, "got"))
}

func writeRandom(name string, size int64) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.CopyN(f, rand.NewChaCha8([32]byte{2}), size); err != nil {
		return err
	}
	return f.Sync()
}
