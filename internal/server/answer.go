package server

import (
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/ossastore/ossa/internal/wire"
)

// answer is the response to one request. Header names go out in the spelling
// they are set in: the Java SDK looks for x-oss-meta- in lower case.
type answer struct {
	http.ResponseWriter
	base     http.Header // on every answer
	began    time.Time
	pace     pace
	throttle *throttle
	send     func() error // what is buffered
	body     *body        // of the request, which is ended before the answer begins

	status  int   // 0 until the header has gone out
	sent    int64 // bytes of body
	sendErr error // why the client could not be sent to
}

// set sets a header, its name spelled as it is.
func (a *answer) set(name, value string) { a.Header()[name] = []string{value} }

// get returns a header that was set in this spelling.
func (a *answer) get(name string) string {
	if values := a.Header()[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}

// setIf sets a header unless the value is empty.
func (a *answer) setIf(name, value string) {
	if value != "" {
		a.set(name, value)
	}
}

// reset takes back every header but those of every answer.
func (a *answer) reset() {
	clear(a.Header())
	maps.Copy(a.Header(), a.base)
}

// WriteHeader begins the answer. Once only; later calls do nothing.
func (a *answer) WriteHeader(status int) {
	if a.status != 0 {
		return
	}
	a.status = status
	if !a.body.settle() {
		a.set("Connection", "close")
	}
	a.set(wire.HeaderServerTime, strconv.FormatInt(time.Since(a.began).Milliseconds(), 10))
	if a.pace.watch == nil {
		a.pace.begin()
	}
	a.ResponseWriter.WriteHeader(status)
}

// flush sends what is buffered of the answer.
func (a *answer) flush() {
	began := a.pace.begin()
	err := a.send()
	a.pace.end(began, 0)
	if err != nil && a.sendErr == nil {
		a.sendErr = err
	}
}

// Write sends a piece of the body. Headers go before it, with status 200 if
// none was set.
func (a *answer) Write(p []byte) (n int, err error) {
	a.WriteHeader(http.StatusOK)
	for len(p) > 0 && err == nil {
		piece := p[:min(int64(len(p)), a.pace.bytes)]
		if a.throttle != nil {
			piece = piece[:a.throttle.clip(len(piece))]
		}
		began := a.pace.begin()
		var m int
		m, err = a.ResponseWriter.Write(piece)
		a.pace.end(began, m)
		n += m
		a.sent += int64(m)
		p = p[m:]
		if err == nil && a.throttle != nil {
			err = a.throttle.wait(m)
		}
	}
	if err != nil {
		a.sendErr = err
	}
	return n, err
}

// empty answers with no body.
func (a *answer) empty(status int) error {
	if status != http.StatusNoContent {
		a.set("Content-Length", "0")
	}
	a.WriteHeader(status)
	return nil
}

// document answers with an XML document.
func (a *answer) document(doc any) error {
	b, err := wire.Marshal(doc)
	if err != nil {
		return err
	}
	a.bytes(http.StatusOK, wire.ContentTypeXML, b)
	return nil
}

// bytes answers with a body that is in memory.
func (a *answer) bytes(status int, contentType string, b []byte) {
	a.set("Content-Type", contentType)
	a.set("Content-Length", strconv.Itoa(len(b)))
	a.WriteHeader(status)
	a.Write(b) // a client that has gone is noticed in sendErr
}

// lazy begins the answer with a status at its first byte, so that a failure
// before it can still be told.
type lazy struct {
	*answer
	code int
}

func (l lazy) Write(p []byte) (int, error) {
	l.answer.WriteHeader(l.code)
	return l.answer.Write(p)
}
