package wire

// The numbers of the protocol, from the documentation page "Limits". Sizes are
// bytes.
const (
	MaxParts           = 10000                  // parts in an upload, and the highest part number
	MinPartSize        = 100 << 10              // of every listed part but the last, checked at Complete
	MaxPartSize        = 5 << 30                // of one part
	MaxMultipartObject = MaxParts * MaxPartSize // 53687091200000, "48.8 TB"
	MaxPutObject       = 5 << 30                // of PutObject, PostObject and an appendable object
	MaxCopyObject      = 5 << 30                // source of CopyObject; beyond it UploadPartCopy is needed

	MaxKeyBytes    = 1023 // of an object key in UTF-8; at least 1
	MaxMarkerBytes = 1023 // of prefix, delimiter, marker and their like
	MinBucketName  = 3
	MaxBucketName  = 63
	MaxBuckets     = 100 // of one owner

	MaxMetadata = 8 << 10 // user metadata of one object, names and values together

	MaxObjectTags     = 10
	MaxObjectTagKey   = 128 // characters; at least 1
	MaxObjectTagValue = 256 // characters
	MaxBucketTags     = 20
	MaxBucketTagKey   = 64  // characters; at least 1
	MaxBucketTagValue = 128 // characters
	MaxDeleteObjects  = 1000
	MaxListEntries    = 1000 // max-keys, max-parts and max-uploads; at least 1
	DefaultMaxKeys    = 100  // ListBuckets, ListObjects, ListObjectsV2, ListObjectVersions
	DefaultMaxParts   = 1000
	DefaultMaxUploads = 1000
	MaxRanges         = 50 // of a multi-range GET
	MinTrafficLimit   = 819200
	MaxTrafficLimit   = 838860800 // bit/s
	RequestIDLength   = 24
	MaxErrorDocument  = 4095 // oss2 reads no more than 4096 bytes of an error
	MaxCompleteBody   = 4 << 20
	MaxDeleteBody     = 2 << 20
	MaxTaggingBody    = 64 << 10
	MaxQueryPairs     = 256 // parameters of one query; more are refused

	MaxLifecycleRules  = 1000
	MaxLifecycleRuleID = 255 // characters
	MaxLifecycleBody   = 512 << 10
	MaxCORSRules       = 10
	MaxCORSBody        = 16 << 10
	MaxRefererList     = 20 << 10 // all referers of a list together
	MaxRefererBody     = 64 << 10
	MaxPolicyBody      = 16 << 10
	MaxRestoreDays     = 7   // of an object of the class Archive
	MaxRestoreDaysCold = 365 // of ColdArchive and DeepColdArchive
	MaxDomainName      = 253
	MaxCnameBody       = 64 << 10 // with a certificate and its key
)
