package wire

import (
	"encoding/xml"
	"strconv"
	"strings"
)

// RestoreRequest is the optional body of RestoreObject. The server reads it with
// [DecodeRestore].
type RestoreRequest struct {
	XMLName       xml.Name              `xml:"RestoreRequest"`
	Days          int                   `xml:"Days,omitempty"` // that the restored object stays; 0 if not told
	JobParameters *RestoreJobParameters `xml:"JobParameters"`
}

// RestoreJobParameters says how urgent it is.
type RestoreJobParameters struct {
	Tier string `xml:"Tier"` // TierExpedited, TierStandard or TierBulk
}

// Values of RestoreJobParameters.Tier.
const (
	TierExpedited = "Expedited"
	TierStandard  = "Standard"
	TierBulk      = "Bulk"
)

// DecodeRestore reads the body of RestoreObject. One that is empty or blank is
// the zero request. What is no such document is a DecodeError; Days that are not
// 1 to MaxRestoreDays, and another Tier, are InvalidArgument. Fewer days may be
// the most for some storage classes.
func DecodeRestore(body []byte) (*RestoreRequest, error) {
	r := &RestoreRequest{}
	if strings.TrimSpace(string(body)) == "" {
		return r, nil
	}
	s, err := openDocument(body, "RestoreRequest")
	if err != nil {
		return nil, err
	}
	err = s.elements(map[string]func() error{
		"Days": s.positive("Days", &r.Days),
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
	if r.Days > MaxRestoreDays {
		return nil, InvalidArgument("Days", strconv.Itoa(r.Days), "Days must be an integer between 1 and "+strconv.Itoa(MaxRestoreDays)+".")
	}
	if r.JobParameters != nil {
		switch t := r.JobParameters.Tier; t {
		case TierExpedited, TierStandard, TierBulk:
		default:
			return nil, InvalidArgument("Tier", t, "Tier must be Expedited, Standard or Bulk.")
		}
	}
	return r, nil
}
