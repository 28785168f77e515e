package admin

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/iam"
	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/store"
)

// Error is an answer that says no, as it stands in the body. Codes are those of
// RAM and OSS where these have one.
type Error struct {
	Status    int `json:"-"`
	Code      string
	Message   string
	RequestID string

	// Of NoPermission: what was asked for, and ImplicitDeny or ExplicitDeny.
	Action, Resource, NoPermissionType string `json:",omitempty"`

	retryAfter time.Duration
}

func (e *Error) Error() string { return fmt.Sprintf("%s (%s)", e.Message, e.Code) }

func refuse(status int, code, message string) *Error {
	return &Error{Status: status, Code: code, Message: message}
}

var errInternal = refuse(http.StatusInternalServerError, "InternalError", "The server met an error that it cannot explain; its log has more.")

var errRing = refuse(http.StatusServiceUnavailable, "ServiceUnavailable", "The key ring's file cannot be read or written now; the server's log says why.")

// answers are how errors of the domain are answered.
var answers = []struct {
	err     error
	status  int
	code    string
	message string
}{
	{store.ErrNoSuchUser, 404, "EntityNotExist.User", "There is no such user."},
	{store.ErrNoSuchAccessKey, 404, "EntityNotExist.User.AccessKey", "The user has no such access key."},
	{store.ErrNoSuchPolicy, 404, "EntityNotExist.Policy", "There is no such policy."},
	{store.ErrNotAttached, 404, "EntityNotExist.User.Policy", "The policy is not attached to the user."},
	{store.ErrUserExists, 409, "EntityAlreadyExists.User", "There is a user of this name."},
	{store.ErrPolicyExists, 409, "EntityAlreadyExists.Policy", "There is a policy of this name."},
	{store.ErrUserHasKeys, 409, "DeleteConflict.User.AccessKey", "The user has access keys. Delete them first."},
	{store.ErrUserHasPolicies, 409, "DeleteConflict.User.Policy", "The user has policies. Detach them first."},
	{store.ErrPolicyAttached, 409, "DeleteConflict.Policy.User", "Users have the policy. Detach it from them first."},
	{store.ErrTooManyUsers, 409, "LimitExceeded.User", fmt.Sprintf("There are %d users, and no more can be.", store.MaxUsers)},
	{store.ErrTooManyKeys, 409, "LimitExceeded.User.AccessKey", fmt.Sprintf("The user has %d access keys, and can have no more.", store.MaxAccessKeys)},
	{store.ErrTooManyPolicies, 409, "LimitExceeded.Policy", fmt.Sprintf("There can be %d policies, and %d of a user.", store.MaxPolicies, store.MaxUserPolicies)},
	{store.ErrInvalidName, 400, "InvalidParameter.Name", "A user's name has 1 to 64 letters, digits and . _ @ -, a policy's 1 to 128 letters, digits and _ -, with a letter or digit first."},
	{store.ErrTooLarge, 400, "InvalidParameter.PolicyDocument.Length", fmt.Sprintf("A policy's document has %d bytes at most.", store.MaxPolicyDocument)},
	{store.ErrNoSuchBucket, 404, "NoSuchBucket", "There is no such bucket."},

	{iam.ErrDuration, 400, "InvalidParameter.DurationSeconds", "A session lasts 900 to 43200 seconds."},
	{iam.ErrPolicyNeeded, 400, "MissingParameter.Policy", "A session of root needs a policy that says what it may do."},
	{iam.ErrNoSessions, 403, "NoPermission", "Only a long-term access key can begin a session."},

	{store.ErrNoKeyRing, 409, "NoKeyRing", "The server has no key ring, and so nothing to seal a secret with."},
	{kms.ErrNoKeyRing, 409, "NoKeyRing", "The server has no key ring, and so nothing to seal a secret with."},
	{kms.ErrUnknownKey, 404, "EntityNotExist.Key", "The key ring has no such key."},
	{kms.ErrKeyExists, 409, "EntityAlreadyExists.Key", "The key ring has a key of this ID."},
	{kms.ErrInvalidKeyID, 400, "InvalidParameter.KeyId", "A key ID has 1 to 128 letters, digits and . _ : / -, with a letter or digit first."},
	{kms.ErrRingFull, 409, "LimitExceeded.Key", "The key ring is full."},

	{store.ErrFull, 503, "ServiceUnavailable", "The disk is full."},
	{store.ErrUnavailable, 503, "ServiceUnavailable", "The storage takes no changes now. Try again."},
}

// refusal makes of any error the one answer. What it cannot explain to the
// sender is logged.
func (c *call) refusal(err error) *Error {
	e := c.explain(err)
	e.RequestID = c.id
	return &e
}

func (c *call) explain(err error) Error {
	var own *Error
	if errors.As(err, &own) {
		return *own
	}
	var flaw *sign.Error
	if errors.As(err, &flaw) {
		return Error{Status: flaw.Status, Code: flaw.Code, Message: flaw.Message}
	}
	var policy *auth.PolicyError
	if errors.As(err, &policy) {
		return Error{Status: http.StatusBadRequest, Code: "InvalidParameter.PolicyDocument", Message: "The policy cannot be used: " + policy.Error() + "."}
	}
	for _, a := range answers {
		if errors.Is(err, a.err) {
			return Error{Status: a.status, Code: a.code, Message: a.message}
		}
	}
	if c.r.Context().Err() == nil {
		c.h.opts.Logger.Error("a call of the admin API failed", "request_id", c.id, "action", c.name(), "error", err)
	}
	var ring *ringError
	if errors.As(err, &ring) {
		return *errRing
	}
	return *errInternal
}
