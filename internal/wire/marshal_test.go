package wire

import (
	"encoding/xml"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestMarshalControlCharacters proves that a key goes through our writer and
// reader whatever it holds, and that encoding/xml reads all that XML 1.0 can
// carry and refuses the rest instead of altering it.
func TestMarshalControlCharacters(t *testing.T) {
	for r := range rune(0x20) {
		testKey(t, "a"+string(r)+"b", r == '\t' || r == '\n' || r == '\r')
	}
	for _, key := range []string{"", " ", "\r\n", "  a  ", "<a>&amp;\"'", "]]>", "中文", "a\u0085b", "\u2028", "\x7f", "\U0001F600", "\uFFFD"} {
		testKey(t, key, true)
	}
	testKey(t, "a\uFFFEb\uFFFF", false)
}

func testKey(t *testing.T, key string, legal bool) {
	t.Helper()
	doc := &keyDoc{Key: key}
	data, err := Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	var ours, theirs keyDoc
	if err := Unmarshal(data, &ours); err != nil || ours.Key != key {
		t.Errorf("%q came back as %q, %v", key, ours.Key, err)
	}
	err = xml.Unmarshal(data, &theirs)
	if legal && (err != nil || theirs.Key != key) {
		t.Errorf("encoding/xml reads %q as %q, %v", key, theirs.Key, err)
	}
	if !legal && err == nil {
		t.Errorf("encoding/xml reads %q, which XML cannot carry, as %q", key, theirs.Key)
	}

	// With encoding-type=url every parser gets every key.
	data, err = Marshal(&keyDoc{EncodingType: EncodingURL, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	theirs = keyDoc{}
	if err := xml.Unmarshal(data, &theirs); err != nil || theirs.Key != EncodeURL(key) {
		t.Errorf("encoding/xml reads encoded %q as %q, %v", key, theirs.Key, err)
	}
	if decoded, ok := DecodeURL(theirs.Key); !ok || decoded != key {
		t.Errorf("%q decodes as %q", theirs.Key, decoded)
	}
}

// keyDoc is the smallest document with a key.
type keyDoc struct {
	XMLName      xml.Name `xml:"Doc"`
	EncodingType string   `xml:"EncodingType,omitempty"`
	Key          string   `xml:"Key" oss:"url"`
}

// TestMarshalInvalidUTF8 proves that bytes which are no text cannot make a
// document unreadable.
func TestMarshalInvalidUTF8(t *testing.T) {
	data, err := Marshal(keyDoc{Key: "a\xffb"})
	if err != nil {
		t.Fatal(err)
	}
	if want := prolog + "<Doc><Key>a\uFFFDb</Key></Doc>\n"; string(data) != want {
		t.Errorf("got %q, want %q", data, want)
	}
}

// TestMarshalRefuses proves that a struct which the writer does not know how to
// write is an error, and not a document with holes.
func TestMarshalRefuses(t *testing.T) {
	docs := map[string]any{
		"no struct": 7,
		"float": struct {
			F float64 `xml:"F"`
		}{},
		"no tag": struct{ F string }{},
		"attribute": struct {
			F string `xml:"F,attr"`
		}{},
		"integers": struct {
			F []int `xml:"F"`
		}{},
		"pointer to slice": struct {
			F *[]Owner `xml:"F"`
		}{},
		"nameless": struct {
			F []Owner `xml:",any"`
		}{},
		"inside": struct {
			F struct {
				G complex64 `xml:"G"`
			} `xml:"F"`
		}{},
	}
	for name, doc := range docs {
		if data, err := Marshal(doc); err == nil {
			t.Errorf("%s: %s", name, data)
		}
	}
	var owner Owner
	for _, target := range []any{nil, owner, (*Owner)(nil), new(int)} {
		if err := Unmarshal([]byte("<Owner/>"), target); err == nil {
			t.Errorf("Unmarshal into %T succeeds", target)
		}
	}
}

// TestUnmarshalLenient proves that an answer of a newer server, with namespaces
// and elements that we do not know, is still read.
func TestUnmarshalLenient(t *testing.T) {
	data := `<?xml version="1.0"?><!-- c --><o:ListVersionsResult xmlns:o="urn:x">
	<New><Key>x</Key></New><IsTruncated> true </IsTruncated><MaxKeys>5</MaxKeys><EncodingType>url</EncodingType>
	<Prefix>a%2Fb+c</Prefix>
	<Version><Key>k%01</Key><LastModified>2023-11-14T22:13:20Z</LastModified><ETag>&quot;ab&quot;</ETag><Later/></Version>
	</o:ListVersionsResult>`
	var got ListObjectVersionsResult
	if err := Unmarshal([]byte(data), &got); err != nil {
		t.Fatal(err)
	}
	want := ListObjectVersionsResult{IsTruncated: true, MaxKeys: 5, EncodingType: "url", Prefix: "a/b+c",
		Entries: []VersionEntry{{XMLName: xml.Name{Local: "Version"}, Key: "k\x01", LastModified: goldenTime,
			VersionData: &VersionData{ETag: "AB"}}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestUnmarshalErrors(t *testing.T) {
	tests := map[string]string{
		"wrong root":  "<ListBucketResult/>",
		"bad integer": "<ListPartsResult><MaxParts>x</MaxParts></ListPartsResult>",
		"bad bool":    "<ListPartsResult><IsTruncated>yes</IsTruncated></ListPartsResult>",
		"bad CRC":     "<ListPartsResult><Part><HashCrc64ecma>-1</HashCrc64ecma></Part></ListPartsResult>",
		"bad marker":  "<ListPartsResult><NextPartNumberMarker>x</NextPartNumberMarker></ListPartsResult>",
		"bad time":    "<ListPartsResult><Part><LastModified>now</LastModified></Part></ListPartsResult>",
		"bad escape":  "<ListPartsResult><EncodingType>url</EncodingType><Key>%x</Key></ListPartsResult>",
		"cut":         "<ListPartsResult><Key>a</Key>",
		"trailing":    "<ListPartsResult/><a/>",
	}
	for name, data := range tests {
		var doc ListPartsResult
		if err := Unmarshal([]byte(data), &doc); err == nil {
			t.Errorf("%s: %+v", name, doc)
		}
	}
}

// TestMarshalTime proves the one form of time that oss2 reads: UTC, whole
// seconds cut and not rounded, and a fraction of three zeros.
func TestMarshalTime(t *testing.T) {
	zone := time.FixedZone("", 8*3600)
	at := Time{time.Date(2023, 11, 15, 6, 13, 20, 999999999, zone)}
	if text, _ := at.MarshalText(); string(text) != "2023-11-14T22:13:20.000Z" {
		t.Errorf("got %s", text)
	}
}

func TestParseETag(t *testing.T) {
	for _, s := range []string{"AB-2", "ab-2", `"ab-2"`, ` "AB-2" `, `W/"AB-2"`} {
		if got := ParseETag(s); got != "AB-2" {
			t.Errorf("ParseETag(%q) = %q", s, got)
		}
	}
	for s, want := range map[string]ETag{"": "", `"`: `"`, `""`: "", `"a`: `"A`} {
		if got := ParseETag(s); got != want {
			t.Errorf("ParseETag(%q) = %q, want %q", s, got, want)
		}
	}
}

// FuzzUnmarshal looks for input that makes the reader panic, and for documents
// that change on a second trip.
func FuzzUnmarshal(f *testing.F) {
	for _, r := range readResponses(f) {
		f.Add([]byte(r.Body))
	}
	f.Add([]byte("<ListBucketResult><EncodingType>url</EncodingType><Prefix>%00</Prefix><Contents><Owner/></Contents></ListBucketResult>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, doc := range []any{new(ListObjectsResult), new(ListObjectVersionsResult), new(ListPartsResult),
			new(ListMultipartUploadsResult), new(BucketInfo), new(LocationConstraint), new(ListBucketsResult)} {
			if Unmarshal(data, doc) != nil {
				continue
			}
			once, err := Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			again := reflect.New(reflect.TypeOf(doc).Elem()).Interface()
			if err := Unmarshal(once, again); err != nil {
				if strings.Contains(err.Error(), "is not a time") {
					continue // a year that RFC 3339 cannot write
				}
				t.Fatalf("%v reading %q", err, once)
			}
			twice, err := Marshal(again)
			if err != nil || string(once) != string(twice) {
				t.Fatalf("%v: %q became %q", err, once, twice)
			}
		}
	})
}

func partsPage(n int) *ListPartsResult {
	doc := goldenParts(PartMarker(n), n, false)
	for i := range n {
		p := goldenPart1
		p.PartNumber = i + 1
		doc.Parts = append(doc.Parts, p)
	}
	return doc
}

// BenchmarkMarshalListParts writes a full page of ListParts.
func BenchmarkMarshalListParts(b *testing.B) {
	doc := partsPage(MaxListEntries)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Marshal(doc); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMarshalListObjects writes a full page of ListObjects as oss2 asks for
// it, with encoded keys.
func BenchmarkMarshalListObjects(b *testing.B) {
	doc := &ListObjectsResult{Name: "examplebucket", EncodingType: EncodingURL}
	for range MaxListEntries {
		doc.Contents = append(doc.Contents, goldenObject("some/directory/with a name/and-a-file-in-it.bin"))
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Marshal(doc); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUnmarshalListParts reads a full page of ListParts.
func BenchmarkUnmarshalListParts(b *testing.B) {
	data, err := Marshal(partsPage(MaxListEntries))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := Unmarshal(data, new(ListPartsResult)); err != nil {
			b.Fatal(err)
		}
	}
}

// A list of an answer ends somewhere: an entry takes more memory than its text.
func TestUnmarshalBoundsLists(t *testing.T) {
	for n, ok := range map[int]bool{maxEntries: true, maxEntries + 1: false} {
		var doc ListPartsResult
		err := Unmarshal([]byte("<ListPartsResult>"+strings.Repeat("<Part/>", n)+"</ListPartsResult>"), &doc)
		if (err == nil) != ok || len(doc.Parts) > maxEntries {
			t.Errorf("%d entries: %d, %v", n, len(doc.Parts), err)
		}
	}
}
