package main

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/oss"
)

// urlEntry is a presigned URL for machines.
type urlEntry struct {
	Type       string            `json:"type"` // url
	Method     string            `json:"method"`
	URL        string            `json:"url"`
	Header     map[string]string `json:"header"` // to be sent along, exactly so
	PartNumber int               `json:"part_number,omitempty"`
	Expires    time.Time         `json:"expires"`
}

// presigner is presign under way.
type presigner struct {
	*clientSession
	object    location
	operation string
	uploadID  string
	parts     string
	headers   []string
	versionID string
}

// maxValidity bounds how long a URL is good for.
const maxValidity = 7 * 24 * time.Hour

var presignOperations = []string{"get", "put", "head", "delete", "initiate", "upload-part", "list-parts", "complete", "abort"}

func presignCommand() *cobra.Command {
	p := &presigner{}
	expires, seconds := "", 0
	var timeout *pflag.Flag
	return clientLeaf("presign oss://BUCKET/KEY", "Sign URLs that others can use without a key", `
Sign a URL with which whoever has it can send one kind of request, until it
expires: download an object, upload it, or take part in a multipart upload. With
--parts there is one URL for each part, so that a browser or curl can upload them.

What --header gives is signed as well and must be sent exactly so. A URL is printed
on stdout, the headers that belong to it on stderr.`,
		`  ossa presign oss://builds/movie.bin
  curl -T movie.bin "$(ossa presign --method PUT --expires 1h oss://builds/movie.bin)"
  curl -X POST "$(ossa presign --operation initiate oss://builds/movie.bin)"      # tells an upload ID
  ossa presign --operation upload-part --upload-id ID --parts 1-3 oss://builds/movie.bin
  curl -X POST -H 'x-oss-complete-all: yes' \
    "$(ossa presign --operation complete --upload-id ID --header x-oss-complete-all:yes oss://builds/movie.bin)"`,
		func(flags *pflag.FlagSet) {
			flags.StringVar(&p.operation, "operation", "", "`operation`: "+strings.Join(presignOperations, ", ")+" (default get)")
			flags.StringVar(&p.operation, "method", "", "`method`, the same for GET, PUT, HEAD and DELETE")
			flags.StringVar(&expires, "expires", "", "`time` that it is good for, at most 7d (default 15m)")
			flags.IntVar(&seconds, "timeout", 0, "the same in `seconds` (for ossutil's sake)")
			timeout = flags.Lookup("timeout")
			flags.StringVar(&p.uploadID, "upload-id", "", "`ID` of the upload")
			flags.StringVar(&p.parts, "parts", "", "`numbers` of parts, such as 1 or 1-10")
			flags.StringArrayVar(&p.headers, "header", nil, "header `'NAME: VALUE'` that the request must have; can be repeated")
			flags.StringVar(&p.versionID, "version-id", "", "`ID` of a version")
		},
		func(s *clientSession) (err error) {
			p.clientSession = s
			validity := 15 * time.Minute
			switch {
			case expires != "" && timeout.Changed:
				return usagef("--expires and --timeout are the same; give one")
			case expires != "":
				validity, err = parseAge("--expires", expires)
			case timeout.Changed && (seconds < 1 || seconds > int(maxValidity/time.Second)):
				return usagef("--timeout: %d is not between 1 and %d", seconds, int(maxValidity/time.Second))
			case timeout.Changed:
				validity = time.Duration(seconds) * time.Second
			}
			if err != nil {
				return err
			}
			if validity < time.Second || validity > maxValidity {
				return usagef("--expires: %v is not between 1s and 7d", validity)
			}
			if p.object, err = parseObjectLocation(s.args[0]); err != nil {
				return err
			}
			return p.run(validity)
		})
}

func (p *presigner) run(validity time.Duration) error {
	first, last, err := p.numbers()
	if err != nil {
		return err
	}
	for number := first; number <= last; number++ {
		request, err := p.request(number)
		if err != nil {
			return err
		}
		u, err := p.client.Presign(p.ctx, request, validity)
		if err != nil {
			return err
		}
		if err := p.tell(u, number); err != nil {
			return err
		}
	}
	return nil
}

// numbers are the parts that are asked for; 0 for none.
func (p *presigner) numbers() (first, last int, err error) {
	if p.parts == "" {
		return 0, 0, nil
	}
	from, to, many := strings.Cut(p.parts, "-")
	first, err = strconv.Atoi(from)
	last = first
	if err == nil && many {
		last, err = strconv.Atoi(to)
	}
	if err != nil || first < 1 || last < first || last > oss.MaxParts {
		return 0, 0, usagef("--parts: %q is not a number from 1 to %d, or FIRST-LAST", p.parts, oss.MaxParts)
	}
	return first, last, nil
}

// headersOfSigning are those, in lower case, that the URL has, or the client itself
// sets.
var headersOfSigning = []string{"authorization", "host", "date", "content-length", "x-oss-date", "x-oss-security-token"}

// request is what the URL is for.
func (p *presigner) request(number int) (oss.Request, error) {
	header := http.Header{}
	for _, text := range p.headers {
		name, value, found := strings.Cut(text, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		control := func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
		switch {
		case !found || name == "" || strings.ContainsAny(name, " \t\"(),/;<=>?@[\\]{}") || strings.ContainsFunc(text, control):
			return nil, usagef("--header: %q is not 'NAME: VALUE'", text)
		case slices.Contains(headersOfSigning, strings.ToLower(name)):
			return nil, usagef("--header: %s is not yours to set", name)
		}
		header.Set(name, value)
	}
	bucket, key := p.object.Bucket, p.object.Key
	operation := strings.ToLower(cmp.Or(p.operation, "get"))
	switch operation {
	case "upload-part", "list-parts", "complete", "abort":
		if p.uploadID == "" {
			return nil, usagef("%s needs --upload-id", operation)
		}
	default:
		if p.uploadID != "" {
			return nil, usagef("--upload-id: %s has none", operation)
		}
	}
	if p.versionID != "" && !slices.Contains([]string{"get", "head", "delete"}, operation) {
		return nil, usagef("--version-id: %s has none", operation)
	}
	if (operation == "upload-part") != (number > 0) {
		return nil, usagef("upload-part needs --parts, and nothing else does")
	}
	switch operation {
	case "get":
		return &oss.GetObjectRequest{Bucket: bucket, Key: key, VersionID: p.versionID, Header: header}, nil
	case "head":
		return &oss.HeadObjectRequest{Bucket: bucket, Key: key, VersionID: p.versionID, Header: header}, nil
	case "put":
		return &oss.PutObjectRequest{Bucket: bucket, Key: key, Header: header}, nil
	case "delete":
		return &oss.DeleteObjectRequest{Bucket: bucket, Key: key, VersionID: p.versionID, Header: header}, nil
	case "initiate":
		return &oss.InitiateMultipartUploadRequest{Bucket: bucket, Key: key, Header: header}, nil
	case "upload-part":
		return &oss.UploadPartRequest{Bucket: bucket, Key: key, UploadID: p.uploadID, PartNumber: number, Header: header}, nil
	case "list-parts":
		return &oss.ListPartsRequest{Bucket: bucket, Key: key, UploadID: p.uploadID, Header: header}, nil
	case "complete":
		return &oss.CompleteMultipartUploadRequest{Bucket: bucket, Key: key, UploadID: p.uploadID, Header: header}, nil
	case "abort":
		return &oss.AbortMultipartUploadRequest{Bucket: bucket, Key: key, UploadID: p.uploadID, Header: header}, nil
	}
	if strings.EqualFold(p.operation, http.MethodPost) {
		return nil, usagef("POST is sent to begin and to complete an upload: --operation initiate or complete")
	}
	return nil, usagef("--operation: %q is none of %s", p.operation, enumerated(presignOperations))
}

func (p *presigner) tell(u *oss.PresignedURL, number int) error {
	header := make(map[string]string, len(u.Header))
	for name := range u.Header {
		header[name] = u.Header.Get(name)
	}
	if p.json {
		return p.print(urlEntry{"url", u.Method, u.URL, header, number, u.Expires})
	}
	if !p.quiet {
		for _, name := range slices.Sorted(maps.Keys(header)) {
			fmt.Fprintf(p.stderr, "%s: %s\n", name, header[name])
		}
	}
	return p.writeLine(u.URL)
}
