package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/wire"
)

// scriptedServer answers as do says, and remembers what was to be changed.
type scriptedServer struct {
	*httptest.Server
	mu      sync.Mutex
	changes []string // method and URI without the signature's part, and the body
}

func newScriptedServer(t *testing.T, do func(w http.ResponseWriter, r *http.Request, operation string)) *scriptedServer {
	t.Helper()
	s := &scriptedServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			s.mu.Lock()
			s.changes = append(s.changes, strings.TrimSpace(r.Method+" "+r.RequestURI+" "+string(body)))
			s.mu.Unlock()
		}
		w.Header().Set(wire.HeaderRequestID, "6B0776C18C4DDD821B694BF2")
		do(w, r, operationOf(r))
	}))
	t.Cleanup(s.Close)
	setTestEnvironment(t, &longBucket{Server: s.Server})
	return s
}

// Uploads are as old as the server's clock says; of unknown age they are not old,
// and 0s is all.
func TestCleanByAge(t *testing.T) {
	now := time.Now().Add(-30 * 24 * time.Hour) // the clock here is a month ahead
	upload := func(id string, begun string) string {
		return "<Upload><Key>k</Key><UploadId>" + id + "</UploadId>" + begun + "</Upload>"
	}
	ago := func(days int) string {
		return now.AddDate(0, 0, -days).UTC().Format("<Initiated>2006-01-02T15:04:05.000Z</Initiated>")
	}
	s := newScriptedServer(t, func(w http.ResponseWriter, r *http.Request, operation string) {
		w.Header().Set("Date", now.UTC().Format(http.TimeFormat))
		if signed, err := time.Parse("20060102T150405Z", r.Header.Get("x-oss-date")); err != nil || signed.Sub(now).Abs() > 15*time.Minute {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, "<Error><Code>RequestTimeTooSkewed</Code><Message>Skewed.</Message></Error>")
			return
		}
		switch operation {
		case "GET uploads":
			io.WriteString(w, "<ListMultipartUploadsResult>"+upload("OLD", ago(8))+upload("YOUNG", ago(6))+upload("FUTURE", ago(-400))+upload("UNKNOWN", "")+
				"</ListMultipartUploadsResult>")
		case "GET uploadId":
			io.WriteString(w, "<ListPartsResult></ListPartsResult>")
		}
	})
	for age, want := range map[string][]string{"7d": {"OLD"}, "5d": {"OLD", "YOUNG"}, "0s": {"FUTURE", "OLD", "UNKNOWN", "YOUNG"}} {
		s.changes = nil
		var out, errs strings.Builder
		if status := run([]string{"uploads", "clean", "oss://bkt", "--older-than", age}, &out, &errs); status != exitOK {
			t.Errorf("%s: status %d, %s", age, status, errs.String())
		}
		var ids []string
		for _, c := range s.changes {
			_, id, _ := strings.Cut(c, "uploadId=")
			ids = append(ids, id)
		}
		slices.Sort(ids)
		if !slices.Equal(ids, want) {
			t.Errorf("%s: aborted %q, want %q", age, ids, want)
		}
	}
}

// A key that no document can have is not deleted under another name, and holds
// nothing up.
func TestRemoveUnnamable(t *testing.T) {
	s := newScriptedServer(t, func(w http.ResponseWriter, r *http.Request, operation string) {
		switch operation {
		case "GET list-type":
			io.WriteString(w, "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a</Key></Contents><Contents><Key>b%FF</Key></Contents></ListBucketResult>")
		case "POST delete":
			io.WriteString(w, "<DeleteResult><Deleted><Key>a</Key></Deleted></DeleteResult>")
		}
	})
	var out, errs strings.Builder
	status := run([]string{"rm", "-r", "oss://bkt"}, &out, &errs)
	if status != exitPartly || out.String() != "deleted oss://bkt/a\n" || !strings.Contains(errs.String(), `"oss://bkt/b\xff": the key is not UTF-8`) {
		t.Errorf("status %d, %q, %q", status, out.String(), errs.String())
	}
	if got := fmt.Sprint(s.changes); len(s.changes) != 1 || strings.Count(got, "<Key>") != 1 {
		t.Errorf("asked for %s", got)
	}
}

// What a server leaves out when it says what it deleted is asked for one by one,
// which tells why not; and however much that is, the rest is deleted.
func TestRemoveUnconfirmed(t *testing.T) {
	const n, locked = 2500, 1100
	key := func(i int) string { return fmt.Sprintf("k%04d", i) }
	s := newScriptedServer(t, func(w http.ResponseWriter, r *http.Request, operation string) {
		switch operation {
		case "GET list-type":
			first, end := page(r.URL.Query().Get("continuation-token"), "1000", n)
			fmt.Fprintf(w, "<ListBucketResult><IsTruncated>%t</IsTruncated><NextContinuationToken>%d</NextContinuationToken>", end < n, end)
			for i := first; i < end; i++ {
				io.WriteString(w, "<Contents><Key>"+key(i)+"</Key></Contents>")
			}
			io.WriteString(w, "</ListBucketResult>")
		case "POST delete":
			io.WriteString(w, "<DeleteResult><Deleted><Key>another</Key></Deleted>")
			for i := locked; i < n; i++ {
				io.WriteString(w, "<Deleted><Key>"+key(i)+"</Key></Deleted>")
			}
			io.WriteString(w, "</DeleteResult>")
		case "DELETE":
			w.WriteHeader(http.StatusConflict)
			io.WriteString(w, "<Error><Code>FileImmutable</Code><Message>The object is locked.</Message></Error>")
		}
	})
	var out, errs strings.Builder
	status := run([]string{"rm", "-r", "oss://bkt", "--jobs", "1"}, &out, &errs)
	if done, not := lines(out.String(), "deleted oss://bkt/k"), lines(errs.String(), "ossa: DeleteObject oss://bkt/k"); status != exitPartly || done != n-locked || not != locked {
		t.Errorf("status %d, %d deleted and %d not, want %d and %d", status, done, not, n-locked, locked)
	}
	if !strings.Contains(errs.String(), "oss://bkt/"+key(0)+": FileImmutable (HTTP 409)") {
		t.Errorf("no reason is told: %s", errs.String())
	}
	if len(s.changes) != 3+locked {
		t.Errorf("%d requests, want %d", len(s.changes), 3+locked)
	}
}
