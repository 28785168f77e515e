package wire

import (
	"encoding/xml"
	"errors"
	"strings"
)

// InitiateMultipartUploadResult answers InitiateMultipartUpload. Go SDK v1 never
// decodes Key and addresses every later call with it: set EncodingType only if
// the client asked for it.
type InitiateMultipartUploadResult struct {
	XMLName      xml.Name `xml:"InitiateMultipartUploadResult"`
	EncodingType string   `xml:"EncodingType,omitempty"`
	Bucket       string   `xml:"Bucket"`
	Key          string   `xml:"Key" oss:"url"`
	UploadID     string   `xml:"UploadId"`
}

// CompleteMultipartUpload is the body of the request of that name. The server
// reads it with [DecodeCompleteMultipartUpload].
type CompleteMultipartUpload struct {
	XMLName xml.Name       `xml:"CompleteMultipartUpload"`
	Parts   []CompletePart `xml:"Part"`
}

// CompletePart is one entry of the list that CompleteMultipartUpload sends.
type CompletePart struct {
	PartNumber int  `xml:"PartNumber"`
	ETag       ETag `xml:"ETag"`
}

// CompleteMultipartUploadResult answers CompleteMultipartUpload. Location is the
// object's URL with its path percent-encoded.
type CompleteMultipartUploadResult struct {
	XMLName      xml.Name `xml:"CompleteMultipartUploadResult"`
	EncodingType string   `xml:"EncodingType,omitempty"`
	Location     string   `xml:"Location"`
	Bucket       string   `xml:"Bucket"`
	Key          string   `xml:"Key" oss:"url"`
	ETag         ETag     `xml:"ETag"`
}

// CopyPartResult answers UploadPartCopy. oss2 reads the ETag header instead.
type CopyPartResult struct {
	XMLName      xml.Name `xml:"CopyPartResult"`
	LastModified Time     `xml:"LastModified"`
	ETag         ETag     `xml:"ETag"`
}

// ListPartsResult answers ListParts. NextPartNumberMarker is the number of the
// last part of the page, on the last page too, and empty only if there is none.
type ListPartsResult struct {
	XMLName              xml.Name     `xml:"ListPartsResult"`
	EncodingType         string       `xml:"EncodingType,omitempty"`
	Bucket               string       `xml:"Bucket"`
	Key                  string       `xml:"Key" oss:"url"`
	UploadID             string       `xml:"UploadId"`
	StorageClass         StorageClass `xml:"StorageClass"`
	PartNumberMarker     int          `xml:"PartNumberMarker"`
	NextPartNumberMarker PartMarker   `xml:"NextPartNumberMarker"`
	MaxParts             int          `xml:"MaxParts"`
	IsTruncated          bool         `xml:"IsTruncated"`
	*ClientEncryption                 // nil unless the upload is encrypted by its client
	Parts                []Part       `xml:"Part"`
}

// ClientEncryption is what ListParts tells of an upload whose client encrypts,
// each value as the client gave it at Initiate.
type ClientEncryption struct {
	Key      string `xml:"ClientEncryptionKey"`
	Start    string `xml:"ClientEncryptionStart"`
	CekAlg   string `xml:"ClientEncryptionCekAlg"`
	WrapAlg  string `xml:"ClientEncryptionWrapAlg"`
	DataSize int64  `xml:"ClientEncryptionDataSize"`
	PartSize int64  `xml:"ClientEncryptionPartSize"`
}

// Part is one uploaded part of a listing.
type Part struct {
	PartNumber   int    `xml:"PartNumber"`
	LastModified Time   `xml:"LastModified"`
	ETag         ETag   `xml:"ETag"`
	CRC64        uint64 `xml:"HashCrc64ecma"`
	Size         int64  `xml:"Size"` // bytes
}

// ListMultipartUploadsResult answers ListMultipartUploads. NextKeyMarker and
// NextUploadIDMarker name the last entry of the page, on the last page too;
// the ID is empty when that entry is a common prefix.
type ListMultipartUploadsResult struct {
	XMLName            xml.Name       `xml:"ListMultipartUploadsResult"`
	EncodingType       string         `xml:"EncodingType,omitempty"`
	Bucket             string         `xml:"Bucket"`
	KeyMarker          string         `xml:"KeyMarker" oss:"url"`
	UploadIDMarker     string         `xml:"UploadIdMarker"`
	NextKeyMarker      string         `xml:"NextKeyMarker" oss:"url"`
	NextUploadIDMarker string         `xml:"NextUploadIdMarker"`
	Delimiter          string         `xml:"Delimiter" oss:"url"`
	Prefix             string         `xml:"Prefix" oss:"url"`
	MaxUploads         int            `xml:"MaxUploads"`
	IsTruncated        bool           `xml:"IsTruncated"`
	Uploads            []Upload       `xml:"Upload"`
	CommonPrefixes     []CommonPrefix `xml:"CommonPrefixes"`
}

// Upload is one open upload of a listing.
type Upload struct {
	Key          string       `xml:"Key" oss:"url"`
	UploadID     string       `xml:"UploadId"`
	StorageClass StorageClass `xml:"StorageClass"`
	Initiated    Time         `xml:"Initiated"`
}

// DecodeCompleteMultipartUpload reads the list of parts of
// CompleteMultipartUpload, in the order given. ETags lose their quotes and are
// in upper case. An empty list is nil; an empty body and a list of more than
// MaxParts entries are a DecodeError. If the document is in order but for a part
// number outside 1 to MaxParts, the error is InvalidArgument, an *Error.
//
// Whether the numbers ascend is not checked here.
func DecodeCompleteMultipartUpload(body []byte) ([]CompletePart, error) {
	s, err := openDocument(body, "CompleteMultipartUpload")
	if err != nil {
		return nil, err
	}
	var parts []CompletePart
	var outside error // the first part number that is out of range
	err = s.children(func(name string) error {
		if name != "Part" {
			return s.skip()
		}
		if len(parts) == MaxParts {
			return decodeErrorf("the list has more than %d parts", MaxParts)
		}
		part, err := s.completePart()
		var rangeError *Error
		if errors.As(err, &rangeError) {
			if outside == nil {
				outside = err
			}
			err = nil
		}
		parts = append(parts, part)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.end(); err != nil {
		return nil, err
	}
	if outside != nil {
		return nil, outside
	}
	return parts, nil
}

func (s *scanner) completePart() (CompletePart, error) {
	var part CompletePart
	var number, etag field
	err := s.children(func(name string) error {
		switch name {
		case "PartNumber":
			return number.read(s, name)
		case "ETag":
			return etag.read(s, name)
		}
		return s.skip()
	})
	if err != nil {
		return part, err
	}
	if !number.set || !etag.set {
		return part, s.errorf("element Part must have a PartNumber and an ETag")
	}
	part.ETag = ParseETag(etag.text)
	text := strings.TrimSpace(number.text)
	n, err := parseInt(text)
	if errors.Is(err, errNotInteger) {
		return part, s.errorf("PartNumber %.20q is not an integer", text)
	}
	if err != nil || n < 1 || n > MaxParts {
		return part, InvalidPartNumber(text)
	}
	part.PartNumber = int(n)
	return part, nil
}
