package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/wire"
	"github.com/ossastore/ossa/oss"
)

// profileEntry is a profile for machines. It has no secrets.
type profileEntry struct {
	Type        string `json:"type"` // profile
	Name        string `json:"name"`
	File        string `json:"file"`
	Endpoint    string `json:"endpoint,omitempty"`
	Region      string `json:"region,omitempty"`
	Mode        string `json:"mode,omitempty"`
	AccessKeyID string `json:"access_key_id,omitempty"`
	Token       bool   `json:"has_token,omitempty"`
	Addressing  string `json:"addressing,omitempty"`
	SignVersion string `json:"sign_version,omitempty"`
	CAFile      string `json:"ca_file,omitempty"`
	Problem     string `json:"problem,omitempty"` // why it cannot be used
	Removed     bool   `json:"removed,omitempty"`
}

func configCommand() *cobra.Command {
	return group("config", "Keep endpoints and access keys in profiles",
		`Keep endpoints and access keys in profiles, which --profile and `+envProfile+` name.
The profile "default" counts where flags and variables leave something open.

Profiles are in a file that only you can read, `+envConfigFile+` or ossa/config in
your directory of configurations, in the form of ossutil 2. Those in the file of
ossutil can be used as well, and are never changed.`,
		configSetCommand(), configLsCommand(), configShowCommand(), configRmCommand())
}

// profileKeys are the flags of config set, and what their values are called in the
// file.
var profileKeys = []struct{ flag, key string }{
	{"endpoint", "endpoint"}, {"region", "region"}, {"access-key-id", "accessKeyID"}, {"sts-token", "stsToken"},
	{"ca-file", "caFile"}, {"addressing", "addressingStyle"}, {"sign-version", "signVersion"}, {"mode", "mode"},
}

func configSetCommand() *cobra.Command {
	var secretFile string
	return localLeaf("set [NAME]", "Make or change a profile", `
Make or change a profile, "default" if none is named. What no flag tells stays as it
is; "" takes a value away. The secret comes from a file or a pipe, so that it
stands neither in the history of a shell nor in a list of processes.`,
		`  ossa config set --endpoint http://127.0.0.1:9000 --region cn-hangzhou \
    --access-key-id "$OSS_ACCESS_KEY_ID" --secret-file - <<< "$OSS_ACCESS_KEY_SECRET"
  ossa config set public --endpoint https://oss-cn-hangzhou.aliyuncs.com --mode Anonymous
  ossa ls --profile public oss://examples`,
		func(flags *pflag.FlagSet) {
			flags.StringP("endpoint", "e", "", "`URL` or host of the server")
			flags.String("region", "", "`region` of the server")
			flags.StringP("access-key-id", "i", "", "access key `ID`")
			flags.StringVar(&secretFile, "secret-file", "", "`file` with the secret of the access key; - is stdin")
			flags.StringP("sts-token", "t", "", "security `token` of a session")
			flags.String("ca-file", "", "PEM `file` of certificates to believe, besides those of the machine")
			flags.String("addressing", "", "`place` of bucket names: path, virtual or cname")
			flags.String("sign-version", "", "`version` of signatures: v4 or v1")
			flags.String("mode", "", "`kind` of credentials: AK, StsToken or Anonymous")
		},
		func(p *printer, command *cobra.Command, args []string) error {
			name, err := profileName(args)
			if err != nil {
				return err
			}
			values, err := p.profileValues(command.Flags(), secretFile)
			if err != nil {
				return err
			}
			file, err := profileFile(os.Getenv)
			if err != nil {
				return err
			}
			err = editProfiles(file, func(e *profileEditor) error {
				for _, v := range values {
					e.set(name, v.key, v.value)
				}
				return nil
			})
			if err != nil {
				return err
			}
			return p.done(describeProfile(file, name), "profile %s is in %s", name, file)
		})
}

// profileName is the argument, or "default".
func profileName(args []string) (string, error) {
	name := defaultProfile
	if len(args) > 0 {
		name = strings.ToLower(args[0])
	}
	odd := func(r rune) bool {
		return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || strings.ContainsRune("._-", r))
	}
	if name == "" || strings.ContainsFunc(name, odd) {
		return "", usagef("%q is no name of a profile: those have letters, digits, dots, hyphens and underscores", name)
	}
	if slices.Contains(sectionsOfOssutil, name) {
		return "", usagef("%q is no name of a profile, as files of ossutil have something else there", name)
	}
	return name, nil
}

// sectionsOfOssutil are what its version 1 has besides, or instead of, profiles.
var sectionsOfOssutil = []string{"credentials", "bucket-endpoint", "bucket-cname", "akservice"}

type profileValue struct{ key, value string }

// profileValues are what the flags say.
func (p *printer) profileValues(flags *pflag.FlagSet, secretFile string) ([]profileValue, error) {
	var values []profileValue
	for _, k := range profileKeys {
		if f := flags.Lookup(k.flag); f.Changed {
			values = append(values, profileValue{k.key, f.Value.String()})
		}
	}
	if secretFile != "" {
		secret, err := p.readSecret(secretFile)
		if err != nil {
			return nil, err
		}
		values = append(values, profileValue{"accessKeySecret", secret})
	}
	for i, v := range values {
		if v.key == "caFile" && v.value != "" {
			path, err := filepath.Abs(v.value) // wherever it is used from
			if err == nil {
				_, err = oss.LoadRootCAs(path)
			}
			if err != nil {
				return nil, usagef("--ca-file: %w", err)
			}
			values[i].value = path
		}
	}
	for _, v := range values {
		if strings.TrimSpace(v.value) != v.value || strings.ContainsFunc(v.value, unicode.IsControl) || !utf8.ValidString(v.value) {
			return nil, usagef("%s: blanks at its ends, control characters and bytes that are not UTF-8 cannot be kept", v.key)
		}
		if v.key == "endpoint" && wire.EndpointText(v.value) != v.value {
			return nil, usagef("endpoint: it has a user name in it; the access key has flags of its own")
		}
	}
	check := map[string]string{"addressingStyle": "path virtual cname", "signVersion": "v1 v4", "mode": "ak ststoken anonymous"}
	for _, v := range values {
		if allowed := check[v.key]; allowed != "" && v.value != "" && !slices.Contains(strings.Fields(allowed), strings.ToLower(v.value)) {
			return nil, usagef("%s: %q is none of %s", v.key, v.value, enumerated(strings.Fields(allowed)))
		}
	}
	return values, nil
}

// maxSecret bounds a secret, in bytes.
const maxSecret = 4 << 10

func (p *printer) readSecret(name string) (string, error) {
	if name == "-" && isTerminalStream(p.stdin) {
		return "", usagef("--secret-file: a secret typed here would be seen; pipe it in, or give a file")
	}
	text, err := p.readFile(name, maxSecret)
	if err != nil {
		return "", fmt.Errorf("--secret-file: %w", err)
	}
	text = bytes.TrimRight(text, "\r\n")
	if len(text) == 0 {
		return "", usagef("--secret-file: %s has no secret", name)
	}
	return string(text), nil
}

// describeProfile tells what a profile has, but for its secrets.
func describeProfile(file, name string) profileEntry {
	e := profileEntry{Type: "profile", Name: name, File: file}
	p, err := oss.LoadProfile(file, name)
	if err != nil {
		e.Problem = strings.TrimPrefix(err.Error(), "oss: ")
		return e
	}
	e.Endpoint, e.Region, e.Mode, e.CAFile = wire.EndpointText(p.Endpoint), p.Region, p.Mode, p.CAFile
	for word, a := range addressings {
		if a == p.Addressing && a != oss.AutoAddressing {
			e.Addressing = word
		}
	}
	if p.Signature == oss.SignatureV1 {
		e.SignVersion = "v1"
	}
	creds, err := p.Credentials(context.Background())
	if err != nil {
		e.Problem = strings.TrimPrefix(err.Error(), "oss: ")
	}
	e.AccessKeyID, e.Token = creds.AccessKeyID, creds.SecurityToken != ""
	return e
}

func configLsCommand() *cobra.Command {
	return localLeaf("ls", "List the profiles",
		"List the profiles, those of ossutil included. Where a name is there twice, the first counts.", "  ossa config ls", nil,
		func(p *printer, _ *cobra.Command, _ []string) error {
			table := p.rows("NAME ENDPOINT REGION KEY FILE")
			defer table.end()
			for _, file := range profileFiles(os.Getenv) {
				names, err := oss.ProfileNames(file)
				if err != nil {
					return err
				}
				for _, name := range names {
					e := describeProfile(file, name)
					if p.json {
						err = p.print(e)
					} else {
						err = table.add(cell(name), e.Endpoint, e.Region, e.AccessKeyID, line(file))
					}
					if err != nil {
						return err
					}
				}
			}
			return table.end()
		})
}

func configShowCommand() *cobra.Command {
	return localLeaf("show [NAME]", "Tell what a profile has",
		"Tell what a profile has, but for its secrets.", "  ossa config show\n  ossa config show public --json", nil,
		func(p *printer, _ *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = strings.ToLower(args[0])
			}
			_, file, err := findProfile(profileFiles(os.Getenv), name)
			if file == "" {
				return err
			}
			e := describeProfile(file, cmp.Or(name, defaultProfile))
			if p.json {
				return p.print(e)
			}
			token, secret := "", ""
			if e.Token {
				token = "set"
			}
			if e.AccessKeyID != "" {
				secret = "set"
			}
			return p.fields("name", e.Name, "file", line(e.File), "endpoint", e.Endpoint, "region", e.Region, "ca-file", line(e.CAFile), "mode", e.Mode,
				"access-key-id", e.AccessKeyID, "access-key-secret", secret, "sts-token", token,
				"addressing", e.Addressing, "sign-version", e.SignVersion, "problem", e.Problem)
		})
}

func configRmCommand() *cobra.Command {
	return localLeaf("rm NAME", "Delete a profile", "Delete a profile of ossa's own file.", "  ossa config rm public", nil,
		func(p *printer, _ *cobra.Command, args []string) error {
			name, err := profileName(args)
			if err != nil {
				return err
			}
			file, err := profileFile(os.Getenv)
			if err != nil {
				return err
			}
			err = editProfiles(file, func(e *profileEditor) error {
				if !e.remove(name) {
					return fmt.Errorf("%w %q in %s", errNoProfile, name, file)
				}
				return nil
			})
			if err != nil {
				return err
			}
			return p.done(profileEntry{Type: "profile", Name: name, File: file, Removed: true}, "profile %s is gone from %s", name, file)
		})
}
