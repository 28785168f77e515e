package store_test

import (
	"errors"
	"testing"

	"github.com/ossastore/ossa/internal/store"
)

// A check is asked about the very object that a change takes away: one that
// comes to be there between the look at it and the commit is put to it as well,
// and stays if it says no.
func TestCheckHoldsAtTheCommit(t *testing.T) {
	errPrivate := errors.New("private")
	notPrivate := store.Check(func(o *store.Object) error {
		if o != nil && o.ACL == "private" {
			return errPrivate
		}
		return nil
	})
	operations := map[string]func(e *env, id store.UploadID) error{
		"PutObject": func(e *env, _ store.UploadID) error {
			_, err := e.PutObject(e.ctx, &store.PutObjectRequest{Bucket: "b", Key: "k", Replaces: notPrivate, Body: body([]byte("new"))})
			return err
		},
		"CopyObject": func(e *env, _ store.UploadID) error {
			_, err := e.CopyObject(e.ctx, &store.CopyObjectRequest{
				Bucket: "b", Key: "k", Source: store.CopySource{Bucket: "b", Key: "source"}, Replaces: notPrivate,
				Attributes: func(a store.Attributes) store.Attributes { return a },
			})
			return err
		},
		"CopyObject onto itself": func(e *env, _ store.UploadID) error {
			_, err := e.CopyObject(e.ctx, &store.CopyObjectRequest{
				Bucket: "b", Key: "k", Source: store.CopySource{Bucket: "b", Key: "k"}, Replaces: notPrivate,
				Attributes: func(store.Attributes) store.Attributes { return store.Attributes{ACL: "public-read"} },
			})
			return err
		},
		"CompleteMultipartUpload": func(e *env, id store.UploadID) error {
			_, err := e.CompleteMultipartUpload(e.ctx, &store.CompleteMultipartUploadRequest{
				Bucket: "b", Key: "k", UploadID: id, All: true, Replaces: notPrivate,
			})
			return err
		},
		"DeleteObject": func(e *env, _ store.UploadID) error { return e.DeleteObjectIf(e.ctx, "b", "k", notPrivate) },
		"DeleteMultipleObjects": func(e *env, _ store.UploadID) error {
			errs := e.DeleteMultipleObjectsIf(e.ctx, "b", []string{"other", "k", "k"}, func(string) store.Check { return notPrivate })
			if errs[0] != nil {
				return errs[0]
			}
			return errs[1]
		},
		"PutObjectAcl": func(e *env, _ store.UploadID) error {
			return e.PutObjectAclIf(e.ctx, "b", "k", "public-read", notPrivate)
		},
		"PutObjectTagging": func(e *env, _ store.UploadID) error {
			return e.PutObjectTaggingIf(e.ctx, "b", "k", []store.Tag{{Key: "a", Value: "b"}}, notPrivate)
		},
	}
	for name, do := range operations {
		for _, before := range []string{"none", "public"} {
			t.Run(name+", before: "+before, func(t *testing.T) {
				e, k := newSteppedEnv(t, nil)
				put := func(key, acl string) {
					t.Helper()
					_, err := e.PutObject(e.ctx, &store.PutObjectRequest{
						Bucket: "b", Key: key, Attributes: store.Attributes{ACL: acl}, Body: body([]byte(acl)),
					})
					e.must(err)
				}
				for _, key := range []string{"source", "other"} {
					put(key, "public-read")
				}
				id, err := e.InitiateMultipartUpload(e.ctx, &store.InitiateMultipartUploadRequest{Bucket: "b", Key: "k"})
				e.must(err)
				_, err = e.UploadPart(e.ctx, &store.UploadPartRequest{Bucket: "b", Key: "k", UploadID: id, PartNumber: 1, Body: body([]byte("part"))})
				e.must(err)
				if before == "public" {
					put("k", "public-read-write")
				}
				replaced := false
				k.once(writesTo("o/k"), func(commit func() error) error {
					replaced = true
					put("k", "private")
					return commit()
				})
				if err := do(e, id); !replaced {
					// Without an object there was nothing to commit.
					if before == "public" {
						t.Fatalf("no commit: %v", err)
					}
					return
				} else if !errors.Is(err, errPrivate) {
					t.Errorf("got %v", err)
				}
				o, err := e.HeadObject(e.ctx, "b", "k")
				e.must(err)
				if o.ACL != "private" || o.Size != int64(len("private")) || len(o.Tags) > 0 {
					t.Errorf("the object is now %+v", o)
				}
				// What it was asked about from the beginning is refused too.
				if err := do(e, id); !errors.Is(err, errPrivate) {
					t.Errorf("once more: got %v", err)
				}
				// And nothing was lost on the way.
				if name == "CompleteMultipartUpload" {
					e.must(e.DeleteObject(e.ctx, "b", "k"))
					e.must(do(e, id))
				}
			})
		}
	}
}
