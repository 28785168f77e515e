package main

import (
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ossastore/ossa/internal/sign"
)

// subResource sends METHOD KEY?NAME for the bucket "scripts", with a file as
// its body; "" for the bucket itself and "-" for no body.
func subResource(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: subresource METHOD KEY NAME FILE")
	}
	body := ""
	if args[3] != "-" {
		body = ts.ReadFile(args[3])
	}
	method, key, name := args[0], args[1], args[2]
	r := sign.Request{
		Method: method, Bucket: "scripts", Key: key, Host: strings.TrimPrefix(ts.Getenv("URL"), "http://"),
		Query: []sign.Param{{Name: name}},
	}
	sign.SignV4Header(&r, credentials(ts), "cn-hangzhou", time.Now())
	request, err := http.NewRequest(method, ts.Getenv("URL")+"/scripts/"+sign.EscapePath(key)+"?"+name, strings.NewReader(body))
	ts.Check(err)
	request.Header = r.Header
	answer, err := http.DefaultClient.Do(request)
	ts.Check(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	ts.Check(err)
	if answer.StatusCode/100 != 2 {
		ts.Fatalf("%s %s?%s: %s: %s", method, key, name, answer.Status, text)
	}
}
