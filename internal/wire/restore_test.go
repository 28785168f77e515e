package wire

import (
	"errors"
	"testing"
	"time"
)

// What is not there has its default. What TestConfigurations proves of all
// documents it proves of this one, too.
func TestDecodeRestore(t *testing.T) {
	for body, want := range map[string]struct {
		days int
		tier string
	}{
		"":                  {1, TierStandard},
		" \n":               {1, TierStandard},
		"<RestoreRequest/>": {1, TierStandard},
		"<RestoreRequest><Days> 7\n</Days></RestoreRequest>":                                                                          {7, TierStandard},
		"<RestoreRequest><JobParameters/></RestoreRequest>":                                                                           {1, TierStandard},
		"<RestoreRequest><JobParameters><Tier> Bulk </Tier></JobParameters><Days>365</Days></RestoreRequest>":                         {365, TierBulk},
		prolog + "<RestoreRequest xmlns=\"a\"><Days>2</Days><JobParameters><Tier>Expedited</Tier></JobParameters></RestoreRequest>\n": {2, TierExpedited},
	} {
		r, err := DecodeRestore([]byte(body))
		if err != nil {
			t.Errorf("%q: %v", body, err)
			continue
		}
		if days, err := r.Check(ColdArchive); err != nil || days != want.days || r.Tier() != want.tier {
			t.Errorf("%q: %d days, tier %s, %v", body, days, r.Tier(), err)
		}
	}
}

// What is wrong with a request depends on the class, and has the number of its
// page.
func TestRestoreRequestRefused(t *testing.T) {
	tier := func(tier string) string { return "<JobParameters><Tier>" + tier + "</Tier></JobParameters>" }
	for _, c := range []struct {
		class  StorageClass
		inside string
		ec     string // "" where it is right
	}{
		{Archive, "<Days>1</Days>", ""},
		{Archive, "<Days>7</Days>", ""},
		{Archive, "<Days>8</Days>", ECRestoreDaysArchive},
		{Archive, "<Days>0</Days>", ECRestoreDaysArchive},
		{Archive, "<Days>a</Days>", ECRestoreDaysArchive},
		{Archive, "<Days></Days>", ECRestoreDaysArchive},
		{Archive, "<Days>99999999999999999999</Days>", ECRestoreDaysArchive},
		{Archive, "<Days>1</Days>" + tier("Standard"), ECRestoreElement},
		{ColdArchive, "<Days>365</Days>" + tier("Expedited"), ""},
		{ColdArchive, "<Days>366</Days>", ECRestoreDaysCold},
		{ColdArchive, tier("Test"), ECRestoreTier},
		{ColdArchive, tier(""), ""},
		{DeepColdArchive, tier("standard"), ECRestoreTier},
		{DeepColdArchive, "<Days>365</Days>" + tier("Bulk"), ""},
	} {
		r, err := DecodeRestore([]byte("<RestoreRequest>" + c.inside + "</RestoreRequest>"))
		if err == nil {
			_, err = r.Check(c.class)
		}
		code := map[string]string{"": "", ECRestoreElement: "MalformedXML"}
		want, known := code[c.ec]
		if !known {
			want = "InvalidArgument"
		}
		var e *Error
		if errors.As(err, &e); codeOf(err) != want || e != nil && e.EC != c.ec {
			t.Errorf("%s %s: %v, want %s %s", c.class, c.inside, err, want, c.ec)
		}
	}
}

func TestFormatRestore(t *testing.T) {
	if got, want := FormatRestore(time.Time{}), `ongoing-request="true"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	at := time.Date(2017, 4, 16, 16, 12, 33, 999, time.FixedZone("", 8*3600))
	if got, want := FormatRestore(at), `ongoing-request="false", expiry-date="Sun, 16 Apr 2017 08:12:33 GMT"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
