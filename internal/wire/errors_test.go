package wire

import (
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestCatalogue(t *testing.T) {
	entries := Catalogue()
	if !slices.IsSortedFunc(entries, func(a, b CatalogueEntry) int { return strings.Compare(a.Code, b.Code) }) {
		t.Error("the catalogue is not sorted")
	}
	for i, e := range entries {
		if i > 0 && e.Code == entries[i-1].Code {
			t.Errorf("%s is there twice", e.Code)
		}
		if e.Status != 203 && (e.Status < 400 || e.Status > 599) || e.Message == "" {
			t.Errorf("%+v", e)
		}
		want := &Error{Code: e.Code, Status: e.Status, Message: e.Message, EC: e.EC}
		if got := NewError(e.Code); !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if e := NewError("NoSuchCode"); e.Code != "InternalError" || e.Status != http.StatusInternalServerError {
		t.Errorf("an unknown code gives %v", e)
	}
}

// TestErrorWith proves that an Error is never changed by what is made from it.
func TestErrorWith(t *testing.T) {
	base := NewError("NoSuchKey").With("A", "1")
	left, right := base.With("B", "2"), base.With("C", "3")
	if len(base.Elements) != 1 || left.Element("B") != "2" || left.Element("C") != "" || right.Element("C") != "3" {
		t.Errorf("%v, %v, %v", base.Elements, left.Elements, right.Elements)
	}
	if base.WithEC("x").WithMessage("m"); base.EC != "0026-00000001" || base.Message != "The specified key does not exist." {
		t.Errorf("%+v", base)
	}
}

func TestErrorText(t *testing.T) {
	tests := map[string]*Error{
		"NoSuchUpload (HTTP 404): gone [request R]": {Code: "NoSuchUpload", Status: 404, Message: "gone", RequestID: "R"},
		"HTTP 502: Bad Gateway":                     ParseError(502, http.Header{}, []byte("<html>")),
	}
	for want, e := range tests {
		if e.Error() != want {
			t.Errorf("got %q, want %q", e.Error(), want)
		}
	}
}

// TestMarshalErrorLimit proves that no error document is longer than oss2
// reads, that it stays well-formed, and that its code survives.
func TestMarshalErrorLimit(t *testing.T) {
	many := NewError("InvalidArgument")
	for i := range 500 {
		many = many.With(fmt.Sprintf("E%d", i), "value")
	}
	tests := map[string]*Error{
		"string to sign": NewError("SignatureDoesNotMatch").With("StringToSign", strings.Repeat("PUT\n", 900)).
			With("StringToSignBytes", strings.Repeat("50 55 54 0A ", 900)).With("CanonicalRequest", strings.Repeat("x", 5000)),
		"markup":         InvalidArgument("a", strings.Repeat("<&>", 5000), "m"),
		"wide":           InvalidArgument("a", strings.Repeat("中", 5000), "m"),
		"not UTF-8":      InvalidArgument("a", strings.Repeat("\xff\x00", 5000), "m"),
		"long host":      {Code: "X", HostID: strings.Repeat("h", 60000), Message: strings.Repeat("m", 60000), EC: strings.Repeat("e", 9000)},
		"many elements":  many,
		"hostile server": {Code: strings.Repeat("&", 9000), RequestID: strings.Repeat("\r", 9000)},
	}
	for name, e := range tests {
		doc := MarshalError(e)
		if len(doc) > MaxErrorDocument {
			t.Errorf("%s: %d bytes", name, len(doc))
		}
		var back struct {
			XMLName xml.Name `xml:"Error"`
			Code    string
		}
		if err := xml.Unmarshal(doc, &back); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if len(e.Code) < 100 && back.Code != e.Code {
			t.Errorf("%s: code %q", name, back.Code)
		}
	}
	e := tests["string to sign"]
	if got := ParseError(403, nil, MarshalError(e)); len(got.Elements) != 3 || !strings.HasPrefix(got.Element("StringToSign"), "PUT\nPUT\n") {
		t.Errorf("elements %v", got.Elements)
	}
}

// TestMarshalErrorReadable proves that an error about a key which XML cannot
// carry can be read by every parser all the same.
func TestMarshalErrorReadable(t *testing.T) {
	doc := MarshalError(NewError("NoSuchKey").With("Key", "a\x01\x00\xff\uffffb\r\n<c>").With("not a name", "x").With("", "y"))
	var back struct{ Key string }
	if err := xml.Unmarshal(doc, &back); err != nil || back.Key != "a\uFFFD\uFFFD\uFFFD\uFFFDb\r\n<c>" {
		t.Errorf("%q, %v in %s", back.Key, err, doc)
	}
	if strings.Contains(string(doc), "not a name") || strings.Contains(string(doc), "<>") {
		t.Errorf("%s", doc)
	}
}

// TestErrorHeader proves that an answer to HEAD carries the whole error.
func TestErrorHeader(t *testing.T) {
	e := NewError("NoSuchKey").With("Key", "中.txt")
	e.RequestID, e.HostID = "655447D0B6FC203131AD4890", "127.0.0.1:9000"
	header := http.Header{}
	header.Set(HeaderErr, ErrorHeader(e))
	if got := ParseError(404, header, nil); !reflect.DeepEqual(got, e) {
		t.Errorf("got %+v", got)
	}
}

func TestParseErrorFallback(t *testing.T) {
	header := http.Header{}
	header.Set(HeaderRequestID, "R")
	header.Set(HeaderEC, "0003-00000016")
	for _, body := range []string{"", "<html>no</html>", "<Error><Code>cut", "{}"} {
		want := &Error{Status: 405, Message: "Method Not Allowed", RequestID: "R", EC: "0003-00000016"}
		if got := ParseError(405, header, []byte(body)); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v", body, got)
		}
	}
	header.Set(HeaderErr, "not base64!")
	if got := ParseError(405, header, nil); got.Code != "" || got.RequestID != "R" {
		t.Errorf("got %+v", got)
	}
	header.Set(HeaderErr, base64.StdEncoding.EncodeToString([]byte("<Error><Code>C</Code><Detail>a<b>x</b>c</Detail></Error>")))
	if got := ParseError(405, header, nil); got.Code != "C" || got.Element("Detail") != "ac" || got.RequestID != "R" {
		t.Errorf("got %+v", got)
	}
}

// TestConstructors proves the errors that have a constructor of their own
// against the documentation page "Error responses".
func TestConstructors(t *testing.T) {
	tests := []struct {
		e                    *Error
		ec, message, element string
	}{
		{InvalidPartNumber("x"), "0017-00000220", "Part number must be an integer between 1 and 10000, inclusive.", "PartNumber"},
		{MissingPartNumber(), "0017-00000219", "Unexpected query string parameter", "ResourceType"},
		{CompleteAllWithBody(), "0042-00000216", "Should not speficy both complete all header and http body.", ""},
	}
	for _, tt := range tests {
		if tt.e.Code != "InvalidArgument" || tt.e.Status != 400 || tt.e.EC != tt.ec || tt.e.Message != tt.message ||
			tt.e.Element("ArgumentName") != tt.element {
			t.Errorf("got %+v", tt.e)
		}
	}
	_, err := DecodeDelete([]byte("<Other/>"))
	e := MalformedXML(err, ECDeleteMalformedXML)
	if e.Code != "MalformedXML" || e.EC != ECDeleteMalformedXML || e.Element("ErrorDetail") != `the root element is "Other", not "Delete"` {
		t.Errorf("got %+v", e)
	}
	if e := MalformedXML(InvalidPartNumber("x"), ECCompleteMalformedXML); e.Code != "InvalidArgument" {
		t.Errorf("got %+v", e)
	}
}
