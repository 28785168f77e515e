package store

import (
	"io"
	"time"
)

// UploadID names an open multipart upload: 32 upper-case hex digits,
// unguessable, ascending with time.
type UploadID string

// PartNumber is the place of a part in its upload, 1 to MaxParts.
type PartNumber int

// Numbers of the protocol ("Limits" in the OSS documentation).
const (
	MaxParts      = 10000
	MinPartSize   = 100 << 10 // bytes, for every listed part but the last
	MaxPartSize   = 5 << 30   // bytes of one part, and of one PutObject
	MaxObjectSize = MaxParts * MaxPartSize
	MaxListed     = 1000 // entries of one page of any listing
)

// ObjectType is how an object came to be, as OSS tells it.
type ObjectType string

// The types of objects that exist so far.
const (
	Normal    ObjectType = "Normal"
	Multipart ObjectType = "Multipart"
)

// Tag is one object tag.
type Tag struct{ Key, Value string }

// Attributes are what a client says about an object beside its bytes. They
// are fixed when the object is written or its upload initiated.
type Attributes struct {
	ContentType        string
	CacheControl       string
	ContentDisposition string
	ContentEncoding    string
	ContentLanguage    string
	Expires            string            // free text, given back as sent
	Meta               map[string]string // user metadata; names in lower case, without the x-oss-meta- prefix
	StorageClass       string            // "" takes the bucket's
	Tags               []Tag
	ACL                string // "" is "default": the bucket's ACL counts
	Encryption         Encryption
}

// Bucket is a bucket as it is.
type Bucket struct {
	Name         string
	ID           string // unique for ever; a bucket made again has another
	Created      time.Time
	ACL          string
	StorageClass string
	Redundancy   string // LRS or ZRS, as asked for at creation
}

// Object is one version of an object without its bytes.
type Object struct {
	Bucket string
	Key    string
	Attributes
	Type         ObjectType
	Size         int64  // bytes
	ETag         string // upper-case hex, with "-N" for a multipart object; no quotes
	CRC64        uint64
	MD5          []byte // of all bytes, where known: 16 bytes or nil
	LastModified time.Time
	Version      string    // unique for ever; internal, not the VersionId of OSS
	Restore      Restore   // of an archived object
	Transitioned time.Time // when a lifecycle rule gave it its storage class; zero if none did
}

// Part is an uploaded part.
type Part struct {
	Number       PartNumber
	Size         int64 // bytes
	ETag         string
	MD5          []byte // 16 bytes
	CRC64        uint64
	LastModified time.Time
	Encryption   Encryption // of its upload, where a part was just stored
}

// Upload is an open multipart upload.
type Upload struct {
	Bucket string
	Key    string
	ID     UploadID
	Attributes
	Initiated  time.Time
	Sequential bool
}

// Body is a request's bytes and what the client claims about them. The store
// reads it once, and not before it has found that it could keep it.
type Body struct {
	Reader io.Reader
	Size   int64   // declared length, -1 when unknown
	MD5    []byte  // claimed, 16 bytes, or nil
	CRC64  *uint64 // claimed, or nil
}

// PutBucketRequest asks for a bucket.
type PutBucketRequest struct {
	Bucket       string
	ACL          string // "" is private for a new bucket, unchanged for one that exists
	StorageClass string // "" is Standard for a new bucket
	Redundancy   string // "" is LRS
}

// ListBucketsRequest asks for a page of buckets, ascending by name.
type ListBucketsRequest struct {
	Prefix string
	Marker string // names after it
	Max    int    // 1 to MaxListed
}

// ListBucketsResult is a page of buckets.
type ListBucketsResult struct {
	Buckets   []Bucket
	Truncated bool // others follow the last one
}

// BucketStat sums up what a bucket holds.
type BucketStat struct {
	Objects      int64
	Bytes        int64     // of objects
	Uploads      int64     // open multipart uploads
	Parts        int64     // of open uploads
	PartBytes    int64     // of open uploads
	OldestUpload time.Time // when the oldest open upload was initiated; zero for none
	ByClass      map[string]ClassStat
	LastModified time.Time // of the newest object; zero for none
}

// ClassStat is the share of one storage class in a BucketStat.
type ClassStat struct {
	Objects   int64
	Bytes     int64 // of objects
	Billed    int64 // bytes, with 64 KiB for a smaller object of a class other than Standard
	Parts     int64 // of open uploads
	PartBytes int64 // of open uploads
}

// ListObjectsRequest asks for a page of a bucket's keys in byte order.
type ListObjectsRequest struct {
	Bucket    string
	Prefix    string
	Delimiter string
	Marker    string // entries after it
	Max       int    // 1 to MaxListed; keys and common prefixes together
}

// ListObjectsResult is a page of objects. Objects and CommonPrefixes are each
// in byte order.
type ListObjectsResult struct {
	Objects        []Object
	CommonPrefixes []string
	Next           string // the last entry of the page
	Truncated      bool
}

// PutObjectRequest asks for an object to be made of Body.
type PutObjectRequest struct {
	Bucket          string
	Key             string
	Attributes      Attributes
	ForbidOverwrite bool
	Replaces        Check // of what is there already; nil for none
	Body            Body
}

// CopySource is an object that others are made from.
type CopySource struct {
	Bucket string
	Key    string
	// Check, when set, is asked once about the source, which does not change
	// afterwards. Its error ends the operation and comes back wrapped.
	Check func(*Object) error
}

// CopyObjectRequest asks for an object with the bytes of another.
type CopyObjectRequest struct {
	Bucket          string
	Key             string
	Source          CopySource
	ForbidOverwrite bool
	Replaces        Check // of what is there already; nil for none
	// Attributes tells the new object's attributes from the source's. An
	// encryption other than the one that an object has rewrites its bytes, also
	// where it is copied onto itself.
	Attributes func(source Attributes) Attributes
}

// RestoreObjectRequest asks for an archived object to become readable.
type RestoreObjectRequest struct {
	Bucket string
	Key    string
	Check  Check // asked first
	// Days tells for how many days, given the object as it is. It may be asked
	// more than once. Its error ends the operation and comes back wrapped. Nil
	// is one day.
	Days func(*Object) (int, error)
}

// RestoreObjectResult tells what RestoreObject did.
type RestoreObjectResult struct {
	Started      bool // a restoration began; otherwise one was extended
	StorageClass string
}

// InitiateMultipartUploadRequest asks for a new upload.
type InitiateMultipartUploadRequest struct {
	Bucket          string
	Key             string
	Attributes      Attributes
	ForbidOverwrite bool // refuse if the key exists now; Complete does not look at it
	Sequential      bool // parts come in ascending order; the object gets an MD5
}

// UploadPartRequest asks for Body to become a part.
type UploadPartRequest struct {
	Bucket     string
	Key        string
	UploadID   UploadID
	PartNumber PartNumber
	Body       Body
}

// UploadPartCopyRequest asks for bytes of an object to become a part.
type UploadPartCopyRequest struct {
	Bucket     string
	Key        string
	UploadID   UploadID
	PartNumber PartNumber
	Source     CopySource
	// Range picks what to copy from a source of size bytes: n bytes from
	// offset on. Nil copies all.
	Range func(size int64) (offset, n int64)
}

// CompletedPart is an entry of the list that a client completes with.
type CompletedPart struct {
	Number PartNumber
	ETag   string // without quotes, either letter case
}

// CompleteMultipartUploadRequest asks for an upload to become the object.
type CompleteMultipartUploadRequest struct {
	Bucket          string
	Key             string
	UploadID        UploadID
	Parts           []CompletedPart // in the client's order
	All             bool            // all uploaded parts, in order; Parts is empty
	ACL             string          // of the object; "" keeps "default"
	ForbidOverwrite bool
	Replaces        Check // of what is there already; nil for none
	// Check, when set, is asked after all of the store's own checks, more than
	// once if others change the object at the same time. Its error ends the
	// operation, with nothing changed, and comes back wrapped.
	Check func() error
}

// CompleteMultipartUploadResult is what became of an upload. A repeated
// request with the same list gets the same result.
type CompleteMultipartUploadResult struct {
	ETag         string
	CRC64        uint64
	Size         int64
	LastModified time.Time
	Encryption   Encryption
}

// ListPartsRequest asks for a page of an upload's parts.
type ListPartsRequest struct {
	Bucket   string
	Key      string
	UploadID UploadID
	Marker   PartNumber // parts after it
	Max      int        // 1 to MaxListed
}

// ListPartsResult is a page of parts, ascending by number.
type ListPartsResult struct {
	Upload    Upload
	Parts     []Part
	Truncated bool
}

// ListMultipartUploadsRequest asks for a page of a bucket's open uploads,
// ascending by key and then by ID.
type ListMultipartUploadsRequest struct {
	Bucket         string
	Prefix         string
	Delimiter      string
	KeyMarker      string
	UploadIDMarker UploadID // counts only with a KeyMarker
	Max            int      // 1 to MaxListed; uploads and common prefixes together
}

// ListMultipartUploadsResult is a page of open uploads.
type ListMultipartUploadsResult struct {
	Uploads        []Upload
	CommonPrefixes []string
	NextKey        string   // key or common prefix of the last entry
	NextUploadID   UploadID // "" if the last entry is a common prefix
	Truncated      bool
}
