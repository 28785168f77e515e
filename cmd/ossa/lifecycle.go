package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/ossastore/ossa/oss"
)

// lifecycleEntry is a rule for machines. Days count from the last modification,
// of aborts from the begin of the upload; dates are midnights in UTC.
type lifecycleEntry struct {
	Type                  string            `json:"type"` // lifecycle_rule
	Bucket                string            `json:"bucket"`
	ID                    string            `json:"id"`
	Prefix                string            `json:"prefix"`
	Enabled               bool              `json:"enabled"`
	Tags                  map[string]string `json:"tags,omitempty"`
	ObjectSizeGreaterThan int64             `json:"object_size_greater_than,omitempty"`
	ObjectSizeLessThan    int64             `json:"object_size_less_than,omitempty"`
	Expiration            *lifecycleTime    `json:"expiration,omitempty"`
	Transitions           []lifecycleTime   `json:"transitions,omitempty"`
	AbortMultipartUpload  *lifecycleTime    `json:"abort_multipart_upload,omitempty"`

	NoncurrentExpirationDays int             `json:"noncurrent_expiration_days,omitempty"`
	NoncurrentTransitions    []lifecycleTime `json:"noncurrent_transitions,omitempty"`
}

// lifecycleTime is when a rule does something. One of days and the dates is set.
type lifecycleTime struct {
	StorageClass   string `json:"storage_class,omitempty"` // of transitions
	Days           int    `json:"days,omitempty"`
	CreatedBefore  string `json:"created_before,omitempty"`
	Date           string `json:"date,omitempty"`
	ExpiredMarkers bool   `json:"expired_object_delete_marker,omitempty"`
}

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}

func lifecycleEntryOf(bucket string, r *oss.LifecycleRule) lifecycleEntry {
	e := lifecycleEntry{
		Type: "lifecycle_rule", Bucket: bucket, ID: r.ID, Prefix: r.Prefix, Enabled: !r.Disabled,
		NoncurrentExpirationDays: r.NoncurrentVersionExpiration,
	}
	for _, t := range r.Tags {
		if e.Tags == nil {
			e.Tags = map[string]string{}
		}
		e.Tags[t.Key] = t.Value
	}
	if f := r.Filter; f != nil {
		e.ObjectSizeGreaterThan, e.ObjectSizeLessThan = f.ObjectSizeGreaterThan, f.ObjectSizeLessThan
	}
	if x := r.Expiration; x != nil {
		e.Expiration = &lifecycleTime{Days: x.Days, CreatedBefore: day(x.CreatedBefore), Date: day(x.Date), ExpiredMarkers: x.ExpiredObjectDeleteMarker}
	}
	for _, t := range r.Transitions {
		e.Transitions = append(e.Transitions, lifecycleTime{StorageClass: string(t.StorageClass), Days: t.Days, CreatedBefore: day(t.CreatedBefore)})
	}
	if a := r.AbortMultipartUpload; a != nil {
		e.AbortMultipartUpload = &lifecycleTime{Days: a.Days, CreatedBefore: day(a.CreatedBefore)}
	}
	for _, t := range r.NoncurrentVersionTransitions {
		e.NoncurrentTransitions = append(e.NoncurrentTransitions, lifecycleTime{StorageClass: string(t.StorageClass), Days: t.NoncurrentDays})
	}
	return e
}

func lifecycleCommand() *cobra.Command {
	c := &configuration{
		name: "lifecycle", what: "the lifecycle rules of a bucket", file: "rules.xml",
		short: "Print, replace, remove and try out the lifecycle rules of a bucket",
		long: `
The rules, in XML, by which a bucket deletes objects, moves them to other storage
classes and aborts unfinished uploads, by itself. This one aborts uploads after
7 days:

  <LifecycleConfiguration><Rule>
    <ID>uploads</ID><Prefix></Prefix><Status>Enabled</Status>
    <AbortMultipartUpload><Days>7</Days></AbortMultipartUpload>
  </Rule></LifecycleConfiguration>`,
		get: func(s *clientSession, bucket string) ([]byte, []any, error) {
			res, err := s.client.GetBucketLifecycle(s.ctx, &oss.GetBucketLifecycleRequest{Bucket: bucket})
			if err != nil {
				return nil, nil, err
			}
			var entries []any
			for i := range res.Rules {
				entries = append(entries, lifecycleEntryOf(bucket, &res.Rules[i]))
			}
			return res.Document, entries, nil
		},
		put: func(s *clientSession, bucket string, text []byte) error {
			_, err := s.client.PutBucketLifecycle(s.ctx, &oss.PutBucketLifecycleRequest{Bucket: bucket, Document: text})
			return err
		},
		remove: func(s *clientSession, bucket string) error {
			_, err := s.client.DeleteBucketLifecycle(s.ctx, &oss.DeleteBucketLifecycleRequest{Bucket: bucket})
			return err
		},
	}
	return c.command(lifecycleSimulateCommand())
}
