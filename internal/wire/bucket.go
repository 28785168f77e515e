package wire

import (
	"encoding/xml"
	"strings"
)

// ListBucketsResult answers ListBuckets. BucketsPage is nil when the whole list
// fits and no paging was asked for; clients accept it either way.
type ListBucketsResult struct {
	XMLName xml.Name `xml:"ListAllMyBucketsResult"`
	*BucketsPage
	Owner   Owner   `xml:"Owner"`
	Buckets Buckets `xml:"Buckets"`
}

// BucketsPage is where a page of ListBuckets stands. NextMarker is set exactly
// if IsTruncated.
type BucketsPage struct {
	Prefix      string `xml:"Prefix"`
	Marker      string `xml:"Marker"`
	MaxKeys     int    `xml:"MaxKeys"`
	IsTruncated bool   `xml:"IsTruncated"`
	NextMarker  string `xml:"NextMarker,omitempty"`
}

// Buckets is the list itself, one level down.
type Buckets struct {
	Buckets []BucketSummary `xml:"Bucket"`
}

// BucketSummary is one bucket of a listing. The endpoints are authorities
// (host:port) under which clients reach the server; Location is the region
// with "oss-" before it.
type BucketSummary struct {
	CreationDate     Time         `xml:"CreationDate"`
	ExtranetEndpoint string       `xml:"ExtranetEndpoint"`
	IntranetEndpoint string       `xml:"IntranetEndpoint"`
	Location         string       `xml:"Location"`
	Name             string       `xml:"Name"`
	Region           string       `xml:"Region"`
	StorageClass     StorageClass `xml:"StorageClass"`
	ResourceGroupID  string       `xml:"ResourceGroupId,omitempty"`
}

// CreateBucketConfiguration is the optional body of PutBucket. The server
// reads it with [DecodeCreateBucket].
type CreateBucketConfiguration struct {
	XMLName            xml.Name     `xml:"CreateBucketConfiguration"`
	StorageClass       StorageClass `xml:"StorageClass,omitempty"`
	DataRedundancyType string       `xml:"DataRedundancyType,omitempty"`
	LocationConstraint string       `xml:"LocationConstraint,omitempty"` // from old clients
}

// BucketInfo answers GetBucketInfo.
type BucketInfo struct {
	XMLName xml.Name      `xml:"BucketInfo"`
	Bucket  BucketDetails `xml:"Bucket"`
}

// BucketDetails is what GetBucketInfo tells of a bucket.
type BucketDetails struct {
	CreationDate             Time                     `xml:"CreationDate"`
	ExtranetEndpoint         string                   `xml:"ExtranetEndpoint"`
	IntranetEndpoint         string                   `xml:"IntranetEndpoint"`
	Location                 string                   `xml:"Location"`
	Name                     string                   `xml:"Name"`
	StorageClass             StorageClass             `xml:"StorageClass"`
	TransferAcceleration     string                   `xml:"TransferAcceleration"`   // Enabled or Disabled
	CrossRegionReplication   string                   `xml:"CrossRegionReplication"` // Enabled or Disabled
	DataRedundancyType       string                   `xml:"DataRedundancyType"`
	Owner                    Owner                    `xml:"Owner"`
	AccessControlList        AccessControlList        `xml:"AccessControlList"`
	ServerSideEncryptionRule ServerSideEncryptionRule `xml:"ServerSideEncryptionRule"`
	Versioning               string                   `xml:"Versioning,omitempty"` // Enabled, Suspended or unset
	Comment                  *string                  `xml:"Comment"`              // nil leaves it out; the service has it empty
	ResourceGroupID          string                   `xml:"ResourceGroupId,omitempty"`
	AccessMonitor            string                   `xml:"AccessMonitor,omitempty"`
	BucketPolicy             BucketPolicy             `xml:"BucketPolicy"`
	BlockPublicAccess        *bool                    `xml:"BlockPublicAccess"`
}

// ServerSideEncryptionRule is a bucket's default encryption inside BucketInfo.
// SSEAlgorithm is [EncryptionNone] where there is none; oss2 demands it.
type ServerSideEncryptionRule struct {
	SSEAlgorithm      string `xml:"SSEAlgorithm"`
	KMSMasterKeyID    string `xml:"KMSMasterKeyID,omitempty"`
	KMSDataEncryption string `xml:"KMSDataEncryption,omitempty"`
}

// BucketPolicy is, in spite of its name, where the bucket's access log goes.
type BucketPolicy struct {
	LogBucket string `xml:"LogBucket"`
	LogPrefix string `xml:"LogPrefix"`
}

// LocationConstraint answers GetBucketLocation. The root's text is the value,
// such as oss-cn-hangzhou.
type LocationConstraint struct {
	XMLName  xml.Name `xml:"LocationConstraint"`
	Location string   `xml:",chardata"`
}

// BucketStat answers GetBucketStat. Storage fields are bytes, Count fields are
// numbers of things, LastModifiedTime is seconds since 1970. Storage of a class
// other than Standard is what would be billed: an object of less than 64 KiB
// counts as 64 KiB; RealStorage is what it is. PartStat is nil from a server
// that does not tell.
type BucketStat struct {
	XMLName                     xml.Name `xml:"BucketStat"`
	Storage                     int64    `xml:"Storage"`
	ObjectCount                 int64    `xml:"ObjectCount"`
	MultipartUploadCount        int64    `xml:"MultipartUploadCount"`
	LiveChannelCount            int64    `xml:"LiveChannelCount"`
	LastModifiedTime            int64    `xml:"LastModifiedTime"`
	StandardStorage             int64    `xml:"StandardStorage"`
	StandardObjectCount         int64    `xml:"StandardObjectCount"`
	InfrequentAccessStorage     int64    `xml:"InfrequentAccessStorage"`
	InfrequentAccessRealStorage int64    `xml:"InfrequentAccessRealStorage"`
	InfrequentAccessObjectCount int64    `xml:"InfrequentAccessObjectCount"`
	ArchiveStorage              int64    `xml:"ArchiveStorage"`
	ArchiveRealStorage          int64    `xml:"ArchiveRealStorage"`
	ArchiveObjectCount          int64    `xml:"ArchiveObjectCount"`
	ColdArchiveStorage          int64    `xml:"ColdArchiveStorage"`
	ColdArchiveRealStorage      int64    `xml:"ColdArchiveRealStorage"`
	ColdArchiveObjectCount      int64    `xml:"ColdArchiveObjectCount"`
	DeepColdArchiveStorage      int64    `xml:"DeepColdArchiveStorage"`
	DeepColdArchiveRealStorage  int64    `xml:"DeepColdArchiveRealStorage"`
	DeepColdArchiveObjectCount  int64    `xml:"DeepColdArchiveObjectCount"`
	MultipartPartCount          int64    `xml:"MultipartPartCount"`
	DeleteMarkerCount           int64    `xml:"DeleteMarkerCount"`
	*PartStat
}

// PartStat is what the parts of a bucket's open uploads take, in all and by the
// storage class of the upload, and how old the oldest upload is. The last two
// fields are of this server only.
type PartStat struct {
	Storage               int64 `xml:"MultipartPartStorage"`
	StandardCount         int64 `xml:"StandardMultipartPartCount"`
	StandardStorage       int64 `xml:"StandardMultipartPartStorage"`
	InfrequentCount       int64 `xml:"InfrequentMultipartPartCount"`
	InfrequentStorage     int64 `xml:"InfrequentMultipartPartStorage"`
	ArchiveCount          int64 `xml:"ArchiveMultipartPartCount"`
	ArchiveStorage        int64 `xml:"ArchiveMultipartPartStorage"`
	ColdArchiveCount      int64 `xml:"ColdArchiveMultipartPartCount"`
	ColdArchiveStorage    int64 `xml:"ColdArchiveMultipartPartStorage"`
	DeepColdCount         int64 `xml:"DeepColdArchiveMultipartPartCount"`
	DeepColdStorage       int64 `xml:"DeepColdArchiveMultipartPartStorage"`
	OldestUploadInitiated int64 `xml:"OldestMultipartUploadInitiatedTime"` // seconds since 1970, 0 for none
	OldestUploadAge       int64 `xml:"OldestMultipartUploadAge"`           // seconds
}

// AccessControlPolicy answers GetBucketACL and GetObjectACL.
type AccessControlPolicy struct {
	XMLName           xml.Name          `xml:"AccessControlPolicy"`
	Owner             Owner             `xml:"Owner"`
	AccessControlList AccessControlList `xml:"AccessControlList"`
}

// AccessControlList holds the one canned ACL.
type AccessControlList struct {
	Grant ACL `xml:"Grant"`
}

// PolicyStatus answers GetBucketPolicyStatus.
type PolicyStatus struct {
	XMLName  xml.Name `xml:"PolicyStatus"`
	IsPublic bool     `xml:"IsPublic"` // the bucket's policy lets everybody do something
}

// DecodeCreateBucket reads the body of PutBucket. A body that is empty or blank
// is the zero configuration. Values are returned as they are, without the
// blanks around them; see [ParseStorageClass].
func DecodeCreateBucket(body []byte) (CreateBucketConfiguration, error) {
	var c CreateBucketConfiguration
	if strings.TrimSpace(string(body)) == "" {
		return c, nil
	}
	s, err := openDocument(body, "CreateBucketConfiguration")
	if err != nil {
		return c, err
	}
	var class, redundancy, location field
	err = s.children(func(name string) error {
		switch name {
		case "StorageClass":
			return class.read(s, name)
		case "DataRedundancyType":
			return redundancy.read(s, name)
		case "LocationConstraint":
			return location.read(s, name)
		}
		return s.skip()
	})
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return CreateBucketConfiguration{}, err
	}
	c.StorageClass = StorageClass(strings.TrimSpace(class.text))
	c.DataRedundancyType = strings.TrimSpace(redundancy.text)
	c.LocationConstraint = strings.TrimSpace(location.text)
	return c, nil
}
