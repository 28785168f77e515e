package main

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	. "github.com/ossastore/ossa/test/compat/go/harness"
)

func (w *world) presignedGet() {
	content := Data("presign", 3000)
	for _, key := range []string{"presign/a b+c.txt", "presign/中文"} {
		w.put(w.bucket, key, content)
		response, body := w.fetch("GET", Must(w.bucket.SignURL(key, oss.HTTPGet, 60)), nil, nil)
		Equal("status", response.StatusCode, http.StatusOK)
		Equal("content", body, content)
	}
	const key = "presign/中文"
	url := Must(w.bucket.SignURL(key, oss.HTTPGet, 60, oss.ResponseContentType("text/x-new"),
		oss.ResponseCacheControl("max-age=7"), oss.ResponseContentDisposition(`attachment; filename="a b.txt"`),
		oss.ResponseContentLanguage("de"), oss.ResponseExpires(FarAhead), oss.ResponseContentEncoding("identity")))
	response, _ := w.fetch("GET", url, nil, nil)
	for name, value := range map[string]string{
		"Content-Type": "text/x-new", "Cache-Control": "max-age=7", "Content-Language": "de", "Expires": FarAhead,
		"Content-Disposition": `attachment; filename="a b.txt"`, "Content-Encoding": "identity",
	} {
		Equal(name, response.Header.Get(name), value)
	}
	url = Must(w.bucket.SignURL(key, oss.HTTPGet, 60))
	response, body := w.fetch("GET", url, nil, map[string]string{"Range": "bytes=10-19"})
	Equal("status of a range", response.StatusCode, http.StatusPartialContent)
	Equal("range by URL", body, content[10:20])
	response, _ = w.fetch("GET", Tampered(url), nil, nil)
	Equal("status of a changed URL", response.StatusCode, http.StatusForbidden)
	reader := Must(w.bucket.GetObjectWithURL(url))
	reader.Close()
	_, err := w.bucket.GetObjectWithURL(Must(w.bucket.SignURL("presign/none", oss.HTTPGet, 60)))
	w.refused(err, 404, "NoSuchKey")
}

func (w *world) presignedPut() {
	const key = "presign/put +1"
	url := Must(w.bucket.SignURL(key, oss.HTTPPut, 60, oss.ContentType("text/plain"), oss.Meta("by", "url")))
	headers := map[string]string{"Content-Type": "text/plain", "x-oss-meta-by": "url"}
	response, _ := w.fetch("PUT", url, []byte("hello"), headers)
	Equal("status", response.StatusCode, http.StatusOK)
	Equal("ETag", response.Header.Get("ETag"), `"`+MD5Hex([]byte("hello"))+`"`)
	head := Must(w.bucket.GetObjectDetailedMeta(key))
	Equal("headers", head.Get("Content-Type")+" "+head.Get("X-Oss-Meta-By"), "text/plain url")
	headers["x-oss-meta-by"] = "other"
	response, body := w.fetch("PUT", url, []byte("hello"), headers)
	Equal("status with a changed header", response.StatusCode, http.StatusForbidden)
	True(strings.Contains(string(body), "<Code>SignatureDoesNotMatch</Code>"), string(body))
	response, _ = w.fetch("PUT", Must(w.bucket.SignURL(key, oss.HTTPGet, 60)), []byte("1"), nil)
	Equal("status of PUT with a URL for GET", response.StatusCode, http.StatusForbidden)
	Check(w.bucket.PutObjectWithURL(Must(w.bucket.SignURL("presign/put2", oss.HTTPPut, 60)), bytes.NewReader([]byte("world"))))
	Equal("content", w.get(w.bucket, "presign/put2"), []byte("world"))
}

func (w *world) credentials() {
	o := w.options
	put := func(id, secret, region string) error {
		return w.open(w.connect(id, secret, region), "main").PutObject("k", bytes.NewReader([]byte("1")))
	}
	w.refused(put(o.AccessKeyID, "wrong-secret", o.Region), 403, "SignatureDoesNotMatch")
	w.refused(put("unknown", o.AccessKeySecret, o.Region), 403, "InvalidAccessKeyId")
	wrong := w.open(w.connect(o.AccessKeyID, "wrong-secret", o.Region), "main")
	_, err := wrong.GetObjectDetailedMeta("k")
	w.refused(err, 403, "SignatureDoesNotMatch")
	_, body := w.fetch("GET", Must(wrong.SignURL("k", oss.HTTPGet, 60)), nil, nil)
	True(strings.Contains(string(body), "<Code>SignatureDoesNotMatch</Code>"), string(body))
	if o.V4 {
		w.refused(put(o.AccessKeyID, o.AccessKeySecret, "cn-beijing"), 400, "InvalidArgument")
	}
}
