package main

import (
	"cmp"
	"log/slog"

	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/oss"
)

const (
	envEndpoint = "OSS_ENDPOINT"
	envCAFile   = "OSSA_CA_FILE"
)

// sessionKeyPrefix is what IDs of access keys begin with that count with a token
// only, here and at Alibaba Cloud.
const sessionKeyPrefix = "STS."

// clientConfig is what every command is told that talks to an endpoint. A flag
// wins over its variable, and that over the profile; but a profile that a flag
// names wins over variables.
type clientConfig struct {
	endpoint      string
	region        string
	keyID, secret string
	token         string
	anonymous     bool
	addressing    string
	signature     string
	configFile    string
	profile       string
	caFile        string
	json, quiet   bool

	limitRate sizeFlag // of commands that transfer; bytes a second
	log       slog.Handler

	resolved string // the endpoint that client found
}

func (c *clientConfig) addFlags(flags *pflag.FlagSet) {
	flags.StringVarP(&c.endpoint, "endpoint", "e", "", "`URL` or host of the server ("+envEndpoint+")")
	flags.StringVar(&c.region, "region", "", "`region` of the server ("+envRegion+"; default "+defaultRegion+")")
	flags.StringVarP(&c.keyID, "access-key-id", "i", "", "access key `ID` ("+envAccessKeyID+")")
	flags.StringVarP(&c.secret, "access-key-secret", "k", "", "`secret` of the access key; others on this machine may see it there ("+envAccessKeySecret+")")
	flags.StringVarP(&c.token, "sts-token", "t", "", "security `token` of a session ("+envSessionToken+")")
	flags.BoolVar(&c.anonymous, "anonymous", false, "sign nothing")
	flags.StringVar(&c.addressing, "addressing", "auto", "`place` of bucket names: auto, path, virtual or cname")
	flags.StringVar(&c.signature, "sign-version", "", "`version` of signatures: v4 or v1 (default v4)")
	flags.StringVarP(&c.configFile, "config-file", "c", "", "`file` with profiles, such as one of ossutil")
	flags.StringVar(&c.profile, "profile", "", "`name` of a profile, see ossa config ("+envProfile+")")
	flags.StringVar(&c.caFile, "ca-file", "", "PEM `file` of certificates to believe, besides those of the machine ("+envCAFile+")")
	flags.BoolVar(&c.json, "json", false, "print one JSON object a line")
	flags.BoolVarP(&c.quiet, "quiet", "q", false, "print results and errors only")
}

var addressings = map[string]oss.Addressing{
	"auto": oss.AutoAddressing, "path": oss.PathStyle, "virtual": oss.VirtualHost, "cname": oss.CNAME,
}

var signatures = map[string]oss.Signature{"v4": oss.SignatureV4, "v1": oss.SignatureV1}

// client makes a client of flags, environment and profile.
func (c *clientConfig) client(getenv func(string) string) (*oss.Client, error) {
	s, err := c.settings(getenv)
	if err != nil {
		return nil, err
	}
	if s.endpoint.value == "" {
		return nil, usagef("%s must hold the URL of a server, such as http://127.0.0.1:9000; or give --endpoint", envEndpoint)
	}
	credentials, err := s.credentials(cmp.Or(c.profile, getenv(envProfile), defaultProfile))
	if err != nil {
		return nil, err
	}
	roots, err := s.rootCAs()
	if err != nil {
		return nil, err
	}
	c.resolved = s.endpoint.value
	options := []oss.Option{
		oss.WithUserAgent("ossa/" + release()), oss.WithCredentials(credentials),
		oss.WithRegion(s.region.value), oss.WithAddressing(s.addressing), oss.WithSignature(s.signature),
		oss.WithRootCAs(roots),
	}
	if c.log != nil {
		options = append(options, oss.WithLogger(slog.New(c.log)))
	}
	if c.limitRate > 0 {
		options = append(options, oss.WithRateLimit(int64(c.limitRate)))
	}
	client, err := oss.NewClient(s.endpoint.value, options...)
	if err != nil {
		return nil, &usageError{err}
	}
	return client, nil
}
