package wire

import (
	"encoding/xml"
	"fmt"
	"reflect"
	"strings"
)

// A plan is how a struct is written and read, worked out from its tags once
// for each document. It knows the part of encoding/xml's tag language that this
// package uses: "name", "name,omitempty", ",any", ",chardata", XMLName, and
// embedded pointers to structs, whose fields count as the outer struct's. A nil
// pointer is an absent element. To that comes oss:"url", see the package comment.
type plan struct {
	name   string // from the tag of XMLName; "" if there is none
	named  int    // index of an XMLName without a tag, which holds the name; else -1
	fields []fieldPlan
}

type fieldPlan struct {
	index     int
	name      string
	start     string // <name>
	end       string // </name>
	kind      kind
	pointer   bool  // the field is a pointer to what kind says
	slice     bool  // the field is a slice of what kind says
	omitEmpty bool  // absent if it is the zero value
	url       bool  // percent-encoded if EncodingType is url
	inner     *plan // of kindStruct and kindEmbedded
}

type kind int

const (
	kindString kind = iota
	kindInt
	kindUint
	kindBool
	kindTime
	kindETag
	kindPartMarker
	kindStruct
	kindAny      // structs that carry their own name
	kindCharData // the text of the element itself
	kindEmbedded // a struct whose fields belong to this one
)

var (
	typeName       = reflect.TypeFor[xml.Name]()
	typeTime       = reflect.TypeFor[Time]()
	typeETag       = reflect.TypeFor[ETag]()
	typePartMarker = reflect.TypeFor[PartMarker]()
)

// newPlan returns the plan of the struct type t. Its errors are mistakes in the
// declaration of t.
func newPlan(t reflect.Type) (*plan, error) {
	p := &plan{named: -1, fields: make([]fieldPlan, 0, t.NumField())}
	for i := range t.NumField() {
		sf := t.Field(i)
		name, options, _ := strings.Cut(sf.Tag.Get("xml"), ",")
		if sf.Type == typeName {
			p.name = name
			if name == "" {
				p.named = i
			}
			continue
		}
		f, err := newFieldPlan(sf, name, options)
		if err != nil {
			return nil, fmt.Errorf("wire: field %s of %s: %w", sf.Name, t, err)
		}
		f.index = i
		p.fields = append(p.fields, f)
	}
	return p, nil
}

func newFieldPlan(sf reflect.StructField, name, options string) (fieldPlan, error) {
	f := fieldPlan{name: name, start: "<" + name + ">", end: "</" + name + ">", omitEmpty: options == "omitempty", url: sf.Tag.Get("oss") == "url"}
	t := sf.Type
	if t.Kind() == reflect.Pointer {
		f.pointer = true
		t = t.Elem()
	}
	if t.Kind() == reflect.Slice {
		f.slice = true
		t = t.Elem()
	}
	var err error
	switch {
	case t == typeTime:
		f.kind = kindTime
	case t == typeETag:
		f.kind = kindETag
	case t == typePartMarker:
		f.kind = kindPartMarker
	case t.Kind() == reflect.String:
		f.kind = kindString
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
		f.kind = kindInt
	case t.Kind() == reflect.Uint64:
		f.kind = kindUint
	case t.Kind() == reflect.Bool:
		f.kind = kindBool
	case t.Kind() == reflect.Struct:
		f.kind = kindStruct
		f.inner, err = newPlan(t)
	default:
		return f, fmt.Errorf("type %s is not supported", t)
	}
	switch {
	case err != nil:
	case options == "chardata" && f.kind == kindString:
		f.kind = kindCharData
	case options == "any" && f.kind == kindStruct && f.slice && f.inner.named >= 0:
		f.kind = kindAny
	case sf.Anonymous && f.kind == kindStruct && f.pointer:
		f.kind = kindEmbedded
	case name == "" || options != "" && options != "omitempty" ||
		f.slice && (f.kind != kindStruct && f.kind != kindString || f.pointer):
		err = fmt.Errorf("tag %q is not supported", sf.Tag)
	}
	return f, err
}
