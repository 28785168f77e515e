package wire

// Request and answer headers of OSS, in the spelling of the documentation
// page "Common HTTP headers". Names compare without regard to case.
const (
	HeaderRequestID  = "x-oss-request-id"  // 24 upper-case hex digits, on every answer
	HeaderServerTime = "x-oss-server-time" // milliseconds spent by the server
	HeaderEC         = "x-oss-ec"          // detailed error number, on errors
	HeaderErr        = "x-oss-err"         // base64 of the error document, on errors to HEAD

	HeaderDate          = "x-oss-date"
	HeaderContentSHA256 = "x-oss-content-sha256"
	HeaderSecurityToken = "x-oss-security-token"

	HeaderACL                = "x-oss-acl"        // of a bucket
	HeaderObjectACL          = "x-oss-object-acl" // of an object
	HeaderStorageClass       = "x-oss-storage-class"
	HeaderForbidOverwrite    = "x-oss-forbid-overwrite" // "true" or absent
	HeaderObjectType         = "x-oss-object-type"
	HeaderVersionID          = "x-oss-version-id"
	HeaderDeleteMarker       = "x-oss-delete-marker" // "true" or absent, never "false"
	HeaderNextAppendPosition = "x-oss-next-append-position"
	HeaderCRC64              = "x-oss-hash-crc64ecma" // CRC-64/XZ, unsigned decimal
	HeaderTagging            = "x-oss-tagging"        // form-encoded tags
	HeaderTaggingCount       = "x-oss-tagging-count"
	HeaderTaggingDirective   = "x-oss-tagging-directive"
	HeaderMetadataDirective  = "x-oss-metadata-directive"
	HeaderMetaPrefix         = "x-oss-meta-" // user metadata; the rest is the name
	HeaderSymlinkTarget      = "x-oss-symlink-target"
	HeaderRestore            = "x-oss-restore"
	HeaderRestorePriority    = "x-oss-object-restore-priority"
	HeaderExpiration         = "x-oss-expiration"
	HeaderTransitionTime     = "x-oss-transition-time"
	HeaderCompleteAll        = "x-oss-complete-all" // "yes" or absent
	HeaderRangeBehavior      = "x-oss-range-behavior"
	HeaderMultiRangeBehavior = "x-oss-multi-range-behavior"
	HeaderTrafficLimit       = "x-oss-traffic-limit" // bit/s
	HeaderRequestPayer       = "x-oss-request-payer"
	HeaderCallback           = "x-oss-callback"
	HeaderCallbackVar        = "x-oss-callback-var"
	HeaderResourceGroupID    = "x-oss-resource-group-id"
	HeaderBucketTagging      = "x-oss-bucket-tagging"

	HeaderAllowSameActionOverlap = "x-oss-allow-same-action-overlap" // "true", or absent

	HeaderEncryption     = "x-oss-server-side-encryption" // AES256, KMS or SM4
	HeaderDataEncryption = "x-oss-server-side-data-encryption"
	HeaderEncryptionKey  = "x-oss-server-side-encryption-key-id"

	HeaderCopySource                  = "x-oss-copy-source"
	HeaderCopySourceRange             = "x-oss-copy-source-range"
	HeaderCopySourceVersionID         = "x-oss-copy-source-version-id"
	HeaderCopySourceIfMatch           = "x-oss-copy-source-if-match"
	HeaderCopySourceIfNoneMatch       = "x-oss-copy-source-if-none-match"
	HeaderCopySourceIfModifiedSince   = "x-oss-copy-source-if-modified-since"
	HeaderCopySourceIfUnmodifiedSince = "x-oss-copy-source-if-unmodified-since"
)

// Query parameters that select a sub-resource: their presence decides, with or
// without a value.
const (
	QueryACL        = "acl"
	QueryAppend     = "append"
	QueryBucketInfo = "bucketInfo"
	QueryDelete     = "delete"
	QueryLive       = "live"
	QueryLocation   = "location"
	QueryObjectMeta = "objectMeta"
	QueryRestore    = "restore"
	QuerySequential = "sequential"
	QueryStat       = "stat"
	QuerySymlink    = "symlink"
	QueryTagging    = "tagging"
	QueryUploads    = "uploads"
	QueryVersions   = "versions"
)

// Query parameters with a value.
const (
	QueryUploadID          = "uploadId"
	QueryPartNumber        = "partNumber"
	QueryPartNumberMarker  = "part-number-marker"
	QueryMaxParts          = "max-parts"
	QueryMaxUploads        = "max-uploads"
	QueryMaxKeys           = "max-keys"
	QueryKeyMarker         = "key-marker"
	QueryUploadIDMarker    = "upload-id-marker"
	QueryVersionID         = "versionId"
	QueryVersionIDMarker   = "version-id-marker"
	QueryPrefix            = "prefix"
	QueryMarker            = "marker"
	QueryDelimiter         = "delimiter"
	QueryEncodingType      = "encoding-type"
	QueryListType          = "list-type" // "2" selects ListObjectsV2
	QueryStartAfter        = "start-after"
	QueryContinuationToken = "continuation-token"
	QueryFetchOwner        = "fetch-owner"
	QueryTagKey            = "tag-key" // of ListBuckets
	QueryTagValue          = "tag-value"
	QueryPosition          = "position"
	QueryTrafficLimit      = HeaderTrafficLimit
	QueryCallback          = "callback"
	QueryCallbackVar       = "callback-var"
	QueryProcess           = "x-oss-process"

	QueryResponseContentType        = "response-content-type"
	QueryResponseContentLanguage    = "response-content-language"
	QueryResponseExpires            = "response-expires"
	QueryResponseCacheControl       = "response-cache-control"
	QueryResponseContentDisposition = "response-content-disposition"
	QueryResponseContentEncoding    = "response-content-encoding"
)

// StorageClass is how an object's bytes are kept.
type StorageClass string

// The storage classes of OSS.
const (
	Standard        StorageClass = "Standard"
	IA              StorageClass = "IA"
	Archive         StorageClass = "Archive"
	ColdArchive     StorageClass = "ColdArchive"
	DeepColdArchive StorageClass = "DeepColdArchive"
)

// ACL is a canned access control list of a bucket or an object.
type ACL string

// The canned ACLs. Default exists for objects only: it means that the bucket's
// ACL applies.
const (
	Default         ACL = "default"
	Private         ACL = "private"
	PublicRead      ACL = "public-read"
	PublicReadWrite ACL = "public-read-write"
)

// ObjectType says how an object came to be.
type ObjectType string

// The types of objects.
const (
	Normal     ObjectType = "Normal"
	Multipart  ObjectType = "Multipart"
	Appendable ObjectType = "Appendable"
	Symlink    ObjectType = "Symlink"
)

// Directive says whether CopyObject takes metadata (or tags) from the source
// or from the request. See [ParseDirective].
type Directive string

// The directives, in the spelling of x-oss-metadata-directive.
const (
	Copy    Directive = "COPY"
	Replace Directive = "REPLACE"
)

// Values of other headers, parameters and elements.
const (
	EncodingURL         = "url"         // of encoding-type and EncodingType
	CompleteAllYes      = "yes"         // of x-oss-complete-all
	RangeStandard       = "standard"    // of x-oss-range-behavior
	MultiRange          = "multi-range" // of x-oss-multi-range-behavior
	PayerRequester      = "requester"   // of x-oss-request-payer
	NullVersion         = "null"        // ID of a version written while versioning was off
	EncryptionAES256    = "AES256"      // of x-oss-server-side-encryption
	EncryptionKMS       = "KMS"
	EncryptionSM4       = "SM4"
	EncryptionNone      = "None" // SSEAlgorithm of a bucket without a rule
	RedundancyLRS       = "LRS"  // of DataRedundancyType
	RedundancyZRS       = "ZRS"
	ContentTypeXML      = "application/xml"
	ContentTypeFallback = "application/octet-stream" // of an object stored without one
)
