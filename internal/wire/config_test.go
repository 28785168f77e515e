package wire

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// configuration is a kind of document that clients set: how it is read, and one
// that official clients send.
type configuration struct {
	root   string
	decode func([]byte) (any, error)
	sent   string // by the Go SDK, with everything in it
	want   any    // that it is read as
}

func configurationOf[T any](root string, decode func([]byte) (*T, error), sent string, want *T) configuration {
	return configuration{root, func(b []byte) (any, error) {
		v, err := decode(b)
		if err != nil {
			return nil, err
		}
		return v, nil
	}, sent, want}
}

func date(year int, month time.Month, day int) Time {
	return Time{time.Date(year, month, day, 0, 0, 0, 0, time.UTC)}
}

// configurations are what FuzzConfiguration picks from by its first byte.
var configurations = []configuration{
	configurationOf("LifecycleConfiguration", DecodeLifecycle,
		`<LifecycleConfiguration>`+
			`<Rule><ID>all</ID><Prefix>logs/</Prefix><Status>Enabled</Status><Tag><Key>k</Key><Value>v</Value></Tag>`+
			`<Expiration><Days>400</Days></Expiration>`+
			`<Transition><Days>300</Days><StorageClass>ColdArchive</StorageClass></Transition>`+
			`<Transition><Days>30</Days><StorageClass>IA</StorageClass><IsAccessTime>false</IsAccessTime><AllowSmallFile>true</AllowSmallFile></Transition>`+
			`<AbortMultipartUpload><Days>7</Days></AbortMultipartUpload>`+
			`<NoncurrentVersionExpiration><NoncurrentDays>20</NoncurrentDays></NoncurrentVersionExpiration>`+
			`<NoncurrentVersionTransition><NoncurrentDays>10</NoncurrentDays><StorageClass>IA</StorageClass></NoncurrentVersionTransition>`+
			`<Filter><Not><Prefix>logs/keep/</Prefix><Tag><Key>key1</Key><Value>value1</Value></Tag></Not>`+
			`<ObjectSizeGreaterThan>500</ObjectSizeGreaterThan><ObjectSizeLessThan>64000</ObjectSizeLessThan></Filter>`+
			`<AtimeBase>1631698332</AtimeBase></Rule>`+
			`<Rule><ID>dates</ID><Prefix>a</Prefix><Status>Disabled</Status>`+
			`<Expiration><CreatedBeforeDate>2020-12-12T00:00:00.000Z</CreatedBeforeDate></Expiration>`+
			`<Transition><CreatedBeforeDate>2020-12-11T00:00:00.000Z</CreatedBeforeDate><StorageClass>Archive</StorageClass></Transition>`+
			`<AbortMultipartUpload><CreatedBeforeDate>2020-12-10T00:00:00.000Z</CreatedBeforeDate></AbortMultipartUpload></Rule>`+
			`<Rule><Prefix></Prefix><Status>Enabled</Status><Expiration><ExpiredObjectDeleteMarker>True</ExpiredObjectDeleteMarker></Expiration></Rule>`+
			`<Rule><ID/><Prefix/><Status>Enabled</Status><Expiration><Date>2015-11-11T00:00:00Z</Date></Expiration></Rule>`+
			`</LifecycleConfiguration>`,
		&LifecycleConfiguration{Rules: []LifecycleRule{
			{
				ID: "all", Prefix: "logs/", Status: RuleEnabled, Tags: []Tag{{"k", "v"}},
				Expiration: &LifecycleExpiration{Days: 400},
				Transitions: []LifecycleTransition{
					{Days: 300, StorageClass: ColdArchive},
					{Days: 30, StorageClass: IA, IsAccessTime: new(bool), AllowSmallFile: ptr(true)},
				},
				AbortMultipartUpload:         &LifecycleAbort{Days: 7},
				NoncurrentVersionExpiration:  &NoncurrentVersionExpiration{20},
				NoncurrentVersionTransitions: []NoncurrentVersionTransition{{NoncurrentDays: 10, StorageClass: IA}},
				Filter: &LifecycleFilter{
					Nots:                  []LifecycleNot{{"logs/keep/", &Tag{"key1", "value1"}}},
					ObjectSizeGreaterThan: ptr[int64](500), ObjectSizeLessThan: ptr[int64](64000),
				},
				AtimeBase: 1631698332,
			},
			{
				ID: "dates", Prefix: "a", Status: RuleDisabled,
				Expiration:           &LifecycleExpiration{CreatedBeforeDate: date(2020, 12, 12)},
				Transitions:          []LifecycleTransition{{CreatedBeforeDate: date(2020, 12, 11), StorageClass: Archive}},
				AbortMultipartUpload: &LifecycleAbort{CreatedBeforeDate: date(2020, 12, 10)},
			},
			{Status: RuleEnabled, Expiration: &LifecycleExpiration{ExpiredObjectDeleteMarker: true}},
			{Status: RuleEnabled, Expiration: &LifecycleExpiration{Date: date(2015, 11, 11)}},
		}}),

	configurationOf("CORSConfiguration", DecodeCORS,
		`<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>PUT</AllowedMethod><AllowedMethod>GET</AllowedMethod>`+
			`<AllowedHeader>Authorization</AllowedHeader><AllowedHeader></AllowedHeader><ExposeHeader>x-oss-test</ExposeHeader>`+
			`<ExposeHeader>x-oss-test1</ExposeHeader><MaxAgeSeconds>100</MaxAgeSeconds></CORSRule>`+
			`<CORSRule><AllowedOrigin>http://*.example.com</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>`+
			`<ResponseVary>true</ResponseVary></CORSConfiguration>`,
		&CORSConfiguration{ResponseVary: true, Rules: []CORSRule{
			{
				AllowedOrigins: []string{"*"}, AllowedMethods: []string{"PUT", "GET"}, AllowedHeaders: []string{"Authorization"},
				ExposeHeaders: []string{"x-oss-test", "x-oss-test1"}, MaxAgeSeconds: ptr[int64](100),
			},
			{AllowedOrigins: []string{"http://*.example.com"}, AllowedMethods: []string{"GET"}},
		}}),

	configurationOf("RefererConfiguration", DecodeReferer,
		`<RefererConfiguration><AllowEmptyReferer>false</AllowEmptyReferer><AllowTruncateQueryString>false</AllowTruncateQueryString>`+
			`<TruncatePath>true</TruncatePath><RefererList><Referer>http://www.aliyun.com</Referer><Referer>中文+referer</Referer><Referer/></RefererList>`+
			`<RefererBlacklist><Referer>http://bad.com/*</Referer></RefererBlacklist></RefererConfiguration>`,
		&RefererConfiguration{
			TruncatePath: true, RefererList: RefererList{[]string{"http://www.aliyun.com", "中文+referer"}},
			RefererBlacklist: &RefererList{[]string{"http://bad.com/*"}},
		}),

	configurationOf("ServerSideEncryptionRule", DecodeEncryption,
		`<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>KMS</SSEAlgorithm>`+
			`<KMSMasterKeyID>9468da86-3509-4f8d-a61e-6eab1eac****</KMSMasterKeyID><KMSDataEncryption>SM4</KMSDataEncryption>`+
			`</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>`,
		&BucketEncryption{Default: ServerSideEncryptionRule{EncryptionKMS, "9468da86-3509-4f8d-a61e-6eab1eac****", EncryptionSM4}}),

	configurationOf("RestoreRequest", DecodeRestore,
		`<RestoreRequest><Days>2</Days><JobParameters><Tier>Bulk</Tier></JobParameters></RestoreRequest>`,
		&RestoreRequest{Days: 2, JobParameters: &RestoreJobParameters{TierBulk}}),

	configurationOf("BucketCnameConfiguration", DecodeCname,
		`<BucketCnameConfiguration><Cname><Domain>WWW.Example.com</Domain><CertificateConfiguration><CertId>493****-cn-hangzhou</CertId>`+
			`<Certificate>-----BEGIN CERTIFICATE-----
MII=
-----END CERTIFICATE-----</Certificate><PrivateKey>-----BEGIN-----</PrivateKey><PreviousCertId>493</PreviousCertId><Force>True</Force>`+
			`<DeleteCertificate>false</DeleteCertificate></CertificateConfiguration></Cname></BucketCnameConfiguration>`,
		&BucketCnameConfiguration{Cname: Cname{Domain: "www.example.com", Certificate: &CnameCertificate{
			CertID: "493****-cn-hangzhou", Certificate: "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----",
			PrivateKey: "-----BEGIN-----", PreviousCertID: "493", Force: true,
		}}}),

	configurationOf("Tagging", func(b []byte) (*Tagging, error) {
		tags, err := DecodeTagging(b, MaxBucketTags)
		return &Tagging{TagSet: TagSet{tags}}, err
	},
		`<Tagging><TagSet><Tag><Key>testkey2</Key><Value>testvalue2</Value></Tag></TagSet></Tagging>`,
		&Tagging{TagSet: TagSet{[]Tag{{"testkey2", "testvalue2"}}}}),
}

func ptr[T any](v T) *T { return &v }

// What official clients send is read whole, written by us and by encoding/xml
// alike, and is then read as the same.
func TestConfigurations(t *testing.T) {
	for _, c := range configurations {
		got, err := c.decode([]byte(c.sent))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s is read as\n%+v, %v, want\n%+v", c.root, got, err, c.want)
			continue
		}
		written, err := Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := c.decode(written); err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%s\nis read back as\n%+v, %v", written, again, err)
		}
		lenient := reflect.New(reflect.TypeOf(got).Elem()).Interface()
		if err := Unmarshal(written, lenient); err != nil || !reflect.DeepEqual(lenient, got) {
			t.Errorf("a client reads %s as\n%+v, %v", written, lenient, err)
		}
		want, err := xml.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if _, timed := got.(*LifecycleConfiguration); !timed { // it writes zero times
			compareXML(t, written, want)
		}
	}
}

// No decoder takes what is not well-formed, has another root, an element that it
// does not know, or one twice that may be there once.
func TestConfigurationErrors(t *testing.T) {
	for _, c := range configurations {
		bad := malformed(c.root)
		if c.root == "RestoreRequest" {
			delete(bad, "blank") // means the default
		} else {
			bad["empty"] = ""
			bad["no element"] = "<" + c.root + "/>"
		}
		if c.root != "Tagging" { // which is older, and lenient
			bad["unknown element"] = "<" + c.root + "><New/>" + strings.TrimPrefix(c.sent, "<"+c.root+">")
			start, end := strings.Index(c.sent, "<Days>"), len("<Days>")
			for _, name := range []string{"<Status>", "<MaxAgeSeconds>", "<AllowEmptyReferer>", "<SSEAlgorithm>", "<Domain>"} {
				if at := strings.Index(c.sent, name); at >= 0 {
					start, end = at, len(name)
				}
			}
			name := c.sent[start : start+end]
			whole := c.sent[start : strings.Index(c.sent, "</"+name[1:])+end+1]
			bad[name+" twice"] = strings.Replace(c.sent, whole, whole+whole, 1)
		}
		for name, body := range bad {
			_, err := c.decode([]byte(body))
			wantDecodeError(t, c.root+" "+name, err)
		}
	}
}

// ruleOf returns a configuration of one rule with this inside.
func ruleOf(inside string) string {
	return "<LifecycleConfiguration><Rule><ID>r</ID><Prefix>p</Prefix><Status>Enabled</Status>" + inside + "</Rule></LifecycleConfiguration>"
}

// ali-oss sends an expiration twice: as it was told in old releases, too.
func TestDecodeLifecycleOfJavaScript(t *testing.T) {
	c, err := DecodeLifecycle([]byte(ruleOf("<Days>3</Days><Date>2020-01-01T00:00:00.000Z</Date><Expiration><Days>3</Days></Expiration>")))
	if err != nil || c.Rules[0].Expiration.Days != 3 {
		t.Errorf("%+v, %v", c, err)
	}
	_, err = DecodeLifecycle([]byte(ruleOf("<Days>3</Days>")))
	wantDecodeError(t, "days alone", err)
}

func TestDecodeLifecycleErrors(t *testing.T) {
	days := "<Expiration><Days>1</Days></Expiration>"
	rule := "<Rule><Status>Enabled</Status>" + days + "</Rule>"
	for name, body := range map[string]string{
		"no action":            ruleOf(""),
		"no status":            "<LifecycleConfiguration><Rule>" + days + "</Rule></LifecycleConfiguration>",
		"bad status":           "<LifecycleConfiguration><Rule><Status>enabled</Status>" + days + "</Rule></LifecycleConfiguration>",
		"long ID":              "<LifecycleConfiguration><Rule><ID>" + strings.Repeat("中", 256) + "</ID><Status>Enabled</Status>" + days + "</Rule></LifecycleConfiguration>",
		"too many rules":       "<LifecycleConfiguration>" + strings.Repeat(rule, MaxLifecycleRules+1) + "</LifecycleConfiguration>",
		"empty expiration":     ruleOf("<Expiration/>"),
		"no marker":            ruleOf("<Expiration><ExpiredObjectDeleteMarker>false</ExpiredObjectDeleteMarker></Expiration>"),
		"days and date":        ruleOf("<Expiration><Days>1</Days><CreatedBeforeDate>2020-01-01T00:00:00.000Z</CreatedBeforeDate></Expiration>"),
		"days and marker":      ruleOf("<Expiration><Days>1</Days><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>"),
		"two expirations":      ruleOf(days + days),
		"no integer":           ruleOf("<Expiration><Days>one</Days></Expiration>"),
		"fraction":             ruleOf("<Expiration><Days>1.5</Days></Expiration>"),
		"beyond int64":         ruleOf("<Expiration><Days>9223372036854775808</Days></Expiration>"),
		"empty transition":     ruleOf("<Transition><StorageClass>IA</StorageClass></Transition>"),
		"empty abort":          ruleOf("<AbortMultipartUpload/>"),
		"abort by both":        ruleOf("<AbortMultipartUpload><Days>1</Days><CreatedBeforeDate>2020-01-01T00:00:00.000Z</CreatedBeforeDate></AbortMultipartUpload>"),
		"no noncurrent days":   ruleOf("<NoncurrentVersionExpiration/>"),
		"no noncurrent days 2": ruleOf("<NoncurrentVersionTransition><StorageClass>IA</StorageClass></NoncurrentVersionTransition>"),
		"And":                  ruleOf("<Filter><And><Prefix>a</Prefix></And></Filter>" + days),
		"two tags in a Not":    ruleOf("<Filter><Not><Prefix>pp</Prefix><Tag><Key>a</Key></Tag><Tag><Key>b</Key></Tag></Not></Filter>" + days),
		"bad bool":             ruleOf("<Transition><Days>1</Days><StorageClass>IA</StorageClass><IsAccessTime>maybe</IsAccessTime></Transition>"),
		"many tags":            ruleOf(strings.Repeat("<Tag><Key>a</Key></Tag>", maxRuleTags+1) + days),
		"many transitions":     ruleOf(strings.Repeat("<Transition><Days>1</Days></Transition>", maxRuleTransitions+1)),
		"many exceptions":      ruleOf("<Filter>" + strings.Repeat("<Not><Prefix>pp</Prefix></Not>", maxRuleNots+1) + "</Filter>" + days),
	} {
		_, err := DecodeLifecycle([]byte(body))
		wantDecodeError(t, name, err)
	}
	for _, n := range []string{"0", "-30", "2147483648"} {
		_, err := DecodeLifecycle([]byte(ruleOf("<AbortMultipartUpload><Days>" + n + "</Days></AbortMultipartUpload>")))
		wantError(t, err, "InvalidArgument", "ArgumentName", "Days", "ArgumentValue", n)
	}
	for _, text := range []string{
		"", "dsaxqwert", "2020-01-01", "2020-01-01T00:00:01.000Z", "2020-01-01T00:00:00.001Z", "2020-01-01T12:00:00.000Z",
		"2020-01-01T00:00:00", "2020-01-01T00:00:00+00:00", "2020-01-01T08:00:00+08:00", "2020-02-30T00:00:00.000Z", "1969-12-31T00:00:00.000Z",
	} {
		_, err := DecodeLifecycle([]byte(ruleOf("<Expiration><CreatedBeforeDate>" + text + "</CreatedBeforeDate></Expiration>")))
		wantError(t, err, "InvalidArgument", "ArgumentName", "CreatedBeforeDate", "ArgumentValue", text)
		if err == nil || !strings.Contains(err.Error(), "Bad date format.") {
			t.Errorf("%q: %v", text, err)
		}
	}
	body := "<LifecycleConfiguration>" + strings.Repeat(rule, MaxLifecycleRules) + "</LifecycleConfiguration>"
	if c, err := DecodeLifecycle([]byte(body)); err != nil || len(c.Rules) != MaxLifecycleRules {
		t.Errorf("%d rules: %v", MaxLifecycleRules, err)
	}
}

func TestValidateLifecycle(t *testing.T) {
	expire := func(days int) *LifecycleExpiration { return &LifecycleExpiration{Days: days} }
	before := func(year int) *LifecycleExpiration {
		return &LifecycleExpiration{CreatedBeforeDate: date(year, 1, 1)}
	}
	to := func(days int, class StorageClass) LifecycleTransition {
		return LifecycleTransition{Days: days, StorageClass: class}
	}
	type transitions = []LifecycleTransition
	not := func(nots ...LifecycleNot) *LifecycleFilter { return &LifecycleFilter{Nots: nots} }
	old := func(days int, class StorageClass) NoncurrentVersionTransition {
		return NoncurrentVersionTransition{NoncurrentDays: days, StorageClass: class}
	}
	abort := &LifecycleAbort{Days: 1}

	tests := []struct {
		name    string
		rules   []LifecycleRule
		strict  string // code without x-oss-allow-same-action-overlap
		overlap string // and with it
	}{
		{"one", []LifecycleRule{{Expiration: expire(1)}}, "", ""},
		{"IDs differ", []LifecycleRule{{ID: "a", Prefix: "a", Expiration: expire(1)}, {ID: "b", Prefix: "b", Expiration: expire(1)}}, "", ""},
		{"same ID", []LifecycleRule{{ID: "a", Prefix: "a", Expiration: expire(1)}, {ID: "a", Prefix: "b", Expiration: expire(1)}}, "InvalidArgument", "InvalidArgument"},
		{"no IDs", []LifecycleRule{{Prefix: "a", Expiration: expire(1)}, {Prefix: "b", Expiration: expire(1)}}, "", ""},
		{"long prefix", []LifecycleRule{{Prefix: strings.Repeat("a", 1024), Expiration: expire(1)}}, "InvalidArgument", "InvalidArgument"},

		{"prefix in prefix", []LifecycleRule{{Prefix: "a", Expiration: expire(1)}, {Prefix: "ab", Expiration: before(2020)}}, "InvalidArgument", ""},
		{"empty prefix", []LifecycleRule{{Prefix: "ab", AbortMultipartUpload: abort}, {AbortMultipartUpload: abort}}, "InvalidArgument", ""},
		{"other actions", []LifecycleRule{{Prefix: "a", Expiration: expire(1)}, {Prefix: "ab", AbortMultipartUpload: abort}}, "", ""},
		{"same transitions", []LifecycleRule{{Transitions: transitions{to(1, IA)}}, {Transitions: transitions{to(2, IA)}}}, "InvalidArgument", ""},
		{"same noncurrent", []LifecycleRule{{NoncurrentVersionExpiration: &NoncurrentVersionExpiration{1}}, {NoncurrentVersionExpiration: &NoncurrentVersionExpiration{2}}}, "InvalidArgument", ""},
		{"same noncurrent transitions", []LifecycleRule{{NoncurrentVersionTransitions: []NoncurrentVersionTransition{old(1, IA)}}, {NoncurrentVersionTransitions: []NoncurrentVersionTransition{old(2, IA)}}}, "InvalidArgument", ""},
		{"tags exclude", []LifecycleRule{{Tags: []Tag{{"z", ""}, {"k", "1"}}, Expiration: expire(1)}, {Tags: []Tag{{"k", "2"}, {"a", ""}}, Expiration: expire(1)}}, "", ""},
		{"tags do not exclude", []LifecycleRule{{Tags: []Tag{{"k", "1"}}, Expiration: expire(1)}, {Tags: []Tag{{"l", "2"}}, Expiration: expire(1)}}, "InvalidArgument", ""},
		{"order in two rules", []LifecycleRule{{Prefix: "P", Transitions: transitions{to(45, IA)}}, {Prefix: "P/S", Transitions: transitions{to(40, Archive)}}}, "InvalidArgument", "InvalidArgument"},
		{"order in two rules, fine", []LifecycleRule{{Prefix: "P", Transitions: transitions{to(45, IA)}}, {Prefix: "P/S", Transitions: transitions{to(46, Archive)}}}, "InvalidArgument", ""},

		{"colder first", []LifecycleRule{{Transitions: transitions{to(355, Archive), to(352, IA)}}}, "", ""},
		{"colder sooner", []LifecycleRule{{Transitions: transitions{to(5, IA), to(2, Archive)}}}, "InvalidArgument", "InvalidArgument"},
		{"colder at once", []LifecycleRule{{Transitions: transitions{to(5, DeepColdArchive), to(5, ColdArchive)}}}, "InvalidArgument", "InvalidArgument"},
		{"class twice", []LifecycleRule{{Transitions: transitions{to(5, IA), to(6, IA)}}}, "InvalidArgument", "InvalidArgument"},
		{"to Standard", []LifecycleRule{{Transitions: transitions{to(5, Standard)}}}, "InvalidArgument", "InvalidArgument"},
		{"to nothing", []LifecycleRule{{Transitions: transitions{to(5, "")}}}, "InvalidArgument", "InvalidArgument"},
		{"expires before", []LifecycleRule{{Expiration: expire(3), Transitions: transitions{to(4, IA)}}}, "InvalidArgument", "InvalidArgument"},
		{"expires with", []LifecycleRule{{Expiration: expire(4), Transitions: transitions{to(4, IA)}}}, "InvalidArgument", "InvalidArgument"},
		{"expires after", []LifecycleRule{{Expiration: expire(5), Transitions: transitions{to(4, IA)}}}, "", ""},
		{"mixed", []LifecycleRule{{Expiration: before(2020), Transitions: transitions{to(4, IA)}}}, "InvalidRequest", "InvalidRequest"},
		{"dates in any order", []LifecycleRule{{Expiration: before(2016), Transitions: transitions{{CreatedBeforeDate: date(2017, 1, 1), StorageClass: IA}}}}, "", ""},
		{"abort beside dates", []LifecycleRule{{Expiration: before(2016), AbortMultipartUpload: abort}}, "", ""},
		{"noncurrent order", []LifecycleRule{{NoncurrentVersionTransitions: []NoncurrentVersionTransition{old(20, IA), old(12, Archive)}}}, "InvalidArgument", "InvalidArgument"},
		{"noncurrent expires before", []LifecycleRule{{NoncurrentVersionExpiration: &NoncurrentVersionExpiration{12}, NoncurrentVersionTransitions: []NoncurrentVersionTransition{old(12, IA)}}}, "InvalidArgument", "InvalidArgument"},

		{"long tags", []LifecycleRule{{Tags: append(tagsOf(19), Tag{strings.Repeat("a", 129), strings.Repeat("a", 257)}), Expiration: expire(1)}}, "", ""},
		{"tag without key", []LifecycleRule{{Tags: []Tag{{"", "v"}}, Expiration: expire(1)}}, "InvalidTaggingKey", "InvalidTaggingKey"},
		{"bad key", []LifecycleRule{{Tags: []Tag{{"%&", "v"}}, Expiration: expire(1)}}, "InvalidTaggingKey", "InvalidTaggingKey"},
		{"bad value", []LifecycleRule{{Tags: []Tag{{"k", ")%"}}, Expiration: expire(1)}}, "InvalidTag", "InvalidTag"},
		{"tag twice", []LifecycleRule{{Tags: []Tag{{"k", ""}, {"k", ""}}, Expiration: expire(1)}}, "RepeatedTags", "RepeatedTags"},

		{"exception inside", []LifecycleRule{{Prefix: "a", Filter: not(LifecycleNot{"ab", nil}, LifecycleNot{"", &Tag{"k", ""}}, LifecycleNot{"a", &Tag{"k", ""}}), Expiration: expire(1)}}, "", ""},
		{"exception of all", []LifecycleRule{{Prefix: "a", Filter: not(LifecycleNot{"a", nil}), Expiration: expire(1)}}, "InvalidArgument", "InvalidArgument"},
		{"exception of nothing", []LifecycleRule{{Filter: not(LifecycleNot{}), Expiration: expire(1)}}, "InvalidArgument", "InvalidArgument"},
		{"exception outside", []LifecycleRule{{Prefix: "a", Filter: not(LifecycleNot{"b", nil}), Expiration: expire(1)}}, "InvalidArgument", "InvalidArgument"},
		{"exception by bad tag", []LifecycleRule{{Filter: not(LifecycleNot{"b", &Tag{"%", ""}}), Expiration: expire(1)}}, "InvalidTaggingKey", "InvalidTaggingKey"},
		{"negative size", []LifecycleRule{{Filter: &LifecycleFilter{ObjectSizeLessThan: ptr[int64](-1)}, Expiration: expire(1)}}, "InvalidArgument", "InvalidArgument"},
		{"no sizes", []LifecycleRule{{Filter: &LifecycleFilter{ObjectSizeGreaterThan: ptr[int64](5), ObjectSizeLessThan: ptr[int64](5)}, Expiration: expire(1)}}, "InvalidArgument", "InvalidArgument"},
		{"sizes", []LifecycleRule{{Filter: &LifecycleFilter{ObjectSizeGreaterThan: ptr[int64](0), ObjectSizeLessThan: ptr[int64](5)}, Expiration: expire(1)}}, "", ""},
	}
	for _, tt := range tests {
		c := &LifecycleConfiguration{Rules: tt.rules}
		if got := codeOf(c.Validate(false)); got != tt.strict {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.strict)
		}
		if got := codeOf(c.Validate(true)); got != tt.overlap {
			t.Errorf("%s, overlap allowed: %q, want %q", tt.name, got, tt.overlap)
		}
	}
	c := &LifecycleConfiguration{Rules: []LifecycleRule{{Expiration: expire(1)}, {Expiration: expire(1)}}}
	var e *Error
	if err := c.Validate(false); !errors.As(err, &e) || e.Message != "Overlap for same action type Expiration" {
		t.Errorf("overlap: %v", err)
	}
	n := 0
	c.Rules[1].ID = "mine"
	c.SetIDs(func() string { n++; return fmt.Sprint(n) })
	if c.Rules[0].ID != "1" || c.Rules[1].ID != "mine" {
		t.Errorf("IDs %q and %q", c.Rules[0].ID, c.Rules[1].ID)
	}
}

func TestDecodeCORSErrors(t *testing.T) {
	rule := func(inside string) string {
		return "<CORSConfiguration><CORSRule>" + inside + "</CORSRule></CORSConfiguration>"
	}
	const origin, method = "<AllowedOrigin>*</AllowedOrigin>", "<AllowedMethod>GET</AllowedMethod>"
	for name, body := range map[string]string{
		"no origin":       rule(method),
		"no method":       rule(origin),
		"empty origin":    rule("<AllowedOrigin/>" + method),
		"two stars":       rule("<AllowedOrigin>http://*.*</AllowedOrigin>" + method),
		"blank":           rule("<AllowedOrigin>http://a b</AllowedOrigin>" + method),
		"line feed":       rule("<AllowedOrigin>http://a&#10;b</AllowedOrigin>" + method),
		"other method":    rule(origin + "<AllowedMethod>OPTIONS</AllowedMethod>"),
		"lower case":      rule(origin + "<AllowedMethod>get</AllowedMethod>"),
		"header of two *": rule(origin + method + "<AllowedHeader>x-*-*</AllowedHeader>"),
		"no header":       rule(origin + method + "<AllowedHeader>a:b</AllowedHeader>"),
		"exposed *":       rule(origin + method + "<ExposeHeader>*</ExposeHeader>"),
		"exposed CR":      rule(origin + method + "<ExposeHeader>a&#13;b</ExposeHeader>"),
		"no age":          rule(origin + method + "<MaxAgeSeconds>x</MaxAgeSeconds>"),
	} {
		_, err := DecodeCORS([]byte(body))
		wantDecodeError(t, name, err)
	}
	_, err := DecodeCORS([]byte(rule(origin + method + "<MaxAgeSeconds>-1</MaxAgeSeconds>")))
	wantError(t, err, "InvalidArgument", "ArgumentName", "MaxAgeSeconds", "ArgumentValue", "-1")
	many := func(n int) []byte {
		return []byte("<CORSConfiguration>" + strings.Repeat("<CORSRule>"+origin+method+"</CORSRule>", n) + "</CORSConfiguration>")
	}
	if _, err := DecodeCORS(many(MaxCORSRules)); err != nil {
		t.Error(err)
	}
	_, err = DecodeCORS(many(MaxCORSRules + 1))
	wantError(t, err, "CORSRuleBeyondLimit")
}

func TestMatchCORS(t *testing.T) {
	c := &CORSConfiguration{Rules: []CORSRule{
		{AllowedOrigins: []string{"https://a.com", "http://*.b.com"}, AllowedMethods: []string{"PUT"}, AllowedHeaders: []string{"x-oss-*", "Content-Type"}},
		{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"GET", "PUT"}},
		{AllowedOrigins: []string{"null"}, AllowedMethods: []string{"DELETE"}, AllowedHeaders: []string{"*"}},
	}}
	for _, tt := range []struct {
		origin, method, headers string
		want                    int // rule, -1 for none
	}{
		{"https://a.com", "PUT", "", 0},
		{"https://A.com", "PUT", "x-oss-date content-type", 0},
		{"https://a.com", "PUT", "x-oss-date other", -1},
		{"https://a.com.evil.com", "PUT", "", 1},
		{"http://x.b.com", "PUT", "X-OSS-", 0},
		{"http://.b.com", "PUT", "x-oss-a", 0},
		{"http://b.com", "PUT", "x-oss-a", -1},
		{"http://x.b.com.", "PUT", "x-oss-a", -1},
		{"https://c.com", "GET", "", 1},
		{"https://c.com", "GET", "range", -1},
		{"https://c.com", "DELETE", "", -1},
		{"null", "DELETE", "anything at all", 2},
		{"https://a.com", "put", "", -1},
	} {
		got := c.Match(tt.origin, tt.method, strings.Fields(tt.headers))
		var want *CORSRule
		if tt.want >= 0 {
			want = &c.Rules[tt.want]
		}
		if got != want {
			t.Errorf("%+v matches %+v", tt, got)
		}
	}
	if c.Rules[0].AnyOrigin() || !c.Rules[1].AnyOrigin() {
		t.Error("only the second rule is for all origins")
	}
}

func TestReferer(t *testing.T) {
	list := func(referers ...string) RefererList { return RefererList{referers} }
	open := NewReferer()
	white := NewReferer()
	white.RefererList = list("http://a.com", "http://*.b.com/*", "https://c.com/?")
	strict := &RefererConfiguration{RefererList: list("http://a.com/x")}
	black := NewReferer()
	black.RefererBlacklist = &RefererList{[]string{"*bad*"}}
	host := NewReferer()
	host.TruncatePath = true
	host.RefererList = list("http://a.com", "*.exact")
	for _, tt := range []struct {
		name    string
		c       *RefererConfiguration
		referer string
		want    bool
	}{
		{"open", open, "", true},
		{"open", open, "http://x", true},
		{"white", white, "", true},
		{"white", white, "http://a.com", true},
		{"white", white, "HTTP://A.com", true},
		{"white", white, "http://a.com?q=1", true},
		{"white", white, "http://a.com/", false},
		{"white", white, "http://x.y.b.com/z/", true},
		{"white", white, "http://b.com/z", false},
		{"white", white, "https://c.com/1", true},
		{"white", white, "https://c.com/12", false},
		{"white", white, "http://evil.com/?http://a.com", false},
		{"strict", strict, "", false},
		{"strict", strict, "http://a.com/x", true},
		{"strict", strict, "http://a.com/x?y", false},
		{"black", black, "http://bad.com", false},
		{"black", black, "http://good.com", true},
		{"host", host, "http://a.com/x/y?z", true},
		{"host", host, "http://a.com.evil.com/x", false},
		{"host", host, "no.exact", true},
	} {
		if got := tt.c.Allows(tt.referer); got != tt.want {
			t.Errorf("%s, %q: %v", tt.name, tt.referer, got)
		}
	}
	for pattern, matching := range map[string]map[string]bool{
		"":      {"": true, "a": false},
		"*":     {"": true, "a": true},
		"a*b*c": {"abc": true, "axbxc": true, "acb": false, "abcb": false},
		"?":     {"": false, "a": true, "ab": false},
		"**a":   {"a": true, "ba": true, "b": false},
	} {
		for s, want := range matching {
			if got := matchesWildcards(pattern, s); got != want {
				t.Errorf("%q matches %q: %v", pattern, s, got)
			}
		}
	}
	long := "<RefererConfiguration><AllowEmptyReferer>true</AllowEmptyReferer><RefererList>" +
		strings.Repeat("<Referer>"+strings.Repeat("a", 1024)+"</Referer>", 20) + "%s</RefererList></RefererConfiguration>"
	if _, err := DecodeReferer([]byte(fmt.Sprintf(long, ""))); err != nil {
		t.Error(err)
	}
	_, err := DecodeReferer([]byte(fmt.Sprintf(long, "<Referer>a</Referer>")))
	wantError(t, err, "InvalidArgument", "ArgumentName", "RefererList")
	_, err = DecodeReferer([]byte("<RefererConfiguration><RefererList/></RefererConfiguration>"))
	wantDecodeError(t, "no AllowEmptyReferer", err)
}

func TestDecodeEncryption(t *testing.T) {
	doc := func(inside string) []byte {
		return []byte("<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault>" + inside + "</ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>")
	}
	for inside, code := range map[string]string{
		"<SSEAlgorithm>AES256</SSEAlgorithm>":                                "",
		"<SSEAlgorithm>SM4</SSEAlgorithm><KMSMasterKeyID/>":                  "",
		"<SSEAlgorithm>KMS</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>": "",
		"":                                    "InvalidEncryptionAlgorithmError",
		"<SSEAlgorithm>random</SSEAlgorithm>": "InvalidEncryptionAlgorithmError",
		"<SSEAlgorithm>None</SSEAlgorithm>":   "InvalidEncryptionAlgorithmError",
		"<SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>":         "InvalidArgument",
		"<SSEAlgorithm>AES256</SSEAlgorithm><KMSDataEncryption>SM4</KMSDataEncryption>": "InvalidArgument",
		"<SSEAlgorithm>KMS</SSEAlgorithm><KMSDataEncryption>AES256</KMSDataEncryption>": "InvalidDataEncryptionAlgorithmError",
	} {
		if _, err := DecodeEncryption(doc(inside)); codeOf(err) != code {
			t.Errorf("%s: %v, want %q", inside, err, code)
		}
	}
}

func TestValidDomain(t *testing.T) {
	for _, s := range []string{"a.b", "www.example.com", "WWW.Example.COM", "a-b.c1.de", "1.example", strings.Repeat("a", 63) + ".com"} {
		if !ValidDomain(s) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range []string{"", "localhost", ".a.b", "a.b.", "a..b", "-a.b", "a-.b", "a_b.c", "a b.c", "*.a.b", "a.b:80", "1.2.3.4", "[::1]",
		"中.com", strings.Repeat("a", 64) + ".com", strings.Repeat("a.", 126) + "ab"} {
		if ValidDomain(s) {
			t.Errorf("%q is taken", s)
		}
	}
	_, err := DecodeCname([]byte("<BucketCnameConfiguration><Cname><Domain>127.0.0.1</Domain></Cname></BucketCnameConfiguration>"))
	wantError(t, err, "InvalidArgument", "ArgumentName", "Domain", "ArgumentValue", "127.0.0.1")
}

// The answers about domain names are what the SDKs read.
func TestMarshalCname(t *testing.T) {
	doc := &ListCnameResult{Bucket: "b", Owner: "1", Cnames: []CnameInfo{
		{Domain: "a.example", LastModified: goldenTime, Status: CnameEnabled},
		{Domain: "b.example", LastModified: goldenTime, Status: CnameDisabled, Certificate: &CnameCertificateInfo{Type: "Upload", CertID: "c"}},
	}}
	got, err := Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	compareXML(t, got, []byte(`<ListCnameResult><Bucket>b</Bucket><Owner>1</Owner>`+
		`<Cname><Domain>a.example</Domain><LastModified>2023-11-14T22:13:20.000Z</LastModified><Status>Enabled</Status></Cname>`+
		`<Cname><Domain>b.example</Domain><LastModified>2023-11-14T22:13:20.000Z</LastModified><Status>Disabled</Status>`+
		`<Certificate><Type>Upload</Type><CertId>c</CertId><Status></Status><CreationDate></CreationDate><Fingerprint></Fingerprint>`+
		`<ValidStartDate></ValidStartDate><ValidEndDate></ValidEndDate></Certificate></Cname></ListCnameResult>`))
	var back ListCnameResult
	if err := Unmarshal(got, &back); err != nil || !reflect.DeepEqual(&back, doc) {
		t.Errorf("read back %+v, %v", back, err)
	}
}

// FuzzConfiguration looks for documents that make a decoder panic, fail with
// something that is not an answer, or that are not read again as what they were
// read as. The first byte picks the decoder.
func FuzzConfiguration(f *testing.F) {
	for i, c := range configurations {
		f.Add(append([]byte{byte(i)}, c.sent...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			return
		}
		c := configurations[int(data[0])%len(configurations)]
		got, err := c.decode(data[1:])
		if err != nil {
			checkFuzzError(t, err)
			return
		}
		if l, ok := got.(*LifecycleConfiguration); ok {
			checkFuzzError(t, l.Validate(false))
			checkFuzzError(t, l.Validate(true))
		}
		written, err := Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		// Nothing that is read takes much more than it took in the body.
		if len(written) > 4096+16*len(data) {
			t.Fatalf("%d bytes became %d", len(data), len(written))
		}
		again, err := c.decode(written)
		if err != nil || !reflect.DeepEqual(again, got) {
			t.Fatalf("%s\nis read back as\n%+v, %v, not\n%+v", written, again, err, got)
		}
		if twice, err := Marshal(again); err != nil || !bytes.Equal(twice, written) {
			t.Fatalf("%s became %s, %v", written, twice, err)
		}
	})
}
