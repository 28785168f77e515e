package wire

import (
	"strings"
	"unicode/utf8"
)

// ValidBucketName reports whether s can be a bucket's name: MinBucketName to
// MaxBucketName of a-z, 0-9 and '-', with no '-' at either end. Otherwise the
// answer is InvalidBucketName.
func ValidBucketName(s string) bool {
	if len(s) < MinBucketName || len(s) > MaxBucketName || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}

// ValidateKey returns nil if key can name an object: 1 to MaxKeyBytes bytes of
// UTF-8 that begin with neither '/' nor '\'. Otherwise InvalidObjectName.
func ValidateKey(key string) error {
	switch {
	case key == "":
		return NewError("InvalidObjectName").WithMessage("The Object name can not be empty.").With("ObjectName", key)
	case len(key) > MaxKeyBytes:
		return NewError("InvalidObjectName").WithMessage("The Length of Object name must be less than 1024.").With("ObjectName", key)
	case key[0] == '/', key[0] == '\\', !utf8.ValidString(key):
		return NewError("InvalidObjectName").With("ObjectName", key)
	}
	return nil
}

// ParseCopySource reads x-oss-copy-source: /bucket/key, form-encoded, with
// ?versionId=ID after it for a version that is not the current one. The slash
// at the front is required. SDKs encode the slashes of the key or leave them,
// and write a blank as %20 or as '+'; all are accepted. Otherwise
// InvalidArgument without an EC: UploadPartCopy adds [ECCopySource].
//
// The bucket and the key are valid by ValidBucketName and ValidateKey;
// versionID is "" if there is none.
func ParseCopySource(header string) (bucket, key, versionID string, err error) {
	bad := InvalidArgument(HeaderCopySource, header,
		"Copy Source must mention the source bucket and key: /sourcebucket/sourcekey.")
	path, query, hasQuery := strings.Cut(header, "?")
	if hasQuery {
		text, ok := strings.CutPrefix(query, QueryVersionID+"=")
		if !ok {
			return "", "", "", bad
		}
		if versionID, ok = unescape(text, true); !ok {
			return "", "", "", bad
		}
		if versionID == "" {
			return "", "", "", InvalidArgument(QueryVersionID, "", "Version id can not be the empty string.")
		}
	}
	path, ok := unescape(path, true)
	if !ok || !strings.HasPrefix(path, "/") {
		return "", "", "", bad
	}
	bucket, key, ok = strings.Cut(path[1:], "/")
	if !ok || !ValidBucketName(bucket) || ValidateKey(key) != nil {
		return "", "", "", bad
	}
	return bucket, key, versionID, nil
}
