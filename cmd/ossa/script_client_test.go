package main

import (
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// sendRequest sends what whoever has a presigned URL would send.
func sendRequest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: request METHOD URL FILE STATUS [NAME:VALUE...]")
	}
	body := io.Reader(http.NoBody)
	if args[2] != "-" {
		body = strings.NewReader(ts.ReadFile(args[2]))
	}
	address := args[1]
	if file, ok := strings.CutPrefix(address, "@"); ok {
		address = ts.ReadFile(file)
	}
	request, err := http.NewRequest(args[0], strings.TrimSpace(address), body)
	ts.Check(err)
	for _, field := range args[4:] {
		name, value, _ := strings.Cut(field, ":")
		request.Header.Set(name, value)
	}
	answer, err := client(ts).Do(request)
	ts.Check(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	ts.Check(err)
	_, err = ts.Stdout().Write(text)
	ts.Check(err)
	if got := strconv.Itoa(answer.StatusCode); got != args[3] {
		ts.Fatalf("%s %s: status %s, want %s: %s", args[0], args[1], got, args[3], text)
	}
}

var uploadID = regexp.MustCompile(`[0-9A-F]{32}`)

func setUploadID(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: uploadid FILE")
	}
	id := uploadID.FindString(ts.ReadFile(args[0]))
	if id == "" {
		ts.Fatalf("%s has no upload ID", args[0])
	}
	ts.Setenv("UPLOAD", id)
}
