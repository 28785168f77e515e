package wire

import "encoding/xml"

// BucketEncryption is a bucket's default encryption, in PutBucketEncryption and
// GetBucketEncryption. The server reads it with [DecodeEncryption].
type BucketEncryption struct {
	XMLName xml.Name                 `xml:"ServerSideEncryptionRule"`
	Default ServerSideEncryptionRule `xml:"ApplyServerSideEncryptionByDefault"`
}

// DecodeEncryption reads the body of PutBucketEncryption. What is no such
// document is a DecodeError. An algorithm that OSS does not have is
// InvalidEncryptionAlgorithmError or InvalidDataEncryptionAlgorithmError; what
// goes with KMS only is InvalidArgument without it.
func DecodeEncryption(body []byte) (*BucketEncryption, error) {
	s, err := openDocument(body, "ServerSideEncryptionRule")
	if err != nil {
		return nil, err
	}
	e := &BucketEncryption{}
	found := false
	err = s.elements(map[string]func() error{
		"ApplyServerSideEncryptionByDefault": func() error {
			found = true
			return s.elements(map[string]func() error{
				"SSEAlgorithm":      s.trimmed(&e.Default.SSEAlgorithm),
				"KMSMasterKeyID":    s.trimmed(&e.Default.KMSMasterKeyID),
				"KMSDataEncryption": s.trimmed(&e.Default.KMSDataEncryption),
			})
		},
	})
	if err == nil && !found {
		err = s.errorf("element ServerSideEncryptionRule must have an ApplyServerSideEncryptionByDefault")
	}
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return nil, err
	}
	return e, e.Default.validate()
}

func (r *ServerSideEncryptionRule) validate() error {
	switch r.SSEAlgorithm {
	case EncryptionAES256, EncryptionKMS, EncryptionSM4:
	default:
		return NewError("InvalidEncryptionAlgorithmError")
	}
	if r.SSEAlgorithm != EncryptionKMS {
		for _, e := range []struct{ name, value string }{
			{"KMSMasterKeyID", r.KMSMasterKeyID}, {"KMSDataEncryption", r.KMSDataEncryption},
		} {
			if e.value != "" {
				return InvalidArgument(e.name, e.value, e.name+" is not applicable if the default sse algorithm is not KMS")
			}
		}
	}
	if r.KMSDataEncryption != "" && r.KMSDataEncryption != EncryptionSM4 {
		return NewError("InvalidDataEncryptionAlgorithmError")
	}
	return nil
}
