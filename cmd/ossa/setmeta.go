package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/transfer"
	"github.com/ossastore/ossa/oss"
)

// metadataEntry is the metadata that an object has now, for machines.
type metadataEntry struct {
	Type               string            `json:"type"` // metadata
	Bucket             string            `json:"bucket"`
	Key                string            `json:"key"`
	Changed            bool              `json:"changed"`
	ContentType        string            `json:"content_type,omitempty"`
	CacheControl       string            `json:"cache_control,omitempty"`
	ContentDisposition string            `json:"content_disposition,omitempty"`
	ContentEncoding    string            `json:"content_encoding,omitempty"`
	Expires            string            `json:"expires,omitempty"`
	Metadata           map[string]string `json:"metadata,omitempty"`
}

// metaAction is what set-meta does, in reports.
const metaAction transfer.Action = "set-meta"

// setMeta is set-meta under way.
type setMeta struct {
	recursion
	update, remove bool
	changes        []metaChange
}

func setMetaCommand() *cobra.Command {
	m := &setMeta{recursion: recursion{work: work{command: "set-meta"}}}
	return clientLeaf("set-meta oss://BUCKET/KEY NAME:VALUE...", "Change the metadata of objects", `
Give an object, or with -r all objects whose keys begin so, other metadata:
Content-Type, Cache-Control, Content-Disposition, Content-Encoding, Expires and
x-oss-meta-*. They are those that are given and no others; with --update those
that are there stay, or get another value; with --delete NAMES are taken away.
Several can be in one argument, with # between, as ossutil has them.

An object gets them by being copied onto itself in the server, which is how OSS does it:
bytes, ACL, tags, storage class and encryption stay, and its time of modification
becomes now. Objects that the server does not copy in one request, as they are
larger than 5 GiB or what it takes, are copied in parts, which takes a while and
changes their ETag. Objects that have the metadata already are left alone.
Symbolic links and objects that can be appended to would be that no more, and are
refused. With versioning, a new version is made.

With -r on a terminal you are asked first, unless -f is given; what cannot be done
does not hold up the rest, and a report lists it.`,
		`  ossa set-meta oss://www/index.html Cache-Control:no-cache --update
  ossa set-meta -r oss://www/img/ 'Cache-Control: max-age=86400' x-oss-meta-owner:web --update
  ossa set-meta oss://www/index.html x-oss-meta-owner Expires --delete
  ossa set-meta oss://www/feed Content-Type:application/rss+xml`,
		func(flags *pflag.FlagSet) {
			flags.BoolVarP(&m.update, "update", "u", false, "keep what is not given")
			flags.BoolVar(&m.remove, "delete", false, "take away what is named")
			m.addFlags(flags)
		},
		func(s *clientSession) error {
			if err := m.begin(s); err != nil {
				return err
			}
			l, err := parseRemote(s.args[0])
			if err == nil && !m.recursive {
				l, err = parseObjectLocation(s.args[0])
			}
			if err != nil {
				return err
			}
			if m.update && m.remove {
				return usagef("--update and --delete do not go together")
			}
			if m.changes, err = parseMetaChanges(s.args[1:], m.remove); err != nil {
				return err
			}
			if m.recursive {
				return m.over(l, "Change the metadata", metaAction, m.change)
			}
			return m.change(s.ctx, l)
		})
}

// metaChange is a name and, unless it is taken away, its value.
type metaChange struct{ name, value string }

// nextMeta is where one argument has another name and value.
var nextMeta = regexp.MustCompile(`#[A-Za-z0-9-]+:`)

// parseMetaChanges reads NAME:VALUE, or names alone.
func parseMetaChanges(args []string, namesOnly bool) ([]metaChange, error) {
	var changes []metaChange
	add := func(text string) error {
		name, value, found := strings.Cut(text, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case namesOnly && found:
			return usagef("--delete: %q has a value, and names are enough", text)
		case !namesOnly && (!found || value == ""):
			return usagef("%q is not NAME:VALUE; --delete takes names away", text)
		case strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }):
			return usagef("%q has control characters, which a header cannot have", text)
		}
		if err := (metaChange{name, value}).apply(&oss.Attributes{}); err != nil {
			return err
		}
		changes = append(changes, metaChange{name, value})
		return nil
	}
	for _, arg := range args {
		texts := strings.Split(arg, "#")
		if !namesOnly {
			texts = nil
			for at := nextMeta.FindStringIndex(arg); at != nil; at = nextMeta.FindStringIndex(arg) {
				texts, arg = append(texts, arg[:at[0]]), arg[at[0]+1:]
			}
			texts = append(texts, arg)
		}
		for _, text := range texts {
			if err := add(text); err != nil {
				return nil, err
			}
		}
	}
	return changes, nil
}

// apply changes attributes; "" takes away.
func (c metaChange) apply(a *oss.Attributes) error {
	field := map[string]*string{
		"content-type": &a.ContentType, "cache-control": &a.CacheControl, "content-disposition": &a.ContentDisposition,
		"content-encoding": &a.ContentEncoding, "expires": &a.Expires,
	}[c.name]
	meta, isMeta := strings.CutPrefix(c.name, metaPrefix)
	switch {
	case field != nil:
		*field = c.value
	case isMeta && meta != "" && c.value == "":
		delete(a.Metadata, meta)
	case isMeta && meta != "":
		if a.Metadata == nil {
			a.Metadata = map[string]string{}
		}
		a.Metadata[meta] = c.value
	default:
		return usagef("%s is none of Content-Type, Cache-Control, Content-Disposition, Content-Encoding, Expires and x-oss-meta-*%s", c.name, metaElsewhere[c.name])
	}
	return nil
}

// metaElsewhere is where attributes are changed that are not metadata.
var metaElsewhere = map[string]string{
	"x-oss-object-acl":             "; ossa acl set sets the ACL",
	"x-oss-tagging":                "; ossa tag set sets tags",
	"x-oss-storage-class":          "; ossa cp oss://B/K oss://B/K --storage-class sets the storage class",
	"x-oss-server-side-encryption": "; ossa cp oss://B/K oss://B/K --sse encrypts",
}

// wanted is what an object is to have.
func (m *setMeta) wanted(has oss.Attributes) oss.Attributes {
	wants := oss.Attributes{StorageClass: cmp.Or(has.StorageClass, oss.StorageStandard), Encryption: has.Encryption}
	if m.update || m.remove {
		class := wants.StorageClass
		wants = has
		wants.StorageClass, wants.Metadata = class, maps.Clone(has.Metadata)
	}
	for _, c := range m.changes {
		c.apply(&wants) // which was tried before
	}
	return wants
}

// change gives an object its metadata.
func (m *setMeta) change(ctx context.Context, l location) error {
	info, err := m.client.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: l.Bucket, Key: l.Key})
	if err != nil {
		return err
	}
	wants := m.wanted(info.Attributes)
	e := metadataEntry{
		"metadata", l.Bucket, l.Key, !sameMetadata(&wants, &info.Attributes), wants.ContentType, wants.CacheControl,
		wants.ContentDisposition, wants.ContentEncoding, wants.Expires, wants.Metadata,
	}
	if !e.Changed {
		return m.succeed(e, "%s has it already", line(l.String()))
	}
	if info.Type == "Symlink" || info.Type == "Appendable" {
		return &unfitError{fmt.Sprintf("%s is of the type %s, and would be that no more", line(l.String()), info.Type)}
	}
	header := http.Header{}
	if language := info.Header.Get(contentLanguage); language != "" && (m.update || m.remove) {
		header.Set(contentLanguage, language) // which is no attribute that can be changed, and stays
	}
	if err := m.copyOntoItself(ctx, l, info, wants, header); err != nil {
		return err
	}
	return m.succeed(e, "%s has other metadata", line(l.String()))
}

const contentLanguage = "Content-Language"

func sameMetadata(a, b *oss.Attributes) bool {
	return a.ContentType == b.ContentType && a.CacheControl == b.CacheControl && a.ContentDisposition == b.ContentDisposition &&
		a.ContentEncoding == b.ContentEncoding && a.Expires == b.Expires && maps.Equal(a.Metadata, b.Metadata)
}

const (
	// copyLimit is the largest object that any server copies in one request, and
	// safeCopy the largest one that all of them do.
	copyLimit = 5 << 30
	safeCopy  = 1 << 30
)

// copyOntoItself gives an object attributes. Its ACL would not be carried over,
// and so is asked for.
func (m *setMeta) copyOntoItself(ctx context.Context, l location, info *oss.ObjectInfo, wants oss.Attributes, header http.Header) error {
	acl, err := m.client.GetObjectACL(ctx, &oss.GetObjectACLRequest{Bucket: l.Bucket, Key: l.Key})
	if err != nil {
		return err
	}
	itself := oss.CopySource{Bucket: l.Bucket, Key: l.Key}
	if info.Size <= copyLimit {
		_, err := m.client.CopyObject(ctx, &oss.CopyObjectRequest{
			Bucket: l.Bucket, Key: l.Key, Source: itself, Conditions: oss.Conditions{IfMatch: info.ETag},
			ReplaceMetadata: true, Attributes: wants, ACL: acl.ACL, Header: header,
		})
		var refusal *oss.Error
		if tooLarge := info.Size > safeCopy && errors.As(err, &refusal) && refusal.Status == http.StatusBadRequest; !tooLarge {
			return err
		}
	}
	_, err = m.client.Copy(ctx, &oss.CopyRequest{
		Bucket: l.Bucket, Key: l.Key, Source: itself, ReplaceMetadata: true, Attributes: wants, ACL: acl.ACL, Header: header,
	})
	return err
}
