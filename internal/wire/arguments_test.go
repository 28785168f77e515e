package wire

import (
	"strings"
	"testing"
)

func TestParsePartNumber(t *testing.T) {
	for text, want := range map[string]int{"1": 1, "10000": 10000, "007": 7} {
		if got, err := ParsePartNumber(text); got != want || err != nil {
			t.Errorf("%q: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "10001", "-1", "1.5", "+1", " 1", "x", "99999999999999999999"} {
		_, err := ParsePartNumber(text)
		wantError(t, err, "InvalidArgument", "ArgumentName", "PartNumber", "ArgumentValue", text)
		if ec := err.(*Error).EC; ec != "0017-00000220" {
			t.Errorf("%q: EC %s", text, ec)
		}
	}
}

func TestParsePartNumberMarker(t *testing.T) {
	for text, want := range map[string]int{"": 0, "0": 0, "5": 5, "10000": 10000, "20000": 10000} {
		if got, err := ParsePartNumberMarker(text); got != want || err != nil {
			t.Errorf("%q: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"x", "-1", "1 "} {
		_, err := ParsePartNumberMarker(text)
		wantError(t, err, "InvalidArgument", "ArgumentName", QueryPartNumberMarker, "ArgumentValue", text)
	}
}

func TestParseCount(t *testing.T) {
	for text, want := range map[string]int{"": 100, "1": 1, "1000": 1000} {
		if got, err := ParseCount(QueryMaxKeys, text, DefaultMaxKeys, ""); got != want || err != nil {
			t.Errorf("%q: got %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"0", "1001", "-1", "x", "1e3"} {
		_, err := ParseCount(QueryMaxKeys, text, DefaultMaxKeys, ECListObjectsMaxKeys)
		wantError(t, err, "InvalidArgument", "ArgumentName", QueryMaxKeys, "ArgumentValue", text)
		if e := err.(*Error); e.EC != ECListObjectsMaxKeys || e.Message != "Argument max-keys must be an integer between 1 and 1000." {
			t.Errorf("got %+v", e)
		}
	}
}

// TestParseWords is the table of parsers that take one of a few words: what
// they make of good ones, and that all others are refused by name.
func TestParseWords(t *testing.T) {
	tests := []struct {
		name  string
		parse func(string) (any, error)
		good  map[string]any
		bad   []string
		code  string
	}{
		{QueryEncodingType, func(s string) (any, error) { return ParseEncodingType(s) },
			map[string]any{"": "", "url": "url"}, []string{"URL", "xml"}, "InvalidArgument"},
		{HeaderACL, func(s string) (any, error) { return ParseBucketACL(s) },
			map[string]any{"": Private, "private": Private, "public-read": PublicRead, "public-read-write": PublicReadWrite},
			[]string{"default", "Private", "x"}, "InvalidArgument"},
		{HeaderObjectACL, func(s string) (any, error) { return ParseObjectACL(s) },
			map[string]any{"": Default, "default": Default, "private": Private, "public-read": PublicRead, "public-read-write": PublicReadWrite},
			[]string{"Default", "x"}, "InvalidArgument"},
		{HeaderStorageClass, func(s string) (any, error) { return ParseStorageClass(HeaderStorageClass, s) },
			map[string]any{"": Standard, "Standard": Standard, "IA": IA, "Archive": Archive, "ColdArchive": ColdArchive, "DeepColdArchive": DeepColdArchive},
			[]string{"standard", "x"}, "InvalidArgument"},
		{HeaderMetadataDirective, func(s string) (any, error) { return ParseDirective(HeaderMetadataDirective, s) },
			map[string]any{"": Copy, "Copy": Copy, "COPY": Copy, "replace": Replace}, []string{"x"}, "InvalidArgument"},
		{HeaderForbidOverwrite, func(s string) (any, error) { return ParseForbidOverwrite(s) },
			map[string]any{"": false, "false": false, "true": true, "True": true}, []string{"1", "yes"}, "InvalidArgument"},
		{HeaderTrafficLimit, func(s string) (any, error) { return ParseTrafficLimit(s) },
			map[string]any{"": int64(0), "819200": int64(819200), "838860800": int64(838860800)},
			[]string{"819199", "838860801", "0", "x"}, "InvalidArgument"},
		{QueryPosition, func(s string) (any, error) { return ParsePosition(s) },
			map[string]any{"0": int64(0), "5368709120": int64(5368709120)}, []string{"", "-1", "x"}, "InvalidArgument"},
		{"Content-MD5", func(s string) (any, error) { return ParseContentMD5(s) },
			map[string]any{"AAECAwQFBgcICQoLDA0ODw==": [16]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}},
			[]string{"", "AAECAw==", "AAECAwQFBgcICQoLDA0ODw", "AAECAwQFBgcICQoLDA0ODw=", "000102030405060708090a0b0c0d0e0f", "AAECAwQFBgcICQoLDA0ODx=="}, "InvalidDigest"},
		{HeaderCRC64, func(s string) (any, error) { return ParseCRC64(s) },
			map[string]any{"0": uint64(0), "18446744073709551615": uint64(1<<64 - 1)},
			[]string{"", "-1", "18446744073709551616", "x"}, "InvalidCRC64"},
	}
	for _, tt := range tests {
		for text, want := range tt.good {
			if got, err := tt.parse(text); err != nil || got != want {
				t.Errorf("%s %q: got %v, %v", tt.name, text, got, err)
			}
		}
		for _, text := range tt.bad {
			_, err := tt.parse(text)
			wantError(t, err, tt.code)
			if tt.code == "InvalidArgument" {
				wantError(t, err, tt.code, "ArgumentName", tt.name, "ArgumentValue", text)
			}
		}
	}
}

// FuzzArguments looks for texts that make a parser of one value panic.
func FuzzArguments(f *testing.F) {
	f.Add("10000")
	f.Add(`W/"AB", *`)
	f.Add("Sun, 06 Nov 1994 08:49:37 GMT")
	f.Fuzz(func(t *testing.T, s string) {
		if n, err := ParsePartNumber(s); err == nil && (n < 1 || n > MaxParts) {
			t.Fatalf("part number %d", n)
		}
		if n, err := ParsePartNumberMarker(s); err == nil && (n < 0 || n > MaxParts) {
			t.Fatalf("marker %d", n)
		}
		if n, err := ParseCount(QueryMaxKeys, s, DefaultMaxKeys, ""); err == nil && (n < 1 || n > MaxListEntries) {
			t.Fatalf("count %d", n)
		}
		if n, err := ParsePosition(s); err == nil && n < 0 {
			t.Fatalf("position %d", n)
		}
		if at, ok := ParseHTTPDate(s); ok && at.Year() > 9999 {
			t.Fatalf("date %v", at)
		}
		if tag := ParseETag(s); isHex(tag) && (!MatchETag(s, tag) || !MatchETag(tag.Quoted(), tag)) {
			t.Fatalf("%q does not match itself", tag)
		}
		ParseContentMD5(s)
		ParseCRC64(s)
		_ = ValidBucketName(s)
	})
}

// isHex reports whether the tag looks like one that OSS makes.
func isHex(tag ETag) bool {
	return tag != "" && strings.Trim(string(tag), "0123456789ABCDEF-") == ""
}
