package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

func serveCommand() *cobra.Command {
	var c serveConfig
	command := &cobra.Command{
		Use:   "serve",
		Short: "Start the server",
		Long: `Start the server on a data directory, which is made if there is none.

The root access key is what OSSA_ROOT_ACCESS_KEY_ID and
OSSA_ROOT_ACCESS_KEY_SECRET hold, or the files that
OSSA_ROOT_ACCESS_KEY_ID_FILE and OSSA_ROOT_ACCESS_KEY_SECRET_FILE name. If none
is set, a random pair is made at the first start, shown once, and kept in
root-credentials in the data directory, readable by its owner only.

What is encrypted needs the key ring to be read: the file keyring in the data
directory, or the one that --keyring names. Keep a copy of it. A server that is
started without the ring that its data needs refuses to start; with --keyring off
it serves what is not encrypted.

A flag wins over its variable. When the server is ready it says so in one
line on stderr. SIGTERM and SIGINT let requests finish and then end it; a second
signal ends it at once, which loses nothing that was answered.

With --tls-cert and --tls-key the API speaks TLS. The files are looked at again
when they change, and on SIGHUP, which also opens --access-log-file again.

Addresses without a bucket in their host name, such as 127.0.0.1, have the
bucket at the front of the path. <bucket>.localhost always leads to a bucket,
and <bucket>.<domain> does for each --domain. A domain of --cname, or one that
PutCname has mapped, leads to its bucket as a whole.

Exit status: 0 after a signal, 1 if something failed, 2 if the command line or
the environment cannot be understood.`,
		Example: `  ossa serve
  ossa serve --data /srv/ossa --listen 0.0.0.0:9000 --domain oss.example.com
  ossa serve --listen 0.0.0.0:9443 --tls-cert cert.pem --tls-key key.pem
  OSSA_ROOT_ACCESS_KEY_ID=admin OSSA_ROOT_ACCESS_KEY_SECRET_FILE=/run/secrets/key ossa serve
  ossa serve --listen 127.0.0.1:0 --admin-listen off --log-format json`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := readEnvironment(command, os.Getenv); err != nil {
				return err
			}
			if err := c.validate(); err != nil {
				return err
			}
			if c.accessFile != "" && !command.Flags().Changed("access-log") {
				c.accessLog = false // one line is enough
			}
			return serve(command.Context(), c, command.ErrOrStderr())
		},
	}
	c.addFlags(command.Flags())
	return command
}

// serve runs the server until a signal comes or it fails.
func serve(ctx context.Context, c serveConfig, stderr io.Writer) (err error) {
	if _, _, err := keyFromEnvironment(os.Getenv); err != nil {
		return err // before anything is touched
	}
	log := c.logger(stderr)
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()

	s, err := openService(ctx, c, log)
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, s.close()); err == nil {
			log.Info("stopped")
		}
	}()

	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	defer signal.Stop(reload)

	failed := s.start()
	s.announce(stderr)
	for waiting := true; waiting; {
		select {
		case err := <-failed:
			return err
		case <-reload:
			s.reload()
		case <-ctx.Done():
			stop() // a second signal has its usual effect
			waiting = false
		}
	}
	log.Info("stopping, requests may finish", "within", c.drainTimeout)
	s.drain(c.drainTimeout)
	return nil
}

// announce tells a person what to know, if this is the first start or a person
// is there, and then anybody that the server is ready.
func (s *service) announce(stderr io.Writer) {
	url := urlOf(s.apiListener.Addr(), s.certs != nil)
	file, isFile := stderr.(*os.File)
	if s.key.source == fromDataNew || isFile && isTerminal(file) {
		banner{endpoint: url, region: s.config.region, key: s.key}.print(stderr)
	}
	if open := s.openListeners(); len(open) > 0 {
		s.log.Warn("listening beyond this machine without TLS: whoever is on the way can read and change what is sent, signatures protect only who may send it; give --tls-cert and --tls-key, or put a TLS proxy in front",
			"listen", strings.Join(open, ","))
	}
	admin := "off"
	if s.adminListener != nil {
		admin = urlOf(s.adminListener.Addr(), s.config.transport.adminTLS)
	}
	fmt.Fprintf(stderr, "ossa: ready on %s (admin %s, region %s, data %s)\n", url, admin, s.config.region, s.config.data)
}

// openListeners are the addresses that others reach in the clear.
func (s *service) openListeners() (addresses []string) {
	if s.certs == nil && !onLoopback(s.apiListener.Addr()) {
		addresses = append(addresses, s.apiListener.Addr().String())
	}
	if s.adminListener != nil && !s.config.transport.adminTLS && !onLoopback(s.adminListener.Addr()) {
		addresses = append(addresses, s.adminListener.Addr().String())
	}
	return addresses
}

// reload is what SIGHUP asks for.
func (s *service) reload() {
	if s.certs != nil {
		s.certs.Reload()
	}
	if s.access != nil {
		s.access.reopen()
	}
}

// quieter drops what is below warnings: lines of single requests.
func quieter(log *slog.Logger) *slog.Logger {
	return slog.New(warnings{log.Handler()})
}

type warnings struct{ slog.Handler }

func (h warnings) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

func (h warnings) WithAttrs(attrs []slog.Attr) slog.Handler {
	return warnings{h.Handler.WithAttrs(attrs)}
}

func (h warnings) WithGroup(name string) slog.Handler {
	return warnings{h.Handler.WithGroup(name)}
}
