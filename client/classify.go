package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"
)

// resultOf judges a call by its response head or its error.
func resultOf(req *http.Request, resp *http.Response, err error) Result {
	if err != nil {
		return Result{Error: errorClass(req.Context(), err)}
	}
	return Result{Status: resp.StatusCode, RetryAfter: resp.Header.Get("Retry-After"), Date: resp.Header.Get("Date")}
}

// errorClass names a transport error. What happened on our own side
// (cancelled, no-route, proxy) says nothing about the host.
func errorClass(ctx context.Context, err error) string {
	// http.Client cancels at its timeout, by the context or by Request.Cancel;
	// the deadline tells it from a caller who left.
	if at, ok := ctx.Deadline(); ok && !time.Now().Before(at) {
		return "timeout"
	}
	if ctx.Err() != nil || errors.Is(err, context.Canceled) || strings.HasSuffix(err.Error(), "request canceled") {
		return "cancelled"
	}
	var dns *net.DNSError
	var op *net.OpError
	var timeout net.Error
	switch isOp := errors.As(err, &op); {
	case isOp && op.Op == "proxyconnect":
		return "proxy"
	case oneOf(err, syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.EADDRNOTAVAIL, syscall.EMFILE, syscall.ENFILE):
		return "no-route"
	case errors.As(err, &dns):
		return "dns"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case isTLS(err):
		return "tls"
	case isOp && op.Op == "dial":
		return "connect"
	case oneOf[error](err, syscall.ECONNRESET, syscall.EPIPE, io.EOF, io.ErrUnexpectedEOF):
		return "reset"
	}
	return "other"
}

func oneOf[E error](err error, list ...E) bool {
	for _, e := range list {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func isTLS(err error) bool {
	var alert tls.AlertError
	var record tls.RecordHeaderError
	var verify *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &alert) || errors.As(err, &record) || errors.As(err, &verify) || errors.As(err, &authority) ||
		errors.As(err, &name) || errors.As(err, &invalid)
}
