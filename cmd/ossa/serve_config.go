package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/store"
)

// defaultData is where data lies unless told otherwise.
const defaultData = "./ossa-data"

// off switches the admin listener off, or the key ring.
const off = "off"

// serveConfig is what serve is told, by flags and by environment.
type serveConfig struct {
	data         string
	keyRing      string
	listen       string
	adminListen  string
	region       string
	domains      []string
	transport    transportConfig
	limits       limitsConfig
	lifecycle    lifecycleConfig
	logFormat    string
	logLevel     string
	accessLog    bool
	accessFile   string // "" for none
	drainTimeout time.Duration
	restoreTime  time.Duration
}

// environment lists the variables that stand in for a flag that is not given.
var environment = map[string]string{
	"data":         "OSSA_DATA",
	"keyring":      "OSSA_KEYRING",
	"listen":       "OSSA_LISTEN",
	"admin-listen": "OSSA_ADMIN_LISTEN",
	"region":       "OSSA_REGION",
	"domain":       "OSSA_DOMAIN",

	"cname":           "OSSA_CNAME",
	"access-log-file": "OSSA_ACCESS_LOG_FILE",

	"tls-cert":      "OSSA_TLS_CERT",
	"tls-key":       "OSSA_TLS_KEY",
	"http2":         "OSSA_HTTP2",
	"admin-tls":     "OSSA_ADMIN_TLS",
	"trusted-proxy": "OSSA_TRUSTED_PROXY",
	"proxy-header":  "OSSA_PROXY_HEADER",

	"lifecycle-every":          "OSSA_LIFECYCLE_EVERY",
	"lifecycle-day":            "OSSA_LIFECYCLE_DAY",
	"lifecycle-rate":           "OSSA_LIFECYCLE_RATE",
	"abort-idle-uploads-after": "OSSA_ABORT_IDLE_UPLOADS_AFTER",
}

func (c *serveConfig) addFlags(flags *pflag.FlagSet) {
	flags.SortFlags = false
	addDataFlag(flags, &c.data)
	addKeyRingFlag(flags, &c.keyRing, ", made when it is first needed")
	flags.StringVar(&c.listen, "listen", "127.0.0.1:9000", "`address` of the OSS API; port 0 takes a free one (OSSA_LISTEN)")
	flags.StringVar(&c.adminListen, "admin-listen", "127.0.0.1:9001",
		"`address` of the admin API, /livez, /readyz and /metrics, or \"off\" (OSSA_ADMIN_LISTEN)")
	flags.StringVar(&c.region, "region", "cn-hangzhou", "`region` that clients sign for with V4 (OSSA_REGION)")
	flags.StringSliceVar(&c.domains, "domain", nil,
		"`domains` under which <bucket>.<domain> leads to a bucket, with commas between (OSSA_DOMAIN)")
	c.transport.addFlags(flags)
	c.limits.addFlags(flags)
	c.lifecycle.addFlags(flags)
	flags.StringVar(&c.logFormat, "log-format", "text", "`format` of the log: text or json")
	flags.StringVar(&c.logLevel, "log-level", "info", "least `level` that is logged: debug, info, warn or error")
	flags.BoolVar(&c.accessLog, "access-log", true, "log one line for each request; --access-log=false for none, as with --access-log-file")
	flags.StringVar(&c.accessFile, "access-log-file", "",
		"`file` for one line for each request with the fields of OSS access logs, or \"-\" for stdout; SIGHUP opens it again (OSSA_ACCESS_LOG_FILE)")
	flags.DurationVar(&c.drainTimeout, "drain-timeout", 30*time.Second,
		"`time` that requests have to finish after SIGTERM")
	flags.DurationVar(&c.restoreTime, "restore-time", 0, "`time` that RestoreObject takes, such as 1h; 0 restores at once")
}

func addDataFlag(flags *pflag.FlagSet, data *string) {
	flags.StringVar(data, "data", defaultData, "data `directory` (OSSA_DATA)")
}

// readEnvironment sets the flags that were not given from their variables.
func readEnvironment(command *cobra.Command, getenv func(string) string) error {
	var failed error
	command.Flags().VisitAll(func(f *pflag.Flag) {
		name := environment[f.Name]
		value := getenv(name)
		if name == "" || value == "" || f.Changed || failed != nil {
			return
		}
		if err := command.Flags().Set(f.Name, value); err != nil {
			failed = usagef("%s: %v", name, err)
		}
	})
	return failed
}

// namePattern is what a region may look like, and each label of a domain.
var namePattern = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]*[a-z0-9])?$`)

func (c *serveConfig) validate() error {
	if err := validAddress("--listen", c.listen); err != nil {
		return err
	}
	if c.adminListen != off {
		if err := validAddress("--admin-listen", c.adminListen); err != nil {
			return err
		}
	}
	if !namePattern.MatchString(c.region) {
		return usagef("--region: %q is not a region name, such as cn-hangzhou", c.region)
	}
	for i, domain := range c.domains {
		domain = strings.ToLower(strings.TrimSpace(domain))
		c.domains[i] = domain
		for label := range strings.SplitSeq(domain, ".") {
			if !namePattern.MatchString(label) {
				return usagef("--domain: %q is not a domain name", domain)
			}
		}
	}
	if err := c.transport.validate(); err != nil {
		return err
	}
	if err := c.limits.validate(); err != nil {
		return err
	}
	if err := c.lifecycle.validate(); err != nil {
		return err
	}
	if c.logFormat != "text" && c.logFormat != "json" {
		return usagef("--log-format: %q is neither text nor json", c.logFormat)
	}
	if err := new(slog.Level).UnmarshalText([]byte(c.logLevel)); err != nil {
		return usagef("--log-level: %q is none of debug, info, warn and error", c.logLevel)
	}
	if c.drainTimeout < 0 {
		return usagef("--drain-timeout: %v is negative", c.drainTimeout)
	}
	if c.restoreTime < 0 || c.restoreTime > store.MaxRestoreTime {
		return usagef("--restore-time: %v is not between 0 and %v", c.restoreTime, store.MaxRestoreTime)
	}
	if err := validKeyRing(&c.keyRing); err != nil {
		return err
	}
	return absolute(&c.data)
}

func validAddress(flag, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return usagef("%s: %q is not host:port, such as 127.0.0.1:9000", flag, address)
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return usagef("%s: %q is no port; ports are 0 to 65535", flag, port)
	}
	return nil
}

// absolute makes a path one that stays right in messages and locks.
func absolute(data *string) error {
	if *data == "" {
		return usagef("--data: the path is empty")
	}
	path, err := filepath.Abs(*data)
	if err != nil {
		return fmt.Errorf("--data: %w", err)
	}
	*data = path
	return nil
}

// logger is right after validate.
func (c *serveConfig) logger(w io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.logLevel)) // validate has seen to it
	if c.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: durationInSeconds}))
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: plainErrors}))
}

// plainErrors keeps stack traces out of the text format, which prints errors in
// the most detailed way that they have.
func plainErrors(_ []string, a slog.Attr) slog.Attr {
	if err, ok := a.Value.Any().(error); ok {
		return slog.String(a.Key, err.Error())
	}
	return a
}

// durationInSeconds gives the durations of JSON a unit: alone they are numbers
// of nanoseconds, and nothing says so.
func durationInSeconds(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		return slog.Float64(a.Key+"_seconds", a.Value.Duration().Seconds())
	}
	return a
}
