package wire

import (
	"net/http"
	"strings"
	"time"
)

// ParseHTTPDate reads a date in any of the three forms of HTTP. Conditional
// headers whose date cannot be read are ignored.
func ParseHTTPDate(s string) (time.Time, bool) {
	t, err := http.ParseTime(strings.TrimSpace(s))
	return t.UTC(), err == nil
}

// FormatHTTPDate writes t as in "Tue, 14 Nov 2023 22:13:20 GMT".
func FormatHTTPDate(t time.Time) string { return t.UTC().Format(http.TimeFormat) }

// MatchETag reports whether the value of If-Match, If-None-Match or their
// x-oss-copy-source forms matches etag: a list of tags, or '*'. Quotes may be
// missing (oss2's resumable_download sends none) and case does not count.
func MatchETag(header string, etag ETag) bool {
	etag = ParseETag(string(etag))
	for tag := range strings.SplitSeq(header, ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag != "" && ParseETag(tag) == etag {
			return true
		}
	}
	return false
}

// ParseMetadata collects the user metadata x-oss-meta-* of a request: names in
// lower case and without the prefix, values as sent, repeated headers joined by
// commas. It is nil if there is none. Names that are empty or have a character
// other than letters, digits, '-', '_' and '.', and more than MaxMetadata bytes of
// names and values, are InvalidArgument.
func ParseMetadata(h http.Header) (map[string]string, error) {
	var meta map[string]string
	size := 0
	for header, values := range h {
		if len(header) < len(HeaderMetaPrefix) || !strings.EqualFold(header[:len(HeaderMetaPrefix)], HeaderMetaPrefix) {
			continue
		}
		name := strings.ToLower(header[len(HeaderMetaPrefix):])
		value := strings.Join(values, ",")
		if !isMetadataName(name) {
			return nil, InvalidArgument(strings.ToLower(header), value, "The name of user metadata is invalid.")
		}
		if size += len(name) + len(value); size > MaxMetadata {
			return nil, InvalidArgument(HeaderMetaPrefix+"*", "", "The total size of user metadata exceeds 8 KB.")
		}
		if meta == nil {
			meta = make(map[string]string)
		}
		meta[name] = value
	}
	return meta, nil
}

func isMetadataName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return s != ""
}
