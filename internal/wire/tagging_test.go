package wire

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestParseTagging(t *testing.T) {
	tests := map[string][]Tag{
		"":                  nil,
		"k=v":               {{"k", "v"}},
		"k1=v1&k2=v2":       {{"k1", "v1"}, {"k2", "v2"}},
		"k":                 {{"k", ""}},
		"a%20b=c+d":         {{"a b", "c d"}},
		"%E4%B8%AD=%2B-%3D": {{"中", "+-="}},
		"k=v&K=v":           {{"k", "v"}, {"K", "v"}},
	}
	for header, want := range tests {
		got, err := ParseTagging(header)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, %v", header, got, err)
		}
		if again, err := ParseTagging(FormatTagging(got)); err != nil || !reflect.DeepEqual(again, want) {
			t.Errorf("%q: came back as %v, %v", header, again, err)
		}
	}
	for _, header := range []string{"k=v&k=w", "%=v", "k=%4", "%ff=v", "k=%ff", "aa=bb=cc", "k=v&a=="} {
		_, err := ParseTagging(header)
		wantError(t, err, "InvalidArgument", "ArgumentName", HeaderTagging, "ArgumentValue", header)
	}
	_, err := ParseTagging("=v")
	wantError(t, err, "InvalidTaggingKey")
}

func tagsOf(n int) []Tag {
	var tags []Tag
	for i := range n {
		tags = append(tags, Tag{Key: fmt.Sprintf("k%d", i)})
	}
	return tags
}

func TestValidateTags(t *testing.T) {
	long := func(n int) string { return strings.Repeat("中", n) }
	tests := []struct {
		name           string
		tags           []Tag
		object, bucket string // codes
	}{
		{"none", nil, "", ""},
		{"ten", tagsOf(10), "", ""},
		{"eleven", tagsOf(11), "InvalidTag", ""},
		{"twenty-one", tagsOf(21), "InvalidTag", "TooManyTags"},
		{"twice", []Tag{{"k", "v"}, {"k", "w"}}, "RepeatedTags", "RepeatedTags"},
		{"no key", []Tag{{"", "v"}}, "InvalidTaggingKey", "InvalidTag"},
		{"all characters", []Tag{{"aZ9 +-=._:/中", "aZ9 +-=._:/中"}}, "", ""},
		{"bad key", []Tag{{"a&b", "v"}}, "InvalidTaggingKey", ""},
		{"bad value", []Tag{{"k", "a\nb"}}, "InvalidTag", ""},
		{"not UTF-8", []Tag{{"k", "\xff"}}, "InvalidTag", "InvalidTag"},
		{"bucket's longest", []Tag{{long(64), long(128)}}, "", ""},
		{"beyond bucket's key", []Tag{{long(65), ""}}, "", "InvalidTag"},
		{"beyond bucket's value", []Tag{{"k", long(129)}}, "", "InvalidTag"},
		{"object's longest", []Tag{{long(128), long(256)}}, "", "InvalidTag"},
		{"beyond object's key", []Tag{{long(129), ""}}, "InvalidTaggingKey", "InvalidTag"},
		{"beyond object's value", []Tag{{"k", long(257)}}, "InvalidTag", "InvalidTag"},
		{"reserved", []Tag{{"Aliyun-x", ""}}, "", "InvalidTag"},
		{"reserved http", []Tag{{"http://x", ""}}, "", "InvalidTag"},
		{"reserved https", []Tag{{"HTTPS://x", ""}}, "", "InvalidTag"},
	}
	for _, tt := range tests {
		if got := codeOf(ValidateObjectTags(tt.tags)); got != tt.object {
			t.Errorf("%s: object %q, want %q", tt.name, got, tt.object)
		}
		if got := codeOf(ValidateBucketTags(tt.tags)); got != tt.bucket {
			t.Errorf("%s: bucket %q, want %q", tt.name, got, tt.bucket)
		}
	}
}

// codeOf returns the code of an Error, and "" for nil.
func codeOf(err error) string {
	var e *Error
	if err != nil && !errors.As(err, &e) {
		return err.Error()
	}
	if e == nil {
		return ""
	}
	return e.Code
}

// FuzzParseTagging looks for headers that are accepted and then do not survive a
// round trip.
func FuzzParseTagging(f *testing.F) {
	f.Add("k1=v1&k2=v%202&k3")
	f.Fuzz(func(t *testing.T, header string) {
		tags, err := ParseTagging(header)
		if err != nil {
			if codeOf(err) == err.Error() {
				t.Fatalf("not an Error: %v", err)
			}
			return
		}
		if again, err := ParseTagging(FormatTagging(tags)); err != nil || len(again) != len(tags) {
			t.Fatalf("%v became %v, %v", tags, again, err)
		}
	})
}
