package wire

import (
	"errors"
	"strings"
	"testing"
)

func TestValidBucketName(t *testing.T) {
	for _, name := range []string{"abc", "a-b", "123", "a--b", strings.Repeat("a", 63)} {
		if !ValidBucketName(name) {
			t.Errorf("%q is refused", name)
		}
	}
	for _, name := range []string{"", "ab", strings.Repeat("a", 64), "-ab", "ab-", "Abc", "a_b", "a.b", "a b", "中中中", "a/b", "a\x00b"} {
		if ValidBucketName(name) {
			t.Errorf("%q is accepted", name)
		}
	}
}

func TestValidateKey(t *testing.T) {
	for _, key := range []string{"a", "a/", "a//b", "..", ".", " ", "中", "\x00", "\x7f", "a\\b", strings.Repeat("a", 1023), strings.Repeat("中", 341)} {
		if err := ValidateKey(key); err != nil {
			t.Errorf("%.20q: %v", key, err)
		}
	}
	for _, key := range []string{"", "/a", "/", "\\a", "a\xff", "\xed\xa0\x80", strings.Repeat("a", 1024), strings.Repeat("中", 342)} {
		wantError(t, ValidateKey(key), "InvalidObjectName", "ObjectName", key)
	}
}

func TestParseCopySource(t *testing.T) {
	tests := []struct{ header, bucket, key, version string }{
		{"/bucket/key", "bucket", "key", ""},
		{"/bucket/dir%2Fa%20b%2Bc", "bucket", "dir/a b+c", ""},
		{"/bucket/dir/a+b%2Bc", "bucket", "dir/a b+c", ""},
		{"%2Fbucket%2Fkey", "bucket", "key", ""},
		{"/bucket/a//b/..", "bucket", "a//b/..", ""},
		{"/bucket/a%3Fb", "bucket", "a?b", ""},
		{"/bucket/100%2525", "bucket", "100%25", ""},
		{"/bucket/key?versionId=CAEQ%2B", "bucket", "key", "CAEQ+"},
		{"/bucket/key?versionId=null", "bucket", "key", "null"},
		{"/bucket/%01", "bucket", "\x01", ""},
	}
	for _, tt := range tests {
		bucket, key, version, err := ParseCopySource(tt.header)
		if err != nil || bucket != tt.bucket || key != tt.key || version != tt.version {
			t.Errorf("%q: got %q, %q, %q, %v", tt.header, bucket, key, version, err)
		}
	}
	for _, header := range []string{"", "/", "bucket/key", "/bucket", "/bucket/", "//key", "/Bucket/key", "/bucket//key",
		"/bucket/%zz", "/bucket/k%", "/bucket/key?", "/bucket/key?x=1", "/bucket/key?versionId", "/bucket/key?versionId=%",
		"/bucket/%ff", "/bucket/" + strings.Repeat("a", 1024)} {
		_, _, _, err := ParseCopySource(header)
		wantError(t, err, "InvalidArgument", "ArgumentName", HeaderCopySource, "ArgumentValue", header)
	}
	_, _, _, err := ParseCopySource("/bucket/key?versionId=")
	wantError(t, err, "InvalidArgument", "ArgumentName", QueryVersionID)
}

// FuzzParseCopySource looks for sources that are accepted and name nothing
// valid, and checks that every key can be named.
func FuzzParseCopySource(f *testing.F) {
	f.Add("/bucket/dir%2Fa+b?versionId=null", "a+b?c")
	f.Fuzz(func(t *testing.T, header, key string) {
		bucket, got, _, err := ParseCopySource(header)
		if err == nil && (!ValidBucketName(bucket) || ValidateKey(got) != nil) {
			t.Fatalf("%q names %q, %q", header, bucket, got)
		}
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Fatal(err)
		}
		if ValidateKey(key) != nil {
			return
		}
		for _, encode := range []func(string) string{EncodeURL, EncodePath} {
			if _, got, _, err := ParseCopySource("/bucket/" + encode(key)); err != nil || got != key {
				t.Fatalf("%q came back as %q, %v", key, got, err)
			}
		}
	})
}
