package main

import (
	"encoding/json"
	"net/http"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	. "github.com/ossastore/ossa/test/compat/go/harness"
)

func (w *world) bucketLifecycle() {
	name := w.create("lifecycle").BucketName
	get := func() ([]oss.LifecycleRule, error) {
		got, err := w.client.GetBucketLifecycle(name)
		return got.Rules, err
	}
	_, err := get()
	w.refused(err, 404, "NoSuchLifecycle")
	yes := true
	rules := []oss.LifecycleRule{
		{
			ID: "days", Prefix: "a/", Status: "Enabled", Expiration: &oss.LifecycleExpiration{Days: 40},
			Transitions:          []oss.LifecycleTransition{{Days: 3, StorageClass: oss.StorageIA}, {Days: 30, StorageClass: oss.StorageArchive}},
			AbortMultipartUpload: &oss.LifecycleAbortMultipartUpload{Days: 7},
			Tags:                 []oss.Tag{{Key: "k", Value: "v"}},
			Filter:               &oss.LifecycleFilter{Not: []oss.LifecycleFilterNot{{Prefix: "a/keep", Tag: &oss.Tag{Key: "key1", Value: "value1"}}}},
		},
		oss.BuildLifecycleRuleByDate("date", "b/", false, 2015, 11, 11),
		{
			Prefix: "c/", Status: "Enabled", Expiration: &oss.LifecycleExpiration{ExpiredObjectDeleteMarker: &yes},
			NonVersionExpiration:  &oss.LifecycleVersionExpiration{NoncurrentDays: 20},
			NonVersionTransitions: []oss.LifecycleVersionTransition{{NoncurrentDays: 10, StorageClass: "IA"}},
		},
	}
	Check(w.client.SetBucketLifecycle(name, rules))
	got := Must(get())
	Equal("rules", len(got), 3)
	Equal("ID and prefix", got[0].ID+got[0].Prefix+got[0].Status, "daysa/Enabled")
	Equal("days", []int{got[0].Expiration.Days, got[0].Transitions[0].Days, got[0].Transitions[1].Days, got[0].AbortMultipartUpload.Days},
		[]int{40, 3, 30, 7})
	Equal("tag and exception", got[0].Tags[0].Value+got[0].Filter.Not[0].Prefix+got[0].Filter.Not[0].Tag.Key, "va/keepkey1")
	Equal("date", got[1].Expiration.Date, "2015-11-11T00:00:00.000Z")
	True(got[2].ID != "" && *got[2].Expiration.ExpiredObjectDeleteMarker, "the third rule has no ID or no marker")
	Equal("noncurrent", []int{got[2].NonVersionExpiration.NoncurrentDays, got[2].NonVersionTransitions[0].NoncurrentDays}, []int{20, 10})

	overlapping := []oss.LifecycleRule{oss.BuildLifecycleRuleByDays("1", "p", true, 3), oss.BuildLifecycleRuleByDays("2", "p/q", true, 4)}
	w.refused(w.client.SetBucketLifecycle(name, overlapping), 400, "InvalidArgument")
	Check(w.client.SetBucketLifecycle(name, overlapping, oss.AllowSameActionOverLap(true)))
	bad := []oss.LifecycleRule{{ID: "1", Prefix: "p", Status: "Enabled", Expiration: &oss.LifecycleExpiration{CreatedBeforeDate: "soon"}}}
	w.refused(w.client.SetBucketLifecycle(name, bad), 400, "InvalidArgument")
	Equal("rules after refused ones", len(Must(get())), 2)
	Check(w.client.DeleteBucketLifecycle(name))
	Check(w.client.DeleteBucketLifecycle(name))
	_, err = get()
	w.refused(err, 404, "NoSuchLifecycle")
	Check(w.client.DeleteBucket(name))
}

func (w *world) bucketCORS() {
	bucket := w.create("cors")
	name := bucket.BucketName
	_, err := w.client.GetBucketCORS(name)
	w.refused(err, 404, "NoSuchCORSConfiguration")
	rule := oss.CORSRule{
		AllowedOrigin: []string{"https://a.com", "https://b.com"}, AllowedMethod: []string{"PUT", "GET"}, AllowedHeader: []string{"x-oss-meta-author"},
		ExposeHeader: []string{"x-oss-meta-name"}, MaxAgeSeconds: 100,
	}
	Check(w.client.SetBucketCORS(name, []oss.CORSRule{rule}))
	got := Must(w.client.GetBucketCORS(name))
	Equal("rules", len(got.CORSRules), 1)
	got.CORSRules[0].XMLName = rule.XMLName
	Equal("rule", got.CORSRules[0], rule)

	ask := func(key, headers string) (http.Header, error) {
		return bucket.OptionsMethod(key, oss.Origin("https://b.com"), oss.ACReqMethod("PUT"), oss.ACReqHeaders(headers))
	}
	for _, key := range []string{"", "a/b"} {
		header := Must(ask(key, "x-oss-meta-author"))
		Equal("preflight", header.Get("Access-Control-Allow-Origin")+" "+header.Get("Access-Control-Max-Age"), "https://b.com 100")
		_, err = ask(key, "x-oss-meta-other")
		w.refused(err, 403, "AccessForbidden")
	}
	Check(w.client.DeleteBucketCORS(name))
	_, err = ask("", "x-oss-meta-author")
	w.refused(err, 403, "AccessForbidden")
	Check(w.client.DeleteBucket(name))
}

func (w *world) bucketReferer() {
	name := w.create("referer").BucketName
	Equal("default", Must(w.client.GetBucketReferer(name)).AllowEmptyReferer, true)
	Check(w.client.SetBucketReferer(name, []string{"http://a.com", "https://*.b.com"}, false))
	got := Must(w.client.GetBucketReferer(name))
	Equal("list", got.RefererList, []string{"http://a.com", "https://*.b.com"})
	Equal("allow empty", got.AllowEmptyReferer, false)
	Check(w.client.SetBucketReferer(name, []string{""}, true))
	got = Must(w.client.GetBucketReferer(name))
	Equal("empty list", len(got.RefererList), 0)
	Check(w.client.DeleteBucket(name))
}

func (w *world) bucketEncryption() {
	name := w.create("encryption").BucketName
	_, err := w.client.GetBucketEncryption(name)
	w.refused(err, 404, "NoSuchServerSideEncryptionRule")
	rule := oss.ServerEncryptionRule{}
	rule.SSEDefault.SSEAlgorithm, rule.SSEDefault.KMSMasterKeyID = "KMS", "123"
	Check(w.client.SetBucketEncryption(name, rule))
	got := Must(w.client.GetBucketEncryption(name))
	Equal("rule", got.SSEDefault.SSEAlgorithm+" "+got.SSEDefault.KMSMasterKeyID, "KMS 123")
	Equal("rule in the info", Must(w.client.GetBucketInfo(name)).BucketInfo.SseRule.SSEAlgorithm, "KMS")
	rule.SSEDefault.SSEAlgorithm = "random"
	w.refused(w.client.SetBucketEncryption(name, rule), 400, "InvalidEncryptionAlgorithmError")
	Check(w.client.DeleteBucketEncryption(name))
	_, err = w.client.GetBucketEncryption(name)
	w.refused(err, 404, "NoSuchServerSideEncryptionRule")
	Check(w.client.DeleteBucket(name))
}

func (w *world) bucketTagging() {
	name := w.create("tagging").BucketName
	tags := func() (all string) {
		for _, t := range Must(w.client.GetBucketTagging(name)).Tags {
			all += t.Key + "=" + t.Value + ";"
		}
		return all
	}
	Equal("tags of a new bucket", tags(), "")
	Check(w.client.SetBucketTagging(name, oss.Tagging{Tags: []oss.Tag{{Key: "k1", Value: "v1"}, {Key: "k2", Value: "v2"}, {Key: "中", Value: ""}}}))
	Equal("tags", tags(), "k1=v1;k2=v2;中=;")
	Check(w.client.DeleteBucketTagging(name, oss.AddParam("tagging", "k1,中")))
	Equal("tags after some were deleted", tags(), "k2=v2;")
	Check(w.client.DeleteBucketTagging(name))
	Equal("tags after all were deleted", tags(), "")
	Check(w.client.DeleteBucket(name))
}

func (w *world) bucketPolicy() {
	name := w.create("policy").BucketName
	_, err := w.client.GetBucketPolicy(name)
	w.refused(err, 404, "NoSuchBucketPolicy")
	policy := string(Must(json.MarshalIndent(map[string]any{"Version": "1", "Statement": []any{map[string]any{
		"Effect": "Deny", "Principal": []string{"1234567890"}, "Action": []string{"oss:GetObject"}, "Resource": []string{"acs:oss:*:*:" + name + "/*"},
	}}}, "", " ")))
	Check(w.client.SetBucketPolicy(name, policy))
	Equal("policy", Must(w.client.GetBucketPolicy(name)), policy)
	w.refused(w.client.SetBucketPolicy(name, `{"Version":"2","Statement":[]}`), 400, "InvalidPolicyDocument")
	Check(w.client.DeleteBucketPolicy(name))
	Check(w.client.DeleteBucketPolicy(name))
	_, err = w.client.GetBucketPolicy(name)
	w.refused(err, 404, "NoSuchBucketPolicy")
	Check(w.client.DeleteBucket(name))
}
