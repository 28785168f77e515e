package wire

import (
	"slices"
	"strings"
)

// CatalogueEntry is what the documentation page "Error responses" says of one
// error code.
type CatalogueEntry struct {
	Code    string
	Status  int    // HTTP status; a right code with a wrong status is not recognised by oss2
	Message string // the common one
	EC      string // if all operations share one
}

// Catalogue returns all error codes that this module answers with, sorted by
// code.
func Catalogue() []CatalogueEntry { return slices.Clone(catalogue) }

// NewError returns a new Error with the status, message and EC of the
// catalogue. A code that the catalogue does not have gives InternalError.
func NewError(code string) *Error {
	entry, ok := lookup(code)
	if !ok {
		entry, _ = lookup("InternalError")
	}
	return &Error{Code: entry.Code, Status: entry.Status, Message: entry.Message, EC: entry.EC}
}

func lookup(code string) (CatalogueEntry, bool) {
	i, ok := slices.BinarySearchFunc(catalogue, code, func(e CatalogueEntry, code string) int {
		return strings.Compare(e.Code, code)
	})
	if !ok {
		return CatalogueEntry{}, false
	}
	return catalogue[i], true
}

// Detailed error numbers that depend on the operation and not on the code
// alone, for [Error.WithEC].
const (
	ECUploadPartNoSuchUpload     = "0042-00000104"
	ECUploadPartCopyNoSuchUpload = "0042-00000311"
	ECCompleteMalformedXML       = "0042-00000205"
	ECCompleteFileExists         = "0042-00000214"
	ECConfigMalformedXML         = "0015-00000231"
	ECDeleteMalformedXML         = "0016-00000608"
	ECCopySource                 = "0042-00000301"
	ECListBucketsMaxKeys         = "0017-00000289"
	ECListObjectsMaxKeys         = "0015-00000402"
	ECListVersionsMaxKeys        = "0012-00000102"
	ECDeniedByPolicy             = "0003-00000201" // AccessDenied, by a statement of a RAM policy
	ECNotAllowed                 = "0003-00000202" // AccessDenied, no RAM policy allows it
	ECDeniedBySession            = "0003-00000301" // AccessDenied, the session's policy does not allow it
	ECGetObjectNotRestored       = "0016-00000404"
	ECRestoreNotArchived         = "0016-00000702"
	ECRestoreTier                = "0016-00000703"
	ECRestoreDaysCold            = "0016-00000704"
	ECRestoreDaysArchive         = "0016-00000708"
	ECRestoreElement             = "0016-00000714"
	ECBucketRedundancy           = "0015-00000228"
	ECTagKeyLength               = "0010-00000209"
	ECTagKeyTwice                = "0010-00000210"
	ECTagKey                     = "0010-00000212"
	ECTagValue                   = "0010-00000217"
	ECTagCount                   = "0010-00000218"
	ECTagHeader                  = "0010-00000219"
)

// catalogue is sorted by code, in byte order.
var catalogue = []CatalogueEntry{
	{"AccessDenied", 403, "AccessDenied", ""},
	{"AccessForbidden", 403, "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.", ""},
	{"AccessKeyIdAndSecurityTokenNotMatch", 403, "The access key ID and the security token do not belong together.", ""},
	{"ActiveRequestLimitExceeded", 503, "Please reduce your request rate.", ""},
	{"ArchiveRestoreNotFinished", 409, "The restore operation is not finished.", "0016-00000719"},
	{"BadRequest", 400, "Insufficient information. Origin request header needed.", ""},
	{"BucketAlreadyExists", 409, "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.", "0015-00000104"},
	{"BucketNotEmpty", 409, "The bucket has objects. Please delete them first.", "0015-00000301"},
	{"CORSRuleBeyondLimit", 400, "The number of CORS rules is beyond the limit.", ""},
	{"CallbackFailed", 203, "The callback failed.", "0007-00000203"},
	{"CnameAlreadyExists", 409, "The cname you specified is mapped to another bucket.", ""},
	{"CnameDenied", 403, "The cname you specified is in use.", ""},
	{"CnameIsForbidden", 403, "The cname you specified is reserved and can not be mapped.", ""},
	{"CpuLimitExceeded", 503, "Please reduce your request rate.", ""},
	{"DownloadTrafficRateLimitExceeded", 503, "Please reduce your request rate.", ""},
	{"EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size.", ""},
	{"EntityTooSmall", 400, "Your proposed upload smaller than the minimum allowed size.", "0042-00000213"},
	{"FieldItemTooLong", 400, "Your form field item exceeds the maximum allowed size.", ""},
	{"FileAlreadyExists", 409, "The object you specified already exists and can not be overwritten.", ""},
	{"FileImmutable", 409, "The object you specified is immutable.", ""},
	{"FilePartNotExist", 400, "The Part you read had been deleted.", ""},
	{"IncompleteBody", 400, "You did not provide the number of bytes specified by the Content-Length HTTP header.", ""},
	{"IncorrectNumberOfFilesInPOSTRequest", 400, "POST requires exactly one file upload per request.", ""},
	{"InternalError", 500, "The server met an internal error. Please try again, and tell its operator the request ID if it happens again.", ""},
	{"InvalidAccessKeyId", 403, "The OSS Access Key Id you provided does not exist in our records.", "0002-00000902"},
	{"InvalidArgument", 400, "The argument you provided is invalid.", ""},
	{"InvalidBucketName", 400, "The specified bucket is not valid.", ""},
	{"InvalidCRC64", 400, "The x-oss-hash-crc64ecma you specified does not match what we calculated.", ""},
	{"InvalidDataEncryptionAlgorithmError", 400, "The KMS Data Encryption request you specified is not valid. Supported value:SM4", ""},
	{"InvalidDigest", 400, "The Content-MD5 you specified was invalid.", ""},
	{"InvalidEncryptionAlgorithmError", 400, "The Encryption request you specified is not valid. Supported value: AES256/SM4/KMS.", ""},
	{"InvalidEncryptionRequest", 400, "The parameters of client encryption are allowed to be set once.", ""},
	{"InvalidHostPutBucket", 400, "The bucket cannot be created under this host.", ""},
	{"InvalidObjectName", 400, "The specified object is not valid.", ""},
	{"InvalidObjectState", 403, "The operation is not valid for the object's state.", ""},
	{"InvalidParameter", 400, "The specified parameter KMS keyId is not valid.", ""},
	{"InvalidPart", 400, "One or more of the specified parts could not be found or the specified entity tag might not have matched the part's entity tag.", ""},
	{"InvalidPartOrder", 400, "The list of parts was not in ascending order. Parts list must specified in order by part number.", "0042-00000209"},
	{"InvalidPolicyDocument", 400, "The policy document is invalid.", ""},
	{"InvalidRange", 416, "The requested range cannot be satisfied", ""},
	{"InvalidRequest", 400, "Request specific response headers cannot be used for anonymous GET requests.", ""},
	{"InvalidSecurityToken", 403, "The security token you provided is invalid.", ""},
	{"InvalidTag", 400, "The TagValue you have provided is invalid.", ""},
	{"InvalidTaggingKey", 400, "The tagging key you provided is invalid.", ""},
	{"InvalidTargetBucketForLogging", 400, "The target bucket for logging is not valid.", ""},
	{"InvalidTargetType", 400, "The symbolic's target file type is invalid", "0026-00000011"},
	{"InvalidXMLFormat", 400, "The XML you provided is not valid.", ""},
	{"KmsServiceNotEnabled", 403, "KMS is not enabled.", ""},
	{"MalformedPOSTRequest", 400, "The body of your POST request is not well-formed multipart/form-data.", ""},
	{"MalformedXML", 400, "The XML you provided was not well-formed or did not validate against our published schema.", ""},
	{"MaxPOSTPreDataLengthExceededError", 400, "Your POST request fields preceding the upload file were too large.", ""},
	{"MetaOperationQpsLimitExceeded", 503, "Please reduce your request rate.", ""},
	{"MethodNotAllowed", 405, "The specified method is not allowed against this resource.", "0003-00000016"},
	{"MissingArgument", 400, "Missing Some Required Arguments.", ""},
	{"MissingContentLength", 411, "You must provide the Content-Length HTTP header.", ""},
	{"NoSuchBucket", 404, "The specified bucket does not exist.", "0015-00000101"},
	{"NoSuchBucketPolicy", 404, "The specified bucket policy does not exist.", ""},
	{"NoSuchCORSConfiguration", 404, "The CORS Configuration does not exist.", ""},
	{"NoSuchCname", 404, "The cname you specified is not mapped to the bucket.", ""},
	{"NoSuchInventory", 404, "The specified inventory does not exist.", ""},
	{"NoSuchKey", 404, "The specified key does not exist.", "0026-00000001"},
	{"NoSuchLifecycle", 404, "No Row found in Lifecycle Table.", ""},
	{"NoSuchLiveChannel", 404, "The specified live channel does not exist.", ""},
	{"NoSuchReplicationRule", 404, "The specified replication rule does not exist.", ""},
	{"NoSuchServerSideEncryptionRule", 404, "The server side encryption configuration was not found.", ""},
	{"NoSuchTransferAccelerationConfiguration", 404, "The specified transfer acceleration configuration does not exist.", ""},
	{"NoSuchUpload", 404, "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.", "0042-00000002"},
	{"NoSuchVersion", 404, "The specified version does not exist.", ""},
	{"NoSuchWORMConfiguration", 404, "The specified retention policy does not exist.", ""},
	{"NoSuchWebsiteConfiguration", 404, "The specified bucket does not have a website configuration.", ""},
	{"NonStandardHostForbidden", 403, "Your host is invalid. Please use Open Storage Service standard host.", ""},
	{"NotImplemented", 400, "A header you provided implies functionality that is not implemented.", ""},
	{"NotSymlink", 400, "The object is not symlink.", ""},
	{"ObjectAlreadyExists", 400, "The object you specified already exists.", ""},
	{"ObjectNotAppendable", 409, "The object is not appendable", ""},
	{"OperationNotSupported", 400, "The operation is not supported for this resource", ""},
	{"PartNotSequential", 400, "The specified part number is not sequential.", ""},
	{"PositionNotEqualToLength", 409, "Position is not equal to file length", "0026-00000016"},
	{"PreconditionFailed", 412, "At least one of the pre-conditions you specified did not hold.", ""},
	{"RepeatedTags", 400, "Tag keys must be unique.", ""},
	{"RequestIsNotMultiPartContent", 400, "Bucket POST must be of the enclosure-type multipart/form-data.", ""},
	{"RequestTimeTooSkewed", 403, "The difference between the request time and the current time is too large.", "0002-00000504"},
	{"RequestTimeout", 400, "Your socket connection to the server was not read from or written to within the timeout period. Idle connections will be closed.", ""},
	{"RestoreAlreadyInProgress", 409, "The restore operation is in progress.", ""},
	{"SecurityTokenExpired", 403, "The security token you provided has expired.", ""},
	{"SecurityTokenNotSupported", 403, "The operation does not accept a security token.", ""},
	{"ServiceUnavailable", 503, "Please reduce your request rate.", ""},
	{"SignatureDoesNotMatch", 403, "The request signature we calculated does not match the signature you provided. Check your key and signing method.", "0002-00000040"},
	{"SymlinkTargetNotExist", 404, "The symlink target object does not exist.", ""},
	{"TooManyBuckets", 400, "You have attempted to create more buckets than allowed.", ""},
	{"TooManyCname", 400, "You have attempted to map more cnames to the bucket than allowed.", ""},
	{"TooManyTags", 400, "The bucket tags num is beyond limit.", ""},
	{"TotalQpsLimitExceeded", 503, "Please reduce your request rate.", ""},
	{"UploadTrafficRateLimitExceeded", 503, "Please reduce your request rate.", ""},
	{"UserDisable", 403, "UserDisable", "0003-00000801"},
	{"UserKeyMustBeSpecified", 400, "User key must be specified.", ""},
}
