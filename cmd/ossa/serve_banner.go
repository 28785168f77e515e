package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
)

// banner is what serve tells a person before it is ready: where the keys are
// and lines to paste.
type banner struct {
	endpoint string // URL
	region   string
	key      rootKey
}

// print writes the lines. The secret is among them only when it was just made:
// it is on the screen once, and in its file from then on.
func (b banner) print(w io.Writer) {
	switch b.key.source {
	case fromDataNew:
		fmt.Fprintf(w, `ossa: made a root access key, kept in %s (mode 0600). The secret is shown this once:
  access key ID      %s
  access key secret  %s
`, b.key.file, b.key.ID, b.key.Secret)
	case fromData:
		fmt.Fprintf(w, "ossa: the root access key %s and its secret are in %s\n", b.key.ID, b.key.file)
	case fromEnvironment:
		fmt.Fprintf(w, "ossa: the root access key %s comes from %s\n", b.key.ID, envKeyID)
	}
	fmt.Fprintf(w, `
For the shell:
  export OSS_ENDPOINT=%s OSS_REGION=%s
%s
For Python, after that (pip install oss2):
  import os, oss2
  from oss2.credentials import EnvironmentVariableCredentialsProvider
  auth = oss2.ProviderAuthV4(EnvironmentVariableCredentialsProvider())
  bucket = oss2.Bucket(auth, os.environ['OSS_ENDPOINT'], 'my-bucket', region=os.environ['OSS_REGION'])
  bucket.create_bucket()
  bucket.put_object('hello.txt', b'Hello, OSS')

`, b.endpoint, b.region, b.keyLines())
}

// keyLines set the variables that the official clients read the key from.
func (b banner) keyLines() string {
	if b.key.source == fromEnvironment {
		return "  export OSS_ACCESS_KEY_ID=" + shellQuote(b.key.ID) + "\n" +
			"  export OSS_ACCESS_KEY_SECRET=...   # the secret that you started ossa with\n"
	}
	return "  . " + shellQuote(b.key.file) + "   # sets OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET\n"
}

// urlOf is how a client on this machine reaches a listener: one that listens
// on every address is reached on the loopback.
func urlOf(a net.Addr, tls bool) string {
	scheme := "http"
	if tls {
		scheme = "https"
	}
	address, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return scheme + "://" + a.String()
	}
	if ip := address.Addr().Unmap(); ip.IsUnspecified() {
		return fmt.Sprintf("%s://127.0.0.1:%d", scheme, address.Port())
	}
	return scheme + "://" + address.String()
}

// onLoopback tells whether only this machine reaches a listener.
func onLoopback(a net.Addr) bool {
	address, err := netip.ParseAddrPort(a.String())
	return err == nil && address.Addr().Unmap().IsLoopback()
}
