package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"strings"

	"github.com/ossastore/ossa/oss"
)

// chosen is a value and where it came from, such as OSS_ENDPOINT.
type chosen struct{ value, from string }

const fromProfile = "the profile"

// settings are what flags, environment and profile come to. They are as they
// were given, and may be of no use: the commands refuse what is wrong with them, and
// the doctor tells more of it.
type settings struct {
	endpoint, region     chosen
	caFile               chosen
	keyID, secret, token chosen
	anonymous            bool
	addressing           oss.Addressing
	signature            oss.Signature

	profile    *oss.Profile // nil for none
	profileErr error        // why its credentials cannot be used, if they are the ones
}

// settings finds out what holds. A flag wins over its variable, and that over the
// profile; but a profile that a flag names wins over variables. ID and secret come
// from one side: what a profile has of them is not mixed with the rest.
func (c *clientConfig) settings(getenv func(string) string) (*settings, error) {
	id, secret := cmp.Or(c.keyID, getenv(envAccessKeyID)), cmp.Or(c.secret, getenv(envAccessKeySecret))
	complete := cmp.Or(c.endpoint, getenv(envEndpoint)) != "" && (id != "" && secret != "" || c.anonymous)
	profile, err := c.loadProfile(getenv, complete)
	if err != nil {
		return nil, err
	}
	s := &settings{profile: profile, anonymous: c.anonymous}
	var stored oss.Profile // nothing, if there is none
	if profile != nil {
		stored = *profile
	}
	named := c.profile != "" || c.configFile != ""
	s.endpoint = pick(c.endpoint, "--endpoint", stored.Endpoint, getenv, envEndpoint, named)
	s.caFile = pick(c.caFile, "--ca-file", stored.CAFile, getenv, envCAFile, named)
	s.region = pick(c.region, "--region", stored.Region, getenv, envRegion, named)
	if s.region.value == "" && !strings.Contains(s.endpoint.value, ".aliyuncs.com") {
		s.region.value = defaultRegion
	}
	if !s.anonymous {
		s.chooseCredentials(c, getenv, named)
	}
	return s, c.chooseDialect(s, &stored)
}

// pick chooses between a flag, a profile and a variable; the profile wins over the
// variable if it was named.
func pick(flagValue, flag, stored string, getenv func(string) string, env string, named bool) chosen {
	switch {
	case flagValue != "":
		return chosen{flagValue, flag}
	case stored != "" && (named || getenv(env) == ""):
		return chosen{stored, fromProfile}
	case getenv(env) != "":
		return chosen{getenv(env), env}
	}
	return chosen{}
}

// chooseCredentials takes those of flags and variables, or else those of the profile.
// One that is named and says nothing of them does not win; of what it says and is of
// no use the client is told, rather than that a key of another server is sent.
func (s *settings) chooseCredentials(c *clientConfig, getenv func(string) string, named bool) {
	var stored oss.Credentials
	var storedErr error
	if s.profile != nil {
		// Odd ones come with an error.
		stored, storedErr = s.profile.Credentials(context.Background())
		if named && s.profile.HasCredentials() {
			getenv = func(string) string { return "" }
		}
	}
	s.keyID = pick(c.keyID, "--access-key-id", "", getenv, envAccessKeyID, false)
	s.secret = pick(c.secret, "--access-key-secret", "", getenv, envAccessKeySecret, false)
	if s.profile == nil || s.keyID.value != "" || s.secret.value != "" {
		s.token = pick(c.token, "--sts-token", "", getenv, envSessionToken, false)
		return
	}
	s.profileErr = storedErr
	s.anonymous = storedErr == nil && stored.AccessKeyID == "" // as the profile says
	of := func(value string) chosen {
		if value == "" {
			return chosen{}
		}
		return chosen{value, fromProfile}
	}
	// A token belongs to the key that it came with; that of a variable is another's.
	s.keyID, s.secret, s.token = of(stored.AccessKeyID), of(stored.AccessKeySecret), of(stored.SecurityToken)
	if c.token != "" && !s.anonymous {
		s.token = chosen{c.token, "--sts-token"}
	}
}

// chooseDialect reads what can be wrong by itself.
func (c *clientConfig) chooseDialect(s *settings, stored *oss.Profile) error {
	s.addressing, s.signature = stored.Addressing, stored.Signature
	addressing, known := addressings[c.addressing]
	if !known {
		return usagef("--addressing: %q is none of auto, path, virtual and cname", c.addressing)
	}
	if addressing != oss.AutoAddressing {
		s.addressing = addressing
	}
	if c.signature != "" {
		if s.signature, known = signatures[strings.ToLower(c.signature)]; !known {
			return usagef("--sign-version: %q is neither v4 nor v1", c.signature)
		}
	}
	return nil
}

// rootCAs are the authorities to believe, nil for those of the machine alone.
func (s *settings) rootCAs() (*x509.CertPool, error) { return loadRootCAs(s.caFile) }

func loadRootCAs(file chosen) (*x509.CertPool, error) {
	if file.value == "" {
		return nil, nil
	}
	roots, err := oss.LoadRootCAs(file.value)
	if err != nil {
		return nil, usagef("%s: %w", file.from, err)
	}
	return roots, nil
}

// credentials are those of the settings, or why there are none.
func (s *settings) credentials(profile string) (oss.CredentialsProvider, error) {
	switch {
	case s.anonymous:
		return oss.AnonymousCredentials(), nil
	case s.profileErr != nil:
		return nil, usagef("profile %s: %s; ossa config show tells what is in it", profile, errorText(s.profileErr))
	case strings.HasPrefix(s.keyID.value, sessionKeyPrefix) && s.token.value == "":
		return nil, usagef("the access key %s is of a session, whose token is missing: set %s", s.keyID.value, envSessionToken)
	case s.keyID.value == "" && s.secret.value == "":
		return nil, usagef("%s and %s must hold an access key; --anonymous goes without", envAccessKeyID, envAccessKeySecret)
	case s.keyID.value == "" || s.secret.value == "":
		return nil, usagef("%s and %s belong together, and only one of them is set", envAccessKeyID, envAccessKeySecret)
	}
	return oss.StaticCredentials(s.keyID.value, s.secret.value, s.token.value), nil
}
