package wire

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// TestDecodeComplete proves that every form of the list that an SDK is known to
// send is read.
func TestDecodeComplete(t *testing.T) {
	want := []CompletePart{{1, "AB"}, {3, "CD-2"}}
	tests := map[string]string{
		"oss2":         `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"AB"</ETag></Part><Part><PartNumber>3</PartNumber><ETag>"CD-2"</ETag></Part></CompleteMultipartUpload>`,
		"go":           "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>&#34;AB&#34;</ETag></Part><Part><PartNumber>3</PartNumber><ETag>&#x22;CD-2&#x22;</ETag></Part></CompleteMultipartUpload>",
		"js":           prolog + "<CompleteMultipartUpload>\n<Part>\n<PartNumber>1</PartNumber>\n<ETag>&quot;AB&quot;</ETag>\n</Part>\r\n\t<Part>\n<PartNumber>3</PartNumber>\n<ETag>CD-2</ETag>\n</Part>\n</CompleteMultipartUpload>\n",
		"other order":  `<CompleteMultipartUpload><Part><ETag>ab</ETag><PartNumber> 1 </PartNumber></Part><Part><ETag> cd-2 </ETag><PartNumber>003</PartNumber></Part></CompleteMultipartUpload>`,
		"unknown":      `<CompleteMultipartUpload><X a='1' b = "2"><Part><Y/></Part>text</X><Part><Crc>1</Crc><PartNumber>1</PartNumber><ETag>AB</ETag></Part><Part><PartNumber>3</PartNumber><ETag>CD-2</ETag><Z/></Part></CompleteMultipartUpload>`,
		"namespace":    `<CompleteMultipartUpload xmlns="http://doc.oss.aliyuncs.com"><Part><PartNumber>1</PartNumber><ETag>AB</ETag></Part><Part><PartNumber>3</PartNumber><ETag>CD-2</ETag></Part></CompleteMultipartUpload>`,
		"prefix":       `<o:CompleteMultipartUpload xmlns:o='x'><o:Part><o:PartNumber>1</o:PartNumber><o:ETag>AB</o:ETag></o:Part><o:Part ><o:PartNumber>3</o:PartNumber><o:ETag>CD-2</o:ETag ></o:Part></o:CompleteMultipartUpload >`,
		"comments":     `<?p?><!--a--><CompleteMultipartUpload><!-- <Part> --><Part><PartNumber>1<!--b--></PartNumber><ETag>A<!--c--><![CDATA[B]]></ETag></Part><?p q?><Part><PartNumber><![CDATA[3]]></PartNumber><ETag>CD-2</ETag></Part></CompleteMultipartUpload><!--d-->`,
		"byte order":   "\xef\xbb\xbf" + `<?xml version='1.0' encoding='utf-8' standalone="yes"?><CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>AB</ETag></Part><Part><PartNumber>3</PartNumber><ETag>CD-2</ETag></Part></CompleteMultipartUpload>`,
		"no white pro": "  \n" + prolog + `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>AB</ETag></Part><Part><PartNumber>3</PartNumber><ETag>CD-2</ETag></Part></CompleteMultipartUpload>`,
	}
	for name, body := range tests {
		got, err := DecodeCompleteMultipartUpload([]byte(body))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, %v", name, got, err)
		}
	}
	for _, body := range []string{"<CompleteMultipartUpload/>", "<CompleteMultipartUpload></CompleteMultipartUpload>"} {
		if got, err := DecodeCompleteMultipartUpload([]byte(body)); got != nil || err != nil {
			t.Errorf("%s: got %v, %v", body, got, err)
		}
	}
}

func completeBody(parts int) []byte {
	var b strings.Builder
	b.WriteString("<CompleteMultipartUpload>")
	for i := range parts {
		fmt.Fprintf(&b, "<Part><PartNumber>%d</PartNumber><ETag>&#34;%032X&#34;</ETag></Part>", i+1, i)
	}
	b.WriteString("</CompleteMultipartUpload>")
	return []byte(b.String())
}

// malformed are bodies that no Decode function takes, whatever the root.
func malformed(root string) map[string]string {
	doc := func(inside string) string { return "<" + root + ">" + inside + "</" + root + ">" }
	return map[string]string{
		"blank":             " \n",
		"only prolog":       prolog,
		"text":              "hello",
		"text before":       "x" + doc(""),
		"text after":        doc("") + "x",
		"second root":       doc("") + doc(""),
		"stray text":        doc("x"),
		"stray CDATA":       doc("<![CDATA[x]]>"),
		"wrong root":        "<Other/>",
		"case of root":      "<" + strings.ToLower(root) + "/>",
		"cut start tag":     "<" + root,
		"cut slash":         "<" + root + "/",
		"cut root":          "<" + root + ">",
		"cut child":         "<" + root + "><A>",
		"cut end tag":       "<" + root + "></" + root,
		"cut comment":       doc("<!-- x"),
		"cut CDATA":         doc("<A><![CDATA[x</A>"),
		"cut instruction":   "<?xml version='1.0'",
		"wrong end tag":     "<" + root + "></Other>",
		"crossing":          doc("<A><B></A></B>"),
		"stray end tag":     "</" + root + ">",
		"no name":           doc("< A/>"),
		"number as name":    doc("<1/>"),
		"bare attribute":    "<" + root + " a/>",
		"unquoted":          "<" + root + " a=1/>",
		"glued attribute":   "<" + root + " a='1'b='2'/>",
		"less in attribute": "<" + root + " a='<'/>",
		"cut attribute":     "<" + root + " a='1",
		"DTD":               "<!DOCTYPE x>" + doc(""),
		"billion laughs":    `<!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>` + doc("<A>&b;</A>"),
		"external entity":   `<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]>` + doc("<A>&x;</A>"),
		"DTD inside":        doc("<!DOCTYPE x>"),
		"unknown entity":    doc("<A>&nbsp;</A>"),
		"bare ampersand":    doc("<A>a & b</A>"),
		"endless reference": doc("<A>&" + strings.Repeat("a", 100) + ";</A>"),
		"empty reference":   doc("<A>&;</A>"),
		"no digits":         doc("<A>&#;</A>"),
		"no hex digits":     doc("<A>&#x;</A>"),
		"surrogate":         doc("<A>&#xD800;</A>"),
		"beyond Unicode":    doc("<A>&#x110000;</A>"),
		"huge reference":    doc("<A>&#99999999999;</A>"),
		"invalid UTF-8":     doc("<A>\xff</A>"),
		"UTF-16":            "\xff\xfe<\x00",
		"other encoding":    `<?xml version="1.0" encoding="ISO-8859-1"?>` + doc(""),
		"depth bomb":        doc(strings.Repeat("<A>", 1000000)),
		"depth":             doc(strings.Repeat("<A>", maxDepth) + strings.Repeat("</A>", maxDepth)),
	}
}

// wantDecodeError fails unless err is a DecodeError with a detail.
func wantDecodeError(t *testing.T, name string, err error) {
	t.Helper()
	var decodeErr *DecodeError
	if !errors.As(err, &decodeErr) || decodeErr.Detail == "" || len(decodeErr.Detail) > 300 {
		t.Errorf("%s: got %v", name, err)
	}
}

func TestDecodeCompleteErrors(t *testing.T) {
	part := func(inside string) string {
		return "<CompleteMultipartUpload><Part>" + inside + "</Part></CompleteMultipartUpload>"
	}
	tests := malformed("CompleteMultipartUpload")
	tests["empty"] = ""
	tests["no number"] = part("<ETag>A</ETag>")
	tests["no ETag"] = part("<PartNumber>1</PartNumber>")
	tests["empty part"] = part("")
	tests["two numbers"] = part("<PartNumber>1</PartNumber><PartNumber>2</PartNumber><ETag>A</ETag>")
	tests["two ETags"] = part("<PartNumber>1</PartNumber><ETag>A</ETag><ETag>A</ETag>")
	tests["element in number"] = part("<PartNumber><A/>1</PartNumber><ETag>A</ETag>")
	for _, number := range []string{"", "x", "1.0", "+1", "1 2", "0x1", "1_0", "-", "１"} {
		tests["number "+number] = part("<PartNumber>" + number + "</PartNumber><ETag>A</ETag>")
	}
	tests["too many"] = string(completeBody(MaxParts + 1))
	// Form goes before range: a document broken after a bad number is malformed.
	tests["range, then form"] = `<CompleteMultipartUpload><Part><PartNumber>0</PartNumber><ETag>A</ETag></Part><Part/></CompleteMultipartUpload>`
	tests["range, then end"] = `<CompleteMultipartUpload><Part><PartNumber>0</PartNumber><ETag>A</ETag></Part></CompleteMultipartUpload>x`
	for name, body := range tests {
		_, err := DecodeCompleteMultipartUpload([]byte(body))
		wantDecodeError(t, name, err)
	}
	for _, number := range []string{"0", "10001", "-1", "9223372036854775808", "-99999999999999999999"} {
		_, err := DecodeCompleteMultipartUpload([]byte(part("<PartNumber>" + number + "</PartNumber><ETag>A</ETag>")))
		wantError(t, err, "InvalidArgument", "ArgumentName", "PartNumber", "ArgumentValue", number)
	}
	if parts, err := DecodeCompleteMultipartUpload(completeBody(MaxParts)); len(parts) != MaxParts || err != nil {
		t.Errorf("%d parts, %v", len(parts), err)
	}
}

// wantError fails unless err is an Error with the code and with the elements
// given as names and values.
func wantError(t *testing.T, err error, code string, elements ...string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Code != code {
		t.Errorf("got %v, want %s", err, code)
		return
	}
	for i := 0; i < len(elements); i += 2 {
		if got := e.Element(elements[i]); got != elements[i+1] {
			t.Errorf("%v: %s is %q, want %q", err, elements[i], got, elements[i+1])
		}
	}
}

// TestDecodeDelete proves that keys arrive byte for byte, with characters that
// XML cannot carry too: oss2 sends them raw, others as references.
func TestDecodeDelete(t *testing.T) {
	body := prolog + "<Delete><Quiet>true</Quiet>" +
		"<Object><Key>a\x0c\x01b\r\n\tc\r</Key></Object>" +
		"<Object><Key>&#0;&#x1;&#13;&#10;&lt;hello&gt;&amp;&apos;&quot;</Key><VersionId>v1</VersionId></Object>" +
		"<Object><VersionId></VersionId><Key>  blanks  </Key></Object>" +
		"<Object><Key><![CDATA[<&amp;>]]></Key></Object>" +
		"<Object><Key>中&#x4e2d;&#128512;</Key></Object></Delete>"
	want := Delete{Quiet: true, Objects: []DeleteObject{
		{"a\x0c\x01b\r\n\tc\r", ""}, {"\x00\x01\r\n<hello>&'\"", "v1"}, {"  blanks  ", ""}, {"<&amp;>", ""}, {"中中😀", ""},
	}}
	got, err := DecodeDelete([]byte(body))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
	for quiet, want := range map[string]bool{"<Quiet>false</Quiet>": false, "<Quiet/>": false, "": false, "<Quiet> True </Quiet>": true} {
		got, err := DecodeDelete([]byte("<Delete><Object><Key>a</Key></Object>" + quiet + "</Delete>"))
		if err != nil || got.Quiet != want {
			t.Errorf("%s: got %v, %v", quiet, got.Quiet, err)
		}
	}
}

func TestDecodeDeleteErrors(t *testing.T) {
	object := "<Object><Key>a</Key></Object>"
	tests := malformed("Delete")
	tests["empty"] = ""
	tests["no objects"] = "<Delete><Quiet>true</Quiet></Delete>"
	tests["no key"] = "<Delete><Object><VersionId>v</VersionId></Object></Delete>"
	tests["empty key"] = "<Delete><Object><Key/></Object></Delete>"
	tests["two keys"] = "<Delete><Object><Key>a</Key><Key>b</Key></Object></Delete>"
	tests["element in key"] = "<Delete><Object><Key>a<b/></Key></Object></Delete>"
	tests["two versions"] = "<Delete><Object><Key>a</Key><VersionId>a</VersionId><VersionId>b</VersionId></Object></Delete>"
	tests["two quiets"] = "<Delete><Quiet>true</Quiet><Quiet>true</Quiet>" + object + "</Delete>"
	tests["bad quiet"] = "<Delete><Quiet>maybe</Quiet>" + object + "</Delete>"
	tests["too many"] = "<Delete>" + strings.Repeat(object, MaxDeleteObjects+1) + "</Delete>"
	for name, body := range tests {
		_, err := DecodeDelete([]byte(body))
		wantDecodeError(t, name, err)
	}
	full := "<Delete>" + strings.Repeat(object, MaxDeleteObjects) + "</Delete>"
	if got, err := DecodeDelete([]byte(full)); len(got.Objects) != MaxDeleteObjects || err != nil {
		t.Errorf("%d objects, %v", len(got.Objects), err)
	}
}

func TestDecodeTagging(t *testing.T) {
	tests := map[string][]Tag{
		"<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag><Tag><Value/><Key>l</Key></Tag></TagSet></Tagging>": {{"k", "v"}, {"l", ""}},
		"<Tagging><X/><TagSet><X/><Tag><X/><Key>k</Key></Tag></TagSet></Tagging>":                                    {{"k", ""}},
		"<Tagging><TagSet/></Tagging>": nil,
	}
	for body, want := range tests {
		if got, err := DecodeTagging([]byte(body), 2); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, %v", body, got, err)
		}
	}
	bad := malformed("Tagging")
	bad["empty"] = ""
	bad["no set"] = "<Tagging/>"
	bad["two sets"] = "<Tagging><TagSet/><TagSet/></Tagging>"
	bad["no key"] = "<Tagging><TagSet><Tag><Value>v</Value></Tag></TagSet></Tagging>"
	bad["two keys"] = "<Tagging><TagSet><Tag><Key>a</Key><Key>b</Key></Tag></TagSet></Tagging>"
	bad["two values"] = "<Tagging><TagSet><Tag><Key>a</Key><Value/><Value/></Tag></TagSet></Tagging>"
	bad["too many"] = "<Tagging><TagSet>" + strings.Repeat("<Tag><Key>a</Key></Tag>", 3) + "</TagSet></Tagging>"
	for name, body := range bad {
		_, err := DecodeTagging([]byte(body), 2)
		wantDecodeError(t, name, err)
	}
}

func TestDecodeCreateBucket(t *testing.T) {
	tests := map[string]CreateBucketConfiguration{
		"":                             {},
		" \r\n":                        {},
		"<CreateBucketConfiguration/>": {},
		"<CreateBucketConfiguration><StorageClass> IA\n</StorageClass><DataRedundancyType>ZRS</DataRedundancyType><X/></CreateBucketConfiguration>": {StorageClass: IA, DataRedundancyType: RedundancyZRS},
		"<CreateBucketConfiguration><LocationConstraint>oss-cn-hangzhou</LocationConstraint></CreateBucketConfiguration>":                           {LocationConstraint: "oss-cn-hangzhou"},
	}
	for body, want := range tests {
		if got, err := DecodeCreateBucket([]byte(body)); err != nil || got != want {
			t.Errorf("%s: got %v, %v", body, got, err)
		}
	}
	bad := malformed("CreateBucketConfiguration")
	delete(bad, "blank")
	bad["two classes"] = "<CreateBucketConfiguration><StorageClass>IA</StorageClass><StorageClass>IA</StorageClass></CreateBucketConfiguration>"
	for name, body := range bad {
		_, err := DecodeCreateBucket([]byte(body))
		wantDecodeError(t, name, err)
	}
}

// TestReadDocument proves that a body is read up to its limit and no further.
func TestReadDocument(t *testing.T) {
	for _, size := range []int64{-1, 0, 4, 5, 6, 1 << 40} {
		got, err := ReadDocument(strings.NewReader("12345"), size, 5)
		if string(got) != "12345" || err != nil {
			t.Errorf("announced as %d: got %q, %v", size, got, err)
		}
		_, err = ReadDocument(strings.NewReader("123456"), size, 5)
		wantDecodeError(t, "too long", err)
	}
	const size = 3 << 20
	got, err := ReadDocument(strings.NewReader(strings.Repeat("x", size)), size, 4<<20)
	if len(got) != size || err != nil || cap(got) > size+64<<10 {
		t.Errorf("%d bytes in room for %d, %v", len(got), cap(got), err)
	}
	broken := errors.New("broken")
	if _, err := ReadDocument(brokenReader{broken}, -1, 5); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

type brokenReader struct{ err error }

func (r brokenReader) Read([]byte) (int, error) { return 0, r.err }

// FuzzDecode looks for bodies that make a decoder panic, fail with something
// that is not an answer, or return what the contract rules out.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>&#34;A&#34;</ETag></Part></CompleteMultipartUpload>`))
	f.Add([]byte("<?xml version='1.0' encoding='utf-8'?><!--c--><o:Delete xmlns:o='a'><Quiet>true</Quiet><Object><Key><![CDATA[a]]>&#1;</Key></Object></o:Delete>"))
	f.Add([]byte("<Tagging><TagSet><Tag><Key>k</Key><Value/></Tag></TagSet></Tagging>"))
	f.Add([]byte("<CreateBucketConfiguration><StorageClass>IA</StorageClass></CreateBucketConfiguration>"))
	f.Add([]byte("<RestoreRequest><Days>3</Days><JobParameters><Tier>Bulk</Tier></JobParameters></RestoreRequest>"))
	f.Add([]byte("<Error><Code>a</Code><EC>b</EC></Error>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		parts, err := DecodeCompleteMultipartUpload(body)
		checkFuzzError(t, err)
		for _, p := range parts {
			if p.PartNumber < 1 || p.PartNumber > MaxParts {
				t.Fatalf("part number %d", p.PartNumber)
			}
		}
		d, err := DecodeDelete(body)
		checkFuzzError(t, err)
		if err == nil {
			back, err := Marshal(&d)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := DecodeDelete(back); err != nil || !reflect.DeepEqual(again, d) {
				t.Fatalf("%+v became %+v, %v", d, again, err)
			}
		}
		_, err = DecodeTagging(body, MaxBucketTags)
		checkFuzzError(t, err)
		_, err = DecodeCreateBucket(body)
		checkFuzzError(t, err)
		restore, err := DecodeRestore(body)
		checkFuzzError(t, err)
		if err == nil {
			if days, err := restore.Check(ColdArchive); err == nil && (days < 1 || days > MaxRestoreDaysCold) {
				t.Fatalf("%d days", days)
			}
		}
		if e := ParseError(400, nil, body); len(MarshalError(e)) > MaxErrorDocument {
			t.Fatalf("a long document for %+v", e)
		}
	})
}

func checkFuzzError(t *testing.T, err error) {
	t.Helper()
	var decodeErr *DecodeError
	var e *Error
	if err != nil && !errors.As(err, &decodeErr) && !errors.As(err, &e) {
		t.Fatalf("%T: %v", err, err)
	}
}

// BenchmarkDecodeComplete reads the longest list that CompleteMultipartUpload
// may send.
func BenchmarkDecodeComplete(b *testing.B) {
	body := completeBody(MaxParts)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeCompleteMultipartUpload(body); err != nil {
			b.Fatal(err)
		}
	}
}
