package main

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// request is what the proxy knows of one.
type request struct {
	op       string
	uploadID string
	part     int
	size     int64 // announced, of the body

	known *part // that the server has under this number, and the client can know
	sent  int64 // of the body, so far
	crc   uint64
	whole bool // all of the body came
}

const (
	opInitiate = "InitiateMultipartUpload"
	opPart     = "UploadPart"
	opComplete = "CompleteMultipartUpload"
	opAbort    = "AbortMultipartUpload"
	opPut      = "PutObject"
)

func newRequest(r *http.Request) *request {
	q := r.URL.Query()
	e := &request{op: r.Method, uploadID: q.Get("uploadId"), size: r.ContentLength}
	e.part, _ = strconv.Atoi(q.Get("partNumber"))
	_, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case r.Method == http.MethodPost && q.Has("uploads"):
		e.op = opInitiate
	case r.Method == http.MethodPut && e.part > 0:
		e.op = opPart
	case r.Method == http.MethodPost && e.uploadID != "":
		e.op = opComplete
	case r.Method == http.MethodDelete && e.uploadID != "":
		e.op = opAbort
	case r.Method == http.MethodPut && key != "" && r.URL.RawQuery == "":
		e.op = opPut
	}
	return e
}

// data reports whether the body is bytes of the file. The highest number is not:
// there the client keeps a mark of a few bytes.
func (e *request) data() bool { return e.op == opPart && e.part < 10000 || e.op == opPut }

// skipFrom is the size in bytes from which the client looks for the object before
// it sends all of that again in one request.
const skipFrom = 4 << 20

// ledger is what happened in a round, as far as the proxy saw it.
type ledger struct {
	mu      sync.Mutex
	uploads map[string]*upload
	put     *part // the object as PutObject made it
	sent    int64 // bytes of the file, repetitions included
	resent  int64 // of them, those that the client knew or could know to be there
	what    string
	changed bool // the file, on the way
	faults  int
}

// upload is one whose Initiate was answered by the server.
type upload struct {
	parts map[int]*part
	ended bool
}

// part is one that the server has acknowledged.
type part struct {
	size  int64
	crc   uint64
	known bool // the answer got through, or the client was started later
}

func newLedger() *ledger { return &ledger{uploads: map[string]*upload{}} }

// clientStarts lets everything be known that the server has.
func (l *ledger) clientStarts() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.put != nil {
		l.put.known = true
	}
	for _, u := range l.uploads {
		for _, p := range u.parts {
			p.known = true
		}
	}
}

// fileChanged forgets objects and uploads that have ended: they have to be made again.
func (l *ledger) fileChanged() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.changed = true
	l.put = nil
	for _, u := range l.uploads {
		if u.ended {
			u.parts = map[int]*part{}
		}
	}
}

func (l *ledger) begin(e *request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.op == opPut && l.put != nil && l.put.known {
		p := *l.put
		e.known = &p
	}
	if e.op != opPart || !e.data() {
		return
	}
	for _, u := range l.uploads {
		if p := u.parts[e.part]; p != nil && p.known && p.size == e.size {
			c := *p
			e.known = &c
		}
	}
}

// end counts what a request sent. acted is whether the server has answered that
// it did what it was asked for, and damaged whether that was something else.
func (l *ledger) end(e *request, acted, damaged bool) *part {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e.data() {
		l.sent += e.sent
		if k := e.known; k != nil && k.size == e.size && (e.whole && k.crc == e.crc || !e.whole && !l.changed) {
			l.resent += e.sent
			l.what = e.op + " " + strconv.Itoa(e.part)
		}
	}
	if !acted {
		return nil
	}
	switch e.op {
	case opPart:
		u := l.uploads[e.uploadID]
		if u == nil { // of a client that never got that answer, or before the server was killed
			u = &upload{parts: map[int]*part{}}
			l.uploads[e.uploadID] = u
		}
		if damaged {
			delete(u.parts, e.part) // and with it what it has replaced
			return nil
		}
		p := &part{size: e.size, crc: e.crc}
		u.parts[e.part] = p
		return p
	case opPut:
		if e.size < skipFrom {
			return nil // in flight until the client ends
		}
		l.put = &part{size: e.size, crc: e.crc}
		return l.put
	case opComplete, opAbort:
		if u := l.uploads[e.uploadID]; u != nil {
			u.ended = true
		}
	}
	return nil
}

var uploadIDPattern = regexp.MustCompile(`<UploadId>([^<]+)</UploadId>`)

// initiated notes the upload of an answer.
func (l *ledger) initiated(answer []byte) {
	if m := uploadIDPattern.FindSubmatch(answer); m != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.uploads[string(m[1])] = &upload{parts: map[int]*part{}}
	}
}

// delivered notes that the client got the answer.
func (l *ledger) delivered(p *part) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if p != nil {
		p.known = true
	}
}

// hasParts reports whether there are parts to go on with.
func (l *ledger) hasParts() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range l.uploads {
		if u.dataParts() > 0 && !u.ended {
			return true
		}
	}
	return false
}

// dataParts counts parts of the file.
func (u *upload) dataParts() (n int) {
	for number := range u.parts {
		if number < 10000 {
			n++
		}
	}
	return n
}

// ids are all uploads there ever were.
func (l *ledger) ids() (ids []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range l.uploads {
		ids = append(ids, id)
	}
	return ids
}

func (l *ledger) fault() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.faults++
}
