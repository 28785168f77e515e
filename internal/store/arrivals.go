package store

import (
	"context"
	"sync"
)

// arrivals tell of which uploads parts are being received, so that a lifecycle
// leaves those alone. They are courtesy and decide nothing: what ends an upload is
// a commit, whoever knows of what.
type arrivals struct {
	mu      sync.Mutex
	uploads map[UploadID]*arrival
}

// arrival is an upload that parts come for or whose end is being considered.
type arrival struct {
	parts   int           // being received
	decided chan struct{} // closed when its end was considered; nil if nobody does
}

// begin notes that a part begins to be received, until end is called. While the
// upload's end is being considered it waits, which takes a few reads and a
// commit: so nothing is received for an upload that is about to end.
func (a *arrivals) begin(ctx context.Context, id UploadID) (end func(), err error) {
	for {
		at, wait := a.tryBegin(id)
		if wait == nil {
			return func() { a.end(id, at) }, nil
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (a *arrivals) tryBegin(id UploadID) (at *arrival, wait chan struct{}) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at = a.uploads[id]; at == nil {
		at = &arrival{}
		a.uploads[id] = at
	}
	if at.decided == nil {
		at.parts++
	}
	return at, at.decided
}

func (a *arrivals) end(id UploadID, at *arrival) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at.parts--; at.parts == 0 {
		delete(a.uploads, id)
	}
}

// consider keeps parts of an upload waiting until done is called. It does not
// if some are being received, or somebody else considers the same.
func (a *arrivals) consider(id UploadID) (done func(), ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.uploads[id] != nil {
		return nil, false
	}
	at := &arrival{decided: make(chan struct{})}
	a.uploads[id] = at
	return func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.uploads, id)
		close(at.decided)
	}, true
}
