package server

import (
	"context"
	"net/http"
	"time"

	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// restoreObject makes an archived object readable for a while. What is wrong
// with the request depends on the object's class, so the store asks.
func (s *Server) restoreObject(ctx context.Context, rq *request) error {
	if err := s.checkVersion(ctx, rq); err != nil {
		return err
	}
	doc, err := s.document(rq, s.opts.MaxConfigBody)
	if err != nil {
		return err
	}
	restore, err := wire.DecodeRestore(doc)
	if err != nil {
		return wire.MalformedXML(err, wire.ECRestoreElement)
	}
	res, err := s.store.RestoreObject(ctx, &store.RestoreObjectRequest{
		Bucket: rq.target.bucket,
		Key:    rq.target.key,
		Check:  s.ifAllowed(ctx, rq, rq.target.key, versioned(rq.op.action, rq)),
		Days: func(o *store.Object) (int, error) {
			return restore.Check(wire.StorageClass(o.StorageClass))
		},
	})
	if err != nil {
		return err
	}
	if wire.StorageClass(res.StorageClass) != wire.Archive {
		rq.w.set(wire.HeaderRestorePriority, restore.Tier())
	}
	if res.Started {
		return rq.w.empty(http.StatusAccepted)
	}
	return rq.w.empty(http.StatusOK)
}

// restoreInfo says in the words of OSS how far an object is restored; "" if it
// is not.
func restoreInfo(o *store.Object, now time.Time) string {
	switch {
	case o.Restore.Ongoing(now):
		return wire.FormatRestore(time.Time{})
	case o.Restore.Done(now):
		return wire.FormatRestore(o.Restore.Expiry)
	}
	return ""
}

// transitionTime is when a lifecycle rule gave an object its storage class.
func transitionTime(o *store.Object) *wire.Time {
	if o.Transitioned.IsZero() {
		return nil
	}
	return &wire.Time{Time: o.Transitioned}
}

func (a *answer) setTransitioned(o *store.Object) {
	if !o.Transitioned.IsZero() {
		a.set(wire.HeaderTransitionTime, wire.FormatHTTPDate(o.Transitioned))
	}
}
