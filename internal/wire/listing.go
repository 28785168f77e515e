package wire

import "encoding/xml"

// Owner is who owns a bucket or an object. ID is an account number in decimal.
type Owner struct {
	ID          string `xml:"ID"`
	DisplayName string `xml:"DisplayName"`
}

// CommonPrefix stands for all keys that begin with it and contain the
// delimiter after the prefix asked for.
type CommonPrefix struct {
	Prefix string `xml:"Prefix" oss:"url"`
}

// ListObjectsResult answers ListObjects (version 1). NextMarker is the last key
// or common prefix of the page, and set exactly if IsTruncated. Every object
// needs its Owner: the JavaScript SDK fails without.
type ListObjectsResult struct {
	XMLName        xml.Name        `xml:"ListBucketResult"`
	Name           string          `xml:"Name"`
	Prefix         string          `xml:"Prefix" oss:"url"`
	Marker         string          `xml:"Marker" oss:"url"`
	MaxKeys        int             `xml:"MaxKeys"`
	Delimiter      string          `xml:"Delimiter" oss:"url"`
	EncodingType   string          `xml:"EncodingType,omitempty"`
	IsTruncated    bool            `xml:"IsTruncated"`
	NextMarker     string          `xml:"NextMarker,omitempty" oss:"url"`
	Contents       []ObjectSummary `xml:"Contents"`
	CommonPrefixes []CommonPrefix  `xml:"CommonPrefixes"`
}

// ListObjectsV2Result answers ListObjectsV2. KeyCount counts Contents and
// CommonPrefixes. Tokens consist of [A-Za-z0-9_-], because oss2 decodes them as
// it decodes keys.
type ListObjectsV2Result struct {
	XMLName               xml.Name        `xml:"ListBucketResult"`
	Name                  string          `xml:"Name"`
	Prefix                string          `xml:"Prefix" oss:"url"`
	StartAfter            string          `xml:"StartAfter" oss:"url"`
	ContinuationToken     string          `xml:"ContinuationToken,omitempty"`
	MaxKeys               int             `xml:"MaxKeys"`
	Delimiter             string          `xml:"Delimiter" oss:"url"`
	EncodingType          string          `xml:"EncodingType,omitempty"`
	IsTruncated           bool            `xml:"IsTruncated"`
	NextContinuationToken string          `xml:"NextContinuationToken,omitempty"`
	KeyCount              int             `xml:"KeyCount"`
	Contents              []ObjectSummary `xml:"Contents"`
	CommonPrefixes        []CommonPrefix  `xml:"CommonPrefixes"`
}

// ObjectSummary is one object of a listing. Owner is nil only in version 2
// without fetch-owner.
type ObjectSummary struct {
	Key            string       `xml:"Key" oss:"url"`
	LastModified   Time         `xml:"LastModified"`
	ETag           ETag         `xml:"ETag"`
	Type           ObjectType   `xml:"Type"`
	Size           int64        `xml:"Size"` // bytes
	StorageClass   StorageClass `xml:"StorageClass"`
	Owner          *Owner       `xml:"Owner"`
	RestoreInfo    string       `xml:"RestoreInfo,omitempty"`
	TransitionTime *Time        `xml:"TransitionTime"`
}

// ListObjectVersionsResult answers ListObjectVersions. Versions and delete
// markers interleave in one order: key ascending, newest first.
type ListObjectVersionsResult struct {
	XMLName             xml.Name       `xml:"ListVersionsResult"`
	Name                string         `xml:"Name"`
	Prefix              string         `xml:"Prefix" oss:"url"`
	KeyMarker           string         `xml:"KeyMarker" oss:"url"`
	VersionIDMarker     string         `xml:"VersionIdMarker"`
	MaxKeys             int            `xml:"MaxKeys"`
	Delimiter           string         `xml:"Delimiter" oss:"url"`
	EncodingType        string         `xml:"EncodingType,omitempty"`
	IsTruncated         bool           `xml:"IsTruncated"`
	NextKeyMarker       string         `xml:"NextKeyMarker" oss:"url"`
	NextVersionIDMarker string         `xml:"NextVersionIdMarker"`
	Entries             []VersionEntry `xml:",any"`
	CommonPrefixes      []CommonPrefix `xml:"CommonPrefixes"`
}

// VersionEntry is one version or delete marker of a listing. XMLName.Local
// says which: [ElementVersion] with a VersionData, or [ElementDeleteMarker]
// without.
type VersionEntry struct {
	XMLName      xml.Name
	Key          string `xml:"Key" oss:"url"`
	VersionID    string `xml:"VersionId"`
	IsLatest     bool   `xml:"IsLatest"`
	LastModified Time   `xml:"LastModified"`
	*VersionData        // nil for a delete marker
	Owner        Owner  `xml:"Owner"`
}

// VersionData is what a version has and a delete marker has not.
type VersionData struct {
	ETag           ETag         `xml:"ETag"`
	Type           ObjectType   `xml:"Type"`
	Size           int64        `xml:"Size"` // bytes
	StorageClass   StorageClass `xml:"StorageClass"`
	RestoreInfo    string       `xml:"RestoreInfo,omitempty"`
	TransitionTime *Time        `xml:"TransitionTime"`
}

// The two names of a VersionEntry.
const (
	ElementVersion      = "Version"
	ElementDeleteMarker = "DeleteMarker"
)

// acceptsElement keeps elements that a later server may add out of Entries.
func (VersionEntry) acceptsElement(name string) bool {
	return name == ElementVersion || name == ElementDeleteMarker
}

// ListLiveChannelResult answers ListLiveChannel (GET ?live). This module knows no
// live channels, so the list is always empty; oss2 demands the other elements.
type ListLiveChannelResult struct {
	XMLName     xml.Name `xml:"ListLiveChannelResult"`
	Prefix      string   `xml:"Prefix"`
	Marker      string   `xml:"Marker"`
	MaxKeys     int      `xml:"MaxKeys"`
	IsTruncated bool     `xml:"IsTruncated"`
	NextMarker  string   `xml:"NextMarker"`
}
