package oss

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Profile is a set of settings in a configuration file of ossutil, version 1 or
// 2. The file is read and never written. What version 1 has for single buckets
// (Bucket-Endpoint, Bucket-Cname) is left out.
type Profile struct {
	Endpoint   string
	Region     string
	Addressing Addressing
	Signature  Signature
	CAFile     string // PEM file of authorities to believe as well, for LoadRootCAs; ossutil has no such thing
	Mode       string // of version 2: AK, StsToken, Anonymous, ...; "" is AK

	credentials *Credentials // by reference, so that no secret is in the text of a Profile
}

// maxConfigFile bounds a configuration file, in bytes.
const maxConfigFile = 1 << 20

// DefaultConfigFile is where ossutil keeps its configuration: .ossutilconfig in
// the home directory, or what OSSUTIL_CONFIG_FILE names.
func DefaultConfigFile() (string, error) {
	if name := os.Getenv("OSSUTIL_CONFIG_FILE"); name != "" {
		return name, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("oss: %w", err)
	}
	return filepath.Join(home, ".ossutilconfig"), nil
}

// LoadProfile reads a profile of a configuration file. name is "" for the default
// one: the section "default" of version 2, or "Credentials" of version 1. file is
// "" for DefaultConfigFile.
func LoadProfile(file, name string) (*Profile, error) {
	data, file, err := readConfigFile(file)
	if err != nil {
		return nil, err
	}
	p, err := parseProfile(data, name)
	if err != nil {
		return nil, fmt.Errorf("oss: configuration file %s: %w", file, err)
	}
	return p, nil
}

// readConfigFile reads a file, "" for the default one, and tells its name.
func readConfigFile(file string) (data []byte, name string, err error) {
	if file == "" {
		if file, err = DefaultConfigFile(); err != nil {
			return nil, "", err
		}
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, file, fmt.Errorf("oss: configuration file: %w", err)
	}
	defer f.Close()

	data, err = io.ReadAll(io.LimitReader(f, maxConfigFile+1))
	if err != nil {
		return nil, file, fmt.Errorf("oss: configuration file: %w", err)
	}
	if len(data) > maxConfigFile {
		return nil, file, fmt.Errorf("oss: configuration file %s is longer than %d bytes", file, maxConfigFile)
	}
	return data, file, nil
}

// ProfileNames lists the profiles of a configuration file, sorted; file is "" for
// DefaultConfigFile. The default one is called "default".
func ProfileNames(file string) ([]string, error) {
	data, file, err := readConfigFile(file)
	if err != nil {
		return nil, err
	}
	sections, err := parseINI(data)
	if err != nil {
		return nil, fmt.Errorf("oss: configuration file %s: %w", file, err)
	}
	var names []string
	for section := range sections {
		name := strings.TrimPrefix(section, "profile ")
		switch section {
		case "credentials":
			name = "default"
		case "bucket-endpoint", "bucket-cname", "akservice": // of version 1, and no profiles
			continue
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Credentials hands out the access key of the profile.
func (p *Profile) Credentials(context.Context) (Credentials, error) {
	switch strings.ToLower(p.Mode) {
	case "", "ak", "ststoken":
	case "anonymous":
		return Credentials{}, nil
	default:
		return Credentials{}, fmt.Errorf("oss: profile with mode %q: only AK, StsToken and Anonymous are supported", p.Mode)
	}
	if p.credentials == nil || p.credentials.AccessKeyID == "" || p.credentials.AccessKeySecret == "" {
		return Credentials{}, errors.New("oss: the profile has no access key")
	}
	return *p.credentials, p.credentials.check()
}

// HasCredentials tells whether the profile says who asks, be it of use or not: by a
// mode, or by any part of an access key.
func (p *Profile) HasCredentials() bool {
	mode := strings.ToLower(p.Mode)
	return p.credentials != nil && *p.credentials != (Credentials{}) || mode != "" && mode != "ak" && mode != "ststoken"
}

// maxProfileDepth bounds the chain of source_profile.
const maxProfileDepth = 8

func parseProfile(data []byte, name string) (*Profile, error) {
	sections, err := parseINI(data)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	next := strings.ToLower(name)
	for depth := 0; ; depth++ {
		if depth == maxProfileDepth {
			return nil, fmt.Errorf("source_profile leads from profile to profile more than %d times", maxProfileDepth)
		}
		section, ok := findProfile(sections, next)
		if !ok {
			return nil, fmt.Errorf("there is no profile %q", next)
		}
		for k, v := range section {
			if _, set := values[k]; !set {
				values[k] = v
			}
		}
		source := section["sourceprofile"]
		if source == "" {
			break
		}
		next = strings.ToLower(source)
	}

	p := &Profile{
		Endpoint: values["endpoint"],
		Region:   values["region"],
		CAFile:   values["cafile"],
		Mode:     values["mode"],
		credentials: &Credentials{
			AccessKeyID:     values["accesskeyid"],
			AccessKeySecret: values["accesskeysecret"],
			SecurityToken:   values["ststoken"],
		},
	}
	switch style := strings.ToLower(values["addressingstyle"]); style {
	case "":
	case "path":
		p.Addressing = PathStyle
	case "virtual":
		p.Addressing = VirtualHost
	case "cname":
		p.Addressing = CNAME
	default:
		return nil, fmt.Errorf("addressing style %q is none of path, virtual and cname", style)
	}
	switch version := strings.ToLower(cmp.Or(values["signversion"], values["signatureversion"])); version {
	case "", "v4", "4":
	case "v1", "1":
		p.Signature = SignatureV1
	default:
		return nil, fmt.Errorf("signature version %q is neither v1 nor v4", version)
	}
	return p, nil
}

func findProfile(sections map[string]map[string]string, name string) (map[string]string, bool) {
	names := []string{"profile " + name, name}
	if name == "" || name == "default" {
		names = []string{"profile default", "default", "credentials"}
	}
	for _, n := range names {
		if s, ok := sections[n]; ok {
			return s, true
		}
	}
	return nil, false
}

// parseINI reads sections of key=value lines. Names of sections and keys do not
// depend on case, and keys not on '-' and '_' either: access-key-id is
// accessKeyID. Lines that begin with # or ; are comments.
func parseINI(data []byte) (map[string]map[string]string, error) {
	sections := map[string]map[string]string{}
	var current map[string]string
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	sc := bufio.NewScanner(bytes.NewReader(data))
	sc.Buffer(nil, maxConfigFile+1)
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[':
			name, found := strings.CutSuffix(line[1:], "]")
			if !found {
				return nil, fmt.Errorf("line %d: a section without ]", n)
			}
			name = strings.Join(strings.Fields(strings.ToLower(name)), " ")
			if sections[name] == nil {
				sections[name] = map[string]string{}
			}
			current = sections[name]
		default:
			key, value, found := strings.Cut(line, "=")
			if !found {
				// Not the line itself: it may be half of a secret.
				return nil, fmt.Errorf("line %d: neither a section nor key=value", n)
			}
			if current == nil {
				return nil, fmt.Errorf("line %d: a value outside of any section", n)
			}
			key = strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(strings.TrimSpace(key)))
			current[key] = strings.TrimSpace(value)
		}
	}
	return sections, sc.Err()
}
