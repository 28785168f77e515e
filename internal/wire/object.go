package wire

import "encoding/xml"

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

// Tagging is the tags of an object or a bucket, in requests and answers. The
// server reads it with [DecodeTagging].
type Tagging struct {
	XMLName xml.Name `xml:"Tagging"`
	TagSet  TagSet   `xml:"TagSet"`
}

// TagSet is the list itself, one level down.
type TagSet struct {
	Tags []Tag `xml:"Tag"`
}

// Tag is a name and a value that a user attaches to an object or a bucket.
type Tag struct {
	Key   string `xml:"Key"`
	Value string `xml:"Value"`
}
