package server

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// putBucketLifecycle replaces the rules by which a bucket cleans itself up.
func (s *Server) putBucketLifecycle(ctx context.Context, rq *request) error {
	overlap, err := rq.allowOverlap()
	if err != nil {
		return err
	}
	doc, err := s.document(rq, wire.MaxLifecycleBody)
	if err != nil {
		return err
	}
	c, err := wire.DecodeLifecycle(doc)
	if err != nil {
		return err
	}
	if err := refuseAccessTime(c); err != nil {
		return err
	}
	if err := s.setRuleIDs(c); err != nil {
		return err
	}
	if err := c.Validate(overlap); err != nil {
		return err
	}
	return s.putConfig(ctx, rq, store.ConfigLifecycle, c)
}

// getBucketLifecycle tells a bucket's rules.
func (s *Server) getBucketLifecycle(ctx context.Context, rq *request) error {
	return s.getConfig(ctx, rq, store.ConfigLifecycle)
}

// deleteBucketLifecycle takes all rules away.
func (s *Server) deleteBucketLifecycle(ctx context.Context, rq *request) error {
	return s.deleteConfig(ctx, rq, store.ConfigLifecycle)
}

// allowOverlap reads x-oss-allow-same-action-overlap.
func (rq *request) allowOverlap() (bool, error) {
	text := rq.header(wire.HeaderAllowSameActionOverlap)
	switch strings.ToLower(text) {
	case "true":
		return true, nil
	case "false", "":
		return false, nil
	}
	return false, wire.InvalidArgument(wire.HeaderAllowSameActionOverlap, text, wire.HeaderAllowSameActionOverlap+" must be true or false.")
}

// setRuleIDs names the rules that have no ID: random for the document, and
// counted within it.
func (s *Server) setRuleIDs(c *wire.LifecycleConfiguration) error {
	var b [16]byte
	if _, err := io.ReadFull(s.opts.Rand, b[:]); err != nil {
		return fmt.Errorf("make rule IDs: %w", err)
	}
	n := binary.BigEndian.Uint32(b[12:])
	c.SetIDs(func() string {
		n++
		binary.BigEndian.PutUint32(b[12:], n)
		return hex.EncodeToString(b[:])
	})
	return nil
}

const rulesByAccess = "Rules by the time of the last access (IsAccessTime) are"

// refuseAccessTime refuses rules by the time of the last access, which is not
// tracked. The service asks for that to be enabled first.
func refuseAccessTime(c *wire.LifecycleConfiguration) error {
	refused := func(byAccess *bool) bool { return byAccess != nil && *byAccess }
	for _, r := range c.Rules {
		for _, t := range r.Transitions {
			if refused(t.IsAccessTime) {
				return notImplemented(rulesByAccess)
			}
		}
		for _, t := range r.NoncurrentVersionTransitions {
			if refused(t.IsAccessTime) {
				return notImplemented(rulesByAccess)
			}
		}
	}
	return nil
}
