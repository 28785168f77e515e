package oss

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/wire"
)

// keeper keeps one document for each sub-resource, as it came, if the decoder
// that the server has for it takes it.
type keeper struct {
	t    *testing.T
	docs map[string][]byte
}

// decode are the readers of strangers' documents.
var decode = map[string]func([]byte) error{
	"lifecycle": func(b []byte) error {
		doc, err := wire.DecodeLifecycle(b)
		if err == nil && len(doc.Rules) == 0 {
			err = errors.New("no rules")
		}
		return err
	},
	"cors":       func(b []byte) error { _, err := wire.DecodeCORS(b); return err },
	"referer":    func(b []byte) error { _, err := wire.DecodeReferer(b); return err },
	"encryption": func(b []byte) error { _, err := wire.DecodeEncryption(b); return err },
	"tagging":    func(b []byte) error { _, err := wire.DecodeTagging(b, wire.MaxBucketTags); return err },
	"policy":     func([]byte) error { return nil },
}

func (k *keeper) RoundTrip(req *http.Request) (*http.Response, error) {
	name := ""
	for n := range decode {
		if req.URL.Query().Has(n) {
			name = n
		}
	}
	resp := &http.Response{StatusCode: 200, Header: http.Header{}, Request: req, Body: http.NoBody}
	switch req.Method {
	case http.MethodPut:
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		if err := decode[name](body); err != nil {
			k.t.Errorf("%s: the server would not take\n%s\n%v", name, body, err)
		}
		k.docs[name] = body
	case http.MethodGet:
		resp.Body = io.NopCloser(bytes.NewReader(k.docs[name]))
	case http.MethodDelete:
		resp.StatusCode = 204
		delete(k.docs, name)
	}
	return resp, nil
}

// The server takes every configuration that the client can say, and the client
// reads it back as it said it.
func TestConfigurations(t *testing.T) {
	t.Run("documents", func(t *testing.T) {
		k := &keeper{t, map[string][]byte{}}
		checkConfigurations(t, mustClient(t, WithHTTPClient(&http.Client{Transport: k}), WithCredentials(AnonymousCredentials())), true)
		if len(k.docs) != 1 { // referer rules have no delete
			t.Errorf("left are %d documents", len(k.docs))
		}
	})
	t.Run("server", func(t *testing.T) {
		c := newFixture(t).Client
		checkConfigurations(t, c, false)
		checkPolicyStatus(t, c)
		for name, want := range map[error]func() error{
			ErrNoSuchLifecycle: func() error {
				_, err := c.GetBucketLifecycle(context.Background(), &GetBucketLifecycleRequest{Bucket: testBucket})
				return err
			},
			ErrNoSuchCORSConfiguration: func() error {
				_, err := c.GetBucketCORS(context.Background(), &GetBucketCORSRequest{Bucket: testBucket})
				return err
			},
			ErrNoSuchEncryption: func() error {
				_, err := c.GetBucketEncryption(context.Background(), &GetBucketEncryptionRequest{Bucket: testBucket})
				return err
			},
			ErrNoSuchBucketPolicy: func() error {
				_, err := c.GetBucketPolicy(context.Background(), &GetBucketPolicyRequest{Bucket: testBucket})
				return err
			},
		} {
			if err := want(); !errors.Is(err, name) {
				t.Errorf("deleted: %v, want %v", err, name)
			}
		}
	})
}

func checkPolicyStatus(t *testing.T, c *Client) {
	t.Helper()
	ctx := context.Background()
	for principal, public := range map[string]bool{"*": true, "2": false} {
		policy := `{"Version":"1","Statement":[{"Effect":"Allow","Principal":["` + principal + `"],"Action":"oss:GetObject","Resource":"acs:oss:*:*:examplebucket/*"}]}`
		if _, err := c.PutBucketPolicy(ctx, &PutBucketPolicyRequest{Bucket: testBucket, Policy: []byte(policy)}); err != nil {
			t.Fatal(err)
		}
		res, err := c.GetBucketPolicyStatus(ctx, &GetBucketPolicyStatusRequest{Bucket: testBucket})
		if err != nil || res.IsPublic != public {
			t.Errorf("principal %s: %+v, %v", principal, res, err)
		}
	}
	if _, err := c.DeleteBucketPolicy(ctx, &DeleteBucketPolicyRequest{Bucket: testBucket}); err != nil {
		t.Error(err)
	}
}

// checkConfigurations says and reads back configurations: all that there can be,
// or those that our server has.
func checkConfigurations(t *testing.T, c *Client, all bool) {
	ctx := context.Background()
	midnight := time.Date(2024, 1, 2, 0, 0, 0, 0, time.UTC)
	same := func(name string, got, want any, err error) {
		t.Helper()
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v\nwant %+v", name, got, err, want)
		}
	}
	must := func(_ *Answer, err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}

	rules := []LifecycleRule{
		{ID: "all", Expiration: &LifecycleExpiration{Days: 3}, AbortMultipartUpload: &LifecycleAbort{Days: 7}},
		{
			ID: "some", Prefix: "log/", Disabled: true, Tags: []Tag{{"a", "b"}, {"c", ""}},
			Filter: &LifecycleFilter{ObjectSizeGreaterThan: 5, ObjectSizeLessThan: 500, Not: []LifecycleNot{{Prefix: "log/x"}, {Prefix: "log/y", Tag: &Tag{"n", "m"}}}},
			Transitions: []LifecycleTransition{
				{StorageClass: StorageIA, Days: 30, AccessTiming: AccessTiming{true, false, true}}, {StorageClass: StorageArchive, Days: 60},
			},
			NoncurrentVersionExpiration:  9,
			NoncurrentVersionTransitions: []NoncurrentVersionTransition{{StorageIA, 4, AccessTiming{IsAccessTime: true, ReturnToStdWhenVisit: true}}},
			AtimeBase:                    epoch,
		},
		{ID: "date", Prefix: "old/", Expiration: &LifecycleExpiration{CreatedBefore: midnight}, AbortMultipartUpload: &LifecycleAbort{CreatedBefore: midnight}},
		{ID: "before", Prefix: "b/", Transitions: []LifecycleTransition{{StorageClass: StorageArchive, CreatedBefore: midnight}}},
		{ID: "marker", Prefix: "m/", Expiration: &LifecycleExpiration{ExpiredObjectDeleteMarker: true}},
		{ID: "day", Prefix: "d/", Expiration: &LifecycleExpiration{Date: midnight}},
	}
	if !all { // it does not know when an object was read
		rules[1].Transitions[0].AccessTiming = AccessTiming{AllowSmallFile: true}
		rules[1].NoncurrentVersionTransitions[0].AccessTiming = AccessTiming{}
	}
	must(c.PutBucketLifecycle(ctx, &PutBucketLifecycleRequest{Bucket: testBucket, Rules: rules, AllowSameActionOverlap: true}))
	lifecycle, err := c.GetBucketLifecycle(ctx, &GetBucketLifecycleRequest{Bucket: testBucket})
	if err != nil {
		t.Fatal(err)
	}
	same("lifecycle", lifecycle.Rules, rules, err)
	same("lifecycle document", bytes.Contains(lifecycle.Document, []byte("<ID>marker</ID>")), true, err)
	must(c.DeleteBucketLifecycle(ctx, &DeleteBucketLifecycleRequest{Bucket: testBucket}))

	cors := []CORSRule{
		{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"GET", "PUT"}},
		{AllowedOrigins: []string{"http://a", "http://*.b"}, AllowedMethods: []string{"POST"}, AllowedHeaders: []string{"x-oss-*"},
			ExposeHeaders: []string{"ETag", "x-oss-request-id"}, MaxAge: 100 * time.Second},
	}
	must(c.PutBucketCORS(ctx, &PutBucketCORSRequest{Bucket: testBucket, Rules: cors, ResponseVary: true}))
	gotCORS, err := c.GetBucketCORS(ctx, &GetBucketCORSRequest{Bucket: testBucket})
	same("cors", gotCORS.Rules, cors, err)
	same("cors", gotCORS.ResponseVary, true, err)
	must(c.DeleteBucketCORS(ctx, &DeleteBucketCORSRequest{Bucket: testBucket}))

	for _, referer := range []RefererRules{
		{AllowEmpty: true}, {Allowed: []string{"http://a?", "*"}, Denied: []string{"http://b"}, KeepQuery: true, TruncatePath: false}, {TruncatePath: true},
	} {
		must(c.PutBucketReferer(ctx, &PutBucketRefererRequest{Bucket: testBucket, RefererRules: referer}))
		got, err := c.GetBucketReferer(ctx, &GetBucketRefererRequest{Bucket: testBucket})
		same("referer", got.RefererRules, referer, err)
	}
	encryptions := []Encryption{{Algorithm: "AES256"}, {"KMS", "key", "SM4"}}
	if !all { // it has no SM4
		encryptions = encryptions[:1]
	}
	for _, encryption := range encryptions {
		must(c.PutBucketEncryption(ctx, &PutBucketEncryptionRequest{Bucket: testBucket, Encryption: encryption}))
		got, err := c.GetBucketEncryption(ctx, &GetBucketEncryptionRequest{Bucket: testBucket})
		same("encryption", got.Encryption, encryption, err)
	}
	must(c.DeleteBucketEncryption(ctx, &DeleteBucketEncryptionRequest{Bucket: testBucket}))

	tags := []Tag{{"a", "b"}, {"c", ""}}
	must(c.PutBucketTagging(ctx, &PutBucketTaggingRequest{Bucket: testBucket, Tags: tags}))
	gotTags, err := c.GetBucketTagging(ctx, &GetBucketTaggingRequest{Bucket: testBucket})
	same("tagging", gotTags.Tags, tags, err)
	must(c.DeleteBucketTagging(ctx, &DeleteBucketTaggingRequest{Bucket: testBucket}))

	policy := []byte(`{"Version":"1","Statement":[{"Effect":"Allow","Principal":["2"],"Action":"oss:GetObject","Resource":"acs:oss:*:*:examplebucket/*"}]}`)
	must(c.PutBucketPolicy(ctx, &PutBucketPolicyRequest{Bucket: testBucket, Policy: policy}))
	gotPolicy, err := c.GetBucketPolicy(ctx, &GetBucketPolicyRequest{Bucket: testBucket})
	same("policy", gotPolicy.Policy, policy, err)
	must(c.DeleteBucketPolicy(ctx, &DeleteBucketPolicyRequest{Bucket: testBucket}))
}

// Documents that were answered can be put again as they are.
func TestPutDocuments(t *testing.T) {
	ctx := context.Background()
	k := &keeper{t: t, docs: map[string][]byte{
		"lifecycle":  []byte("<LifecycleConfiguration><Rule><ID>a</ID><Prefix>p</Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule></LifecycleConfiguration>"),
		"cors":       []byte("<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>"),
		"referer":    []byte("<RefererConfiguration><AllowEmptyReferer>true</AllowEmptyReferer><RefererList><Referer>http://a</Referer></RefererList></RefererConfiguration>"),
		"encryption": []byte("<ServerSideEncryptionRule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></ServerSideEncryptionRule>"),
	}}
	c, err := NewClient("http://127.0.0.1:1", WithRegion("r"), WithCredentials(AnonymousCredentials()), WithHTTPClient(&http.Client{Transport: k}))
	if err != nil {
		t.Fatal(err)
	}
	for name, round := range map[string]func() error{
		"lifecycle": func() error {
			res, err := c.GetBucketLifecycle(ctx, &GetBucketLifecycleRequest{Bucket: "bucket"})
			if err == nil {
				_, err = c.PutBucketLifecycle(ctx, &PutBucketLifecycleRequest{Bucket: "bucket", Document: res.Document})
			}
			return err
		},
		"cors": func() error {
			res, err := c.GetBucketCORS(ctx, &GetBucketCORSRequest{Bucket: "bucket"})
			if err == nil {
				_, err = c.PutBucketCORS(ctx, &PutBucketCORSRequest{Bucket: "bucket", Document: res.Document})
			}
			return err
		},
		"referer": func() error {
			res, err := c.GetBucketReferer(ctx, &GetBucketRefererRequest{Bucket: "bucket"})
			if err == nil {
				_, err = c.PutBucketReferer(ctx, &PutBucketRefererRequest{Bucket: "bucket", Document: res.Document})
			}
			return err
		},
		"encryption": func() error {
			res, err := c.GetBucketEncryption(ctx, &GetBucketEncryptionRequest{Bucket: "bucket"})
			if err == nil {
				_, err = c.PutBucketEncryption(ctx, &PutBucketEncryptionRequest{Bucket: "bucket", Document: res.Document})
			}
			return err
		},
	} {
		before := k.docs[name]
		k.docs[name] = bytes.Clone(before)
		if err := round(); err != nil || !bytes.Equal(k.docs[name], before) {
			t.Errorf("%s: %v, sent\n%s", name, err, k.docs[name])
		}
	}
}

// Domain names of a bucket lead to it.
func TestCname(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	if _, err := f.PutCname(ctx, &PutCnameRequest{Bucket: testBucket, Domain: "files.example.org"}); err != nil {
		t.Fatal(err)
	}
	list, err := f.ListCname(ctx, &ListCnameRequest{Bucket: testBucket})
	if err != nil || len(list.Cnames) != 1 || list.Cnames[0].Domain != "files.example.org" || list.Owner == "" {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := f.DeleteCname(ctx, &DeleteCnameRequest{Bucket: testBucket, Domain: "files.example.org"}); err != nil {
		t.Error(err)
	}
	list, err = f.ListCname(ctx, &ListCnameRequest{Bucket: testBucket})
	if err != nil || len(list.Cnames) != 0 {
		t.Errorf("%+v, %v", list, err)
	}
}

// An archived object is readable once it was restored; a lost answer does not
// make an error of that.
func TestRestore(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	_, err := f.PutObject(ctx, &PutObjectRequest{Bucket: testBucket, Key: "k", Body: strings.NewReader("x"), Attributes: Attributes{StorageClass: StorageArchive}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.GetObject(ctx, &GetObjectRequest{Bucket: testBucket, Key: "k"}); !errors.Is(err, ErrInvalidObjectState) {
		t.Errorf("archived: %v", err)
	}
	f.net.set(once("POST", 1, loseAnswer))
	res, err := f.RestoreObject(ctx, &RestoreObjectRequest{Bucket: testBucket, Key: "k", Days: 2})
	if err != nil {
		t.Errorf("%+v, %v", res, err)
	}
	head, err := f.HeadObject(ctx, &HeadObjectRequest{Bucket: testBucket, Key: "k"})
	if err != nil || !strings.Contains(head.Restore, "ongoing-request") {
		t.Errorf("%+v, %v", head, err)
	}
}
