package wire

import (
	"encoding/xml"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// LifecycleConfiguration is the rules by which a bucket cleans itself up, in
// PutBucketLifecycle and GetBucketLifecycle. The server reads it with
// [DecodeLifecycle] and then asks Validate.
type LifecycleConfiguration struct {
	XMLName xml.Name        `xml:"LifecycleConfiguration"`
	Rules   []LifecycleRule `xml:"Rule"`
}

// LifecycleRule is what happens to the objects and uploads whose keys begin with
// Prefix, that have all Tags and that Filter does not exclude.
type LifecycleRule struct {
	ID                           string                        `xml:"ID"`
	Prefix                       string                        `xml:"Prefix"`
	Status                       string                        `xml:"Status"` // RuleEnabled or RuleDisabled
	Tags                         []Tag                         `xml:"Tag"`
	Filter                       *LifecycleFilter              `xml:"Filter"`
	Expiration                   *LifecycleExpiration          `xml:"Expiration"`
	Transitions                  []LifecycleTransition         `xml:"Transition"`
	AbortMultipartUpload         *LifecycleAbort               `xml:"AbortMultipartUpload"`
	NoncurrentVersionExpiration  *NoncurrentVersionExpiration  `xml:"NoncurrentVersionExpiration"`
	NoncurrentVersionTransitions []NoncurrentVersionTransition `xml:"NoncurrentVersionTransition"`
	AtimeBase                    int64                         `xml:"AtimeBase,omitempty"` // seconds since 1970; kept as sent
}

// Values of LifecycleRule.Status.
const (
	RuleEnabled  = "Enabled"
	RuleDisabled = "Disabled"
)

// LifecycleFilter excludes objects from a rule. Sizes are bytes.
type LifecycleFilter struct {
	ObjectSizeGreaterThan *int64         `xml:"ObjectSizeGreaterThan"`
	ObjectSizeLessThan    *int64         `xml:"ObjectSizeLessThan"`
	Nots                  []LifecycleNot `xml:"Not"`
}

// LifecycleNot excludes the keys that begin with Prefix and have the Tag, if it
// names one.
type LifecycleNot struct {
	Prefix string `xml:"Prefix,omitempty"`
	Tag    *Tag   `xml:"Tag"`
}

// LifecycleExpiration deletes objects: Days days after their last modification,
// or those last modified before CreatedBeforeDate, or all from Date on. Exactly
// one of the four is set. ExpiredObjectDeleteMarker concerns delete markers.
type LifecycleExpiration struct {
	Days                      int  `xml:"Days,omitempty"`
	CreatedBeforeDate         Time `xml:"CreatedBeforeDate,omitempty"` // UTC midnight
	Date                      Time `xml:"Date,omitempty"`              // UTC midnight
	ExpiredObjectDeleteMarker bool `xml:"ExpiredObjectDeleteMarker,omitempty"`
}

// LifecycleTransition changes the storage class of objects: Days days after
// their last modification, or of those last modified before CreatedBeforeDate.
type LifecycleTransition struct {
	Days                 int          `xml:"Days,omitempty"`
	CreatedBeforeDate    Time         `xml:"CreatedBeforeDate,omitempty"` // UTC midnight
	StorageClass         StorageClass `xml:"StorageClass"`
	IsAccessTime         *bool        `xml:"IsAccessTime"` // days count from the last access
	ReturnToStdWhenVisit *bool        `xml:"ReturnToStdWhenVisit"`
	AllowSmallFile       *bool        `xml:"AllowSmallFile"` // objects of less than 64 KiB, too
}

// LifecycleAbort aborts uploads: those initiated Days days ago, or before
// CreatedBeforeDate. Exactly one of the two is set.
type LifecycleAbort struct {
	Days              int  `xml:"Days,omitempty"`
	CreatedBeforeDate Time `xml:"CreatedBeforeDate,omitempty"` // UTC midnight
}

// NoncurrentVersionExpiration deletes versions NoncurrentDays days after
// another took their place.
type NoncurrentVersionExpiration struct {
	NoncurrentDays int `xml:"NoncurrentDays"`
}

// NoncurrentVersionTransition changes the storage class of versions
// NoncurrentDays days after another took their place.
type NoncurrentVersionTransition struct {
	NoncurrentDays       int          `xml:"NoncurrentDays"`
	StorageClass         StorageClass `xml:"StorageClass"`
	IsAccessTime         *bool        `xml:"IsAccessTime"`
	ReturnToStdWhenVisit *bool        `xml:"ReturnToStdWhenVisit"`
	AllowSmallFile       *bool        `xml:"AllowSmallFile"`
}

// Bounds of a rule that the documentation does not give.
const (
	maxRuleTags        = 100
	maxRuleNots        = 100
	maxRuleTransitions = 10
)

// DecodeLifecycle reads the body of PutBucketLifecycle: 1 to MaxLifecycleRules
// rules, whose IDs may be missing. What is no such document is a DecodeError;
// numbers out of range and dates that are not a midnight are InvalidArgument.
// What rules must keep beyond their form is in [LifecycleConfiguration.Validate].
func DecodeLifecycle(body []byte) (*LifecycleConfiguration, error) {
	s, err := openDocument(body, "LifecycleConfiguration")
	if err != nil {
		return nil, err
	}
	c := &LifecycleConfiguration{}
	err = s.elements(map[string]func() error{
		"Rule": func() error {
			if len(c.Rules) == MaxLifecycleRules {
				return decodeErrorf("there are more than %d rules", MaxLifecycleRules)
			}
			rule, err := s.lifecycleRule()
			c.Rules = append(c.Rules, rule)
			return err
		},
	}, "Rule")
	if err == nil && len(c.Rules) == 0 {
		err = s.errorf("element LifecycleConfiguration must have a Rule")
	}
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (s *scanner) lifecycleRule() (LifecycleRule, error) {
	var r LifecycleRule
	var base *int64
	err := s.elements(map[string]func() error{
		"ID":     s.trimmed(&r.ID),
		"Prefix": s.string(&r.Prefix),
		"Status": s.trimmed(&r.Status),
		"Tag":    s.tagInto(&r.Tags, maxRuleTags),
		"Filter": func() (err error) {
			r.Filter, err = s.lifecycleFilter()
			return err
		},
		"Expiration": func() (err error) {
			r.Expiration, err = s.lifecycleExpiration()
			return err
		},
		"Transition": func() error {
			if len(r.Transitions) == maxRuleTransitions {
				return s.errorf("a rule has more than %d transitions", maxRuleTransitions)
			}
			t, err := s.lifecycleTransition()
			r.Transitions = append(r.Transitions, t)
			return err
		},
		"AbortMultipartUpload": func() (err error) {
			r.AbortMultipartUpload, err = s.lifecycleAbort()
			return err
		},
		"NoncurrentVersionExpiration": func() (err error) {
			r.NoncurrentVersionExpiration, err = s.noncurrentExpiration()
			return err
		},
		"NoncurrentVersionTransition": func() error {
			if len(r.NoncurrentVersionTransitions) == maxRuleTransitions {
				return s.errorf("a rule has more than %d transitions", maxRuleTransitions)
			}
			t, err := s.noncurrentTransition()
			r.NoncurrentVersionTransitions = append(r.NoncurrentVersionTransitions, t)
			return err
		},
		"AtimeBase": s.int(&base),

		// ali-oss leaves these where it has made an Expiration of them.
		"Days": s.skip,
		"Date": s.skip,
	}, "Tag", "Transition", "NoncurrentVersionTransition")
	if base != nil {
		r.AtimeBase = *base
	}
	switch {
	case err != nil:
	case r.Status != RuleEnabled && r.Status != RuleDisabled:
		err = s.errorf("the Status of a rule must be %s or %s", RuleEnabled, RuleDisabled)
	case utf8.RuneCountInString(r.ID) > MaxLifecycleRuleID:
		err = s.errorf("the ID of a rule has more than %d characters", MaxLifecycleRuleID)
	case r.Expiration == nil && r.Transitions == nil && r.AbortMultipartUpload == nil &&
		r.NoncurrentVersionExpiration == nil && r.NoncurrentVersionTransitions == nil:
		err = s.errorf("a rule has no action")
	}
	return r, err
}

// tagInto returns a reader of an element with a Key and a Value, at most most of
// them.
func (s *scanner) tagInto(tags *[]Tag, most int) func() error {
	return func() error {
		if len(*tags) == most {
			return s.errorf("there are more than %d tags", most)
		}
		var t Tag
		err := s.elements(map[string]func() error{"Key": s.string(&t.Key), "Value": s.string(&t.Value)})
		*tags = append(*tags, t)
		return err
	}
}

func (s *scanner) lifecycleFilter() (*LifecycleFilter, error) {
	f := &LifecycleFilter{}
	err := s.elements(map[string]func() error{
		"ObjectSizeGreaterThan": s.int(&f.ObjectSizeGreaterThan),
		"ObjectSizeLessThan":    s.int(&f.ObjectSizeLessThan),
		"Not": func() error {
			if len(f.Nots) == maxRuleNots {
				return s.errorf("a rule has more than %d exceptions", maxRuleNots)
			}
			var n LifecycleNot
			var tags []Tag
			err := s.elements(map[string]func() error{"Prefix": s.string(&n.Prefix), "Tag": s.tagInto(&tags, 1)})
			if tags != nil {
				n.Tag = &tags[0]
			}
			f.Nots = append(f.Nots, n)
			return err
		},
	}, "Not")
	return f, err
}

func (s *scanner) lifecycleExpiration() (*LifecycleExpiration, error) {
	e := &LifecycleExpiration{}
	var marker *bool
	err := s.elements(map[string]func() error{
		"Days":                      s.positive("Days", &e.Days),
		"CreatedBeforeDate":         s.midnight("CreatedBeforeDate", &e.CreatedBeforeDate),
		"Date":                      s.midnight("Date", &e.Date),
		"ExpiredObjectDeleteMarker": s.bool(&marker),
	})
	e.ExpiredObjectDeleteMarker = marker != nil && *marker
	if err == nil && count(e.Days != 0, !e.CreatedBeforeDate.IsZero(), !e.Date.IsZero(), e.ExpiredObjectDeleteMarker) != 1 {
		err = s.errorf("an Expiration must have exactly one of Days, CreatedBeforeDate, Date and ExpiredObjectDeleteMarker")
	}
	return e, err
}

func (s *scanner) lifecycleTransition() (LifecycleTransition, error) {
	var t LifecycleTransition
	err := s.elements(map[string]func() error{
		"Days":                 s.positive("Days", &t.Days),
		"CreatedBeforeDate":    s.midnight("CreatedBeforeDate", &t.CreatedBeforeDate),
		"StorageClass":         s.trimmed((*string)(&t.StorageClass)),
		"IsAccessTime":         s.bool(&t.IsAccessTime),
		"ReturnToStdWhenVisit": s.bool(&t.ReturnToStdWhenVisit),
		"AllowSmallFile":       s.bool(&t.AllowSmallFile),
	})
	if err == nil && count(t.Days != 0, !t.CreatedBeforeDate.IsZero()) != 1 {
		err = s.errorf("a Transition must have exactly one of Days and CreatedBeforeDate")
	}
	return t, err
}

func (s *scanner) lifecycleAbort() (*LifecycleAbort, error) {
	a := &LifecycleAbort{}
	err := s.elements(map[string]func() error{
		"Days":              s.positive("Days", &a.Days),
		"CreatedBeforeDate": s.midnight("CreatedBeforeDate", &a.CreatedBeforeDate),
	})
	if err == nil && count(a.Days != 0, !a.CreatedBeforeDate.IsZero()) != 1 {
		err = s.errorf("an AbortMultipartUpload must have exactly one of Days and CreatedBeforeDate")
	}
	return a, err
}

func (s *scanner) noncurrentExpiration() (*NoncurrentVersionExpiration, error) {
	e := &NoncurrentVersionExpiration{}
	err := s.elements(map[string]func() error{"NoncurrentDays": s.positive("NoncurrentDays", &e.NoncurrentDays)})
	if err == nil && e.NoncurrentDays == 0 {
		err = s.errorf("a NoncurrentVersionExpiration must have NoncurrentDays")
	}
	return e, err
}

func (s *scanner) noncurrentTransition() (NoncurrentVersionTransition, error) {
	var t NoncurrentVersionTransition
	err := s.elements(map[string]func() error{
		"NoncurrentDays":       s.positive("NoncurrentDays", &t.NoncurrentDays),
		"StorageClass":         s.trimmed((*string)(&t.StorageClass)),
		"IsAccessTime":         s.bool(&t.IsAccessTime),
		"ReturnToStdWhenVisit": s.bool(&t.ReturnToStdWhenVisit),
		"AllowSmallFile":       s.bool(&t.AllowSmallFile),
	})
	if err == nil && t.NoncurrentDays == 0 {
		err = s.errorf("a NoncurrentVersionTransition must have NoncurrentDays")
	}
	return t, err
}

// midnight returns a reader of a date into p: the beginning of a day in UTC,
// 1970 or later. Otherwise InvalidArgument for the element name.
func (s *scanner) midnight(name string, p *Time) func() error {
	return func() error {
		text, err := s.text()
		if err != nil {
			return err
		}
		text = strings.TrimSpace(text)
		t, err := time.Parse(time.RFC3339, text)
		if err != nil || !strings.HasSuffix(text, "Z") || t.Year() < 1970 || !t.Equal(t.Truncate(24*time.Hour)) {
			return InvalidArgument(name, text, "Bad date format.")
		}
		p.Time = t.UTC()
		return nil
	}
}

// invalidNumber is the error for an element whose value is no positive number
// of 32 bits.
func invalidNumber(name string, n int64) *Error {
	return InvalidArgument(name, strconv.FormatInt(n, 10), name+" must be a positive integer.")
}

func count(conditions ...bool) (n int) {
	for _, c := range conditions {
		if c {
			n++
		}
	}
	return n
}
