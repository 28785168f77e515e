package main

import (
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/transfer"
	"github.com/ossastore/ossa/oss"
)

// attributeFlags say what objects get besides their bytes.
type attributeFlags struct {
	header, meta, tags []string
	contentType        string
	acl, class         string
	sse, sseKeyID      string
}

func (a *attributeFlags) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&a.contentType, "content-type", "", "`type` of the objects; default by the end of their names")
	flags.StringArrayVar(&a.meta, "meta", nil, "`NAME=VALUE` that an object keeps as x-oss-meta-NAME; can be repeated")
	flags.StringArrayVar(&a.header, "header", nil, "header `'NAME: VALUE'`, such as 'Cache-Control: no-cache'; can be repeated")
	flags.StringArrayVar(&a.tags, "tags", nil, "tags `KEY=VALUE`, with & between; can be repeated")
	flags.StringVar(&a.acl, "acl", "", "`ACL`: default, private, public-read or public-read-write")
	flags.StringVar(&a.class, "storage-class", "", "storage `class`: Standard, IA, Archive, ColdArchive or DeepColdArchive")
	flags.StringVar(&a.sse, "sse", "", "encrypt in the server by an `algorithm`: AES256, KMS or SM4")
	flags.StringVar(&a.sseKeyID, "sse-key-id", "", "`ID` of the key, with --sse KMS")
}

// object reads the flags.
func (a *attributeFlags) object() (transfer.Object, error) {
	var o transfer.Object
	o.ContentType = a.contentType
	o.Metadata = map[string]string{}
	o.Header = http.Header{}
	for _, text := range a.header {
		if err := readHeader(&o, text); err != nil {
			return o, err
		}
	}
	for _, text := range a.meta {
		if err := readMeta(&o, text); err != nil {
			return o, err
		}
	}
	o.Replace = a.contentType != "" || len(a.header) > 0 || len(a.meta) > 0
	for _, text := range a.tags {
		for pair := range strings.SplitSeq(text, "&") {
			key, value, _ := strings.Cut(pair, "=")
			if key == "" {
				return o, usagef("--tags: %q is not KEY=VALUE", pair)
			}
			o.Tags = append(o.Tags, oss.Tag{Key: key, Value: value})
		}
	}
	o.ReplaceTags = len(a.tags) > 0
	var err error
	if o.ACL, err = oneOf("--acl", a.acl, objectACLs); err != nil {
		return o, err
	}
	if o.StorageClass, err = oneOf("--storage-class", a.class, storageClasses); err != nil {
		return o, err
	}
	if o.Encryption.Algorithm, err = oneOf("--sse", a.sse, sseAlgorithms); err != nil {
		return o, err
	}
	if a.sseKeyID != "" && o.Encryption.Algorithm != "KMS" {
		return o, usagef("--sse-key-id goes with --sse KMS")
	}
	o.Encryption.KeyID = a.sseKeyID
	return o, nil
}

const metaPrefix = "x-oss-meta-"

// readHeader takes a header, as it is sent.
func readHeader(o *transfer.Object, text string) error {
	name, value, ok := strings.Cut(text, ":")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	if !ok || name == "" || strings.ContainsAny(text, "\r\n\x00") {
		return usagef("--header: %q is not 'NAME: VALUE'", text)
	}
	switch lower := strings.ToLower(name); {
	case lower == "content-type":
		o.ContentType = value
	case lower == "cache-control":
		o.CacheControl = value
	case lower == "content-disposition":
		o.ContentDisposition = value
	case lower == "content-encoding":
		o.ContentEncoding = value
	case lower == "expires":
		o.Expires = value
	case strings.HasPrefix(lower, metaPrefix):
		o.Metadata[lower[len(metaPrefix):]] = value
	case lower == "authorization", lower == "date", lower == "content-length", lower == "content-md5", lower == "host":
		return usagef("--header: %s is not yours to set", name)
	default:
		http.Header(o.Header).Set(name, value)
	}
	return nil
}

// headersOfObjects are those, in lower case, that objects keep besides metadata.
var headersOfObjects = []string{"content-type", "cache-control", "content-disposition", "content-encoding", "expires"}

// readMeta takes NAME=VALUE, or what ossutil has: headers with # between. There a
// NAME that is no header is metadata, too.
func readMeta(o *transfer.Object, text string) error {
	if i := strings.IndexAny(text, ":="); i >= 0 && text[i] == ':' {
		for header := range strings.SplitSeq(text, "#") {
			name, _, _ := strings.Cut(strings.ToLower(header), ":")
			if name = strings.TrimSpace(name); name != "" && !slices.Contains(headersOfObjects, name) && !strings.HasPrefix(name, "x-oss-") {
				header = metaPrefix + strings.TrimSpace(header)
			}
			if err := readHeader(o, header); err != nil {
				return err
			}
		}
		return nil
	}
	name, value, ok := strings.Cut(text, "=")
	if !ok || name == "" || strings.ContainsAny(text, "\r\n\x00") {
		return usagef("--meta: %q is not NAME=VALUE", text)
	}
	o.Metadata[strings.TrimPrefix(strings.ToLower(name), metaPrefix)] = value
	return nil
}
