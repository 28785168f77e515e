//go:build unix

package server

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/sign"
)

// BenchmarkTransport sends the same requests over HTTP/1.1 in the clear, over
// HTTP/1.1 with TLS and over HTTP/2, eight at a time: parts of 5 MiB, small
// objects, and reads of a small object. Client and server share the machine, and
// the storage is memory: what differs is the transport. cpu-ns/op, of both sides
// together, is what to compare where the machine has other things to do.
func BenchmarkTransport(b *testing.B) {
	for _, transport := range []string{"http1", "https1", "http2"} {
		fixture := func(b *testing.B) *fixture {
			var f *fixture
			if transport == "http1" {
				f = newFixture(b)
			} else {
				f = newTLSFixture(b, transport == "http2")
			}
			f.client.Transport.(*http.Transport).MaxIdleConnsPerHost = 8
			f.put("bucket", "", "")
			f.put("bucket", "small", strings.Repeat("x", 4<<10))
			return f
		}
		b.Run("UploadPart5MiB/"+transport, func(b *testing.B) {
			f := fixture(b)
			id := f.initiate("bucket", "large")
			part := bytes.Repeat([]byte("0123456789abcdef"), 5<<20/16)
			b.SetBytes(int64(len(part)))
			f.parallel(b, func(worker, _ int) call {
				return call{method: "PUT", bucket: "bucket", key: "large", query: fmt.Sprintf("partNumber=%d&uploadId=%s", worker+1, id)}
			}, part)
		})
		b.Run("PutObject4KiB/"+transport, func(b *testing.B) {
			fixture(b).parallel(b, func(worker, n int) call {
				return call{method: "PUT", bucket: "bucket", key: fmt.Sprintf("%d/%d", worker, n%100)}
			}, bytes.Repeat([]byte("x"), 4<<10))
		})
		b.Run("GetObject4KiB/"+transport, func(b *testing.B) {
			fixture(b).parallel(b, func(int, int) call { return call{method: "GET", bucket: "bucket", key: "small"} }, nil)
		})
	}
}

// parallel sends b.N requests, eight at a time.
func (f *fixture) parallel(b *testing.B, next func(worker, n int) call, body []byte) {
	const workers = 8
	credentials := sign.Credentials{AccessKeyID: testKeyID, AccessKeySecret: testSecret}
	errs := make(chan error, workers)
	b.ResetTimer()
	began := cpu(b)
	for worker := range workers {
		go func() {
			for n := worker; n < b.N; n += workers {
				c := next(worker, n)
				c.sign = func(r *sign.Request) { sign.SignV1Header(r, credentials, epoch) }
				header, query := c.headers(b)
				r, err := http.NewRequest(c.method, f.scheme+"://"+f.addr+c.path()+"?"+query, bytes.NewReader(body))
				if err != nil {
					errs <- err
					return
				}
				r.Host, r.Header = c.hostName(), header
				res, err := f.client.Do(r)
				if err == nil {
					_, err = io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
				if err == nil && res.StatusCode != 200 {
					err = fmt.Errorf("status %d", res.StatusCode)
				}
				if err != nil {
					errs <- err
					return
				}
			}
			errs <- nil
		}()
	}
	for range workers {
		if err := <-errs; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpu(b)-began)/float64(b.N), "cpu-ns/op")
}

// cpu is the time that processors have worked for this process.
func cpu(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
