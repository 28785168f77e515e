package store

import (
	"context"

	"github.com/ossastore/ossa/internal/meta"
)

// Check is asked about the object that a change is about to replace, delete or
// amend, as the row has it that the change's commit guards; nil if there is
// none. So what it says holds at the instant of the change. It may be asked more
// than once. Its error ends the operation, with nothing changed, and comes back
// wrapped.
type Check func(*Object) error

// ask puts the value of an object's row to a check, if there is one.
func (c Check) ask(b *bucketRow, key string, value []byte) error {
	if c == nil {
		return nil
	}
	if value == nil {
		return c(nil)
	}
	rec, err := meta.DecodeObject(value)
	if err != nil {
		return err
	}
	return c(objectInfo(b.name, key, rec))
}

// DeleteObjectIf is DeleteObject, if check lets it.
func (s *Store) DeleteObjectIf(ctx context.Context, bucket, key string, check Check) error {
	b, err := s.bucket(ctx, bucket)
	if err == nil {
		err = retry(ctx, func() error { return s.deleteObject(ctx, b, key, check) })
	}
	return wrap(err, &Error{Op: "DeleteObject", Bucket: bucket, Key: key})
}

// DeleteMultipleObjectsIf is DeleteMultipleObjects for those keys whose check,
// nil for none, lets it. The others have its error.
func (s *Store) DeleteMultipleObjectsIf(ctx context.Context, bucket string, keys []string, check func(key string) Check) []error {
	errs := make([]error, len(keys))
	for i := 0; i < len(keys); i += deleteBatch {
		j := min(i+deleteBatch, len(keys))
		if s.deleteTogether(ctx, bucket, keys[i:j], check) {
			continue
		}
		// Something stands against them together: each for itself.
		for k := i; k < j; k++ {
			errs[k] = s.DeleteObjectIf(ctx, bucket, keys[k], check(keys[k]))
		}
	}
	return errs
}

// PutObjectAclIf is PutObjectAcl, if check lets it.
func (s *Store) PutObjectAclIf(ctx context.Context, bucket, key, acl string, check Check) error {
	err := s.amend(ctx, bucket, key, check, func(rec *meta.Object) { rec.ACL = acl })
	return wrap(err, &Error{Op: "PutObjectAcl", Bucket: bucket, Key: key})
}

// PutObjectTaggingIf is PutObjectTagging, if check lets it.
func (s *Store) PutObjectTaggingIf(ctx context.Context, bucket, key string, tags []Tag, check Check) error {
	err := s.amend(ctx, bucket, key, check, func(rec *meta.Object) { rec.Tags = tagPairs(tags) })
	return wrap(err, &Error{Op: "PutObjectTagging", Bucket: bucket, Key: key})
}
