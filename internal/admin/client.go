package admin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ossastore/ossa/internal/sign"
)

// Client calls the admin API of a server.
type Client struct {
	Endpoint    string // URL of the admin listener, such as http://127.0.0.1:9001
	Region      string // of the server
	Credentials sign.Credentials
	UserAgent   string

	HTTP    *http.Client     // default one with a time-out of a minute
	RootCAs *x509.CertPool   // that the default one believes; nil for those of the machine
	Clock   func() time.Time // default time.Now
}

// maxAnswer bounds an answer that is read, in bytes.
const maxAnswer = 16 << 20

// newHTTP follows no redirect: a call is for the server it was signed for.
func (c *Client) newHTTP() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: c.RootCAs}
	transport.DisableKeepAlives = true // calls are few
	return &http.Client{
		Timeout: time.Minute, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Call does an action, such as CreateUser, and reads its answer into out, nil for
// one that is not looked at. An answer that says no is an *Error.
func (c *Client) Call(ctx context.Context, action string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := c.request(ctx, action, body)
	if err != nil {
		return err
	}
	client := c.HTTP
	if client == nil {
		client = c.newHTTP()
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	return c.read(action, answer, text, out)
}

func (c *Client) read(action string, answer *http.Response, text []byte, out any) error {
	isJSON := strings.HasPrefix(answer.Header.Get("Content-Type"), "application/json")
	switch {
	case answer.StatusCode == http.StatusOK && isJSON && out == nil:
		return nil
	case answer.StatusCode == http.StatusOK && isJSON:
		if err := json.Unmarshal(text, out); err != nil {
			return fmt.Errorf("%s: the answer cannot be read: %w", action, err)
		}
		return nil
	case isJSON:
		refusal := &Error{Status: answer.StatusCode}
		if json.Unmarshal(text, refusal) == nil && refusal.Code != "" {
			return refusal
		}
	}
	return fmt.Errorf("%s does not answer as the admin API of Ossa does (status %d)", c.Endpoint, answer.StatusCode)
}

func (c *Client) request(ctx context.Context, action string, body []byte) (*http.Request, error) {
	endpoint, err := url.Parse(c.Endpoint)
	if err != nil || endpoint.Host == "" || endpoint.Scheme != "http" && endpoint.Scheme != "https" {
		return nil, fmt.Errorf("%q is not the URL of an admin listener, such as http://127.0.0.1:9001", c.Endpoint)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint.Scheme+"://"+endpoint.Host+Prefix+action, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	now := time.Now
	if c.Clock != nil {
		now = c.Clock
	}
	signed := sign.Request{
		Method: http.MethodPost, Bucket: bucket, Key: version + action, Host: endpoint.Host,
		Header: map[string][]string{
			"Content-Type": {"application/json"},
			digestHeader:   {hex.EncodeToString(sum[:])},
		},
	}
	sign.SignV4Header(&signed, c.Credentials, c.Region, now())
	request.Header = signed.Header
	if c.UserAgent != "" {
		request.Header.Set("User-Agent", c.UserAgent)
	}
	return request, nil
}
