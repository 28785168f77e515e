package wire

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Unmarshal reads an answer into doc, a pointer to one of the structs of this
// package. Elements that the struct does not have are ignored, absent ones leave
// their field alone, and of a repeated scalar the last counts. Fields tagged
// oss:"url" are decoded if the document's EncodingType is "url". A document that
// is not well-formed or has a wrong root is a DecodeError.
func Unmarshal(data []byte, doc any) error {
	v := reflect.ValueOf(doc)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("wire: cannot unmarshal into %T", doc)
	}
	v = v.Elem()
	p, err := newPlan(v.Type())
	if err != nil {
		return err
	}
	s, err := openDocument(data, p.name)
	if err != nil {
		return err
	}
	if err := s.readStruct(p, v); err != nil {
		return err
	}
	if err := s.end(); err != nil {
		return err
	}
	if isURLEncoded(v) {
		return decodeURLFields(p, v)
	}
	return nil
}

// maxEntries bounds the elements of one name that a list of an answer may have.
// No page of OSS has more than 1000; an entry may take far more memory than its
// text.
const maxEntries = 10000

// acceptor is an entry of a ",any" slice that chooses its elements by name.
type acceptor interface {
	acceptsElement(name string) bool
}

// readStruct reads the current element into the struct v.
func (s *scanner) readStruct(p *plan, v reflect.Value) error {
	for i := range p.fields {
		if p.fields[i].kind == kindCharData {
			text, err := s.anyText()
			v.Field(p.fields[i].index).SetString(text)
			return err
		}
	}
	return s.children(func(name string) error {
		fv, f := findField(p, v, name)
		if f == nil {
			return s.skip()
		}
		if f.slice {
			if fv.Len() == maxEntries {
				return s.errorf("more than %d elements %.40q", maxEntries, name)
			}
			fv.Set(reflect.Append(fv, reflect.Zero(fv.Type().Elem())))
			fv = fv.Index(fv.Len() - 1)
		}
		switch f.kind {
		case kindAny:
			fv.Field(f.inner.named).Field(1).SetString(name)
			return s.readStruct(f.inner, fv)
		case kindStruct:
			return s.readStruct(f.inner, fv)
		}
		text, err := s.anyText()
		if err != nil {
			return err
		}
		if err := setScalar(f, fv, text); err != nil {
			return s.errorf("element %s: %v", name, err)
		}
		return nil
	})
}

// findField returns the field of v that the element name goes to, with pointers
// on the way made, or nil.
func findField(p *plan, v reflect.Value, name string) (reflect.Value, *fieldPlan) {
	var wildcard *fieldPlan
	for i := range p.fields {
		f := &p.fields[i]
		switch {
		case f.kind == kindEmbedded:
			if !hasField(f.inner, name) {
				continue
			}
			return findField(f.inner, pointed(v.Field(f.index)), name)
		case f.kind == kindAny:
			wildcard = f
		case f.name == name && f.pointer:
			return pointed(v.Field(f.index)), f
		case f.name == name:
			return v.Field(f.index), f
		}
	}
	if wildcard != nil {
		fv := v.Field(wildcard.index)
		a, ok := reflect.Zero(fv.Type().Elem()).Interface().(acceptor)
		if !ok || a.acceptsElement(name) {
			return fv, wildcard
		}
	}
	return reflect.Value{}, nil
}

func hasField(p *plan, name string) bool {
	for i := range p.fields {
		if p.fields[i].name == name {
			return true
		}
	}
	return false
}

// pointed returns what the pointer v points to, a new value if v is nil.
func pointed(v reflect.Value) reflect.Value {
	if v.IsNil() {
		v.Set(reflect.New(v.Type().Elem()))
	}
	return v.Elem()
}

func setScalar(f *fieldPlan, v reflect.Value, text string) error {
	switch f.kind {
	case kindString:
		v.SetString(text)
		return nil
	case kindTime, kindETag, kindPartMarker:
		return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
	}
	text = strings.TrimSpace(text)
	switch f.kind {
	case kindInt:
		n, err := parseInt(text)
		if err != nil || v.OverflowInt(n) {
			return fmt.Errorf("%.20q is not an integer in range", text)
		}
		v.SetInt(n)
	case kindUint:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%.20q is not an unsigned integer in range", text)
		}
		v.SetUint(n)
	case kindBool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%.20q is neither true nor false", text)
		}
		v.SetBool(text == "true")
	}
	return nil
}

// decodeURLFields decodes the fields of v that are percent-encoded.
func decodeURLFields(p *plan, v reflect.Value) error {
	for i := range p.fields {
		f := &p.fields[i]
		fv := v.Field(f.index)
		if f.pointer {
			if fv.IsNil() {
				continue
			}
			fv = fv.Elem()
		}
		var err error
		switch {
		case f.slice && f.inner != nil:
			for i := range fv.Len() {
				if err = decodeURLFields(f.inner, fv.Index(i)); err != nil {
					return err
				}
			}
		case f.inner != nil:
			err = decodeURLFields(f.inner, fv)
		case f.url && !f.slice:
			text, ok := DecodeURL(fv.String())
			if !ok {
				err = decodeErrorf("element %s: %.40q has a bad percent escape", f.name, fv.String())
			}
			fv.SetString(text)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
