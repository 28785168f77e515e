package oss_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ossastore/ossa/oss"
)

// Where the server is, how buckets are named in requests to it, and how these are
// signed. The access key is that of the environment, if nothing else is said.
func ExampleNewClient() {
	client, err := oss.NewClient("https://oss-cn-hangzhou.aliyuncs.com",
		oss.WithRegion("cn-hangzhou"),
		oss.WithAddressing(oss.VirtualHost), // or PathStyle, or CNAME for a domain of the bucket's own
		oss.WithSignature(oss.SignatureV4),  // the default; V1 needs no region
		oss.WithCredentials(oss.StaticCredentials("id", "secret", "")))
	check(err)
	url, err := client.Presign(context.Background(), &oss.GetObjectRequest{Bucket: "examples", Key: "movie.bin"}, time.Hour)
	check(err)
	fmt.Println(strings.Split(url.URL, "?")[0])
	// Output: https://examples.oss-cn-hangzhou.aliyuncs.com/movie.bin
}

// A multipart upload by hand: open it, send parts, complete it with their list.
// Upload does all of this, and more.
func Example_multipartUpload() {
	client, stop := start()
	defer stop()
	ctx := context.Background()
	file := bytes.NewReader(make([]byte, 300<<10)) // an *os.File in real life

	// What the object is to have is said when the upload is opened.
	up, err := client.InitiateMultipartUpload(ctx, &oss.InitiateMultipartUploadRequest{
		Bucket: "examples", Key: "movie.bin",
		Attributes: oss.Attributes{
			ContentType: "video/mp4", CacheControl: "no-cache", ContentDisposition: "attachment",
			Expires: "Tue, 14 Nov 2034 22:13:20 GMT", StorageClass: oss.StorageStandard,
			Metadata: map[string]string{"author": "me"},
		},
		Tags:            []oss.Tag{{Key: "owner", Value: "me"}},
		ForbidOverwrite: true,
	})
	check(err)

	partSize, err := oss.DeterminePartSize(file.Size(), 100<<10)
	check(err)
	var parts []oss.CompletePart
	for number, section := range oss.Sections(file, file.Size(), partSize) {
		part, err := client.UploadPart(ctx, &oss.UploadPartRequest{
			Bucket: "examples", Key: "movie.bin", UploadID: up.UploadID, PartNumber: number, Body: section,
		})
		check(err)
		parts = append(parts, oss.CompletePart{PartNumber: number, ETag: part.ETag})
	}

	done, err := client.CompleteMultipartUpload(ctx, &oss.CompleteMultipartUploadRequest{
		Bucket: "examples", Key: "movie.bin", UploadID: up.UploadID, Parts: parts, ACL: oss.ACLPrivate,
	})
	check(err)
	fmt.Println(len(parts), "parts", done.ETag)
	// Output: 3 parts D51A0B0F06547912D361A6F895AF5888-3
}

// The server can list the parts itself.
func ExampleClient_CompleteMultipartUpload_all() {
	client, stop := start()
	defer stop()
	ctx := context.Background()

	up, err := client.InitiateMultipartUpload(ctx, &oss.InitiateMultipartUploadRequest{Bucket: "examples", Key: "a.txt"})
	check(err)
	_, err = client.UploadPart(ctx, &oss.UploadPartRequest{
		Bucket: "examples", Key: "a.txt", UploadID: up.UploadID, PartNumber: 1, Body: strings.NewReader("all of it"),
	})
	check(err)
	_, err = client.CompleteMultipartUpload(ctx, &oss.CompleteMultipartUploadRequest{
		Bucket: "examples", Key: "a.txt", UploadID: up.UploadID, All: true,
	})
	check(err)

	res, err := client.GetObject(ctx, &oss.GetObjectRequest{Bucket: "examples", Key: "a.txt"})
	check(err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	check(err)
	fmt.Printf("%s\n", text)
	// Output: all of it
}

// With its MD5 a part is checked before the server keeps it.
func ExampleClient_UploadPart_contentMD5() {
	client, stop := start()
	defer stop()
	ctx := context.Background()

	up, err := client.InitiateMultipartUpload(ctx, &oss.InitiateMultipartUploadRequest{Bucket: "examples", Key: "a.txt"})
	check(err)
	sum := md5.Sum([]byte("what was meant"))
	_, err = client.UploadPart(ctx, &oss.UploadPartRequest{
		Bucket: "examples", Key: "a.txt", UploadID: up.UploadID, PartNumber: 1,
		Body: strings.NewReader("what was sent"), ContentMD5: base64.StdEncoding.EncodeToString(sum[:]),
	})
	fmt.Println(errors.Is(err, oss.ErrInvalidDigest))
	// Output: true
}

// An aborted upload is gone, with all its parts.
func ExampleClient_AbortMultipartUpload() {
	client, stop := start()
	defer stop()
	ctx := context.Background()

	up, err := client.InitiateMultipartUpload(ctx, &oss.InitiateMultipartUploadRequest{Bucket: "examples", Key: "a.txt"})
	check(err)
	abort := &oss.AbortMultipartUploadRequest{Bucket: "examples", Key: "a.txt", UploadID: up.UploadID}
	_, err = client.AbortMultipartUpload(ctx, abort)
	fmt.Println(err)
	_, err = client.AbortMultipartUpload(ctx, abort)
	fmt.Println(errors.Is(err, oss.ErrNoSuchUpload))
	// Output:
	// <nil>
	// true
}

// The parts that an upload has, whatever their number.
func ExampleClient_Parts() {
	client, stop := start()
	defer stop()
	ctx := context.Background()

	up, err := client.InitiateMultipartUpload(ctx, &oss.InitiateMultipartUploadRequest{Bucket: "examples", Key: "a.txt"})
	check(err)
	for _, number := range []int{7, 2} {
		_, err = client.UploadPart(ctx, &oss.UploadPartRequest{
			Bucket: "examples", Key: "a.txt", UploadID: up.UploadID, PartNumber: number, Body: strings.NewReader("hello"),
		})
		check(err)
	}
	for part, err := range client.Parts(ctx, "examples", "a.txt", up.UploadID) {
		check(err)
		fmt.Println(part.PartNumber, part.ETag, part.Size)
	}
	// Output:
	// 2 5D41402ABC4B2A76B9719D911017C592 5
	// 7 5D41402ABC4B2A76B9719D911017C592 5
}

// The open uploads of one object, of a bucket, and of a prefix; and how to get
// rid of old ones.
func ExampleClient_Uploads() {
	client, stop := start()
	defer stop()
	ctx := context.Background()
	for _, key := range []string{"log/1", "log/1", "log/10", "photo"} {
		_, err := client.InitiateMultipartUpload(ctx, &oss.InitiateMultipartUploadRequest{Bucket: "examples", Key: key})
		check(err)
	}

	for upload, err := range client.ObjectUploads(ctx, "examples", "log/1") {
		check(err)
		fmt.Println("of the object:", upload.Key)
	}
	for upload, err := range client.Uploads(ctx, "examples", "log/") {
		check(err)
		fmt.Println("of the prefix:", upload.Key)
	}
	for upload, err := range client.Uploads(ctx, "examples", "") {
		check(err)
		fmt.Println("of the bucket:", upload.Key)
		if time.Since(upload.Initiated) < 7*24*time.Hour {
			continue
		}
		_, err = client.AbortMultipartUpload(ctx, &oss.AbortMultipartUploadRequest{Bucket: "examples", Key: upload.Key, UploadID: upload.UploadID})
		check(err)
	}
	// Output:
	// of the object: log/1
	// of the object: log/1
	// of the prefix: log/1
	// of the prefix: log/1
	// of the prefix: log/10
	// of the bucket: log/1
	// of the bucket: log/1
	// of the bucket: log/10
	// of the bucket: photo
}

// A part made of an object that the server has.
func ExampleClient_UploadPartCopy() {
	client, stop := start()
	defer stop()
	ctx := context.Background()
	_, err := client.PutObject(ctx, &oss.PutObjectRequest{Bucket: "examples", Key: "old", Body: strings.NewReader("0123456789")})
	check(err)

	up, err := client.InitiateMultipartUpload(ctx, &oss.InitiateMultipartUploadRequest{Bucket: "examples", Key: "new"})
	check(err)
	part, err := client.UploadPartCopy(ctx, &oss.UploadPartCopyRequest{
		Bucket: "examples", Key: "new", UploadID: up.UploadID, PartNumber: 1,
		Source: oss.CopySource{Bucket: "examples", Key: "old"}, Range: &oss.Range{Offset: 2, Length: 3},
	})
	check(err)
	done, err := client.CompleteMultipartUpload(ctx, &oss.CompleteMultipartUploadRequest{
		Bucket: "examples", Key: "new", UploadID: up.UploadID, Parts: []oss.CompletePart{{PartNumber: 1, ETag: part.ETag}},
	})
	check(err)
	head, err := client.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: "examples", Key: "new"})
	check(err)
	fmt.Println(head.Size, head.ETag == done.ETag)
	// Output: 3 true
}

// An upload that was cancelled, or killed, goes on where it was, from any
// machine that has the file.
func ExampleClient_UploadFile() {
	client, stop := start()
	defer stop()
	dir, err := os.MkdirTemp("", "example")
	check(err)
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "movie.bin")
	check(os.WriteFile(name, make([]byte, 1000<<10), 0o600))

	ctx, cancel := context.WithCancel(context.Background())
	request := &oss.UploadRequest{
		Bucket: "examples", Key: "movie.bin", PartSize: 100 << 10, Parallel: 1,
		Attributes: oss.Attributes{ContentType: "video/mp4"},
		Progress: func(p oss.Progress) {
			if p.Done > 500<<10 {
				cancel() // somebody has had enough
			}
		},
	}
	_, err = client.UploadFile(ctx, name, request)
	fmt.Println(errors.Is(err, context.Canceled))

	request.Progress = nil
	res, err := client.UploadFile(context.Background(), name, request)
	check(err)
	fmt.Println(res.Resumed, res.PartsKept >= 4, res.PartsKept+res.PartsSent)
	// Output:
	// true
	// true true 10
}

// A stream need not tell its length.
func ExampleClient_Upload_stream() {
	client, stop := start()
	defer stop()

	r, w := io.Pipe()
	go func() {
		for range 1000 {
			fmt.Fprintln(w, "a line of a log")
		}
		w.Close()
	}()
	res, err := client.Upload(context.Background(), &oss.UploadRequest{Bucket: "examples", Key: "log", Stream: r})
	check(err)
	fmt.Println(res.Size)
	// Output: 16000
}

// Of a changed file only the parts that changed are sent.
func ExampleClient_Upload_delta() {
	client, stop := start()
	defer stop()
	ctx := context.Background()

	image := make([]byte, 1000<<10)
	request := &oss.UploadRequest{
		Bucket: "examples", Key: "disk.img", Body: bytes.NewReader(image), Size: int64(len(image)), PartSize: 100 << 10, Delta: true,
	}
	_, err := client.Upload(ctx, request)
	check(err)
	copy(image[250<<10:], "a change")
	res, err := client.Upload(ctx, request)
	check(err)
	fmt.Println(res.PartsCopied, "parts copied,", res.PartsSent, "sent")
	// Output: 9 parts copied, 1 sent
}

// A file appears when all of it is there and has the right checksum.
func ExampleClient_DownloadFile() {
	client, stop := start()
	defer stop()
	ctx := context.Background()
	_, err := client.PutObject(ctx, &oss.PutObjectRequest{Bucket: "examples", Key: "a.txt", Body: strings.NewReader("hello")})
	check(err)
	dir, err := os.MkdirTemp("", "example")
	check(err)
	defer os.RemoveAll(dir)

	name := filepath.Join(dir, "a.txt")
	res, err := client.DownloadFile(ctx, name, &oss.DownloadRequest{Bucket: "examples", Key: "a.txt"})
	check(err)
	text, err := os.ReadFile(name)
	check(err)
	fmt.Printf("%s %d %v\n", text, res.Size, res.Verified)
	// Output: hello 5 true
}

// A copy of any size never leaves the server.
func ExampleClient_Copy() {
	client, stop := start()
	defer stop()
	ctx := context.Background()
	_, err := client.PutObject(ctx, &oss.PutObjectRequest{
		Bucket: "examples", Key: "a.txt", Body: strings.NewReader("hello"), Attributes: oss.Attributes{ContentType: "text/plain"},
	})
	check(err)
	_, err = client.Copy(ctx, &oss.CopyRequest{Bucket: "examples", Key: "b.txt", Source: oss.CopySource{Bucket: "examples", Key: "a.txt"}})
	check(err)
	head, err := client.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: "examples", Key: "b.txt"})
	check(err)
	fmt.Println(head.Size, head.ContentType)
	// Output: 5 text/plain
}

// Somebody without a key uploads a part: a browser, or curl.
func ExampleClient_Presign() {
	client, stop := start()
	defer stop()
	ctx := context.Background()
	up, err := client.InitiateMultipartUpload(ctx, &oss.InitiateMultipartUploadRequest{Bucket: "examples", Key: "a.txt"})
	check(err)
	part := &oss.UploadPartRequest{Bucket: "examples", Key: "a.txt", UploadID: up.UploadID, PartNumber: 1}
	u, err := client.Presign(ctx, part, time.Hour)
	check(err)

	req, err := http.NewRequest(u.Method, u.URL, strings.NewReader("from afar"))
	check(err)
	req.Header = u.Header
	resp, err := http.DefaultClient.Do(req)
	check(err)
	resp.Body.Close()
	fmt.Println(resp.StatusCode, resp.Header.Get("ETag") != "")
	http.DefaultClient.CloseIdleConnections()
	// Output: 200 true
}

// Temporary keys are renewed before they end, and when a server says that they
// have: in the middle of an upload, too.
func ExampleRefreshingCredentials() {
	credentials := oss.RefreshingCredentials(func(ctx context.Context) (oss.Credentials, error) {
		// Ask your STS service here.
		return oss.Credentials{
			AccessKeyID: "STS.id", AccessKeySecret: "secret", SecurityToken: "token", Expires: time.Now().Add(time.Hour),
		}, nil
	}, nil)
	_, err := oss.NewClient("oss-cn-hangzhou.aliyuncs.com", oss.WithCredentials(credentials))
	fmt.Println(err)
	// Output: <nil>
}

// What ossutil was configured with, read and never written.
func ExampleLoadProfile() {
	dir, err := os.MkdirTemp("", "example")
	check(err)
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "ossutilconfig")
	check(os.WriteFile(name, []byte("[default]\naccessKeyID=id\naccessKeySecret=secret\nregion=cn-beijing\nendpoint=oss-cn-beijing.aliyuncs.com\n"), 0o600))

	profile, err := oss.LoadProfile(name, "")
	check(err)
	_, err = oss.NewClient(profile.Endpoint, oss.WithProfile(profile))
	fmt.Println(profile.Endpoint, profile.Region, err)
	// Output: oss-cn-beijing.aliyuncs.com cn-beijing <nil>
}

// Errors of a server are compared with errors.Is.
func ExampleError() {
	client, stop := start()
	defer stop()
	_, err := client.HeadObject(context.Background(), &oss.HeadObjectRequest{Bucket: "examples", Key: "nothing"})
	if errors.Is(err, oss.ErrNoSuchKey) {
		var e *oss.Error
		errors.As(err, &e)
		fmt.Println(e.Op, e.Status, e.Code)
	}
	// Output: HeadObject 404 NoSuchKey
}
