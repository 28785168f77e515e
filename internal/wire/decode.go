package wire

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// DecodeError says what is wrong with a document that a client sent. Its text
// becomes the ErrorDetail of MalformedXML.
type DecodeError struct {
	Detail string
}

// Error returns the detail.
func (e *DecodeError) Error() string { return e.Detail }

func decodeErrorf(format string, args ...any) error {
	return &DecodeError{fmt.Sprintf(format, args...)}
}

// ReadDocument reads the body of a request, of which it keeps at most limit
// bytes in memory. A longer body is a DecodeError; other errors are r's.
func ReadDocument(r io.Reader, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(body)) > limit {
		return nil, decodeErrorf("the document is longer than %d bytes", limit)
	}
	return body, nil
}

// DecodeCompleteMultipartUpload reads the list of parts of
// CompleteMultipartUpload, in the order given. ETags lose their quotes and are
// in upper case. An empty list is nil; an empty body and a list of more than
// MaxParts entries are a DecodeError. If the document is in order but for a part
// number outside 1 to MaxParts, the error is InvalidArgument, an *Error.
//
// Whether the numbers ascend is not checked here.
func DecodeCompleteMultipartUpload(body []byte) ([]CompletePart, error) {
	s, err := openDocument(body, "CompleteMultipartUpload")
	if err != nil {
		return nil, err
	}
	var parts []CompletePart
	var outside error // the first part number that is out of range
	err = s.children(func(name string) error {
		if name != "Part" {
			return s.skip()
		}
		if len(parts) == MaxParts {
			return decodeErrorf("the list has more than %d parts", MaxParts)
		}
		part, err := s.completePart()
		var rangeError *Error
		if errors.As(err, &rangeError) {
			if outside == nil {
				outside = err
			}
			err = nil
		}
		parts = append(parts, part)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.end(); err != nil {
		return nil, err
	}
	if outside != nil {
		return nil, outside
	}
	return parts, nil
}

func (s *scanner) completePart() (CompletePart, error) {
	var part CompletePart
	var number, etag field
	err := s.children(func(name string) error {
		switch name {
		case "PartNumber":
			return number.read(s, name)
		case "ETag":
			return etag.read(s, name)
		}
		return s.skip()
	})
	if err != nil {
		return part, err
	}
	if !number.set || !etag.set {
		return part, s.errorf("element Part must have a PartNumber and an ETag")
	}
	part.ETag = ParseETag(etag.text)
	text := strings.TrimSpace(number.text)
	n, err := parseInt(text)
	if errors.Is(err, errNotInteger) {
		return part, s.errorf("PartNumber %.20q is not an integer", text)
	}
	if err != nil || n < 1 || n > MaxParts {
		return part, InvalidPartNumber(text)
	}
	part.PartNumber = int(n)
	return part, nil
}

// DecodeDelete reads the body of DeleteMultipleObjects. Keys come back byte for
// byte, with control characters whether raw or as references. No object, more
// than MaxDeleteObjects, and an object without a key are a DecodeError; whether
// the keys are valid is not checked here.
func DecodeDelete(body []byte) (Delete, error) {
	var d Delete
	s, err := openDocument(body, "Delete")
	if err != nil {
		return d, err
	}
	var quiet field
	err = s.children(func(name string) error {
		switch name {
		case "Quiet":
			return quiet.read(s, name)
		case "Object":
			if len(d.Objects) == MaxDeleteObjects {
				return decodeErrorf("the list has more than %d objects", MaxDeleteObjects)
			}
			object, err := s.deleteObject()
			d.Objects = append(d.Objects, object)
			return err
		}
		return s.skip()
	})
	if err != nil {
		return Delete{}, err
	}
	if err := s.end(); err != nil {
		return Delete{}, err
	}
	switch text := strings.TrimSpace(quiet.text); strings.ToLower(text) {
	case "true":
		d.Quiet = true
	case "false", "":
	default:
		return Delete{}, decodeErrorf("Quiet %.20q is neither true nor false", text)
	}
	if len(d.Objects) == 0 {
		return Delete{}, decodeErrorf("the list has no objects")
	}
	return d, nil
}

func (s *scanner) deleteObject() (DeleteObject, error) {
	var key, version field
	err := s.children(func(name string) error {
		switch name {
		case "Key":
			return key.read(s, name)
		case "VersionId":
			return version.read(s, name)
		}
		return s.skip()
	})
	if err == nil && key.text == "" {
		err = s.errorf("element Object must have a Key")
	}
	return DeleteObject{Key: key.text, VersionID: version.text}, err
}

// DecodeTagging reads the body of PutObjectTagging and PutBucketTagging. More
// than maxTags tags are a DecodeError, as a bound; the rules for tags are in
// ValidateObjectTags and ValidateBucketTags, and have errors of their own.
func DecodeTagging(body []byte, maxTags int) ([]Tag, error) {
	s, err := openDocument(body, "Tagging")
	if err != nil {
		return nil, err
	}
	var tags []Tag
	found := false
	err = s.children(func(name string) error {
		if name != "TagSet" {
			return s.skip()
		}
		if found {
			return s.errorf("element TagSet is there twice")
		}
		found = true
		return s.children(func(name string) error {
			if name != "Tag" {
				return s.skip()
			}
			if len(tags) == maxTags {
				return decodeErrorf("the list has more than %d tags", maxTags)
			}
			tag, err := s.tag()
			tags = append(tags, tag)
			return err
		})
	})
	if err == nil && !found {
		err = s.errorf("element Tagging must have a TagSet")
	}
	if err != nil {
		return nil, err
	}
	return tags, s.end()
}

func (s *scanner) tag() (Tag, error) {
	var key, value field
	err := s.children(func(name string) error {
		switch name {
		case "Key":
			return key.read(s, name)
		case "Value":
			return value.read(s, name)
		}
		return s.skip()
	})
	if err == nil && !key.set {
		err = s.errorf("element Tag must have a Key")
	}
	return Tag{Key: key.text, Value: value.text}, err
}

// DecodeCreateBucket reads the body of PutBucket. A body that is empty or blank
// is the zero configuration. Values are returned as they are, without the
// blanks around them; see [ParseStorageClass].
func DecodeCreateBucket(body []byte) (CreateBucketConfiguration, error) {
	var c CreateBucketConfiguration
	if strings.TrimSpace(string(body)) == "" {
		return c, nil
	}
	s, err := openDocument(body, "CreateBucketConfiguration")
	if err != nil {
		return c, err
	}
	var class, redundancy, location field
	err = s.children(func(name string) error {
		switch name {
		case "StorageClass":
			return class.read(s, name)
		case "DataRedundancyType":
			return redundancy.read(s, name)
		case "LocationConstraint":
			return location.read(s, name)
		}
		return s.skip()
	})
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return CreateBucketConfiguration{}, err
	}
	c.StorageClass = StorageClass(strings.TrimSpace(class.text))
	c.DataRedundancyType = strings.TrimSpace(redundancy.text)
	c.LocationConstraint = strings.TrimSpace(location.text)
	return c, nil
}

// field is a child element that may occur once.
type field struct {
	text string
	set  bool
}

func (f *field) read(s *scanner, name string) error {
	if f.set {
		return s.errorf("element %s is there twice", name)
	}
	text, err := s.text()
	f.text, f.set = text, true
	return err
}

// errNotInteger says that a text is not an integer, as opposed to one that is
// too large.
var errNotInteger = errors.New("not an integer")

// parseInt reads a decimal integer with an optional '-', and no '+', blank or
// underscore. An integer beyond int64 is strconv.ErrRange.
func parseInt(s string) (int64, error) {
	digits := strings.TrimPrefix(s, "-")
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, errNotInteger
		}
	}
	if digits == "" {
		return 0, errNotInteger
	}
	return strconv.ParseInt(s, 10, 64)
}
