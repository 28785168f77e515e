package oss

import (
	"context"
	"errors"
	"net/http"

	"github.com/ossastore/ossa/internal/wire"
)

// RestoreObjectRequest makes an archived object readable for a time.
type RestoreObjectRequest struct {
	Bucket, Key string
	VersionID   string
	Days        int    // that it stays readable; 0 for the server's default
	Tier        string // Expedited, Standard or Bulk, of the cold classes; "" for the default
	Header      http.Header
}

// RestoreObjectResult tells whether it was begun.
type RestoreObjectResult struct {
	Answer

	// Started is whether a restoration began: HeadObject's Restore tells when it is
	// done. Otherwise the object was readable already, and stays so for longer.
	Started bool
}

func (q *RestoreObjectRequest) build() *call {
	k := onObject("RestoreObject", http.MethodPost, q.Bucket, q.Key, q.Header)
	k.flag(wire.QueryRestore)
	k.param(wire.QueryVersionID, q.VersionID)
	if q.Days != 0 || q.Tier != "" {
		doc := &wire.RestoreRequest{Days: q.Days}
		if q.Tier != "" {
			doc.JobParameters = &wire.RestoreJobParameters{Tier: q.Tier}
		}
		k.document(doc)
	}
	k.idempotent = true
	return k
}

// RestoreObject makes an archived object readable for a time. One that is being
// restored already is ErrRestoreInProgress.
func (c *Client) RestoreObject(ctx context.Context, q *RestoreObjectRequest) (*RestoreObjectResult, error) {
	k := q.build()
	r, err := c.send(ctx, k)
	if k.ambiguous && errors.Is(err, ErrRestoreInProgress) {
		return &RestoreObjectResult{Started: true}, nil // by an earlier attempt
	}
	if err != nil {
		return nil, err
	}
	return &RestoreObjectResult{Answer: r.answer(), Started: r.status == http.StatusAccepted}, nil
}
