package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/test/process"
)

// errInDoubt: no answer came, or one that does not say whether the operation
// has happened.
var errInDoubt = errors.New("in doubt")

// refusal is an answer that says no.
type refusal struct {
	status int
	code   string
}

func (r *refusal) Error() string { return fmt.Sprintf("answer %d %s", r.status, r.code) }

func isCode(err error, code string) bool {
	var r *refusal
	return errors.As(err, &r) && r.code == code
}

// client speaks the protocol to one server, path-style.
type client struct {
	base string // http://host:port
	v4   bool   // signature
	http *http.Client

	credentials sign.Credentials
}

func newClient(base string, v4 bool) *client {
	root := sign.Credentials{AccessKeyID: process.AccessKeyID, AccessKeySecret: process.AccessKeySecret}
	return &client{base: base, v4: v4, credentials: root, http: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 4},
		Timeout:   2 * time.Minute,
	}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// call sends one request and reads the whole answer. sink, when set, gets the
// body of a 2xx answer instead of the returned slice.
func (c *client) call(ctx context.Context, r sign.Request, body []byte, sink io.Writer) (http.Header, []byte, error) {
	u, err := url.Parse(c.base)
	if err != nil {
		return nil, nil, err
	}
	r.Host = u.Host
	if r.Header == nil {
		r.Header = map[string][]string{}
	}
	if c.v4 {
		sign.SignV4Header(&r, c.credentials, process.Region, time.Now())
	} else {
		sign.SignV1Header(&r, c.credentials, time.Now())
	}
	target := c.base + "/" + r.Bucket + "/" + sign.EscapePath(r.Key)
	if len(r.Query) > 0 {
		target += "?" + sign.EncodeQuery(r.Query)
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, target, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	request.Header = r.Header

	answer, err := c.http.Do(request)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %v", errInDoubt, err)
	}
	defer answer.Body.Close()
	return readAnswer(answer, sink)
}

func readAnswer(answer *http.Response, sink io.Writer) (http.Header, []byte, error) {
	ok := answer.StatusCode/100 == 2
	if ok && sink != nil {
		if _, err := io.Copy(sink, answer.Body); err != nil {
			return nil, nil, fmt.Errorf("%w: %v", errInDoubt, err)
		}
		return answer.Header, nil, nil
	}
	text, err := io.ReadAll(io.LimitReader(answer.Body, 16<<20))
	switch {
	case ok && err != nil:
		return nil, nil, fmt.Errorf("%w: %v", errInDoubt, err)
	case ok:
		return answer.Header, text, nil
	case answer.StatusCode == http.StatusServiceUnavailable:
		return nil, nil, fmt.Errorf("%w: answer 503", errInDoubt)
	}
	var document struct{ Code string }
	if err := xml.Unmarshal(text, &document); err != nil {
		document.Code = strings.TrimSpace(string(text[:min(len(text), 200)]))
	}
	return nil, nil, &refusal{answer.StatusCode, document.Code}
}

func query(pairs ...string) []sign.Param {
	var params []sign.Param
	for i := 0; i < len(pairs); i += 2 {
		params = append(params, sign.Param{Name: pairs[i], Value: pairs[i+1]})
	}
	return params
}

func (c *client) putBucket(ctx context.Context) error {
	_, _, err := c.call(ctx, sign.Request{Method: "PUT", Bucket: bucket}, nil, nil)
	return err
}

func (c *client) putBucketLifecycle(ctx context.Context, rules string) error {
	_, _, err := c.call(ctx, sign.Request{Method: "PUT", Bucket: bucket, Query: query("lifecycle", "")}, []byte(rules), nil)
	return err
}

func (c *client) getBucketLifecycle(ctx context.Context) (rules string, err error) {
	_, text, err := c.call(ctx, sign.Request{Method: "GET", Bucket: bucket, Query: query("lifecycle", "")}, nil, nil)
	return string(text), err
}

// encryptionHeader asks for encryption of an object or an upload.
const encryptionHeader = "X-Oss-Server-Side-Encryption"

func (c *client) putObject(ctx context.Context, key string, v *content) error {
	body := v.bytes()
	header := map[string][]string{"Content-Type": {"application/x-crash"}}
	if v.seed()%2 == 0 {
		header["Content-MD5"] = []string{v.contentMD5()}
	}
	if v.seed()%3 == 0 {
		header[encryptionHeader] = []string{"AES256"}
	}
	h, _, err := c.call(ctx, sign.Request{Method: "PUT", Bucket: bucket, Key: key, Header: header}, body, nil)
	if err != nil {
		return err
	}
	return v.matchHeader(h)
}

func (c *client) getObject(ctx context.Context, key string) (*sums, error) {
	s := newSums()
	h, _, err := c.call(ctx, sign.Request{Method: "GET", Bucket: bucket, Key: key}, nil, s)
	if err != nil {
		return nil, err
	}
	s.etag, s.class = strings.Trim(h.Get("ETag"), `"`), h.Get("X-Oss-Storage-Class")
	return s, nil
}

func (c *client) deleteObject(ctx context.Context, key string) error {
	_, _, err := c.call(ctx, sign.Request{Method: "DELETE", Bucket: bucket, Key: key}, nil, nil)
	return err
}

func (c *client) copyObject(ctx context.Context, from, to string) error {
	header := map[string][]string{"X-Oss-Copy-Source": {"/" + bucket + "/" + sign.EscapePath(from)}}
	_, _, err := c.call(ctx, sign.Request{Method: "PUT", Bucket: bucket, Key: to, Header: header}, nil, nil)
	return err
}

func (c *client) initiateMultipartUpload(ctx context.Context, key string, encrypted bool) (id string, err error) {
	header := map[string][]string{}
	if encrypted {
		header[encryptionHeader] = []string{"AES256"}
	}
	_, text, err := c.call(ctx, sign.Request{Method: "POST", Bucket: bucket, Key: key, Query: query("uploads", ""), Header: header}, nil, nil)
	if err != nil {
		return "", err
	}
	var document struct{ UploadId string }
	if err := xml.Unmarshal(text, &document); err != nil || document.UploadId == "" {
		return "", fmt.Errorf("InitiateMultipartUpload: no upload ID in %q (%v)", text, err)
	}
	return document.UploadId, nil
}

func (c *client) uploadPart(ctx context.Context, key, id string, number int, v *content) error {
	h, _, err := c.call(ctx, sign.Request{
		Method: "PUT", Bucket: bucket, Key: key,
		Query: query("partNumber", strconv.Itoa(number), "uploadId", id),
	}, v.bytes(), nil)
	if err != nil {
		return err
	}
	return v.matchHeader(h)
}

// completeMultipartUpload completes with the parts of v, or asks the server to
// take all it has.
func (c *client) completeMultipartUpload(ctx context.Context, key, id string, numbers []int, v *content, all bool) error {
	r := sign.Request{Method: "POST", Bucket: bucket, Key: key, Query: query("uploadId", id)}
	var body bytes.Buffer
	if all {
		r.Header = map[string][]string{"X-Oss-Complete-All": {"yes"}}
	} else {
		body.WriteString("<CompleteMultipartUpload>")
		for i, number := range numbers {
			fmt.Fprintf(&body, `<Part><PartNumber>%d</PartNumber><ETag>"%s"</ETag></Part>`, number, v.parts[i].etag())
		}
		body.WriteString("</CompleteMultipartUpload>")
	}
	h, _, err := c.call(ctx, r, body.Bytes(), nil)
	if err != nil {
		return err
	}
	return v.matchHeader(h)
}

func (c *client) abortMultipartUpload(ctx context.Context, key, id string) error {
	_, _, err := c.call(ctx, sign.Request{Method: "DELETE", Bucket: bucket, Key: key, Query: query("uploadId", id)}, nil, nil)
	return err
}

// listedPart is what ListParts tells of a part.
type listedPart struct {
	PartNumber    int
	ETag          string
	Size          int64
	HashCrc64ecma string
}

func (c *client) listParts(ctx context.Context, key, id string) (map[int]listedPart, error) {
	parts := map[int]listedPart{}
	marker := "0"
	for {
		_, text, err := c.call(ctx, sign.Request{Method: "GET", Bucket: bucket, Key: key,
			Query: query("uploadId", id, "part-number-marker", marker, "max-parts", "3")}, nil, nil)
		if err != nil {
			return nil, err
		}
		var page struct {
			NextPartNumberMarker string
			IsTruncated          bool
			Part                 []listedPart
		}
		if err := xml.Unmarshal(text, &page); err != nil {
			return nil, fmt.Errorf("ListParts: %w", err)
		}
		for _, p := range page.Part {
			if _, twice := parts[p.PartNumber]; twice {
				return nil, fmt.Errorf("ListParts lists part %d twice", p.PartNumber)
			}
			p.ETag = strings.Trim(p.ETag, `"`)
			parts[p.PartNumber] = p
		}
		if !page.IsTruncated {
			return parts, nil
		}
		marker = page.NextPartNumberMarker
	}
}

// uploadName is an upload as a listing names it.
type uploadName struct{ Key, UploadId string }

func (c *client) listMultipartUploads(ctx context.Context) (map[uploadName]bool, error) {
	uploads := map[uploadName]bool{}
	var key, id string
	for {
		_, text, err := c.call(ctx, sign.Request{Method: "GET", Bucket: bucket,
			Query: query("uploads", "", "key-marker", key, "upload-id-marker", id, "max-uploads", "7")}, nil, nil)
		if err != nil {
			return nil, err
		}
		var page struct {
			NextKeyMarker, NextUploadIdMarker string
			IsTruncated                       bool
			Upload                            []uploadName
		}
		if err := xml.Unmarshal(text, &page); err != nil {
			return nil, fmt.Errorf("ListMultipartUploads: %w", err)
		}
		for _, u := range page.Upload {
			if uploads[u] {
				return nil, fmt.Errorf("ListMultipartUploads lists %v twice", u)
			}
			uploads[u] = true
		}
		if !page.IsTruncated {
			return uploads, nil
		}
		key, id = page.NextKeyMarker, page.NextUploadIdMarker
	}
}

func (c *client) listObjects(ctx context.Context) (map[string]int64, error) {
	sizes := map[string]int64{}
	marker := ""
	for {
		_, text, err := c.call(ctx, sign.Request{Method: "GET", Bucket: bucket,
			Query: query("marker", marker, "max-keys", "11")}, nil, nil)
		if err != nil {
			return nil, err
		}
		var page struct {
			NextMarker  string
			IsTruncated bool
			Contents    []struct {
				Key  string
				Size int64
			}
		}
		if err := xml.Unmarshal(text, &page); err != nil {
			return nil, fmt.Errorf("ListObjects: %w", err)
		}
		for _, o := range page.Contents {
			if _, twice := sizes[o.Key]; twice {
				return nil, fmt.Errorf("ListObjects lists %q twice", o.Key)
			}
			sizes[o.Key] = o.Size
		}
		if !page.IsTruncated {
			return sizes, nil
		}
		marker = page.NextMarker
	}
}
