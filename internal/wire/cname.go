package wire

import (
	"encoding/xml"
	"strings"
)

// BucketCnameConfiguration is the body of PutCname, DeleteCname and
// CreateCnameToken: a domain name for a bucket. The server reads it with
// [DecodeCname].
type BucketCnameConfiguration struct {
	XMLName xml.Name `xml:"BucketCnameConfiguration"`
	Cname   Cname    `xml:"Cname"`
}

// Cname is a domain name, and what is to become of its certificate.
type Cname struct {
	Domain      string            `xml:"Domain"` // in lower case
	Certificate *CnameCertificate `xml:"CertificateConfiguration"`
}

// CnameCertificate is a certificate that is bound to a domain name, or which is
// to be dropped. PrivateKey is secret.
type CnameCertificate struct {
	CertID            string `xml:"CertId,omitempty"`
	Certificate       string `xml:"Certificate,omitempty"`
	PrivateKey        string `xml:"PrivateKey,omitempty"`
	PreviousCertID    string `xml:"PreviousCertId,omitempty"`
	Force             bool   `xml:"Force,omitempty"`
	DeleteCertificate bool   `xml:"DeleteCertificate,omitempty"`
}

// ListCnameResult answers ListCname. Owner is the ID of the account.
type ListCnameResult struct {
	XMLName xml.Name    `xml:"ListCnameResult"`
	Bucket  string      `xml:"Bucket"`
	Owner   string      `xml:"Owner"`
	Cnames  []CnameInfo `xml:"Cname"`
}

// CnameInfo is one domain name of a bucket.
type CnameInfo struct {
	Domain       string                `xml:"Domain"`
	LastModified Time                  `xml:"LastModified"`
	Status       string                `xml:"Status"` // CnameEnabled or CnameDisabled
	Certificate  *CnameCertificateInfo `xml:"Certificate"`
}

// CnameCertificateInfo is a certificate that is bound to a domain name. Dates
// are text, such as "Wed, 02 Aug 2023 02:56:18 GMT".
type CnameCertificateInfo struct {
	Type           string `xml:"Type"` // CAS or Upload
	CertID         string `xml:"CertId"`
	Status         string `xml:"Status"` // CnameEnabled or CnameDisabled
	CreationDate   string `xml:"CreationDate"`
	Fingerprint    string `xml:"Fingerprint"`
	ValidStartDate string `xml:"ValidStartDate"`
	ValidEndDate   string `xml:"ValidEndDate"`
}

// Values of Status.
const (
	CnameEnabled  = "Enabled"
	CnameDisabled = "Disabled"
)

// CnameToken answers CreateCnameToken and GetCnameToken: what a TXT record of
// the domain must say to prove that it is the account's.
type CnameToken struct {
	XMLName    xml.Name `xml:"CnameToken"`
	Bucket     string   `xml:"Bucket"`
	Cname      string   `xml:"Cname"`
	Token      string   `xml:"Token"`
	ExpireTime string   `xml:"ExpireTime"`
}

// DecodeCname reads the body of PutCname, DeleteCname and CreateCnameToken. What
// is no such document is a DecodeError; a domain that is no name of a host is
// InvalidArgument.
func DecodeCname(body []byte) (*BucketCnameConfiguration, error) {
	s, err := openDocument(body, "BucketCnameConfiguration")
	if err != nil {
		return nil, err
	}
	c := &BucketCnameConfiguration{}
	var domain string
	err = s.elements(map[string]func() error{
		"Cname": func() error {
			return s.elements(map[string]func() error{
				"Domain": s.trimmed(&domain),
				"CertificateConfiguration": func() (err error) {
					c.Cname.Certificate, err = s.cnameCertificate()
					return err
				},
			})
		},
	})
	if err == nil && domain == "" {
		err = s.errorf("element BucketCnameConfiguration must have a Cname with a Domain")
	}
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return nil, err
	}
	if !ValidDomain(domain) {
		return nil, InvalidArgument("Domain", domain, "The specified domain is invalid.")
	}
	c.Cname.Domain = strings.ToLower(domain)
	return c, nil
}

func (s *scanner) cnameCertificate() (*CnameCertificate, error) {
	c := &CnameCertificate{}
	var force, drop *bool
	err := s.elements(map[string]func() error{
		"CertId":            s.trimmed(&c.CertID),
		"Certificate":       s.string(&c.Certificate),
		"PrivateKey":        s.string(&c.PrivateKey),
		"PreviousCertId":    s.trimmed(&c.PreviousCertID),
		"Force":             s.bool(&force),
		"DeleteCertificate": s.bool(&drop),
	})
	c.Force = force != nil && *force
	c.DeleteCertificate = drop != nil && *drop
	return c, err
}

// ValidDomain reports whether s is the name of a host in the DNS: at least two
// labels of letters, digits and '-', the last one not a number, so that it is no
// IP address.
func ValidDomain(s string) bool {
	labels := strings.Split(s, ".")
	if len(s) > MaxDomainName || len(labels) < 2 {
		return false
	}
	for _, label := range labels {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for i := range len(label) {
			c := label[i]
			if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') && c != '-' {
				return false
			}
		}
	}
	return strings.Trim(labels[len(labels)-1], "0123456789") != ""
}
