package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/ossastore/ossa/internal/wire"
)

// longBucket is a server with one bucket, of any number of objects and uploads,
// none of which is anywhere: what it is asked for it makes up. It can hold an
// answer until its client goes away.
type longBucket struct {
	*httptest.Server
	objects int
	uploads int

	// holds tells whether a request is held, given how many there were like it;
	// nil for none.
	holds func(operation string, nth int) bool
	held  chan struct{} // gets a value for each request that is held

	mu    sync.Mutex
	asked map[string]int
}

func newLongBucket(t *testing.T, objects, uploads int, holds func(operation string, nth int) bool) *longBucket {
	t.Helper()
	b := &longBucket{objects: objects, uploads: uploads, holds: holds, held: make(chan struct{}, 1), asked: map[string]int{}}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Close)
	return b
}

// operationOf names what is asked for: the method and the sub-resource.
func operationOf(r *http.Request) string {
	q := r.URL.Query()
	for _, name := range []string{"list-type", "uploads", "uploadId", "delete", "acl", "tagging", "restore"} {
		if q.Has(name) {
			return r.Method + " " + name
		}
	}
	return r.Method
}

func (b *longBucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	operation := operationOf(r)
	b.mu.Lock()
	b.asked[operation]++
	nth := b.asked[operation]
	b.mu.Unlock()
	w.Header().Set("Content-Type", "application/xml")
	if operation == "GET" {
		w.Header().Set("ETag", `"0CC175B9C0F1B6A831C399E269772661"`)
		w.Header().Set("Content-Length", "10")
		io.WriteString(w, "first") // the second half follows
		w.(http.Flusher).Flush()
	}
	if b.holds != nil && b.holds(operation, nth) {
		b.held <- struct{}{}
		<-r.Context().Done()
		return
	}
	b.answer(w, r, operation, body)
}

const madeUpTime = "2026-01-02T03:04:05.000Z"

func (b *longBucket) answer(w http.ResponseWriter, r *http.Request, operation string, body []byte) {
	q := r.URL.Query()
	switch operation {
	case "GET list-type":
		first, end := page(q.Get("continuation-token"), q.Get("max-keys"), b.objects)
		fmt.Fprintf(w, "<ListBucketResult><Name>long</Name><IsTruncated>%t</IsTruncated><NextContinuationToken>%d</NextContinuationToken>", end < b.objects, end)
		for i := first; i < end; i++ {
			fmt.Fprintf(w, `<Contents><Key>a/long/directory/of/keys/%08d</Key><LastModified>`+madeUpTime+`</LastModified><ETag>"0CC175B9C0F1B6A831C399E269772661"</ETag>`+
				`<Type>Normal</Type><Size>10</Size><StorageClass>Archive</StorageClass></Contents>`, i)
		}
		io.WriteString(w, "</ListBucketResult>")
	case "GET uploads":
		first, end := page(q.Get("upload-id-marker"), q.Get("max-uploads"), b.uploads)
		fmt.Fprintf(w, "<ListMultipartUploadsResult><Bucket>long</Bucket><IsTruncated>%t</IsTruncated><NextKeyMarker>k</NextKeyMarker><NextUploadIdMarker>%d</NextUploadIdMarker>", end < b.uploads, end)
		for i := first; i < end; i++ {
			fmt.Fprintf(w, `<Upload><Key>k</Key><UploadId>%08d</UploadId><Initiated>`+madeUpTime+`</Initiated></Upload>`, i)
		}
		io.WriteString(w, "</ListMultipartUploadsResult>")
	case "GET uploadId":
		io.WriteString(w, `<ListPartsResult><Part><PartNumber>1</PartNumber><Size>5</Size><ETag>"A"</ETag><LastModified>`+madeUpTime+`</LastModified></Part></ListPartsResult>`)
	case "POST delete":
		request, err := wire.DecodeDelete(body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		io.WriteString(w, "<DeleteResult>")
		for _, o := range request.Objects {
			fmt.Fprintf(w, "<Deleted><Key>%s</Key></Deleted>", o.Key)
		}
		io.WriteString(w, "</DeleteResult>")
	case "GET tagging":
		io.WriteString(w, "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>")
	case "GET":
		io.WriteString(w, "other")
	case "POST restore":
		w.WriteHeader(http.StatusAccepted)
	case "DELETE uploadId", "DELETE tagging":
		w.WriteHeader(http.StatusNoContent)
	}
}

// page is which of n entries come after a marker.
func page(marker, max string, n int) (first, end int) {
	first, _ = strconv.Atoi(marker)
	length, err := strconv.Atoi(max)
	if err != nil {
		length = 100
	}
	return first, min(first+length, n)
}

// environment is that of a command that works with the server.
func (b *longBucket) environment(dir string) []string {
	return append(os.Environ(), envEndpoint+"="+b.URL, envAccessKeyID+"=id", envAccessKeySecret+"=secret", envRegion+"=cn-hangzhou",
		envSessionToken+"=", envProfile+"=", envStateDir+"="+dir, "HOME="+dir, "TERM=xterm")
}

// lines counts the lines of a text that begin so.
func lines(text, begin string) (n int) {
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, begin) {
			n++
		}
	}
	return n
}
