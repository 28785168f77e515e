package oss

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/ossastore/ossa/internal/wire"
)

// Configurations of a bucket. Each Put replaces the whole of one.

// configuration is a call about a configuration of a bucket.
func configuration(op, method, bucket, name string, extra http.Header) *call {
	k := onBucket(op, method, bucket, extra)
	k.flag(name)
	k.idempotent = true
	return k
}

// getDocument sends a call and reads its answer into doc; text is what it said.
func (c *Client) getDocument(ctx context.Context, k *call, doc any) (a Answer, text []byte, err error) {
	r, err := c.send(ctx, k)
	if err != nil {
		return Answer{}, nil, err
	}
	return r.answer(), r.doc, k.unmarshal(r, doc)
}

// documentOr takes a body that the caller has written, or else that of doc.
func (k *call) documentOr(text []byte, doc any) {
	if len(text) == 0 {
		k.document(doc)
		return
	}
	k.body = bytesContent(text)
	k.set("Content-Type", wire.ContentTypeXML)
}

// LifecycleRule is what a bucket does by itself with the objects and uploads
// whose keys begin with Prefix and that have all Tags.
type LifecycleRule struct {
	ID       string // chosen by the server if it is ""
	Prefix   string
	Disabled bool
	Tags     []Tag
	Filter   *LifecycleFilter

	Expiration           *LifecycleExpiration
	Transitions          []LifecycleTransition
	AbortMultipartUpload *LifecycleAbort

	NoncurrentVersionExpiration  int // days; 0 for none
	NoncurrentVersionTransitions []NoncurrentVersionTransition

	AtimeBase time.Time // from when on accesses count, in whole seconds; zero if that is not told
}

// LifecycleFilter excludes objects from a rule.
type LifecycleFilter struct {
	ObjectSizeGreaterThan int64 // bytes; 0 for any
	ObjectSizeLessThan    int64 // bytes; 0 for any
	Not                   []LifecycleNot
}

// LifecycleNot excludes the keys that begin with Prefix and have Tag, if there is
// one.
type LifecycleNot struct {
	Prefix string
	Tag    *Tag
}

// LifecycleExpiration deletes objects. One of its fields is set. Dates are
// midnights in UTC.
type LifecycleExpiration struct {
	Days                      int       // after the last modification
	CreatedBefore             time.Time // last modified before
	Date                      time.Time // all, from then on
	ExpiredObjectDeleteMarker bool
}

// LifecycleTransition changes the storage class of objects.
type LifecycleTransition struct {
	StorageClass  StorageClass
	Days          int       // after the last modification
	CreatedBefore time.Time // or last modified before, a midnight in UTC
	AccessTiming
}

// AccessTiming lets a transition depend on the last access.
type AccessTiming struct {
	IsAccessTime         bool // days count from the last access
	ReturnToStdWhenVisit bool
	AllowSmallFile       bool // objects of less than 64 KiB, too
}

// LifecycleAbort aborts uploads. One of its fields is set.
type LifecycleAbort struct {
	Days          int       // after they were initiated
	CreatedBefore time.Time // or initiated before, a midnight in UTC
}

// NoncurrentVersionTransition changes the storage class of versions.
type NoncurrentVersionTransition struct {
	StorageClass   StorageClass
	NoncurrentDays int // after another took their place
	AccessTiming
}

// trueOnly leaves a boolean out unless it is true.
func trueOnly(b bool) *bool {
	if b {
		return &b
	}
	return nil
}

func (a AccessTiming) wire() (isAccess, visit, small *bool) {
	if a.IsAccessTime {
		v := a.ReturnToStdWhenVisit // must be told then
		visit = &v
	}
	return trueOnly(a.IsAccessTime), visit, trueOnly(a.AllowSmallFile)
}

func accessTiming(isAccess, visit, small *bool) AccessTiming {
	is := func(p *bool) bool { return p != nil && *p }
	return AccessTiming{is(isAccess), is(visit), is(small)}
}

func (r *LifecycleRule) wire() wire.LifecycleRule {
	w := wire.LifecycleRule{ID: r.ID, Prefix: r.Prefix, Status: wire.RuleEnabled}
	if !r.AtimeBase.IsZero() {
		w.AtimeBase = r.AtimeBase.Unix()
	}
	if r.Disabled {
		w.Status = wire.RuleDisabled
	}
	if len(r.Tags) > 0 {
		w.Tags = toWireTags(r.Tags)
	}
	if f := r.Filter; f != nil {
		w.Filter = &wire.LifecycleFilter{}
		if f.ObjectSizeGreaterThan != 0 {
			w.Filter.ObjectSizeGreaterThan = &f.ObjectSizeGreaterThan
		}
		if f.ObjectSizeLessThan != 0 {
			w.Filter.ObjectSizeLessThan = &f.ObjectSizeLessThan
		}
		for _, n := range f.Not {
			w.Filter.Nots = append(w.Filter.Nots, wire.LifecycleNot{Prefix: n.Prefix, Tag: (*wire.Tag)(n.Tag)})
		}
	}
	if e := r.Expiration; e != nil {
		w.Expiration = &wire.LifecycleExpiration{
			Days: e.Days, CreatedBeforeDate: wire.Time{Time: e.CreatedBefore}, Date: wire.Time{Time: e.Date},
			ExpiredObjectDeleteMarker: e.ExpiredObjectDeleteMarker,
		}
	}
	for _, t := range r.Transitions {
		isAccess, visit, small := t.wire()
		w.Transitions = append(w.Transitions, wire.LifecycleTransition{
			Days: t.Days, CreatedBeforeDate: wire.Time{Time: t.CreatedBefore}, StorageClass: wire.StorageClass(t.StorageClass),
			IsAccessTime: isAccess, ReturnToStdWhenVisit: visit, AllowSmallFile: small,
		})
	}
	if a := r.AbortMultipartUpload; a != nil {
		w.AbortMultipartUpload = &wire.LifecycleAbort{Days: a.Days, CreatedBeforeDate: wire.Time{Time: a.CreatedBefore}}
	}
	if r.NoncurrentVersionExpiration != 0 {
		w.NoncurrentVersionExpiration = &wire.NoncurrentVersionExpiration{NoncurrentDays: r.NoncurrentVersionExpiration}
	}
	for _, t := range r.NoncurrentVersionTransitions {
		isAccess, visit, small := t.wire()
		w.NoncurrentVersionTransitions = append(w.NoncurrentVersionTransitions, wire.NoncurrentVersionTransition{
			NoncurrentDays: t.NoncurrentDays, StorageClass: wire.StorageClass(t.StorageClass),
			IsAccessTime: isAccess, ReturnToStdWhenVisit: visit, AllowSmallFile: small,
		})
	}
	return w
}

func lifecycleRule(w *wire.LifecycleRule) LifecycleRule {
	r := LifecycleRule{ID: w.ID, Prefix: w.Prefix, Disabled: w.Status != wire.RuleEnabled}
	if w.AtimeBase != 0 {
		r.AtimeBase = time.Unix(w.AtimeBase, 0).UTC()
	}
	if len(w.Tags) > 0 {
		r.Tags = fromWireTags(w.Tags)
	}
	if f := w.Filter; f != nil {
		r.Filter = &LifecycleFilter{}
		if f.ObjectSizeGreaterThan != nil {
			r.Filter.ObjectSizeGreaterThan = *f.ObjectSizeGreaterThan
		}
		if f.ObjectSizeLessThan != nil {
			r.Filter.ObjectSizeLessThan = *f.ObjectSizeLessThan
		}
		for _, n := range f.Nots {
			r.Filter.Not = append(r.Filter.Not, LifecycleNot{n.Prefix, (*Tag)(n.Tag)})
		}
	}
	if e := w.Expiration; e != nil {
		r.Expiration = &LifecycleExpiration{e.Days, e.CreatedBeforeDate.Time, e.Date.Time, e.ExpiredObjectDeleteMarker}
	}
	for _, t := range w.Transitions {
		r.Transitions = append(r.Transitions, LifecycleTransition{
			StorageClass(t.StorageClass), t.Days, t.CreatedBeforeDate.Time,
			accessTiming(t.IsAccessTime, t.ReturnToStdWhenVisit, t.AllowSmallFile),
		})
	}
	if a := w.AbortMultipartUpload; a != nil {
		r.AbortMultipartUpload = &LifecycleAbort{a.Days, a.CreatedBeforeDate.Time}
	}
	if n := w.NoncurrentVersionExpiration; n != nil {
		r.NoncurrentVersionExpiration = n.NoncurrentDays
	}
	for _, t := range w.NoncurrentVersionTransitions {
		r.NoncurrentVersionTransitions = append(r.NoncurrentVersionTransitions, NoncurrentVersionTransition{
			StorageClass(t.StorageClass), t.NoncurrentDays, accessTiming(t.IsAccessTime, t.ReturnToStdWhenVisit, t.AllowSmallFile),
		})
	}
	return r
}

// PutBucketLifecycleRequest replaces the lifecycle rules of a bucket.
type PutBucketLifecycleRequest struct {
	Bucket string
	Rules  []LifecycleRule

	// AllowSameActionOverlap lets rules with the same action have overlapping
	// prefixes.
	AllowSameActionOverlap bool

	// Document is a LifecycleConfiguration in XML, sent as it is instead of Rules.
	Document []byte
	Header   http.Header
}

func (q *PutBucketLifecycleRequest) build() *call {
	k := configuration("PutBucketLifecycle", http.MethodPut, q.Bucket, "lifecycle", q.Header)
	doc := &wire.LifecycleConfiguration{}
	for i := range q.Rules {
		doc.Rules = append(doc.Rules, q.Rules[i].wire())
	}
	k.documentOr(q.Document, doc)
	if q.AllowSameActionOverlap {
		k.set("x-oss-allow-same-action-overlap", "true")
	}
	return k
}

// PutBucketLifecycle replaces the lifecycle rules of a bucket.
func (c *Client) PutBucketLifecycle(ctx context.Context, q *PutBucketLifecycleRequest) (*Answer, error) {
	return c.plain(ctx, q.build())
}

// GetBucketLifecycleRequest asks for the lifecycle rules of a bucket.
type GetBucketLifecycleRequest struct {
	Bucket string
	Header http.Header
}

// LifecycleResult is the lifecycle rules of a bucket.
type LifecycleResult struct {
	Answer
	Rules    []LifecycleRule
	Document []byte // LifecycleConfiguration, in XML: the rules as they were answered
}

func (q *GetBucketLifecycleRequest) build() *call {
	return configuration("GetBucketLifecycle", http.MethodGet, q.Bucket, "lifecycle", q.Header)
}

// GetBucketLifecycle tells the lifecycle rules of a bucket. None at all is
// ErrNoSuchLifecycle.
func (c *Client) GetBucketLifecycle(ctx context.Context, q *GetBucketLifecycleRequest) (*LifecycleResult, error) {
	k := q.build()
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	var doc wire.LifecycleConfiguration
	if err := k.unmarshal(r, &doc); err != nil {
		return nil, err
	}
	res := &LifecycleResult{Answer: r.answer(), Document: r.doc}
	for i := range doc.Rules {
		res.Rules = append(res.Rules, lifecycleRule(&doc.Rules[i]))
	}
	return res, nil
}

// DeleteBucketLifecycleRequest drops the lifecycle rules of a bucket.
type DeleteBucketLifecycleRequest struct {
	Bucket string
	Header http.Header
}

func (q *DeleteBucketLifecycleRequest) build() *call {
	return configuration("DeleteBucketLifecycle", http.MethodDelete, q.Bucket, "lifecycle", q.Header)
}

// DeleteBucketLifecycle drops the lifecycle rules of a bucket. None is no error.
func (c *Client) DeleteBucketLifecycle(ctx context.Context, q *DeleteBucketLifecycleRequest) (*Answer, error) {
	return c.plain(ctx, q.build())
}

// CORSRule lets web pages of its origins send requests to a bucket.
type CORSRule struct {
	AllowedOrigins []string // with at most one * each
	AllowedMethods []string
	AllowedHeaders []string // with at most one * each
	ExposeHeaders  []string
	MaxAge         time.Duration // that a browser may remember it, whole seconds; 0 if not told
}

// PutBucketCORSRequest replaces the CORS rules of a bucket.
type PutBucketCORSRequest struct {
	Bucket       string
	Rules        []CORSRule
	ResponseVary bool // Vary: Origin on every answer

	// Document is a CORSConfiguration in XML, sent as it is instead of the fields
	// above.
	Document []byte
	Header   http.Header
}

func (q *PutBucketCORSRequest) build() *call {
	k := configuration("PutBucketCors", http.MethodPut, q.Bucket, "cors", q.Header)
	doc := &wire.CORSConfiguration{ResponseVary: q.ResponseVary}
	for _, r := range q.Rules {
		w := wire.CORSRule{AllowedOrigins: r.AllowedOrigins, AllowedMethods: r.AllowedMethods, AllowedHeaders: r.AllowedHeaders, ExposeHeaders: r.ExposeHeaders}
		if seconds := int64(r.MaxAge / time.Second); seconds != 0 {
			w.MaxAgeSeconds = &seconds
		}
		doc.Rules = append(doc.Rules, w)
	}
	k.documentOr(q.Document, doc)
	return k
}

// PutBucketCORS replaces the CORS rules of a bucket.
func (c *Client) PutBucketCORS(ctx context.Context, q *PutBucketCORSRequest) (*Answer, error) {
	return c.plain(ctx, q.build())
}

// GetBucketCORSRequest asks for the CORS rules of a bucket.
type GetBucketCORSRequest struct {
	Bucket string
	Header http.Header
}

// CORSResult is the CORS rules of a bucket.
type CORSResult struct {
	Answer
	Rules        []CORSRule
	ResponseVary bool
	Document     []byte // CORSConfiguration, in XML: the rules as they were answered
}

func (q *GetBucketCORSRequest) build() *call {
	return configuration("GetBucketCors", http.MethodGet, q.Bucket, "cors", q.Header)
}

// GetBucketCORS tells the CORS rules of a bucket. None at all is
// ErrNoSuchCORSConfiguration.
func (c *Client) GetBucketCORS(ctx context.Context, q *GetBucketCORSRequest) (*CORSResult, error) {
	var doc wire.CORSConfiguration
	a, text, err := c.getDocument(ctx, q.build(), &doc)
	if err != nil {
		return nil, err
	}
	res := &CORSResult{Answer: a, ResponseVary: doc.ResponseVary, Document: text}
	for _, w := range doc.Rules {
		r := CORSRule{AllowedOrigins: w.AllowedOrigins, AllowedMethods: w.AllowedMethods, AllowedHeaders: w.AllowedHeaders, ExposeHeaders: w.ExposeHeaders}
		if w.MaxAgeSeconds != nil {
			r.MaxAge = time.Duration(*w.MaxAgeSeconds) * time.Second
		}
		res.Rules = append(res.Rules, r)
	}
	return res, nil
}

// DeleteBucketCORSRequest drops the CORS rules of a bucket.
type DeleteBucketCORSRequest struct {
	Bucket string
	Header http.Header
}

func (q *DeleteBucketCORSRequest) build() *call {
	return configuration("DeleteBucketCors", http.MethodDelete, q.Bucket, "cors", q.Header)
}

// DeleteBucketCORS drops the CORS rules of a bucket. None is no error.
func (c *Client) DeleteBucketCORS(ctx context.Context, q *DeleteBucketCORSRequest) (*Answer, error) {
	return c.plain(ctx, q.build())
}

// PutBucketPolicyRequest replaces the policy of a bucket.
type PutBucketPolicyRequest struct {
	Bucket string
	Policy []byte // JSON
	Header http.Header
}

func (q *PutBucketPolicyRequest) build() *call {
	k := configuration("PutBucketPolicy", http.MethodPut, q.Bucket, "policy", q.Header)
	k.body = bytesContent(q.Policy)
	return k
}

// PutBucketPolicy replaces the policy of a bucket.
func (c *Client) PutBucketPolicy(ctx context.Context, q *PutBucketPolicyRequest) (*Answer, error) {
	return c.plain(ctx, q.build())
}

// GetBucketPolicyRequest asks for the policy of a bucket.
type GetBucketPolicyRequest struct {
	Bucket string
	Header http.Header
}

// PolicyResult is the policy of a bucket.
type PolicyResult struct {
	Answer
	Policy []byte // JSON, as it was put
}

func (q *GetBucketPolicyRequest) build() *call {
	return configuration("GetBucketPolicy", http.MethodGet, q.Bucket, "policy", q.Header)
}

// GetBucketPolicy tells the policy of a bucket. None is ErrNoSuchBucketPolicy.
func (c *Client) GetBucketPolicy(ctx context.Context, q *GetBucketPolicyRequest) (*PolicyResult, error) {
	r, err := c.send(ctx, q.build())
	if err != nil {
		return nil, err
	}
	return &PolicyResult{Answer: r.answer(), Policy: r.doc}, nil
}

// DeleteBucketPolicyRequest drops the policy of a bucket.
type DeleteBucketPolicyRequest struct {
	Bucket string
	Header http.Header
}

func (q *DeleteBucketPolicyRequest) build() *call {
	return configuration("DeleteBucketPolicy", http.MethodDelete, q.Bucket, "policy", q.Header)
}

// DeleteBucketPolicy drops the policy of a bucket. None is no error.
func (c *Client) DeleteBucketPolicy(ctx context.Context, q *DeleteBucketPolicyRequest) (*Answer, error) {
	return c.plain(ctx, q.build())
}

// RefererRules say from which web pages a bucket may be linked to. Patterns
// have * for any text and ? for any character.
type RefererRules struct {
	AllowEmpty   bool
	Allowed      []string // none: all pages
	Denied       []string
	KeepQuery    bool // what follows ? in a page's address counts
	TruncatePath bool // its path does not count
}

// PutBucketRefererRequest replaces the referer rules of a bucket.
type PutBucketRefererRequest struct {
	Bucket string
	RefererRules

	// Document is a RefererConfiguration in XML, sent as it is instead of
	// RefererRules.
	Document []byte
	Header   http.Header
}

func (q *PutBucketRefererRequest) build() *call {
	k := configuration("PutBucketReferer", http.MethodPut, q.Bucket, "referer", q.Header)
	doc := &wire.RefererConfiguration{
		AllowEmptyReferer: q.AllowEmpty, AllowTruncateQueryString: !q.KeepQuery, TruncatePath: q.TruncatePath,
		RefererList: wire.RefererList{Referers: q.Allowed},
	}
	if len(q.Denied) > 0 {
		doc.RefererBlacklist = &wire.RefererList{Referers: q.Denied}
	}
	k.documentOr(q.Document, doc)
	return k
}

// PutBucketReferer replaces the referer rules of a bucket. There is nothing to
// delete them with: with AllowEmpty alone they let everybody in.
func (c *Client) PutBucketReferer(ctx context.Context, q *PutBucketRefererRequest) (*Answer, error) {
	return c.plain(ctx, q.build())
}

// GetBucketRefererRequest asks for the referer rules of a bucket.
type GetBucketRefererRequest struct {
	Bucket string
	Header http.Header
}

// RefererResult is the referer rules of a bucket.
type RefererResult struct {
	Answer
	RefererRules
	Document []byte // RefererConfiguration, in XML: the rules as they were answered
}

func (q *GetBucketRefererRequest) build() *call {
	return configuration("GetBucketReferer", http.MethodGet, q.Bucket, "referer", q.Header)
}

// GetBucketReferer tells the referer rules of a bucket.
func (c *Client) GetBucketReferer(ctx context.Context, q *GetBucketRefererRequest) (*RefererResult, error) {
	doc := wire.NewReferer()
	a, text, err := c.getDocument(ctx, q.build(), doc)
	if err != nil {
		return nil, err
	}
	res := &RefererResult{Answer: a, Document: text, RefererRules: RefererRules{
		AllowEmpty: doc.AllowEmptyReferer, Allowed: doc.RefererList.Referers,
		KeepQuery: !doc.AllowTruncateQueryString, TruncatePath: doc.TruncatePath,
	}}
	if doc.RefererBlacklist != nil {
		res.Denied = doc.RefererBlacklist.Referers
	}
	return res, nil
}

// PutBucketEncryptionRequest sets how a bucket encrypts what comes without a
// wish of its own.
type PutBucketEncryptionRequest struct {
	Bucket string
	Encryption

	// Document is a ServerSideEncryptionRule in XML, sent as it is instead of
	// Encryption.
	Document []byte
	Header   http.Header
}

func (q *PutBucketEncryptionRequest) build() *call {
	k := configuration("PutBucketEncryption", http.MethodPut, q.Bucket, "encryption", q.Header)
	k.documentOr(q.Document, &wire.BucketEncryption{Default: wire.ServerSideEncryptionRule{
		SSEAlgorithm: q.Algorithm, KMSMasterKeyID: q.KeyID, KMSDataEncryption: q.DataAlgorithm,
	}})
	return k
}

// PutBucketEncryption sets the default encryption of a bucket.
func (c *Client) PutBucketEncryption(ctx context.Context, q *PutBucketEncryptionRequest) (*Answer, error) {
	return c.plain(ctx, q.build())
}

// GetBucketEncryptionRequest asks for the default encryption of a bucket.
type GetBucketEncryptionRequest struct {
	Bucket string
	Header http.Header
}

// EncryptionResult is the default encryption of a bucket.
type EncryptionResult struct {
	Answer
	Encryption
	Document []byte // ServerSideEncryptionRule, in XML: as it was answered
}

func (q *GetBucketEncryptionRequest) build() *call {
	return configuration("GetBucketEncryption", http.MethodGet, q.Bucket, "encryption", q.Header)
}

// GetBucketEncryption tells the default encryption of a bucket. None is
// ErrNoSuchEncryption.
func (c *Client) GetBucketEncryption(ctx context.Context, q *GetBucketEncryptionRequest) (*EncryptionResult, error) {
	var doc wire.BucketEncryption
	a, text, err := c.getDocument(ctx, q.build(), &doc)
	if err != nil {
		return nil, err
	}
	d := &doc.Default
	return &EncryptionResult{Answer: a, Document: text, Encryption: Encryption{d.SSEAlgorithm, d.KMSMasterKeyID, d.KMSDataEncryption}}, nil
}

// DeleteBucketEncryptionRequest drops the default encryption of a bucket.
type DeleteBucketEncryptionRequest struct {
	Bucket string
	Header http.Header
}

func (q *DeleteBucketEncryptionRequest) build() *call {
	return configuration("DeleteBucketEncryption", http.MethodDelete, q.Bucket, "encryption", q.Header)
}

// DeleteBucketEncryption drops the default encryption of a bucket. None is no
// error.
func (c *Client) DeleteBucketEncryption(ctx context.Context, q *DeleteBucketEncryptionRequest) (*Answer, error) {
	return c.plain(ctx, q.build())
}

// PutBucketTaggingRequest replaces the tags of a bucket.
type PutBucketTaggingRequest struct {
	Bucket string
	Tags   []Tag
	Header http.Header
}

func (q *PutBucketTaggingRequest) build() *call {
	k := configuration("PutBucketTagging", http.MethodPut, q.Bucket, wire.QueryTagging, q.Header)
	k.document(&wire.Tagging{TagSet: wire.TagSet{Tags: toWireTags(q.Tags)}})
	return k
}

// PutBucketTagging replaces the tags of a bucket.
func (c *Client) PutBucketTagging(ctx context.Context, q *PutBucketTaggingRequest) (*Answer, error) {
	return c.plain(ctx, q.build())
}

// GetBucketTaggingRequest asks for the tags of a bucket.
type GetBucketTaggingRequest struct {
	Bucket string
	Header http.Header
}

func (q *GetBucketTaggingRequest) build() *call {
	return configuration("GetBucketTagging", http.MethodGet, q.Bucket, wire.QueryTagging, q.Header)
}

// GetBucketTagging tells the tags of a bucket.
func (c *Client) GetBucketTagging(ctx context.Context, q *GetBucketTaggingRequest) (*TaggingResult, error) {
	return c.getTagging(ctx, q.build())
}

// DeleteBucketTaggingRequest drops tags of a bucket.
type DeleteBucketTaggingRequest struct {
	Bucket string
	Keys   []string // none: all tags
	Header http.Header
}

func (q *DeleteBucketTaggingRequest) build() *call {
	k := onBucket("DeleteBucketTagging", http.MethodDelete, q.Bucket, q.Header)
	k.idempotent = true
	if len(q.Keys) == 0 {
		k.flag(wire.QueryTagging)
	} else {
		k.param(wire.QueryTagging, strings.Join(q.Keys, ","))
	}
	return k
}

// DeleteBucketTagging drops tags of a bucket.
func (c *Client) DeleteBucketTagging(ctx context.Context, q *DeleteBucketTaggingRequest) (*Answer, error) {
	return c.plain(ctx, q.build())
}

// GetBucketPolicyStatusRequest asks whether the policy of a bucket lets everybody
// in.
type GetBucketPolicyStatusRequest struct {
	Bucket string
	Header http.Header
}

// PolicyStatusResult is what a server makes of the policy of a bucket.
type PolicyStatusResult struct {
	Answer
	IsPublic bool
}

func (q *GetBucketPolicyStatusRequest) build() *call {
	return configuration("GetBucketPolicyStatus", http.MethodGet, q.Bucket, "policyStatus", q.Header)
}

// GetBucketPolicyStatus tells whether the policy of a bucket lets everybody in.
func (c *Client) GetBucketPolicyStatus(ctx context.Context, q *GetBucketPolicyStatusRequest) (*PolicyStatusResult, error) {
	var doc wire.PolicyStatus
	a, _, err := c.getDocument(ctx, q.build(), &doc)
	if err != nil {
		return nil, err
	}
	return &PolicyStatusResult{Answer: a, IsPublic: doc.IsPublic}, nil
}
