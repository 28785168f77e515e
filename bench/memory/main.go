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
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ossastore/ossa/oss"
	"github.com/ossastore/ossa/test/process"
)

const (
	bucket = "memory"
	key    = "large"
)

func main() {
	var (
		binary = flag.String("ossa", "bin/ossa", "server's `binary`")
		conns  = flag.Int("conns", 8, "`number` of parts that are sent at once")
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
	server, err := process.Start(binary, filepath.Join(data, "data"), io.Discard)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Drain()) }()

	urls, err := server.URLs()
	if err != nil {
		return err
	}
	client, err := oss.NewClient(urls.API, oss.WithRegion(process.Region),
		oss.WithCredentials(oss.StaticCredentials(process.AccessKeyID, process.AccessKeySecret, "")))
	if err != nil {
		return err
	}
	if _, err := client.PutBucket(ctx, &oss.PutBucketRequest{Bucket: bucket}); err != nil {
		return err
	}
	idle, err := status(server.PID(), "VmRSS")
	if err != nil {
		return err
	}
	began := time.Now()
	if err := upload(ctx, client, conns, size); err != nil {
		return err
	}
	took := time.Since(began)
	peak, err := status(server.PID(), "VmHWM")
	if err != nil {
		return err
	}
	rate := float64(size) * float64(conns) / (1 << 20) / took.Seconds()
	fmt.Printf("%-28s %8.1f MiB\n", "resident, idle", idle)
	fmt.Printf("%-28s %8.1f MiB\n", fmt.Sprintf("peak, %d parts of %d MiB", conns, size>>20), peak)
	fmt.Printf("%-28s %8.1f MiB/s\n", "received, durable", rate)
	return nil
}

// status reads a line of /proc/PID/status, in MiB.
func status(pid int, name string) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
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
func upload(ctx context.Context, client *oss.Client, conns int, size int64) error {
	up, err := client.InitiateMultipartUpload(ctx, &oss.InitiateMultipartUploadRequest{Bucket: bucket, Key: key})
	if err != nil {
		return err
	}
	done := make(chan error, conns)
	for n := range conns {
		go func() {
			_, err := client.UploadPart(ctx, &oss.UploadPartRequest{
				Bucket: bucket, Key: key, UploadID: up.UploadID, PartNumber: n + 1, Body: &noise{left: size, chunk: chunk(n)}, Length: size,
			})
			done <- err
		}()
	}
	for range conns {
		err = errors.Join(err, <-done)
	}
	if err != nil {
		return err
	}
	_, err = client.AbortMultipartUpload(ctx, &oss.AbortMultipartUploadRequest{Bucket: bucket, Key: key, UploadID: up.UploadID})
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
