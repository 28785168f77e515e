package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

func simulated(r *SimulateRequest) []auth.Resource {
	if r.User == "" {
		return []auth.Resource{user("*")}
	}
	return []auth.Resource{user(r.User)}
}

// simulate answers as the OSS API would decide, now, and names the statement
// that decides. Nothing is done and nobody is asked for.
func simulate(ctx context.Context, c *call, r *SimulateRequest) (*SimulateResult, error) {
	s := simulation{c: c, r: r}
	q, err := s.question(ctx)
	if err != nil {
		return nil, err
	}
	d, err := c.h.opts.Authorizer.Simulate(q, r.Action, r.Resource)
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "InvalidParameter", err.Error()+".")
	}
	res := &SimulateResult{
		Allowed: d.Allowed, Decision: d.String(), Explicit: d.Explicit,
		Type: string(d.Type), Policy: d.Policy, Statement: d.Statement, Notes: s.notes,
	}
	if document := s.document(ctx, d); document != nil {
		res.Text = statementText(document, d.Statement)
	}
	return res, nil
}

// simulation is one question being put together.
type simulation struct {
	c            *call
	r            *SimulateRequest
	bucketPolicy []byte
	notes        []string
}

func (s *simulation) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

func (s *simulation) question(ctx context.Context) (q auth.Request, err error) {
	r := s.r
	if (r.User == "") != r.Anonymous {
		return q, refuse(http.StatusBadRequest, "InvalidParameter", "Name a User or set Anonymous, one of both.")
	}
	if r.User != "" {
		if q.Identity, err = s.c.h.opts.Keys.UserIdentity(ctx, r.User); err != nil {
			return q, err
		}
		u, err := s.c.h.opts.Store.GetUser(ctx, r.User)
		if err != nil {
			return q, err
		}
		if !u.Enabled {
			s.note("user %s is disabled: as things are, none of its requests is answered", r.User)
		}
	}
	if r.Policy != "" {
		policy, err := auth.ParsePolicy([]byte(r.Policy))
		if err != nil {
			return q, err
		}
		q.Identity.Session = &auth.Session{Policy: policy}
	}
	q.Context = auth.Conditions{UserAgent: r.UserAgent, Secure: r.Secure, Time: s.c.h.opts.Clock(), Values: make(map[string][]string)}
	if r.Time != nil {
		q.Context.Time = *r.Time
	}
	if r.SourceIP != "" {
		if q.Context.SourceIP, err = netip.ParseAddr(r.SourceIP); err != nil {
			return q, refuse(http.StatusBadRequest, "InvalidParameter.SourceIP", "SourceIP is an address such as 192.0.2.7.")
		}
	}
	for key, values := range r.Conditions {
		name, ok := auth.ConditionKey(key)
		if !ok || !strings.HasPrefix(name, "oss:") {
			return q, refuse(http.StatusBadRequest, "InvalidParameter.Conditions",
				fmt.Sprintf("%.80q is no condition key that begins with oss:, such as oss:Prefix; the others have fields of their own.", key))
		}
		q.Context.Values[name] = values
	}
	switch r.Action {
	case "oss:ListObjects", "oss:ListObjectVersions", "oss:ListMultipartUploads":
		// A listing without them has empty ones.
		unlessGiven(&q, auth.KeyPrefix, "")
		unlessGiven(&q, auth.KeyDelimiter, "")
	}
	resource, err := auth.ParseResource(r.Resource)
	if err != nil {
		return q, refuse(http.StatusBadRequest, "InvalidParameter.Resource", err.Error()+".")
	}
	if resource.Service != "oss" {
		return q, nil
	}
	bucket, key, _ := strings.Cut(resource.Path, "/")
	if len(bucket) > maxBucketName || key != "" && wire.ValidateKey(key) != nil {
		return q, refuse(http.StatusBadRequest, "InvalidParameter.Resource", "No bucket or object can be called so.")
	}
	return q, s.look(ctx, &q, bucket, key)
}

// maxBucketName is the longest name that a bucket can have, in bytes.
const maxBucketName = 63

// look adds what the bucket and the object say.
func (s *simulation) look(ctx context.Context, q *auth.Request, bucket, key string) error {
	if bucket == "" || strings.ContainsAny(bucket, "*?") {
		return nil
	}
	b, err := s.c.h.opts.Store.GetBucketConfigs(ctx, bucket, store.ConfigPolicy, store.ConfigTagging)
	if errors.Is(err, store.ErrNoSuchBucket) {
		s.note("there is no bucket %s: neither its policy nor an ACL could be asked", bucket)
		return nil
	} else if err != nil {
		return err
	}
	q.BucketACL = b.Bucket.ACL
	if s.bucketPolicy = b.Documents[store.ConfigPolicy]; s.bucketPolicy != nil {
		if q.BucketPolicy, err = auth.ParseBucketPolicy(s.bucketPolicy, bucket); err != nil {
			return fmt.Errorf("policy of bucket %s: %w", bucket, err)
		}
	}
	if err := s.bucketTags(q, b.Documents[store.ConfigTagging]); err != nil {
		return fmt.Errorf("tags of bucket %s: %w", bucket, err)
	}
	if key == "" {
		return nil
	}
	o, err := s.c.h.opts.Store.HeadObject(ctx, bucket, key)
	switch {
	case errors.Is(err, store.ErrNoSuchKey):
		s.note("there is no object %s/%s: no ACL of it and no tags could be asked", bucket, key)
		return nil
	case err != nil:
		return err
	}
	q.ObjectACL = o.ACL
	for _, tag := range o.Tags {
		unlessGiven(q, auth.KeyTag+tag.Key, tag.Value)
	}
	return nil
}

// maxTagsRead bounds the tags of a bucket that are read.
const maxTagsRead = 1000

func (s *simulation) bucketTags(q *auth.Request, document []byte) error {
	if document == nil {
		return nil
	}
	tags, err := wire.DecodeTagging(document, maxTagsRead)
	for _, tag := range tags {
		unlessGiven(q, auth.KeyBucketTag+tag.Key, tag.Value)
	}
	return err
}

// unlessGiven sets a condition key that the question does not set.
func unlessGiven(q *auth.Request, key, value string) {
	if q.Context.Values[key] == nil {
		q.Context.Values[key] = []string{value}
	}
}

// document is the policy whose statement decided, nil for none.
func (s *simulation) document(ctx context.Context, d auth.Decision) []byte {
	switch {
	case d.Statement == 0:
	case d.Type == auth.BucketPolicy:
		return s.bucketPolicy
	case d.Type == auth.SessionPolicy:
		return []byte(s.r.Policy)
	case d.Policy != "":
		// Should it have changed since, its text is that of another decision.
		if p, err := s.c.h.opts.Store.GetPolicy(ctx, d.Policy); err == nil {
			return p.Document
		}
	}
	return nil
}

// statementText is the statement of a document by its number, nil if there is
// none.
func statementText(document []byte, number int) json.RawMessage {
	var policy struct{ Statement json.RawMessage }
	if json.Unmarshal(document, &policy) != nil {
		return nil
	}
	var all []json.RawMessage
	if json.Unmarshal(policy.Statement, &all) != nil {
		all = []json.RawMessage{policy.Statement}
	}
	if number < 1 || number > len(all) {
		return nil
	}
	return all[number-1]
}
