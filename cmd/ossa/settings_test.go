package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Settings come from flags, variables and profiles in the order that docs/cli.md
// tells, to the client and the doctor alike.
func TestSettings(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "config")
	text := `[default]
endpoint=http://default
region=default-region
accessKeyID=default-id
accessKeySecret=default-secret
[profile session]
endpoint=http://session
accessKeyID=session-id
accessKeySecret=session-secret
stsToken=session-token
mode=StsToken
addressingStyle=path
signVersion=v1
[profile public]
endpoint=http://public
mode=Anonymous
[profile empty]
region=empty-region
[profile odd]
accessKeyID=odd-id
accessKeySecret=two words
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("OSSUTIL_CONFIG_FILE", filepath.Join(dir, "none"))
	const allVariables = "OSS_ENDPOINT=http://env OSS_REGION=env-region OSS_ACCESS_KEY_ID=env-id OSS_ACCESS_KEY_SECRET=env-secret OSS_SESSION_TOKEN=env-token"
	for _, c := range []struct {
		name      string
		flags     clientConfig
		variables string
		want      string // endpoint, region, ID, secret, token and where they came from
		refused   string // by the client
	}{
		{"variables", clientConfig{}, allVariables,
			"http://env(OSS_ENDPOINT) env-region(OSS_REGION) env-id(OSS_ACCESS_KEY_ID) env-secret(OSS_ACCESS_KEY_SECRET) env-token(OSS_SESSION_TOKEN)", ""},
		{"flags win", clientConfig{endpoint: "http://flag", region: "flag-region", keyID: "flag-id", secret: "flag-secret", token: "flag-token"}, allVariables,
			"http://flag(--endpoint) flag-region(--region) flag-id(--access-key-id) flag-secret(--access-key-secret) flag-token(--sts-token)", ""},
		{"a flag beside variables", clientConfig{keyID: "flag-id"}, allVariables,
			"http://env(OSS_ENDPOINT) env-region(OSS_REGION) flag-id(--access-key-id) env-secret(OSS_ACCESS_KEY_SECRET) env-token(OSS_SESSION_TOKEN)", ""},
		{"the default profile", clientConfig{}, "OSS_SESSION_TOKEN=env-token",
			"http://default(the profile) default-region(the profile) default-id(the profile) default-secret(the profile) -", ""},
		{"the default profile where variables leave something open", clientConfig{}, "OSS_ENDPOINT=http://env",
			"http://env(OSS_ENDPOINT) default-region(the profile) default-id(the profile) default-secret(the profile) -", ""},
		{"half a key of variables is not completed by a profile", clientConfig{}, "OSS_ACCESS_KEY_ID=env-id",
			"http://default(the profile) default-region(the profile) env-id(OSS_ACCESS_KEY_ID) - -", "belong together"},
		{"half a key of flags is not completed by a profile", clientConfig{profile: "session", keyID: "flag-id"}, allVariables,
			"http://session(the profile) env-region(OSS_REGION) flag-id(--access-key-id) - -", "belong together"},
		{"a profile that is named wins over variables", clientConfig{profile: "session"}, allVariables,
			"http://session(the profile) env-region(OSS_REGION) session-id(the profile) session-secret(the profile) session-token(the profile)", ""},
		{"flags win over a profile that is named", clientConfig{profile: "session", endpoint: "http://flag", keyID: "flag-id", secret: "flag-secret"}, allVariables,
			"http://flag(--endpoint) env-region(OSS_REGION) flag-id(--access-key-id) flag-secret(--access-key-secret) -", ""},
		{"a token for the key of a profile", clientConfig{profile: "session", token: "flag-token"}, allVariables,
			"http://session(the profile) env-region(OSS_REGION) session-id(the profile) session-secret(the profile) flag-token(--sts-token)", ""},
		{"a profile that a variable names", clientConfig{}, "OSS_PROFILE=session OSS_ENDPOINT=http://env OSS_SESSION_TOKEN=env-token",
			"http://env(OSS_ENDPOINT) cn-hangzhou() session-id(the profile) session-secret(the profile) session-token(the profile)", ""},
		{"a profile without a key", clientConfig{profile: "public"}, allVariables, "http://public(the profile) env-region(OSS_REGION) - - - anonymous", ""},
		{"nothing is signed", clientConfig{anonymous: true}, allVariables, "http://env(OSS_ENDPOINT) env-region(OSS_REGION) - - - anonymous", ""},
		{"a profile that has no key leaves that to variables", clientConfig{profile: "empty"}, allVariables,
			"http://env(OSS_ENDPOINT) empty-region(the profile) env-id(OSS_ACCESS_KEY_ID) env-secret(OSS_ACCESS_KEY_SECRET) env-token(OSS_SESSION_TOKEN)", ""},
		{"a key that cannot be used is shown by the doctor only", clientConfig{profile: "odd", endpoint: "http://flag"}, "",
			"http://flag(--endpoint) cn-hangzhou() odd-id(the profile) two words(the profile) -", "profile odd: "},
		{"a key that cannot be used is not replaced by that of another server", clientConfig{profile: "odd"}, allVariables,
			"http://env(OSS_ENDPOINT) env-region(OSS_REGION) odd-id(the profile) two words(the profile) -", "profile odd: "},
		{"the region of a name", clientConfig{endpoint: "oss-cn-beijing.aliyuncs.com", anonymous: true}, "", "oss-cn-beijing.aliyuncs.com(--endpoint) - - - - anonymous", ""},
		{"no profile, no variables", clientConfig{configFile: filepath.Join(dir, "public-only")}, "", "http://public(the profile) cn-hangzhou() - - - anonymous", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(dir, "public-only"), []byte("[default]\nmode=anonymous\nendpoint=http://public\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			variables := map[string]string{envConfigFile: file}
			for pair := range strings.FieldsSeq(c.variables) {
				name, value, _ := strings.Cut(pair, "=")
				variables[name] = value
			}
			getenv := func(name string) string { return variables[name] }
			c.flags.addressing = "auto"

			s, _, err := c.flags.subject(getenv)
			if err != nil {
				t.Fatal(err)
			}
			tell := func(value, from string) string {
				if value == "" {
					return "-"
				}
				return fmt.Sprintf("%s(%s)", value, from)
			}
			got := strings.Join([]string{
				tell(s.Endpoint, s.EndpointFrom), tell(s.Region, s.RegionFrom), tell(s.Credentials.AccessKeyID, s.KeyIDFrom),
				tell(s.Credentials.AccessKeySecret, s.SecretFrom), tell(s.Credentials.SecurityToken, s.TokenFrom),
			}, " ")
			if s.Anonymous {
				got += " anonymous"
			}
			if got != c.want {
				t.Errorf("settings are\n%s, want\n%s", got, c.want)
			}
			if _, err = c.flags.client(getenv); (err != nil) != (c.refused != "") || err != nil && !strings.Contains(err.Error(), c.refused) {
				t.Errorf("the client: %v, want %q", err, c.refused)
			}
		})
	}
}

// What a profile that is named says of who asks counts, even if it is of no use: no
// other key is sent to its server.
func TestNamedProfileKeepsOthersOut(t *testing.T) {
	t.Setenv("OSSUTIL_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	file := filepath.Join(t.TempDir(), "config")
	for _, says := range []string{"mode=EcsRamRole", "accessKeyID=half", "accessKeySecret=half", "mode=StsToken\nstsToken=t"} {
		if err := os.WriteFile(file, []byte("[default]\nendpoint=http://profile\n"+says+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		getenv := func(name string) string {
			return map[string]string{envAccessKeyID: "env-id", envAccessKeySecret: "env-secret"}[name]
		}
		c := clientConfig{addressing: "auto", configFile: file}
		if _, err := c.client(getenv); err == nil || !strings.Contains(err.Error(), "profile default: ") {
			t.Errorf("%q: %v", says, err)
		}
	}
}
