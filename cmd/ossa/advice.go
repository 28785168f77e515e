package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/ossastore/ossa/oss"
)

// connectionAdvice is what to do about a connection that was made and is of no
// use; "" for nothing to say. setting names what holds the URL.
func connectionAdvice(err error, setting string) string {
	var unknown *tls.CertificateVerificationError
	switch {
	case errors.Is(err, http.ErrSchemeMismatch):
		return "the server there does not speak TLS: write http:// in " + setting
	case errors.As(err, &unknown):
		return "for a certificate of your own, --ca-file or " + envCAFile + " names the PEM file to believe; its names must have the host of the URL"
	}
	return ""
}

// clientAdvice is what to do about an answer that says no.
var clientAdvice = map[string]string{
	"AccessDenied":                        "the message names what the access key may not do; ossa admin policy simulate tells why",
	"InvalidAccessKeyId":                  "look at " + envAccessKeyID + ": is the key another server's, deleted or disabled?",
	"SignatureDoesNotMatch":               "look at " + envAccessKeySecret + ": is it the secret of " + envAccessKeyID + "?",
	"SecurityTokenExpired":                "the session is over: begin another one, or unset " + envSessionToken + " for a long-term key",
	"InvalidSecurityToken":                "unset " + envSessionToken + " for a long-term key, or begin another session",
	"AccessKeyIdAndSecurityTokenNotMatch": "unset " + envSessionToken + ": it is of a session that the access key is not of",
	"RequestTimeTooSkewed":                "set the clock of this machine",
	"NoSuchBucket":                        "ossa ls lists the buckets that there are",
	"NoSuchKey":                           "a key is taken as it stands; ossa ls oss://BUCKET/PREFIX lists those that there are",
	"InvalidObjectState":                  "the object is archived: restore it first",
	"BucketNotEmpty":                      "ossa rb --empty deletes what is in it first: objects, their versions and open uploads",
}

// advise says what to do about an error.
func (c *clientConfig) advise(err error) error {
	if advice := c.adviceOn(err); advice != "" {
		return fmt.Errorf("%w\n  %s", err, advice)
	}
	return err
}

// adviceOn is what to do about an error, "" for nothing to say.
func (c *clientConfig) adviceOn(err error) string {
	var refusal *oss.Error
	var unknown *net.DNSError
	var refused *net.OpError
	switch {
	case errors.As(err, &refusal):
		return adviceOnAnswer(refusal)
	case errors.As(err, &unknown) && c.addressing == "virtual":
		return "with --addressing virtual the host of each bucket must be known to DNS; --addressing path does without"
	case errors.As(err, &unknown):
		return "the host is not known: look for a typing error in " + envEndpoint + " or --endpoint"
	case errors.As(err, &refused) && refused.Op == "dial":
		return "is the server running, and is it at " + envEndpoint + "? Give another with --endpoint"
	}
	return connectionAdvice(err, envEndpoint)
}

func adviceOnAnswer(refusal *oss.Error) string {
	switch {
	case refusal.Code == "AccessDenied" && strings.HasPrefix(refusal.Message, "Anonymous "):
		return "nothing was signed: is that meant, by --anonymous or the mode of the profile?"
	case refusal.Code == "OperationNotSupported" && refusal.Op == "RestoreObject":
		return "only objects of an archive class need to be restored, and can be; ossa stat tells the class"
	case clientAdvice[refusal.Code] != "":
		return clientAdvice[refusal.Code]
	case strings.Contains(refusal.Message, "signing region"):
		return "the region must be the one that the server was started with: --region or " + envRegion
	case refusal.Code == "":
		return "that is no answer of an OSS endpoint: is " + envEndpoint + " the one of the API, and https:// if it speaks TLS?"
	}
	return ""
}
