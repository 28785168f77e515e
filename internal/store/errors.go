package store

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// What can go wrong by the rules of OSS. Every error of this package is an
// *Error that wraps one of these, a context error, an error of the body's
// reader, or one of the engines' errors.
var (
	// ErrNoSuchBucket: there is no bucket of this name.
	ErrNoSuchBucket = errors.New("no such bucket")
	// ErrBucketExists: the bucket exists with another storage class.
	ErrBucketExists = errors.New("bucket exists with another storage class")
	// ErrBucketRedundancy: the bucket exists with another redundancy.
	ErrBucketRedundancy = errors.New("bucket exists with another redundancy")
	// ErrTooManyBuckets: Options.MaxBuckets are there already.
	ErrTooManyBuckets = errors.New("too many buckets")
	// ErrBucketHasObjects and ErrBucketHasUploads: it cannot be deleted.
	ErrBucketHasObjects = errors.New("bucket has objects")
	ErrBucketHasUploads = errors.New("bucket has open multipart uploads")

	// ErrNoSuchConfig: the bucket has no configuration of this kind; the kind
	// is in the Error.
	ErrNoSuchConfig = errors.New("no such bucket configuration")

	// ErrNoSuchKey: there is no object of this key.
	ErrNoSuchKey = errors.New("no such key")
	// ErrNoSuchVersion: the object has no version of this ID.
	ErrNoSuchVersion = errors.New("no such version")
	// ErrObjectExists: the write forbade overwriting and the key exists.
	ErrObjectExists = errors.New("object exists")

	// ErrNotRestored: the object is of an archive class and cannot be read,
	// since it was not restored, is being restored, or has been for too long.
	ErrNotRestored = errors.New("object is not restored")
	// ErrNotArchived: there is nothing to restore in an object of this class.
	ErrNotArchived = errors.New("object is not archived")
	// ErrRestoreInProgress: the object is being restored.
	ErrRestoreInProgress = errors.New("restore in progress")

	// ErrNoSuchUpload: the upload never was, is of another key, or has ended.
	ErrNoSuchUpload = errors.New("no such upload")
	// ErrInvalidPart: a listed part is not there or has another ETag.
	ErrInvalidPart = errors.New("invalid part")
	// ErrInvalidPartOrder: the listed numbers do not ascend strictly.
	ErrInvalidPartOrder = errors.New("invalid part order")
	// ErrPartTooSmall: a listed part that is not the last is below 100 KiB.
	ErrPartTooSmall = errors.New("part too small")
	// ErrPartNotSequential: not the number whose turn it is in a sequential
	// upload.
	ErrPartNotSequential = errors.New("part not sequential")
	// ErrTooLarge: the bytes exceed what one object or part may hold.
	ErrTooLarge = errors.New("too large")

	// ErrWrongMD5 and ErrWrongCRC64: the body is not what the client claims.
	ErrWrongMD5   = errors.New("wrong MD5")
	ErrWrongCRC64 = errors.New("wrong CRC-64")
	// ErrShortBody: the body ended before its declared length.
	ErrShortBody = errors.New("body ended early")

	// ErrCnameExists: the domain leads to another bucket.
	ErrCnameExists = errors.New("domain leads to another bucket")
	// ErrNoSuchCname: the domain does not lead to the bucket.
	ErrNoSuchCname = errors.New("no such domain")
	// ErrTooManyCnames: MaxCnames domains lead to the bucket already.
	ErrTooManyCnames = errors.New("too many domains")

	// ErrNoSuchUser, ErrNoSuchAccessKey, ErrNoSuchPolicy: it is not there. An
	// access key is the user's who has it, and nobody else's.
	ErrNoSuchUser      = errors.New("no such user")
	ErrNoSuchAccessKey = errors.New("no such access key")
	ErrNoSuchPolicy    = errors.New("no such policy")
	// ErrNotAttached: the user does not have the policy.
	ErrNotAttached = errors.New("policy not attached")
	// ErrUserExists and ErrPolicyExists: the name is taken.
	ErrUserExists   = errors.New("user exists")
	ErrPolicyExists = errors.New("policy exists")
	// ErrUserHasKeys, ErrUserHasPolicies, ErrPolicyAttached: it cannot be
	// deleted.
	ErrUserHasKeys     = errors.New("user has access keys")
	ErrUserHasPolicies = errors.New("user has policies")
	ErrPolicyAttached  = errors.New("policy is attached")
	// ErrTooManyUsers, ErrTooManyKeys, ErrTooManyPolicies: MaxUsers,
	// MaxAccessKeys, MaxPolicies or MaxUserPolicies are there already.
	ErrTooManyUsers    = errors.New("too many users")
	ErrTooManyKeys     = errors.New("too many access keys")
	ErrTooManyPolicies = errors.New("too many policies")
	// ErrInvalidName: no user or policy can be called so.
	ErrInvalidName = errors.New("invalid name")

	// ErrNoKeyRing: the bytes are encrypted or to be, and there is no key ring.
	ErrNoKeyRing = errors.New("no key ring")
	// ErrUnknownKey: the bytes are to be encrypted with a key that is not in the
	// key ring.
	ErrUnknownKey = errors.New("no such key in the key ring")
	// ErrKeyLost: the bytes are encrypted with a key that is not in the key ring,
	// or is another there.
	ErrKeyLost = errors.New("key ring does not open the data key")
	// ErrWrongRing: the data is encrypted with another key ring than the one given
	// to Open. The text says which, and what to do.
	ErrWrongRing = errors.New("not the key ring of this data")

	// ErrFull: the disk has no room for the bytes. Nothing was kept.
	ErrFull = errors.New("no space left")
	// ErrUnavailable: the storage takes no changes now, or the outcome of the
	// change could not be learnt. The request may be sent again.
	ErrUnavailable = errors.New("storage unavailable")
)

// Error says what an error of the store was about. Fields that do not apply
// are zero.
type Error struct {
	Op         string // the operation, such as "UploadPart"
	Subject    string // user, access key or policy, where it is about those
	Bucket     string
	Key        string
	UploadID   UploadID
	PartNumber PartNumber
	ETag       string     // of the part in question
	Size       int64      // bytes proposed, where a size is the trouble
	Config     ConfigKind // the configuration in question
	Err        error
}

func (e *Error) Unwrap() error { return e.Err }

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Subject != "" {
		fmt.Fprintf(&b, " %s", e.Subject)
	}
	if e.Bucket != "" {
		fmt.Fprintf(&b, " %s", e.Bucket)
	}
	if e.Key != "" {
		fmt.Fprintf(&b, "/%q", e.Key)
	}
	if e.Config != "" {
		fmt.Fprintf(&b, " configuration %s", e.Config)
	}
	if e.UploadID != "" {
		fmt.Fprintf(&b, " upload %s", e.UploadID)
	}
	if e.PartNumber != 0 {
		fmt.Fprintf(&b, " part %d", e.PartNumber)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	return b.String()
}

// wrap puts err into e, unless it is nil or says where it happened already.
func wrap(err error, e *Error) error {
	var inner *Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &inner):
		e.PartNumber, e.ETag, e.Size = cmp.Or(e.PartNumber, inner.PartNumber), inner.ETag, inner.Size
		e.Bucket, e.Key = cmp.Or(inner.Bucket, e.Bucket), cmp.Or(inner.Key, e.Key)
		e.Config = cmp.Or(e.Config, inner.Config)
		e.Err = inner.Err
	default:
		e.Err = err
	}
	return e
}
