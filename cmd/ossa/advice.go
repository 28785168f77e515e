package main

import (
	"crypto/tls"
	"errors"
	"net/http"
)

// connectionAdvice is what to do about a connection that was made and is of no
// use; "" for nothing to say. setting names what holds the URL.
func connectionAdvice(err error, setting string) string {
	var unknown *tls.CertificateVerificationError
	switch {
	case errors.Is(err, http.ErrSchemeMismatch):
		return "the server there does not speak TLS: write http:// in " + setting
	case errors.As(err, &unknown):
		return "for a certificate of your own, SSL_CERT_FILE names the PEM file to trust; its names must have the host of the URL"
	}
	return ""
}
