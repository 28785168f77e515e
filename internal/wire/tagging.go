package wire

import (
	"encoding/xml"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Tagging is the tags of an object or a bucket, in requests and answers. The
// server reads it with [DecodeTagging].
type Tagging struct {
	XMLName xml.Name `xml:"Tagging"`
	TagSet  TagSet   `xml:"TagSet"`
}

// TagSet is the list itself, one level down.
type TagSet struct {
	Tags []Tag `xml:"Tag"`
}

// Tag is a name and a value that a user attaches to an object or a bucket.
type Tag struct {
	Key   string `xml:"Key"`
	Value string `xml:"Value"`
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

// ParseTagging reads the header x-oss-tagging of an object: tags in the form
// k1=v1&k2=v2, form-encoded; a key without '=' has an empty value, and a value has
// no '=' that is not encoded. It returns nil for an empty header. Bad encoding and
// repeated keys are InvalidArgument; otherwise the errors are those of
// ValidateObjectTags.
func ParseTagging(header string) ([]Tag, error) {
	return parseTagging(HeaderTagging, header, ECTagHeader, ValidateObjectTags)
}

// ParseBucketTagging reads the header x-oss-bucket-tagging of PutBucket, like
// ParseTagging, with the errors of ValidateBucketTags.
func ParseBucketTagging(header string) ([]Tag, error) {
	return parseTagging(HeaderBucketTagging, header, "", ValidateBucketTags)
}

func parseTagging(name, header, ec string, validate func([]Tag) error) ([]Tag, error) {
	if header == "" {
		return nil, nil
	}
	bad := InvalidArgument(name, header,
		"The header '"+name+"' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.").WithEC(ec)
	for part := range strings.SplitSeq(header, "&") {
		if strings.Count(part, "=") > 1 {
			return nil, bad
		}
	}
	pairs, err := ParseQuery(header)
	if err != nil {
		return nil, bad
	}
	tags := make([]Tag, 0, len(pairs))
	for _, p := range pairs {
		if !utf8.ValidString(p.Name) || !utf8.ValidString(p.Value) {
			return nil, bad
		}
		tags = append(tags, Tag{p.Name, p.Value})
	}
	if repeatedKey(tags) {
		return nil, bad
	}
	if err := validate(tags); err != nil {
		return nil, err
	}
	return tags, nil
}

// FormatTagging writes tags as the header x-oss-tagging.
func FormatTagging(tags []Tag) string {
	var b strings.Builder
	for i, t := range tags {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(url.QueryEscape(t.Key) + "=" + url.QueryEscape(t.Value))
	}
	return b.String()
}

// ValidateObjectTags returns nil if an object can have the tags: at most
// MaxObjectTags with keys of 1 to MaxObjectTagKey and values of at most
// MaxObjectTagValue characters, all of them letters, digits, blanks and
// + - = . _ : /. Otherwise InvalidTaggingKey, InvalidTag or RepeatedTags.
func ValidateObjectTags(tags []Tag) error {
	if len(tags) > MaxObjectTags {
		return NewError("InvalidTag").
			WithMessage("The object tags num is beyond limit " + strconv.Itoa(MaxObjectTags) + ".").WithEC(ECTagCount)
	}
	for _, t := range tags {
		if !isTagText(t.Key, 1, MaxObjectTagKey) {
			ec := ECTagKey
			if utf8.RuneCountInString(t.Key) > MaxObjectTagKey {
				ec = ECTagKeyLength
			}
			return NewError("InvalidTaggingKey").With("Key", t.Key).WithEC(ec)
		}
		if !isTagText(t.Value, 0, MaxObjectTagValue) {
			return NewError("InvalidTag").WithMessage("The tagging value you provided is invalid.").
				With("Key", t.Key).With("Value", t.Value).WithEC(ECTagValue)
		}
	}
	if repeatedKey(tags) {
		return NewError("RepeatedTags").WithEC(ECTagKeyTwice)
	}
	return nil
}

// ValidateBucketTags returns nil if a bucket can have the tags: at most
// MaxBucketTags with keys of 1 to MaxBucketTagKey characters that do not begin with
// http://, https:// or Aliyun, and values of at most MaxBucketTagValue
// characters, all UTF-8. Otherwise TooManyTags, InvalidTag or RepeatedTags.
func ValidateBucketTags(tags []Tag) error {
	if len(tags) > MaxBucketTags {
		return NewError("TooManyTags")
	}
	for _, t := range tags {
		n := utf8.RuneCountInString(t.Key)
		lower := strings.ToLower(t.Key)
		reserved := strings.HasPrefix(lower, "http://") || strings.HasPrefix(lower, "https://") ||
			strings.HasPrefix(lower, "aliyun")
		if n < 1 || n > MaxBucketTagKey || reserved || !utf8.ValidString(t.Key) {
			return NewError("InvalidTag").WithMessage("The TagKey you have provided is invalid.").With("Key", t.Key)
		}
		if utf8.RuneCountInString(t.Value) > MaxBucketTagValue || !utf8.ValidString(t.Value) {
			return NewError("InvalidTag").With("Key", t.Key).With("Value", t.Value)
		}
	}
	if repeatedKey(tags) {
		return NewError("RepeatedTags").WithEC(ECTagKeyTwice)
	}
	return nil
}

func repeatedKey(tags []Tag) bool {
	seen := make(map[string]bool, len(tags))
	for _, t := range tags {
		if seen[t.Key] {
			return true
		}
		seen[t.Key] = true
	}
	return false
}

// isTagText reports whether s has from shortest to longest characters, all of
// them allowed in the tags of objects.
func isTagText(s string, shortest, longest int) bool {
	n := 0
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(" +-=._:/", r) {
			return false
		}
		n++
	}
	return n >= shortest && n <= longest
}
