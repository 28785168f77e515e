package wire

import (
	"encoding/xml"
	"strings"
)

// CopyObjectResult answers CopyObject. oss2 reads the ETag header instead.
type CopyObjectResult struct {
	XMLName      xml.Name `xml:"CopyObjectResult"`
	ETag         ETag     `xml:"ETag"`
	LastModified Time     `xml:"LastModified"`
}

// Delete is the body of DeleteMultipleObjects. Its keys are never
// percent-encoded: encoding-type concerns the answer only. The server reads it
// with [DecodeDelete].
type Delete struct {
	XMLName xml.Name       `xml:"Delete"`
	Quiet   bool           `xml:"Quiet"`
	Objects []DeleteObject `xml:"Object"`
}

// DeleteObject names one object, or one version of it, to delete.
type DeleteObject struct {
	Key       string `xml:"Key"`
	VersionID string `xml:"VersionId,omitempty"`
}

// DeleteResult answers DeleteMultipleObjects unless Quiet was asked for, when
// the body is empty. Keys that did not exist are reported as deleted.
type DeleteResult struct {
	XMLName      xml.Name  `xml:"DeleteResult"`
	EncodingType string    `xml:"EncodingType,omitempty"`
	Deleted      []Deleted `xml:"Deleted"`
}

// Deleted is one deleted object. All but Key occur in versioned buckets only.
type Deleted struct {
	Key                   string `xml:"Key" oss:"url"`
	VersionID             string `xml:"VersionId,omitempty"`
	DeleteMarker          bool   `xml:"DeleteMarker,omitempty"`
	DeleteMarkerVersionID string `xml:"DeleteMarkerVersionId,omitempty"`
}

// DecodeDelete reads the body of DeleteMultipleObjects. Keys come back byte for
// byte, with control characters whether raw or as references. No object, more
// than MaxDeleteObjects, and an object without a key are a DecodeError; whether
// the keys are valid is not checked here.
func DecodeDelete(body []byte) (Delete, error) {
	var d Delete
	s, err := openDocument(body, "Delete")
	if err != nil {
		return d, err
	}
	var quiet field
	err = s.children(func(name string) error {
		switch name {
		case "Quiet":
			return quiet.read(s, name)
		case "Object":
			if len(d.Objects) == MaxDeleteObjects {
				return decodeErrorf("the list has more than %d objects", MaxDeleteObjects)
			}
			object, err := s.deleteObject()
			d.Objects = append(d.Objects, object)
			return err
		}
		return s.skip()
	})
	if err != nil {
		return Delete{}, err
	}
	if err := s.end(); err != nil {
		return Delete{}, err
	}
	switch text := strings.TrimSpace(quiet.text); strings.ToLower(text) {
	case "true":
		d.Quiet = true
	case "false", "":
	default:
		return Delete{}, decodeErrorf("Quiet %.20q is neither true nor false", text)
	}
	if len(d.Objects) == 0 {
		return Delete{}, decodeErrorf("the list has no objects")
	}
	return d, nil
}

func (s *scanner) deleteObject() (DeleteObject, error) {
	var key, version field
	err := s.children(func(name string) error {
		switch name {
		case "Key":
			return key.read(s, name)
		case "VersionId":
			return version.read(s, name)
		}
		return s.skip()
	})
	if err == nil && key.text == "" {
		err = s.errorf("element Object must have a Key")
	}
	return DeleteObject{Key: key.text, VersionID: version.text}, err
}
