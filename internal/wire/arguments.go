package wire

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// InvalidArgument returns the error of that code for the argument name, whose
// value the client sent as the raw text value.
func InvalidArgument(name, value, message string) *Error {
	return NewError("InvalidArgument").WithMessage(message).
		With("ArgumentName", name).With("ArgumentValue", value)
}

// InvalidPartNumber is the error for a part number that is not an integer from
// 1 to MaxParts.
func InvalidPartNumber(value string) *Error {
	return InvalidArgument("PartNumber", value,
		"Part number must be an integer between 1 and 10000, inclusive.").WithEC("0017-00000220")
}

// MissingPartNumber is the error for a PUT that has an upload ID and no part
// number.
func MissingPartNumber() *Error {
	return InvalidArgument("ResourceType", QueryPartNumber,
		"Unexpected query string parameter").WithEC("0017-00000219")
}

// CompleteAllWithBody is the error for a CompleteMultipartUpload that has both
// x-oss-complete-all and a list. The spelling is the one on the wire.
func CompleteAllWithBody() *Error {
	return NewError("InvalidArgument").
		WithMessage("Should not speficy both complete all header and http body.").WithEC("0042-00000216")
}

// MalformedXML is the error for a body that a Decode function refused with err,
// whose text becomes ErrorDetail. ec depends on the operation. An err that is an
// *Error already is returned as it is.
func MalformedXML(err error, ec string) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return NewError("MalformedXML").With("ErrorDetail", err.Error()).WithEC(ec)
}

// ParsePartNumber reads the query parameter partNumber: 1 to MaxParts.
// Otherwise InvalidArgument, see [InvalidPartNumber].
func ParsePartNumber(text string) (int, error) {
	n, err := parseInt(text)
	if err != nil || n < 1 || n > MaxParts {
		return 0, InvalidPartNumber(text)
	}
	return int(n), nil
}

// ParsePartNumberMarker reads part-number-marker: parts with greater numbers
// are listed. Empty is 0. Otherwise InvalidArgument.
func ParsePartNumberMarker(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := parseInt(text)
	if err != nil || n < 0 {
		return 0, InvalidArgument(QueryPartNumberMarker, text,
			"Argument part-number-marker must be an integer that is not negative.")
	}
	return int(min(n, MaxParts)), nil
}

// ParseCount reads one of max-keys, max-parts and max-uploads, whose name is
// given: 1 to MaxListEntries; empty is fallback. Otherwise InvalidArgument,
// with the EC ec, which may be "".
func ParseCount(name, text string, fallback int, ec string) (int, error) {
	if text == "" {
		return fallback, nil
	}
	n, err := parseInt(text)
	if err != nil || n < 1 || n > MaxListEntries {
		return 0, InvalidArgument(name, text,
			fmt.Sprintf("Argument %s must be an integer between 1 and %d.", name, MaxListEntries)).WithEC(ec)
	}
	return int(n), nil
}

// ParseEncodingType reads encoding-type: "" or "url". Otherwise
// InvalidArgument.
func ParseEncodingType(text string) (string, error) {
	if text != "" && text != EncodingURL {
		return "", InvalidArgument(QueryEncodingType, text, "Unknown encoding-type.")
	}
	return text, nil
}

// ParsePosition reads the position of AppendObject: an integer that is not
// negative. Otherwise InvalidArgument.
func ParsePosition(text string) (int64, error) {
	n, err := parseInt(text)
	if err != nil || n < 0 {
		return 0, InvalidArgument(QueryPosition, text, "Argument position must be an integer that is not negative.")
	}
	return n, nil
}

// ParseTrafficLimit reads x-oss-traffic-limit, in bit/s. Empty is 0, no limit.
// Otherwise InvalidArgument.
func ParseTrafficLimit(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := parseInt(text)
	if err != nil || n < MinTrafficLimit || n > MaxTrafficLimit {
		return 0, InvalidArgument(HeaderTrafficLimit, text,
			"x-oss-traffic-limit is invalid, should be specified between 819200(100KB/s) and 838860800(100MB/s).")
	}
	return n, nil
}

// ParseForbidOverwrite reads x-oss-forbid-overwrite: "true", "false" or "",
// in any case. Otherwise InvalidArgument.
func ParseForbidOverwrite(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true":
		return true, nil
	case "false", "":
		return false, nil
	}
	return false, InvalidArgument(HeaderForbidOverwrite, text, "x-oss-forbid-overwrite must be true or false.")
}

// ParseDirective reads x-oss-metadata-directive or x-oss-tagging-directive,
// whose name is given, in any case. Empty is Copy. Otherwise InvalidArgument.
func ParseDirective(name, text string) (Directive, error) {
	switch d := Directive(strings.ToUpper(text)); d {
	case "":
		return Copy, nil
	case Copy, Replace:
		return d, nil
	}
	return "", InvalidArgument(name, text, name+" must be COPY or REPLACE.")
}

// ParseBucketACL reads x-oss-acl. Empty is Private. Otherwise InvalidArgument.
func ParseBucketACL(text string) (ACL, error) {
	switch acl := ACL(text); acl {
	case "":
		return Private, nil
	case Private, PublicRead, PublicReadWrite:
		return acl, nil
	}
	return "", InvalidArgument(HeaderACL, text, "no such bucket access control exists")
}

// ParseObjectACL reads x-oss-object-acl. Empty is Default. Otherwise
// InvalidArgument.
func ParseObjectACL(text string) (ACL, error) {
	switch acl := ACL(text); acl {
	case "":
		return Default, nil
	case Default, Private, PublicRead, PublicReadWrite:
		return acl, nil
	}
	return "", InvalidArgument(HeaderObjectACL, text, "no such object access control exists")
}

// ParseStorageClass reads a storage class from the header x-oss-storage-class
// or the element StorageClass, whose name is given. Empty is Standard.
// Otherwise InvalidArgument.
func ParseStorageClass(name, text string) (StorageClass, error) {
	switch class := StorageClass(text); class {
	case "":
		return Standard, nil
	case Standard, IA, Archive, ColdArchive, DeepColdArchive:
		return class, nil
	}
	return "", InvalidArgument(name, text, "No such bucket storage class exists.")
}

// ParseContentMD5 reads Content-MD5: 16 bytes in base64. Otherwise
// InvalidDigest, as for a digest that does not match.
func ParseContentMD5(text string) (sum [16]byte, err error) {
	raw, err := base64.StdEncoding.Strict().DecodeString(strings.TrimSpace(text))
	if err != nil || len(raw) != len(sum) {
		return sum, NewError("InvalidDigest")
	}
	copy(sum[:], raw)
	return sum, nil
}

// ParseCRC64 reads x-oss-hash-crc64ecma, unsigned decimal. Otherwise
// InvalidCRC64, as for a sum that does not match.
func ParseCRC64(text string) (uint64, error) {
	n, err := strconv.ParseUint(strings.TrimSpace(text), 10, 64)
	if err != nil {
		return 0, NewError("InvalidCRC64")
	}
	return n, nil
}
