package main

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/transfer"
	"github.com/ossastore/ossa/oss"
)

// tagEntry is a tag for machines.
type tagEntry struct {
	Type   string `json:"type"` // tag
	Bucket string `json:"bucket"`
	Key    string `json:"key,omitempty"`
	Name   string `json:"name"`
	Value  string `json:"value"`
}

func tagCommand() *cobra.Command {
	return group("tag", "List, set and remove tags of buckets and objects",
		"Names with values that buckets and objects have, for policies and lifecycle rules.",
		tagGetCommand(), tagSetCommand(), tagRmCommand())
}

func (s *clientSession) tags(ctx context.Context, l location) ([]oss.Tag, error) {
	var res *oss.TaggingResult
	var err error
	if l.Key == "" {
		res, err = s.client.GetBucketTagging(ctx, &oss.GetBucketTaggingRequest{Bucket: l.Bucket})
	} else {
		res, err = s.client.GetObjectTagging(ctx, &oss.GetObjectTaggingRequest{Bucket: l.Bucket, Key: l.Key})
	}
	var refusal *oss.Error
	if errors.As(err, &refusal) && refusal.Code == "NoSuchTagSet" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return res.Tags, nil
}

func (s *clientSession) putTags(ctx context.Context, l location, tags []oss.Tag) (err error) {
	switch {
	case l.Key == "" && len(tags) == 0:
		_, err = s.client.DeleteBucketTagging(ctx, &oss.DeleteBucketTaggingRequest{Bucket: l.Bucket})
	case l.Key == "":
		_, err = s.client.PutBucketTagging(ctx, &oss.PutBucketTaggingRequest{Bucket: l.Bucket, Tags: tags})
	case len(tags) == 0:
		_, err = s.client.DeleteObjectTagging(ctx, &oss.DeleteObjectTaggingRequest{Bucket: l.Bucket, Key: l.Key})
	default:
		_, err = s.client.PutObjectTagging(ctx, &oss.PutObjectTaggingRequest{Bucket: l.Bucket, Key: l.Key, Tags: tags})
	}
	return err
}

// tellTags prints tags.
func (s *clientSession) tellTags(l location, tags []oss.Tag) error {
	table := s.rows("NAME VALUE")
	defer table.end()
	for _, t := range tags {
		var err error
		if s.json {
			err = s.print(tagEntry{"tag", l.Bucket, l.Key, t.Key, t.Value})
		} else {
			err = table.add(cell(t.Key), line(t.Value))
		}
		if err != nil {
			return err
		}
	}
	return table.end()
}

func tagGetCommand() *cobra.Command {
	command := clientLeaf("get oss://BUCKET[/KEY]", "List the tags of a bucket or an object",
		"List the tags of a bucket or an object.", `  ossa tag get oss://builds/movie.bin`, nil,
		func(s *clientSession) error {
			l, err := parseRemote(s.args[0])
			if err != nil {
				return err
			}
			tags, err := s.tags(s.ctx, l)
			if err != nil {
				return err
			}
			return s.tellTags(l, tags)
		})
	command.Aliases = []string{"ls"}
	return command
}

// putTag sets a tag in a list.
func putTag(tags []oss.Tag, tag oss.Tag) []oss.Tag {
	for i := range tags {
		if tags[i].Key == tag.Key {
			tags[i].Value = tag.Value
			return tags
		}
	}
	return append(tags, tag)
}

// tagAction is what tag set and tag rm do, in reports.
const tagAction transfer.Action = "tag"

// retag gives something other tags than it has, and tells so.
func (r *recursion) retag(ctx context.Context, l location, keeps bool, change func([]oss.Tag) []oss.Tag) error {
	var tags []oss.Tag
	if keeps {
		var err error
		if tags, err = r.tags(ctx, l); err != nil {
			return err
		}
	}
	tags = change(tags)
	if err := r.putTags(ctx, l, tags); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counted()
	if r.json {
		return r.tellTags(l, tags)
	}
	r.say("%s has %s", line(l.String()), plural(len(tags), "tag"))
	return nil
}

// retagAll is retag for an argument.
func (r *recursion) retagAll(keeps bool, change func([]oss.Tag) []oss.Tag) error {
	l, err := parseRemote(r.args[0])
	if err != nil {
		return err
	}
	retag := func(ctx context.Context, l location) error { return r.retag(ctx, l, keeps, change) }
	if r.recursive {
		return r.over(l, "Change the tags", tagAction, retag)
	}
	return retag(r.ctx, l)
}

func tagSetCommand() *cobra.Command {
	r := &recursion{work: work{command: "tag-set"}}
	add := false
	command := clientLeaf("set oss://BUCKET[/KEY] NAME=VALUE...", "Set the tags of a bucket, an object, or many", `
Set the tags of a bucket or an object: those that are given, and no others. With --add
those that are there stay, or get another value. OSS has no operation for that: tags
that somebody else sets at the same time may be lost.

With -r the tags of all objects are set whose keys begin so, and not those of the
bucket. On a terminal you are asked first, unless -f is given; what cannot be done
does not hold up the rest, and a report lists it.`,
		`  ossa tag set oss://builds/movie.bin kind=movie owner=ci
  ossa tag set oss://builds/movie.bin 'kind=movie&owner=ci'
  ossa tag set --add oss://builds team=storage
  ossa tag set --add -r oss://builds/nightly/ keep=no`,
		func(flags *pflag.FlagSet) {
			flags.BoolVar(&add, "add", false, "keep the tags that are there")
			r.addFlags(flags)
		},
		func(s *clientSession) error {
			if err := r.begin(s); err != nil {
				return err
			}
			var given []oss.Tag
			for text := range strings.SplitSeq(strings.Join(s.args[1:], "&"), "&") { // no tag has an & in it
				name, value, _ := strings.Cut(text, "=")
				if name == "" {
					return usagef("%q is not NAME=VALUE", text)
				}
				given = putTag(given, oss.Tag{Key: name, Value: value})
			}
			return r.retagAll(add, func(tags []oss.Tag) []oss.Tag {
				for _, tag := range given {
					tags = putTag(tags, tag)
				}
				return tags
			})
		})
	command.Aliases = []string{"put"}
	return command
}

func tagRmCommand() *cobra.Command {
	r := &recursion{work: work{command: "tag-rm"}}
	return clientLeaf("rm oss://BUCKET[/KEY] [NAME...]", "Remove tags of a bucket, an object, or many", `
Remove the tags that are named from a bucket or an object, or all of them; with -r
from all objects whose keys begin so, and not from the bucket.`,
		`  ossa tag rm oss://builds/movie.bin
  ossa tag rm oss://builds team
  ossa tag rm -r oss://builds/nightly/ keep`, r.addFlags,
		func(s *clientSession) error {
			if err := r.begin(s); err != nil {
				return err
			}
			names := s.args[1:]
			if slices.Contains(names, "") {
				return usagef("a name is empty; is a variable not set?")
			}
			return r.retagAll(len(names) > 0, func(tags []oss.Tag) []oss.Tag {
				return slices.DeleteFunc(tags, func(t oss.Tag) bool { return slices.Contains(names, t.Key) })
			})
		})
}
