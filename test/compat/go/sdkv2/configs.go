package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"

	. "github.com/ossastore/ossa/test/compat/go/harness"
)

func (w *world) bucketLifecycle() {
	name := w.create("lifecycle")
	get := func() ([]oss.LifecycleRule, error) {
		got, err := w.client.GetBucketLifecycle(w.ctx, &oss.GetBucketLifecycleRequest{Bucket: &name})
		if err != nil {
			return nil, err
		}
		return got.LifecycleConfiguration.Rules, nil
	}
	put := func(overlap string, rules ...oss.LifecycleRule) error {
		req := &oss.PutBucketLifecycleRequest{Bucket: &name, LifecycleConfiguration: &oss.LifecycleConfiguration{Rules: rules}}
		if overlap != "" {
			req.AllowSameActionOverlap = &overlap
		}
		_, err := w.client.PutBucketLifecycle(w.ctx, req)
		return err
	}
	_, err := get()
	w.refused(err, 404, "NoSuchLifecycle")
	days := func(n int32) *oss.LifecycleRuleExpiration { return &oss.LifecycleRuleExpiration{Days: &n} }
	Check(put("", oss.LifecycleRule{
		ID: oss.Ptr("days"), Prefix: oss.Ptr("a/"), Status: oss.Ptr("Enabled"), Expiration: days(40),
		Transitions:          []oss.LifecycleRuleTransition{{Days: oss.Ptr(int32(3)), StorageClass: oss.StorageClassIA, AllowSmallFile: oss.Ptr(true)}},
		AbortMultipartUpload: &oss.LifecycleRuleAbortMultipartUpload{CreatedBeforeDate: oss.Ptr("2020-12-12T00:00:00.000Z")},
		Tags:                 []oss.Tag{{Key: oss.Ptr("k"), Value: oss.Ptr("v")}},
		Filter:               &oss.LifecycleRuleFilter{ObjectSizeGreaterThan: oss.Ptr(int64(500)), Nots: []oss.LifecycleRuleNot{{Prefix: oss.Ptr("a/keep")}}},
	}, oss.LifecycleRule{
		Prefix: oss.Ptr(""), Status: oss.Ptr("Disabled"), NoncurrentVersionExpiration: &oss.NoncurrentVersionExpiration{NoncurrentDays: oss.Ptr(int32(20))},
	}))
	got := Must(get())
	Equal("rules", len(got), 2)
	r := got[0]
	Equal("first rule", fmt.Sprint(text(r.ID), text(r.Prefix), text(r.Status), *r.Expiration.Days, *r.Transitions[0].Days, r.Transitions[0].StorageClass,
		*r.Transitions[0].AllowSmallFile, text(r.AbortMultipartUpload.CreatedBeforeDate), text(r.Tags[0].Value), *r.Filter.ObjectSizeGreaterThan,
		text(r.Filter.Nots[0].Prefix)),
		fmt.Sprint("days", "a/", "Enabled", 40, 3, "IA", true, "2020-12-12T00:00:00.000Z", "v", 500, "a/keep"))
	True(text(got[1].ID) != "", "the second rule has no ID")

	one := oss.LifecycleRule{ID: oss.Ptr("1"), Prefix: oss.Ptr("p"), Status: oss.Ptr("Enabled"), Expiration: days(3)}
	two := oss.LifecycleRule{ID: oss.Ptr("2"), Prefix: oss.Ptr("p/q"), Status: oss.Ptr("Enabled"), Expiration: days(4)}
	w.refused(put("", one, two), 400, "InvalidArgument")
	Check(put("true", one, two))
	Must(w.client.DeleteBucketLifecycle(w.ctx, &oss.DeleteBucketLifecycleRequest{Bucket: &name}))
	_, err = get()
	w.refused(err, 404, "NoSuchLifecycle")
	Check(w.deleteBucket(name))
}

func (w *world) bucketCORS() {
	name := w.create("cors")
	_, err := w.client.GetBucketCors(w.ctx, &oss.GetBucketCorsRequest{Bucket: &name})
	w.refused(err, 404, "NoSuchCORSConfiguration")
	rule := oss.CORSRule{
		AllowedOrigins: []string{"https://a.com", "http://*.b.com"}, AllowedMethods: []string{"PUT", "GET"}, AllowedHeaders: []string{"x-oss-*"},
		ExposeHeaders: []string{"x-oss-meta-name"}, MaxAgeSeconds: oss.Ptr(int64(100)),
	}
	Must(w.client.PutBucketCors(w.ctx, &oss.PutBucketCorsRequest{Bucket: &name, CORSConfiguration: &oss.CORSConfiguration{
		CORSRules: []oss.CORSRule{rule}, ResponseVary: oss.Ptr(true),
	}}))
	got := Must(w.client.GetBucketCors(w.ctx, &oss.GetBucketCorsRequest{Bucket: &name})).CORSConfiguration
	Equal("vary", *got.ResponseVary, true)
	Equal("rules", fmt.Sprintf("%+v %d", got.CORSRules[0].AllowedOrigins, *got.CORSRules[0].MaxAgeSeconds), fmt.Sprintf("%+v 100", rule.AllowedOrigins))

	ask := func(origin string) (*oss.OptionObjectResult, error) {
		return w.client.OptionObject(w.ctx, &oss.OptionObjectRequest{Bucket: &name, Key: oss.Ptr("a/b"), Origin: &origin,
			AccessControlRequestMethod: oss.Ptr("PUT"), AccessControlRequestHeaders: oss.Ptr("x-oss-date")})
	}
	answer := Must(ask("http://x.b.com"))
	Equal("preflight", text(answer.AccessControlAllowOrigin)+" "+text(answer.AccessControlAllowHeaders), "http://x.b.com x-oss-date")
	Equal("max age", *answer.AccessControlMaxAge, 100)
	True(strings.Contains(text(answer.AccessControlExposeHeaders), "ETag"), "the ETag is not exposed")
	_, err = ask("http://b.com")
	w.refused(err, 403, "AccessForbidden")

	put := Must(w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &name, Key: oss.Ptr("k"), RequestCommon: oss.RequestCommon{
		Headers: map[string]string{"Origin": "https://a.com"},
	}}))
	Equal("origin", http.Header(put.Headers).Get("Access-Control-Allow-Origin")+" "+http.Header(put.Headers).Get("Vary"), "https://a.com Origin")
	Must(w.client.DeleteObject(w.ctx, &oss.DeleteObjectRequest{Bucket: &name, Key: oss.Ptr("k")}))
	Must(w.client.DeleteBucketCors(w.ctx, &oss.DeleteBucketCorsRequest{Bucket: &name}))
	_, err = ask("https://a.com")
	w.refused(err, 403, "AccessForbidden")
	Check(w.deleteBucket(name))
}

func (w *world) bucketReferer() {
	name := w.create("referer")
	get := func() *oss.RefererConfiguration {
		return Must(w.client.GetBucketReferer(w.ctx, &oss.GetBucketRefererRequest{Bucket: &name})).RefererConfiguration
	}
	Equal("default", *get().AllowEmptyReferer, true)
	Must(w.client.PutBucketReferer(w.ctx, &oss.PutBucketRefererRequest{Bucket: &name, RefererConfiguration: &oss.RefererConfiguration{
		AllowEmptyReferer: oss.Ptr(false), AllowTruncateQueryString: oss.Ptr(true), TruncatePath: oss.Ptr(true),
		RefererList:      &oss.RefererList{Referers: []string{"http://a.com", "https://*.b.com"}},
		RefererBlacklist: &oss.RefererBlacklist{Referers: []string{"http://bad.com"}},
	}}))
	got := get()
	Equal("list", got.RefererList.Referers, []string{"http://a.com", "https://*.b.com"})
	Equal("blacklist", got.RefererBlacklist.Referers, []string{"http://bad.com"})
	Equal("switches", []bool{*got.AllowEmptyReferer, *got.AllowTruncateQueryString, *got.TruncatePath}, []bool{false, true, true})
	Check(w.deleteBucket(name))
}

func (w *world) bucketEncryption() {
	name := w.create("encryption")
	get := func() (*oss.GetBucketEncryptionResult, error) {
		return w.client.GetBucketEncryption(w.ctx, &oss.GetBucketEncryptionRequest{Bucket: &name})
	}
	put := func(algorithm, key string) error {
		_, err := w.client.PutBucketEncryption(w.ctx, &oss.PutBucketEncryptionRequest{Bucket: &name, ServerSideEncryptionRule: &oss.ServerSideEncryptionRule{
			ApplyServerSideEncryptionByDefault: &oss.ApplyServerSideEncryptionByDefault{SSEAlgorithm: &algorithm, KMSMasterKeyID: &key},
		}})
		return err
	}
	_, err := get()
	w.refused(err, 404, "NoSuchServerSideEncryptionRule")
	Check(put("KMS", "123"))
	rule := Must(get()).ServerSideEncryptionRule.ApplyServerSideEncryptionByDefault
	Equal("rule", text(rule.SSEAlgorithm)+" "+text(rule.KMSMasterKeyID), "KMS 123")
	w.refused(put("AES256", "123"), 400, "InvalidArgument")
	w.refused(put("random", ""), 400, "InvalidEncryptionAlgorithmError")
	Must(w.client.DeleteBucketEncryption(w.ctx, &oss.DeleteBucketEncryptionRequest{Bucket: &name}))
	_, err = get()
	w.refused(err, 404, "NoSuchServerSideEncryptionRule")
	Check(w.deleteBucket(name))
}

func (w *world) bucketTagging() {
	name := w.create("tagging")
	tags := func() (all string) {
		got := Must(w.client.GetBucketTags(w.ctx, &oss.GetBucketTagsRequest{Bucket: &name})).Tagging
		if got.TagSet != nil {
			for _, t := range got.TagSet.Tags {
				all += text(t.Key) + "=" + text(t.Value) + ";"
			}
		}
		return all
	}
	Equal("tags of a new bucket", tags(), "")
	Must(w.client.PutBucketTags(w.ctx, &oss.PutBucketTagsRequest{Bucket: &name, Tagging: &oss.Tagging{TagSet: &oss.TagSet{Tags: []oss.Tag{
		{Key: oss.Ptr("k1"), Value: oss.Ptr("v1")}, {Key: oss.Ptr("中"), Value: oss.Ptr("v2")},
	}}}}))
	Equal("tags", tags(), "k1=v1;中=v2;")
	Must(w.client.DeleteBucketTags(w.ctx, &oss.DeleteBucketTagsRequest{Bucket: &name, Tagging: oss.Ptr("k1,k3")}))
	Equal("tags after some were deleted", tags(), "中=v2;")
	Must(w.client.DeleteBucketTags(w.ctx, &oss.DeleteBucketTagsRequest{Bucket: &name}))
	Equal("tags after all were deleted", tags(), "")
	Check(w.deleteBucket(name))
}

func (w *world) bucketPolicy() {
	name := w.create("policy")
	get := func() (string, error) {
		got, err := w.client.GetBucketPolicy(w.ctx, &oss.GetBucketPolicyRequest{Bucket: &name})
		if err != nil {
			return "", err
		}
		return got.Body, nil
	}
	put := func(policy string) error {
		_, err := w.client.PutBucketPolicy(w.ctx, &oss.PutBucketPolicyRequest{Bucket: &name, Body: strings.NewReader(policy)})
		return err
	}
	_, err := get()
	w.refused(err, 404, "NoSuchBucketPolicy")
	policy := `{ "Version": "1", "Statement": [{"Effect": "Allow", "Principal": ["*"], "Action": "oss:GetObject", "Resource": "acs:oss:*:*:` + name + `/*"}]}`
	Check(put(policy))
	Equal("policy", Must(get()), policy)
	status := Must(w.client.GetBucketPolicyStatus(w.ctx, &oss.GetBucketPolicyStatusRequest{Bucket: &name}))
	Equal("public", *status.PolicyStatus.IsPublic, true)
	w.refused(put(`{"Version":"2","Statement":[]}`), 400, "InvalidPolicyDocument")
	Must(w.client.DeleteBucketPolicy(w.ctx, &oss.DeleteBucketPolicyRequest{Bucket: &name}))
	_, err = get()
	w.refused(err, 404, "NoSuchBucketPolicy")
	Check(w.deleteBucket(name))
}
