package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// statement is one of the example policies.
type statement struct {
	Effect   string
	Action   []string
	Resource []string
}

// examplePolicy is a policy that users expect to find.
type examplePolicy struct {
	name  string
	about string
	// statements of a bucket, "*" for all of them.
	statements func(bucket string) []statement
}

func oneStatement(actions []string, onBucket, onObjects bool) func(string) []statement {
	return func(bucket string) []statement {
		var resources []string
		if onBucket {
			resources = append(resources, "acs:oss:*:*:"+bucket)
		}
		if onObjects {
			resources = append(resources, "acs:oss:*:*:"+bucket+"/*")
		}
		return []statement{{"Allow", actions, resources}}
	}
}

var examplePolicies = []examplePolicy{
	{"read-only", "list a bucket and read its objects",
		oneStatement([]string{"oss:Get*", "oss:List*"}, true, true)},
	{"upload-only", "upload objects, in parts or whole, with tags; not read, list, abort or delete",
		oneStatement([]string{"oss:PutObject", "oss:PutObjectTagging"}, false, true)},
	{"read-write", "read, upload, list, delete, and look after open uploads; no configuration",
		func(bucket string) []statement {
			return []statement{
				{"Allow", []string{"oss:ListObjects", "oss:ListMultipartUploads", "oss:GetBucketInfo", "oss:GetBucketLocation"}, []string{"acs:oss:*:*:" + bucket}},
				{"Allow", []string{
					"oss:GetObject", "oss:PutObject", "oss:DeleteObject", "oss:AbortMultipartUpload", "oss:ListParts",
					"oss:GetObjectTagging", "oss:PutObjectTagging", "oss:DeleteObjectTagging", "oss:RestoreObject",
				}, []string{"acs:oss:*:*:" + bucket + "/*"}},
			}
		}},
	{"bucket-admin", "everything with a bucket",
		oneStatement([]string{"oss:*"}, true, true)},
	{"user-admin", "look after users, keys and policies: whoever has it can give itself any right",
		func(string) []statement {
			return []statement{{"Allow", []string{"ram:*"}, []string{"acs:ram:*:*:*"}}}
		}},
	{"sessions", "begin sessions of one's own",
		func(string) []statement {
			return []statement{{"Allow", []string{"sts:AssumeRole"}, []string{"acs:ram:*:*:user/*"}}}
		}},
}

func policyExampleCommand() *cobra.Command {
	bucket := ""
	about := &strings.Builder{}
	for _, e := range examplePolicies {
		fmt.Fprintf(about, "  %-14s%s\n", e.name, e.about)
	}
	command := &cobra.Command{
		Use:   "example [NAME]",
		Short: "Print a policy that is a start",
		Long:  "Print a policy that is a start. Without a name, list those that there are:\n\n" + strings.TrimRight(about.String(), "\n") + "\n\n" + statusHelp,
		Example: `  ossa admin policy example
  ossa admin policy example upload-only --bucket builds`,
		Args: func(command *cobra.Command, args []string) error {
			return wantArguments(command, []string{"[NAME]"}, args)
		},
		RunE: func(command *cobra.Command, args []string) error {
			if len(args) == 0 {
				_, err := fmt.Fprint(command.OutOrStdout(), strings.ReplaceAll("\n"+about.String(), "\n  ", "\n")[1:])
				return err
			}
			i := slices.IndexFunc(examplePolicies, func(e examplePolicy) bool { return e.name == args[0] })
			if i < 0 {
				return usagef("there is no example %q; ossa admin policy example lists them", args[0])
			}
			text, err := examplePolicies[i].document(bucket)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(command.OutOrStdout(), "%s\n", text)
			return err
		},
	}
	command.Flags().StringVar(&bucket, "bucket", "*", "`bucket` that it is about; default all of them")
	return command
}

func (e *examplePolicy) document(bucket string) ([]byte, error) {
	return json.MarshalIndent(struct {
		Version   string
		Statement []statement
	}{"1", e.statements(bucket)}, "", "  ")
}
