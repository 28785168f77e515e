package server

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"strings"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// authenticate finds out who sent rq. Not being signed is no error: such a
// request is anonymous.
func (s *Server) authenticate(ctx context.Context, rq *request) error {
	signed := &sign.Request{
		Method: rq.r.Method,
		Bucket: rq.target.bucket,
		Key:    rq.target.key,
		Query:  signParams(rq.query),
		Header: rq.r.Header,
		Host:   rq.r.Host,
	}
	claim, err := sign.Parse(signed)
	if err != nil {
		return err
	}
	rq.signature = claim.Scheme
	if claim.Scheme == sign.Anonymous {
		return nil
	}
	rq.accessKeyID = claim.AccessKeyID
	region := s.opts.Region
	if s.opts.AnyRegion {
		region = sign.AnyRegion
	}
	rq.identity, err = auth.Verify(ctx, s.opts.Keys, claim, signed, s.opts.Clock(), region)
	if err != nil {
		return err
	}
	if rq.identity.Kind == auth.Owner {
		rq.identity.ID = s.opts.OwnerID
	}
	return nil
}

// signParams are the parameters of a query as signatures have them.
func signParams(query wire.Values) []sign.Param {
	params := make([]sign.Param, 0, len(query))
	for _, p := range query {
		params = append(params, sign.Param(p))
	}
	return params
}

// authorizeOperation asks for what the operation table names, and for tags
// that are written on the way. Sources of copies and the keys of a list are the
// handlers' to ask for.
func (s *Server) authorizeOperation(ctx context.Context, rq *request) error {
	if err := s.checkReferer(ctx, rq); err != nil {
		return err
	}
	if rq.op.level == onKeys {
		return nil
	}
	t, action := rq.target, versioned(rq.op.action, rq)
	if rq.ofUpload() {
		if err := s.findUploadTags(ctx, rq); err != nil {
			return err
		}
	}
	if rq.tagsComeLater() {
		q, err := s.question(ctx, rq, action, t.bucket, t.key)
		if err != nil || s.authorizer.Mentions(q, auth.KeyNewTag) {
			return err // authorizeTags asks when the tags are known
		}
	}
	if err := s.authorize(ctx, rq, action, t.bucket, t.key); err != nil {
		return err
	}
	if rq.writesTags() {
		return s.authorize(ctx, rq, "oss:PutObjectTagging", t.bucket, t.key)
	}
	return nil
}

// writesTags reports whether rq uploads something with tags: those of a header,
// or of the source of a copy.
func (rq *request) writesTags() bool {
	return rq.op.action == "oss:PutObject" && (rq.header(wire.HeaderTagging) != "" || len(rq.newTags) > 0 && !rq.ofUpload())
}

// ofUpload reports whether rq sends a part of an upload or completes it. The
// object will have the tags that the upload was initiated with, by somebody who
// was asked; those of a header are ignored.
func (rq *request) ofUpload() bool {
	switch rq.op.name {
	case "UploadPart", "UploadPartCopy", "CompleteMultipartUpload":
		return true
	}
	return false
}

// findUploadTags finds the tags that an upload gives its object, if a policy has
// a condition on them. When the upload is no more its end may be asked for
// again, and the tags are those of the object.
func (s *Server) findUploadTags(ctx context.Context, rq *request) error {
	t := rq.target
	q, err := s.question(ctx, rq, rq.op.action, t.bucket, t.key)
	if err != nil || !s.authorizer.Mentions(q, auth.KeyNewTag) {
		return err
	}
	rq.newTags = []store.Tag{}
	upload, err := s.store.HeadUpload(ctx, t.bucket, t.key, rq.uploadID())
	if err == nil {
		rq.newTags = append(rq.newTags, upload.Tags...)
		return nil
	}
	if errors.Is(err, store.ErrNoSuchUpload) && rq.op.name == "CompleteMultipartUpload" {
		var o *store.Object
		if o, err = s.store.HeadObject(ctx, t.bucket, t.key); err == nil {
			rq.newTags = append(rq.newTags, o.Tags...)
		}
	}
	if errors.Is(err, store.ErrNoSuchUpload) || errors.Is(err, store.ErrNoSuchKey) || errors.Is(err, store.ErrNoSuchBucket) {
		return nil // who may know it is told by the operation
	}
	return err
}

// copiesTags reports whether rq copies an object with the tags that it has.
func (rq *request) copiesTags() bool {
	return rq.op.name == "CopyObject" && !strings.EqualFold(rq.header(wire.HeaderTaggingDirective), string(wire.Replace))
}

// tagsComeLater reports whether the tags that rq is to give an object are not in
// its header.
func (rq *request) tagsComeLater() bool {
	return rq.op.action == "oss:PutObjectTagging" || rq.copiesTags()
}

// requestedTags are the tags that an object is to be given, as far as they are
// known. Bad ones are none; the handler complains about them.
func (rq *request) requestedTags() []store.Tag {
	if rq.newTags != nil || rq.tagsComeLater() {
		return rq.newTags
	}
	tags, _ := rq.tags()
	return tags
}

// authorizeTags asks whether the object may be given these tags, if a policy
// makes that a question. Otherwise authorizeOperation has asked.
func (s *Server) authorizeTags(ctx context.Context, rq *request, tags []store.Tag) error {
	rq.newTags = append([]store.Tag{}, tags...)
	t, action := rq.target, versioned(rq.op.action, rq)
	q, err := s.question(ctx, rq, action, t.bucket, t.key)
	if err != nil || !s.authorizer.Mentions(q, auth.KeyNewTag) {
		return err
	}
	return s.authorize(ctx, rq, action, t.bucket, t.key)
}

// authorizeCopiedTags asks whether the target of a copy may have the source's
// tags: whoever copies them reads and writes them. An ACL that lets everybody
// read the source lets everybody copy its tags along, which tells nobody what
// they are.
func (s *Server) authorizeCopiedTags(ctx context.Context, rq *request, action string, source *store.Object) error {
	if err := s.authorizeTags(ctx, rq, source.Tags); err != nil || len(source.Tags) == 0 {
		return err
	}
	q, err := s.question(ctx, rq, action, source.Bucket, source.Key)
	if err != nil {
		return err
	}
	about(&q, source)
	reading := s.authorizer.Decide(q)
	q.Action = action + "Tagging"
	if d := s.authorizer.Decide(q); !d.Allowed && (reading.Type != auth.ByACL || d.Explicit || d.Type == auth.SessionPolicy) {
		return accessDenied(rq, d)
	}
	return s.authorize(ctx, rq, "oss:PutObjectTagging", rq.target.bucket, rq.target.key)
}

// versioned is the action on one version of an object, where rq names one:
// oss:GetObject becomes oss:GetObjectVersion.
func versioned(action string, rq *request) string {
	if rq.op.level != onObject || action == "oss:PutObject" || rq.query.Get(wire.QueryVersionID) == "" {
		return action
	}
	return strings.Replace(action, "Object", "ObjectVersion", 1)
}

// authorize refuses rq if its sender may not do action to an object, or to a
// bucket when key is "". The object is looked at only where it can matter.
//
// That a bucket is not there anybody may learn who asks for something that an
// ACL could allow.
func (s *Server) authorize(ctx context.Context, rq *request, action, bucket, key string) error {
	q, err := s.question(ctx, rq, action, bucket, key)
	if err != nil {
		return err
	}
	if key != "" && s.authorizer.NeedsObject(q) && q.BucketACL != "" {
		o, err := s.store.HeadObject(ctx, bucket, key)
		if err != nil && !errors.Is(err, store.ErrNoSuchKey) {
			return err
		}
		about(&q, o)
	}
	err = s.decide(rq, q)
	if err != nil && bucket != "" && s.authorizer.MayGrant(action) {
		if r, _ := s.rules(ctx, rq, bucket); r != nil && r.missing != nil {
			return r.missing
		}
	}
	return err
}

// authorizeFound asks again about an object that is about to be read. It may
// have taken the place of the one that authorize saw, with another ACL.
func (s *Server) authorizeFound(ctx context.Context, rq *request, action string, o *store.Object) error {
	q, err := s.question(ctx, rq, action, o.Bucket, o.Key)
	if err != nil {
		return err
	}
	about(&q, o)
	return s.decide(rq, q)
}

// ifAllowed is what the store is to ask about the object that it replaces,
// deletes or amends, so that nothing is done to one that came after authorize
// has looked: whether all the actions are allowed. It is nil where the object
// makes no difference.
func (s *Server) ifAllowed(ctx context.Context, rq *request, key string, actions ...string) store.Check {
	var questions []auth.Request
	matters := false
	for _, action := range actions {
		q, err := s.question(ctx, rq, action, rq.target.bucket, key)
		if err != nil {
			return func(*store.Object) error { return err }
		}
		questions = append(questions, q)
		matters = matters || s.authorizer.NeedsObject(q)
	}
	if !matters {
		return nil
	}
	return func(o *store.Object) error {
		for _, q := range questions {
			about(&q, o)
			if err := s.decide(rq, q); err != nil {
				return err
			}
		}
		return nil
	}
}

// ifWritable is ifAllowed for what uploads an object.
func (s *Server) ifWritable(ctx context.Context, rq *request) store.Check {
	actions := []string{"oss:PutObject"}
	if rq.writesTags() {
		actions = append(actions, "oss:PutObjectTagging")
	}
	return s.ifAllowed(ctx, rq, rq.target.key, actions...)
}

// about adds to a question what the object says that it is about; nil for none.
func about(q *auth.Request, o *store.Object) {
	q.Context.Values = maps.Clone(q.Context.Values)
	maps.DeleteFunc(q.Context.Values, func(key string, _ []string) bool { return strings.HasPrefix(key, auth.KeyTag) })
	if q.ObjectACL = ""; o == nil {
		return
	}
	q.ObjectACL = o.ACL
	for _, t := range o.Tags {
		q.Context.Values[auth.KeyTag+t.Key] = []string{t.Value}
	}
}

// question is whether the sender of rq may do action to an object, or to a
// bucket when key is "", but for what the object itself says.
func (s *Server) question(ctx context.Context, rq *request, action, bucket, key string) (auth.Request, error) {
	q := auth.Request{
		Identity: rq.identity,
		Action:   action,
		Resource: auth.OSSResource(bucket, key),
		Context:  s.circumstances(rq),
	}
	if bucket == "" {
		return q, nil
	}
	r, err := s.rules(ctx, rq, bucket)
	if err != nil {
		return q, err
	}
	q.BucketACL, q.BucketPolicy = r.acl, r.policy
	if s.authorizer.Mentions(q, auth.KeyBucketTag) {
		tags, err := r.tags()
		if err != nil {
			return q, err
		}
		for _, t := range tags {
			q.Context.Values[auth.KeyBucketTag+t.Key] = []string{t.Value}
		}
	}
	return q, nil
}

// maxUserAgent bounds how much of a User-Agent conditions look at, in bytes.
const maxUserAgent = 1024

// circumstances are what policies can make conditions of.
func (s *Server) circumstances(rq *request) auth.Conditions {
	agent := rq.header("User-Agent")
	c := auth.Conditions{
		SourceIP:  rq.sourceIP(),
		UserAgent: agent[:min(len(agent), maxUserAgent)],
		Time:      s.opts.Clock(),
		Secure:    rq.secure(),
		Values:    make(map[string][]string),
	}
	switch rq.op.action {
	case "oss:ListObjects", "oss:ListObjectVersions", "oss:ListMultipartUploads":
		c.Values[auth.KeyPrefix] = []string{rq.query.Get(wire.QueryPrefix)}
		c.Values[auth.KeyDelimiter] = []string{rq.query.Get(wire.QueryDelimiter)}
	}
	for key, header := range map[string]string{auth.KeyACL: wire.HeaderACL, auth.KeyObjectACL: wire.HeaderObjectACL} {
		if value := rq.header(header); value != "" {
			c.Values[key] = []string{value}
		}
	}
	for _, t := range rq.requestedTags() {
		c.Values[auth.KeyNewTag+t.Key] = []string{t.Value}
	}
	return c
}

func (s *Server) decide(rq *request, q auth.Request) error {
	d := s.authorizer.Decide(q)
	if d.Allowed {
		return nil
	}
	return accessDenied(rq, d)
}

// accessDenied is the answer to what may not be done. Which action lacks on
// which resource, and what decided, stands in elements beside the usual ones.
func accessDenied(rq *request, d auth.Decision) error {
	e := wire.NewError("AccessDenied").WithMessage(d.Reason).
		With("AuthAction", d.Action).
		With("AuthResource", d.Resource)
	if rq.identity.Kind != auth.Anonymous {
		e = e.With("AuthPrincipal", rq.identity.ID)
	}
	e = e.With("NoPermissionType", d.NoPermissionType())
	for _, el := range []wire.Element{
		{Name: "PolicyType", Value: string(d.Type)}, {Name: "PolicyName", Value: d.Policy},
	} {
		if el.Value != "" {
			e = e.With(el.Name, el.Value)
		}
	}
	if d.Statement > 0 {
		e = e.With("PolicyStatement", strconv.Itoa(d.Statement))
	}
	switch {
	case d.Type == auth.RAMPolicy && d.Explicit:
		e = e.WithEC(wire.ECDeniedByPolicy)
	case d.Type == auth.RAMPolicy:
		e = e.WithEC(wire.ECNotAllowed)
	case d.Type == auth.SessionPolicy:
		e = e.WithEC(wire.ECDeniedBySession)
	}
	return e
}
