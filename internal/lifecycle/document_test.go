package lifecycle_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/lifecycle"
)

const everything = `<LifecycleConfiguration>
<Rule><ID>all</ID><Prefix>k</Prefix><Status>Enabled</Status>
 <Tag><Key>a</Key><Value>1</Value></Tag><Tag><Key>b</Key><Value></Value></Tag>
 <Filter><ObjectSizeGreaterThan>5</ObjectSizeGreaterThan><ObjectSizeLessThan>9</ObjectSizeLessThan>
  <Not><Prefix>k/</Prefix></Not><Not><Prefix>ke</Prefix><Tag><Key>c</Key><Value>2</Value></Tag></Not></Filter>
 <Expiration><Days>30</Days></Expiration>
 <Transition><Days>1</Days><StorageClass>IA</StorageClass><IsAccessTime>true</IsAccessTime><AllowSmallFile>false</AllowSmallFile></Transition>
 <Transition><Days>2</Days><StorageClass>Archive</StorageClass><IsAccessTime>false</IsAccessTime><AllowSmallFile>true</AllowSmallFile></Transition>
 <AbortMultipartUpload><Days>3</Days></AbortMultipartUpload>
</Rule>
<Rule><ID>dates</ID><Prefix></Prefix><Status>Disabled</Status>
 <Expiration><Date>2026-01-05T00:00:00.000Z</Date></Expiration>
 <Transition><CreatedBeforeDate>2026-01-06T00:00:00.000Z</CreatedBeforeDate><StorageClass>IA</StorageClass></Transition>
 <AbortMultipartUpload><CreatedBeforeDate>2026-01-07T00:00:00.000Z</CreatedBeforeDate></AbortMultipartUpload>
</Rule>
<Rule><ID>before</ID><Prefix>x</Prefix><Status>Enabled</Status>
 <Expiration><CreatedBeforeDate>2026-01-08T00:00:00.000Z</CreatedBeforeDate></Expiration></Rule>
</LifecycleConfiguration>`

// A walk by other rules is another, and so is one by other days.
func TestDigest(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range []lifecycle.Calendar{{}, {Day: time.Second}, {Day: 10 * time.Second}} {
		for _, document := range []string{"", "a", "0s a"} {
			seen[string(lifecycle.Digest(c, []byte(document)))] = true
		}
	}
	if len(seen) != 9 {
		t.Errorf("%d of 9 are told apart", len(seen))
	}
	if string(lifecycle.Digest(lifecycle.Calendar{}, nil)) != string(lifecycle.Digest(lifecycle.Calendar{Day: lifecycle.RealDay}, nil)) {
		t.Error("real days are told from real days")
	}
}

// All of a document comes to be rules.
func TestParse(t *testing.T) {
	want := lifecycle.Rules{
		{
			ID: "all", Enabled: true, Prefix: "k", Tags: []lifecycle.Tag{{Key: "a", Value: "1"}, {Key: "b"}},
			SizeGreaterThan: size(5), SizeLessThan: size(9),
			Not:        []lifecycle.Not{{Prefix: "k/"}, {Prefix: "ke", Tag: &lifecycle.Tag{Key: "c", Value: "2"}}},
			Expiration: days(30), Abort: days(3),
			Transitions: []lifecycle.Transition{
				{When: days(1), Class: "IA", ByAccess: true, NoSmall: true},
				{When: days(2), Class: "Archive"},
			},
		},
		{
			ID: "dates", Expiration: on(day(5)), Abort: before(day(7)),
			Transitions: []lifecycle.Transition{{When: before(day(6)), Class: "IA"}},
		},
		{ID: "before", Enabled: true, Prefix: "x", Expiration: before(day(8))},
	}
	got, err := lifecycle.Parse([]byte(everything))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%+v\nwant\n%+v", err, got, want)
	}
	if _, err := lifecycle.Parse([]byte("<Lifecycle")); err == nil {
		t.Error("half a document is one")
	}
}
