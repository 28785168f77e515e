package wire

import (
	"encoding/xml"
	"strconv"
	"strings"
	"time"
)

// RestoreRequest is the optional body of RestoreObject. The server reads it with
// [DecodeRestore].
type RestoreRequest struct {
	XMLName       xml.Name              `xml:"RestoreRequest"`
	Days          int                   `xml:"Days,omitempty"` // that the restored object stays; 0 if not told
	JobParameters *RestoreJobParameters `xml:"JobParameters"`  // for the two cold classes only
}

// RestoreJobParameters says how urgent it is.
type RestoreJobParameters struct {
	Tier string `xml:"Tier"` // TierExpedited, TierStandard or TierBulk
}

// Values of RestoreJobParameters.Tier, the fastest first.
const (
	TierExpedited = "Expedited"
	TierStandard  = "Standard"
	TierBulk      = "Bulk"
)

// DecodeRestore reads the body of RestoreObject. One that is empty or blank is
// the zero request. What is no such document is a DecodeError, and Days that are
// not a positive integer are InvalidArgument; Check says the rest.
func DecodeRestore(body []byte) (*RestoreRequest, error) {
	r := &RestoreRequest{}
	if strings.TrimSpace(string(body)) == "" {
		return r, nil
	}
	s, err := openDocument(body, "RestoreRequest")
	if err != nil {
		return nil, err
	}
	var days field
	err = s.elements(map[string]func() error{
		"Days": func() error { return days.read(s, "Days") },
		"JobParameters": func() error {
			r.JobParameters = &RestoreJobParameters{Tier: TierStandard}
			return s.elements(map[string]func() error{"Tier": s.trimmed(&r.JobParameters.Tier)})
		},
	})
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return nil, err
	}
	if days.set {
		text := strings.TrimSpace(days.text)
		n, err := parseInt(text)
		if err != nil || n < 1 || int64(int(n)) != n {
			return nil, InvalidArgument("Days", text, "Days must be a positive integer.").WithEC(ECRestoreDaysArchive)
		}
		r.Days = int(n)
	}
	return r, nil
}

// Check returns for how many days an object of an archive class is to be
// restored: 1 if r does not tell, at most MaxRestoreDays, or MaxRestoreDaysCold
// of the two cold classes. What is out of range is InvalidArgument, and
// JobParameters for another class are MalformedXML, as oss2's tests have it of
// the service.
func (r *RestoreRequest) Check(class StorageClass) (days int, err error) {
	most, ec := MaxRestoreDaysCold, ECRestoreDaysCold
	if class == Archive {
		most, ec = MaxRestoreDays, ECRestoreDaysArchive
		if r.JobParameters != nil {
			detail := &DecodeError{"JobParameters are not for objects of the class Archive"}
			return 0, MalformedXML(detail, ECRestoreElement)
		}
	}
	if r.Days < 0 || r.Days > most {
		message := "Days must be an integer between 1 and " + strconv.Itoa(most) + "."
		return 0, InvalidArgument("Days", strconv.Itoa(r.Days), message).WithEC(ec)
	}
	switch r.Tier() {
	case TierExpedited, TierStandard, TierBulk:
		return max(r.Days, 1), nil
	}
	return 0, InvalidArgument("Tier", r.Tier(), "Tier must be Expedited, Standard or Bulk.").WithEC(ECRestoreTier)
}

// Tier is how urgent the restoration is.
func (r *RestoreRequest) Tier() string {
	if r.JobParameters == nil || r.JobParameters.Tier == "" {
		return TierStandard
	}
	return r.JobParameters.Tier
}

// FormatRestore writes x-oss-restore and RestoreInfo: that an object is being
// restored, if expires is zero, or until when it is restored.
func FormatRestore(expires time.Time) string {
	if expires.IsZero() {
		return `ongoing-request="true"`
	}
	return `ongoing-request="false", expiry-date="` + FormatHTTPDate(expires) + `"`
}
