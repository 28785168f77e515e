package wire

import (
	"fmt"
	"reflect"
	"strconv"
	"unicode/utf8"
)

// prolog begins every document.
const prolog = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

// Marshal returns the document doc, one of the structs of this package or a
// pointer to one, as UTF-8 with prolog. Its only errors are mistakes in the
// declaration of a struct.
//
// Characters of keys that XML 1.0 cannot carry, which are those below U+0020
// except tab and line feed, become numeric references, and so does CR, which a
// parser would turn into LF. Conforming parsers refuse references other than
// to tab, LF and CR: a client that has such keys must ask for encoding-type=url.
// Bytes that are not UTF-8 become U+FFFD.
func Marshal(doc any) ([]byte, error) {
	v := reflect.ValueOf(doc)
	if v.Kind() != reflect.Pointer {
		p := reflect.New(v.Type()) // addressable, so that nothing below is copied
		p.Elem().Set(v)
		v = p
	}
	v = v.Elem()
	if v.Kind() != reflect.Struct {
		return nil, fmt.Errorf("wire: cannot marshal %T", doc)
	}
	p, err := newPlan(v.Type())
	if err != nil {
		return nil, err
	}
	e := encoder{b: make([]byte, 0, sizeHint(p, v)), url: isURLEncoded(v)}
	e.b = append(e.b, prolog...)
	e.element(p.name, p, v)
	return append(e.b, '\n'), nil
}

// sizeHint guesses the length of a document, so that its buffer rarely grows.
func sizeHint(p *plan, v reflect.Value) int {
	const document, entry = 1024, 384 // bytes, generously
	n := document
	for i := range p.fields {
		if p.fields[i].slice {
			n += entry * v.Field(p.fields[i].index).Len()
		}
	}
	return n
}

// isURLEncoded reports whether the document v has EncodingType url.
func isURLEncoded(v reflect.Value) bool {
	t := v.FieldByName("EncodingType")
	return t.IsValid() && t.Kind() == reflect.String && t.String() == EncodingURL
}

type encoder struct {
	b   []byte
	url bool // the document is EncodingType url
}

// element writes the struct v as an element.
func (e *encoder) element(name string, p *plan, v reflect.Value) {
	e.open(name)
	e.fields(p, v)
	e.close(name)
}

func (e *encoder) fields(p *plan, v reflect.Value) {
	for i := range p.fields {
		f := &p.fields[i]
		fv := v.Field(f.index)
		if f.pointer {
			if fv.IsNil() {
				continue
			}
			fv = fv.Elem()
		}
		if f.omitEmpty && fv.IsZero() {
			continue
		}
		switch {
		case f.slice:
			for i := range fv.Len() {
				e.entry(f, fv.Index(i))
			}
		case f.kind == kindStruct:
			e.element(f.name, f.inner, fv)
		case f.kind == kindEmbedded:
			e.fields(f.inner, fv)
		case f.kind == kindCharData:
			e.b = appendEscaped(e.b, fv.String())
		default:
			e.b = append(e.b, f.start...)
			e.scalar(f, fv)
			e.b = append(e.b, f.end...)
		}
	}
}

// entry writes one element of a slice.
func (e *encoder) entry(f *fieldPlan, v reflect.Value) {
	name := f.name
	switch f.kind {
	case kindString:
		e.b = append(e.b, f.start...)
		e.scalar(f, v)
		e.b = append(e.b, f.end...)
		return
	case kindAny:
		name = v.Field(f.inner.named).Field(1).String() // XMLName.Local
	}
	e.element(name, f.inner, v)
}

func (e *encoder) scalar(f *fieldPlan, v reflect.Value) {
	switch f.kind {
	case kindString:
		if f.url && e.url {
			e.b = appendURL(e.b, v.String())
		} else {
			e.b = appendEscaped(e.b, v.String())
		}
	case kindInt:
		e.b = strconv.AppendInt(e.b, v.Int(), 10)
	case kindPartMarker:
		if n := v.Int(); n != 0 {
			e.b = strconv.AppendInt(e.b, n, 10)
		}
	case kindUint:
		e.b = strconv.AppendUint(e.b, v.Uint(), 10)
	case kindBool:
		e.b = strconv.AppendBool(e.b, v.Bool())
	case kindTime:
		e.b = v.Addr().Interface().(*Time).append(e.b)
	case kindETag:
		e.b = append(e.b, '"')
		e.b = appendEscaped(e.b, v.String())
		e.b = append(e.b, '"')
	}
}

func (e *encoder) open(name string) {
	e.b = append(e.b, '<')
	e.b = append(e.b, name...)
	e.b = append(e.b, '>')
}

func (e *encoder) close(name string) {
	e.b = append(e.b, '<', '/')
	e.b = append(e.b, name...)
	e.b = append(e.b, '>')
}

// appendEscaped appends s as the text of an element.
func appendEscaped(b []byte, s string) []byte {
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		width := 1
		var escaped string
		switch {
		case c == '&':
			escaped = "&amp;"
		case c == '<':
			escaped = "&lt;"
		case c == '>':
			escaped = "&gt;"
		case c < 0x20 && c != '\t' && c != '\n':
			escaped = "&#" + strconv.Itoa(int(c)) + ";"
		case c >= utf8.RuneSelf:
			var r rune
			r, width = utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && width == 1:
				escaped = "\uFFFD"
			case r == 0xfffe || r == 0xffff:
				escaped = "&#" + strconv.Itoa(int(r)) + ";"
			}
		}
		if escaped != "" {
			b = append(b, s[from:i]...)
			b = append(b, escaped...)
			from = i + width
		}
		i += width
	}
	return append(b, s[from:]...)
}
