package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// CertificateFiles names the two PEM files of a certificate: the chain, leaf
// first, and the private key.
type CertificateFiles struct{ Cert, Key string }

// Certificates serves certificates out of files, and looks at the files again
// while handshakes go on: a renewed certificate needs no restart. A pair that
// cannot be read leaves the one before in use, with a warning.
type Certificates struct {
	pairs []*certificatePair
	clock func() time.Time
	log   *slog.Logger

	mu     sync.Mutex
	looked time.Time // at the files
}

type certificatePair struct {
	files CertificateFiles
	seen  [2]fileState // of the last attempt to read them, successful or not
	cert  *tls.Certificate
}

// fileState tells one content of a file from the next.
type fileState struct {
	modified time.Time
	size     int64
}

// certificatesEvery is how often the files are looked at, at most.
const certificatesEvery = 2 * time.Second

// OpenCertificates reads pairs of files. A client is shown the first pair that
// is for the name it asks for, or else the first. clock is time.Now when nil.
func OpenCertificates(files []CertificateFiles, clock func() time.Time, log *slog.Logger) (*Certificates, error) {
	if len(files) == 0 {
		return nil, errors.New("no certificate")
	}
	if clock == nil {
		clock = time.Now
	}
	c := &Certificates{clock: clock, log: log, looked: clock()}
	for _, f := range files {
		p := &certificatePair{files: f, seen: f.state()}
		var err error
		if p.cert, err = f.load(); err != nil {
			return nil, err
		}
		c.pairs = append(c.pairs, p)
		c.tell("certificate in use", p)
	}
	return c, nil
}

func (f CertificateFiles) load() (*tls.Certificate, error) {
	cert, err := tls.LoadX509KeyPair(f.Cert, f.Key)
	if err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w", f.Cert, f.Key, err)
	}
	return &cert, nil
}

// state is zero for a file that is not there.
func (f CertificateFiles) state() (states [2]fileState) {
	for i, name := range []string{f.Cert, f.Key} {
		if info, err := os.Stat(name); err == nil {
			states[i] = fileState{info.ModTime(), info.Size()}
		}
	}
	return states
}

// tell logs which certificate is used from now on.
func (c *Certificates) tell(message string, p *certificatePair) {
	leaf := p.cert.Leaf
	attrs := []any{"cert", p.files.Cert, "subject", leaf.Subject.String(), "names", leaf.DNSNames, "not_after", leaf.NotAfter}
	if c.clock().After(leaf.NotAfter) {
		c.log.Warn("certificate has expired, clients will refuse it", attrs...)
		return
	}
	c.log.Info(message, attrs...)
}

// Reload reads the files now, whether or not they look changed: what could not be
// read before may be readable now.
func (c *Certificates) Reload() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.look(true)
}

// look reads the files that have changed, or all of them. It runs under the lock.
func (c *Certificates) look(all bool) {
	c.looked = c.clock()
	for _, p := range c.pairs {
		now := p.files.state()
		if now == p.seen && !all {
			continue
		}
		p.seen = now
		cert, err := p.files.load()
		if err != nil {
			c.log.Warn("changed certificate cannot be used, the one before stays", "error", err)
			continue
		}
		if cert.Leaf.Equal(p.cert.Leaf) {
			continue
		}
		p.cert = cert
		c.tell("certificate has changed", p)
	}
}

// GetCertificate is for a tls.Config.
func (c *Certificates) GetCertificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.clock().Sub(c.looked) >= certificatesEvery {
		c.look(false)
	}
	for _, p := range c.pairs {
		if hello.SupportsCertificate(p.cert) == nil {
			return p.cert, nil
		}
	}
	return c.pairs[0].cert, nil
}

// Config returns what a listener needs: TLS 1.2 and 1.3, suites with forward
// secrecy and authenticated encryption only.
func (c *Certificates) Config() *tls.Config {
	return &tls.Config{
		GetCertificate: c.GetCertificate,
		MinVersion:     tls.VersionTLS12,
		CipherSuites: []uint16{ // of TLS 1.2; those of 1.3 are all good
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
			tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
	}
}
