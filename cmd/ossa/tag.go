package main

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

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

func (s *clientSession) tags(l location) ([]oss.Tag, error) {
	var res *oss.TaggingResult
	var err error
	if l.Key == "" {
		res, err = s.client.GetBucketTagging(s.ctx, &oss.GetBucketTaggingRequest{Bucket: l.Bucket})
	} else {
		res, err = s.client.GetObjectTagging(s.ctx, &oss.GetObjectTaggingRequest{Bucket: l.Bucket, Key: l.Key})
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

func (s *clientSession) putTags(l location, tags []oss.Tag) (err error) {
	switch {
	case l.Key == "" && len(tags) == 0:
		_, err = s.client.DeleteBucketTagging(s.ctx, &oss.DeleteBucketTaggingRequest{Bucket: l.Bucket})
	case l.Key == "":
		_, err = s.client.PutBucketTagging(s.ctx, &oss.PutBucketTaggingRequest{Bucket: l.Bucket, Tags: tags})
	case len(tags) == 0:
		_, err = s.client.DeleteObjectTagging(s.ctx, &oss.DeleteObjectTaggingRequest{Bucket: l.Bucket, Key: l.Key})
	default:
		_, err = s.client.PutObjectTagging(s.ctx, &oss.PutObjectTaggingRequest{Bucket: l.Bucket, Key: l.Key, Tags: tags})
	}
	return err
}

// tellTags prints tags.
func (s *clientSession) tellTags(l location, tags []oss.Tag) error {
	table := s.rows("NAME VALUE")
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
			tags, err := s.tags(l)
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

func tagSetCommand() *cobra.Command {
	add := false
	command := clientLeaf("set oss://BUCKET[/KEY] NAME=VALUE...", "Set the tags of a bucket or an object", `
Set the tags of a bucket or an object: those that are given, and no others. With --add
those that are there stay, or get another value. OSS has no operation for that: tags
that somebody else sets at the same time may be lost.`,
		`  ossa tag set oss://builds/movie.bin kind=movie owner=ci
  ossa tag set --add oss://builds team=storage`,
		func(flags *pflag.FlagSet) {
			flags.BoolVar(&add, "add", false, "keep the tags that are there")
		},
		func(s *clientSession) error {
			l, err := parseRemote(s.args[0])
			if err != nil {
				return err
			}
			var tags []oss.Tag
			if add {
				if tags, err = s.tags(l); err != nil {
					return err
				}
			}
			for _, text := range s.args[1:] {
				name, value, _ := strings.Cut(text, "=")
				if name == "" {
					return usagef("%q is not NAME=VALUE", text)
				}
				tags = putTag(tags, oss.Tag{Key: name, Value: value})
			}
			if err := s.putTags(l, tags); err != nil {
				return err
			}
			if s.json {
				return s.tellTags(l, tags)
			}
			s.say("%s has %s", line(l.String()), plural(len(tags), "tag"))
			return nil
		})
	command.Aliases = []string{"put"}
	return command
}

func tagRmCommand() *cobra.Command {
	return clientLeaf("rm oss://BUCKET[/KEY] [NAME...]", "Remove tags of a bucket or an object",
		"Remove the tags that are named from a bucket or an object, or all of them.",
		`  ossa tag rm oss://builds/movie.bin
  ossa tag rm oss://builds team`, nil,
		func(s *clientSession) error {
			l, err := parseRemote(s.args[0])
			if err != nil {
				return err
			}
			var tags []oss.Tag
			if names := s.args[1:]; len(names) > 0 {
				if tags, err = s.tags(l); err != nil {
					return err
				}
				tags = slices.DeleteFunc(tags, func(t oss.Tag) bool { return slices.Contains(names, t.Key) })
			}
			if err := s.putTags(l, tags); err != nil {
				return err
			}
			if s.json {
				return s.tellTags(l, tags)
			}
			s.say("%s has %s", line(l.String()), plural(len(tags), "tag"))
			return nil
		})
}
