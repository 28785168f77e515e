package oss

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ossastore/ossa/internal/digest"
	"github.com/ossastore/ossa/internal/wire"
)

// ACL is a canned access control list.
type ACL string

// The canned ACLs. ACLDefault is for objects only: that of the bucket applies.
const (
	ACLDefault         ACL = "default"
	ACLPrivate         ACL = "private"
	ACLPublicRead      ACL = "public-read"
	ACLPublicReadWrite ACL = "public-read-write"
)

// StorageClass is how an object's bytes are kept.
type StorageClass string

// The storage classes.
const (
	StorageStandard        StorageClass = "Standard"
	StorageIA              StorageClass = "IA"
	StorageArchive         StorageClass = "Archive"
	StorageColdArchive     StorageClass = "ColdArchive"
	StorageDeepColdArchive StorageClass = "DeepColdArchive"
)

// Tag is a name and a value attached to an object or a bucket.
type Tag struct {
	Key, Value string
}

// Owner is who owns a bucket or an object.
type Owner struct {
	ID, DisplayName string
}

// Encryption is how a server encrypts an object. The zero value leaves it to the
// bucket.
type Encryption struct {
	Algorithm     string // AES256, KMS or SM4
	KeyID         string // of KMS; "" for its default key
	DataAlgorithm string // SM4, with KMS only
}

// Attributes are what an object has besides its bytes and its name.
type Attributes struct {
	ContentType        string
	CacheControl       string
	ContentDisposition string
	ContentEncoding    string
	Expires            string            // the header of that name, free text
	Metadata           map[string]string // x-oss-meta-; names without that and in lower case
	StorageClass       StorageClass
	Encryption         Encryption
}

// isZero reports whether no attribute is given.
func (a *Attributes) isZero() bool {
	k := call{header: http.Header{}}
	k.attributes(a, nil)
	return len(k.header) == 0
}

// attributes sets the headers that say what an object is to have.
func (k *call) attributes(a *Attributes, tags []Tag) {
	k.set("Content-Type", a.ContentType)
	k.set("Cache-Control", a.CacheControl)
	k.set("Content-Disposition", a.ContentDisposition)
	k.set("Content-Encoding", a.ContentEncoding)
	k.set("Expires", a.Expires)
	for name, value := range a.Metadata {
		k.header.Set(wire.HeaderMetaPrefix+name, value)
	}
	k.set(wire.HeaderStorageClass, string(a.StorageClass))
	k.set(wire.HeaderEncryption, a.Encryption.Algorithm)
	k.set(wire.HeaderEncryptionKey, a.Encryption.KeyID)
	k.set(wire.HeaderDataEncryption, a.Encryption.DataAlgorithm)
	if len(tags) > 0 {
		k.set(wire.HeaderTagging, wire.FormatTagging(toWireTags(tags)))
	}
}

func toWireTags(tags []Tag) []wire.Tag {
	w := make([]wire.Tag, len(tags))
	for i, t := range tags {
		w[i] = wire.Tag(t)
	}
	return w
}

func fromWireTags(w []wire.Tag) []Tag {
	tags := make([]Tag, len(w))
	for i, t := range w {
		tags[i] = Tag(t)
	}
	return tags
}

// Answer is what every result has.
type Answer struct {
	RequestID string
	Header    http.Header // all of it
}

func (r *reply) answer() Answer {
	return Answer{RequestID: r.header.Get(wire.HeaderRequestID), Header: r.header}
}

// CRC64 is the CRC-64 of bytes, if a server told it.
type CRC64 struct {
	Sum   uint64
	Known bool
}

func (c CRC64) String() string {
	if !c.Known {
		return ""
	}
	return digest.CRC64String(c.Sum)
}

// is reports whether c is the sum, or not known.
func (c CRC64) is(sum uint64) bool { return !c.Known || c.Sum == sum }

// headerCRC64 reads the checksum of an answer. A damaged one is known, and 0: so it
// is that of no bytes, and not one that need not be compared.
func headerCRC64(h http.Header) CRC64 {
	text := h.Get(wire.HeaderCRC64)
	sum, ok := digest.ParseCRC64(text)
	return CRC64{sum, ok || text != ""}
}

// headerETag returns the entity tag without its quotes.
func headerETag(h http.Header) string { return string(wire.ParseETag(h.Get("ETag"))) }

func headerInt(h http.Header, name string) int64 {
	n, _ := strconv.ParseInt(h.Get(name), 10, 64)
	return n
}

func headerTime(h http.Header, name string) time.Time {
	t, _ := wire.ParseHTTPDate(h.Get(name))
	return t
}

// ObjectInfo is what a server tells of an object along with its bytes, or
// instead of them.
type ObjectInfo struct {
	Answer
	Attributes
	Size          int64  // bytes of the whole object
	ETag          string // without quotes
	CRC64         CRC64  // of the whole object
	ContentMD5    string // base64; "" for objects made of parts
	LastModified  time.Time
	Type          string // Normal, Multipart, Appendable or Symlink
	VersionID     string
	TagCount      int
	Restore       string // x-oss-restore, of archived objects
	AppendLength  int64  // where the next append goes, of appendable objects
	SymlinkTarget string
}

func objectInfo(r *reply) ObjectInfo {
	h := r.header
	info := ObjectInfo{
		Answer: r.answer(),
		Attributes: Attributes{
			ContentType:        h.Get("Content-Type"),
			CacheControl:       h.Get("Cache-Control"),
			ContentDisposition: h.Get("Content-Disposition"),
			ContentEncoding:    h.Get("Content-Encoding"),
			Expires:            h.Get("Expires"),
			StorageClass:       StorageClass(h.Get(wire.HeaderStorageClass)),
			Encryption: Encryption{
				Algorithm:     h.Get(wire.HeaderEncryption),
				KeyID:         h.Get(wire.HeaderEncryptionKey),
				DataAlgorithm: h.Get(wire.HeaderDataEncryption),
			},
		},
		Size:         r.length,
		ETag:         headerETag(h),
		CRC64:        headerCRC64(h),
		ContentMD5:   h.Get("Content-MD5"),
		LastModified: headerTime(h, "Last-Modified"),
		Type:         h.Get(wire.HeaderObjectType),
		VersionID:    h.Get(wire.HeaderVersionID),
		TagCount:     int(headerInt(h, wire.HeaderTaggingCount)),
		Restore:      h.Get(wire.HeaderRestore),
		AppendLength: headerInt(h, wire.HeaderNextAppendPosition),
	}
	for name, values := range h {
		if low := strings.ToLower(name); strings.HasPrefix(low, wire.HeaderMetaPrefix) {
			if info.Metadata == nil {
				info.Metadata = map[string]string{}
			}
			info.Metadata[low[len(wire.HeaderMetaPrefix):]] = strings.Join(values, ",")
		}
	}
	return info
}

// Conditions make a request depend on what the object is. A condition that does
// not hold is ErrPreconditionFailed or ErrNotModified.
type Conditions struct {
	IfMatch           string // an ETag, with or without quotes
	IfNoneMatch       string
	IfModifiedSince   time.Time
	IfUnmodifiedSince time.Time
}

func (k *call) conditions(c *Conditions, prefix string) {
	k.set(prefix+"If-Match", quoted(c.IfMatch))
	k.set(prefix+"If-None-Match", quoted(c.IfNoneMatch))
	k.setTime(prefix+"If-Modified-Since", c.IfModifiedSince)
	k.setTime(prefix+"If-Unmodified-Since", c.IfUnmodifiedSince)
}

func quoted(etag string) string {
	if etag == "" || etag == "*" || strings.HasPrefix(etag, `"`) {
		return etag
	}
	return `"` + etag + `"`
}

// unmarshal reads the document of an answer.
func (k *call) unmarshal(r *reply, doc any) error {
	if err := wire.Unmarshal(r.doc, doc); err != nil {
		return opError(k.op, k.bucket, k.key, err)
	}
	return nil
}
