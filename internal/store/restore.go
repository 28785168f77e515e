package store

import (
	"context"
	"time"

	"github.com/ossastore/ossa/internal/meta"
)

// The storage classes of OSS. All of them are kept alike here; they differ in
// what may be done with an object.
const (
	standard        = "Standard"
	archive         = "Archive"
	coldArchive     = "ColdArchive"
	deepColdArchive = "DeepColdArchive"
)

const day = 24 * time.Hour

// MaxRestoreTime bounds Options.RestoreTime.
const MaxRestoreTime = 365 * day

// maxRestored is how long an object of a class stays restored at most, however
// often that is extended; 0 for the classes whose objects can always be read.
func maxRestored(class string) time.Duration {
	switch class {
	case archive:
		return 7 * day
	case coldArchive, deepColdArchive:
		return 365 * day
	}
	return 0
}

// Restore is from when to when an archived object can be read. It is zero while
// the object was not restored, and stays when that is over. Nothing has to happen
// at either time: who looks compares them with the clock, Store.Now.
type Restore struct {
	Ready  time.Time // until then it is being restored
	Expiry time.Time
}

// Ongoing tells whether the object is being restored.
func (r Restore) Ongoing(now time.Time) bool { return now.Before(r.Ready) }

// Done tells whether the object is restored, and can be read.
func (r Restore) Done(now time.Time) bool { return !now.Before(r.Ready) && now.Before(r.Expiry) }

// Now is the time by the clock that decides how far objects are restored.
func (s *Store) Now() time.Time { return s.now() }

// readable tells whether an object's bytes can be read: always, unless its
// class is one of the archive classes, whose objects must be restored first.
func (o *Object) readable(now time.Time) bool {
	return maxRestored(o.StorageClass) == 0 || o.Restore.Done(now)
}

// RestoreObject makes an archived object readable for some days, from
// Options.RestoreTime on. An object that is restored already stays so for that
// many days more, up to what its class allows in all. Neither its bytes nor
// what else is told of them change.
func (s *Store) RestoreObject(ctx context.Context, req *RestoreObjectRequest) (*RestoreObjectResult, error) {
	var (
		res   RestoreObjectResult
		after Restore
	)
	err := s.amend(ctx, req.Bucket, req.Key, func(o *Object) (err error) {
		res, after, err = s.decideRestore(req, o)
		return err
	}, func(rec *meta.Object) {
		rec.RestoreReady, rec.RestoreExpiry = after.Ready, after.Expiry
	})
	if err != nil {
		return nil, wrap(err, &Error{Op: "RestoreObject", Bucket: req.Bucket, Key: req.Key})
	}
	return &res, nil
}

// decideRestore tells what RestoreObject does to an object, nil if there is
// none.
func (s *Store) decideRestore(req *RestoreObjectRequest, o *Object) (res RestoreObjectResult, after Restore, err error) {
	if req.Check != nil {
		if err := req.Check(o); err != nil {
			return res, after, err
		}
	}
	if o == nil {
		return res, after, ErrNoSuchKey
	}
	longest := maxRestored(o.StorageClass)
	if longest == 0 {
		return res, after, ErrNotArchived
	}
	days := 1
	if req.Days != nil {
		if days, err = req.Days(o); err != nil {
			return res, after, err
		}
	}
	now, more := s.now(), min(time.Duration(days)*day, longest)
	res.StorageClass = o.StorageClass
	switch {
	case o.Restore.Ongoing(now):
		return res, after, ErrRestoreInProgress
	case o.Restore.Done(now):
		after = Restore{o.Restore.Ready, o.Restore.Expiry.Add(more)}
		if last := after.Ready.Add(longest); after.Expiry.After(last) {
			after.Expiry = last
		}
		return res, after, nil
	}
	res.Started = true
	after.Ready = now.Add(s.opts.RestoreTime)
	after.Expiry = after.Ready.Add(more)
	return res, after, nil
}

// asWritten takes from a record what befell the object since it was written:
// its restoration, and the move to its storage class by a lifecycle rule.
func asWritten(rec *meta.Object) {
	rec.RestoreReady, rec.RestoreExpiry, rec.Transitioned = time.Time{}, time.Time{}, time.Time{}
}
