package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"time"

	"fleetfuse/breaker"
)

// resultOf judges a call by its response head or its error.
func resultOf(req *http.Request, resp *http.Response, err error) Result {
	if err != nil {
		return Result{Error: errorClass(req.Context(), err)}
	}
	return Result{Status: resp.StatusCode, RetryAfter: resp.Header.Get("Retry-After"), Date: resp.Header.Get("Date")}
}

// maxDateBytes is more than any of the three forms of a date takes.
const maxDateBytes = 64

// sound is a result as the node takes it, whatever a host answered and a
// WithClassify made of it: an error that has a class, or a status.
func (p *Permit) sound(r Result) Result {
	if len(r.Date) > maxDateBytes {
		r.Date = "" // no date; a Retry-After that needs one is read by our clock
	}
	switch {
	case r.Error != "" && r.RetryAfter != "" && p.policy().HonoursRetryAfter(r.Status):
		r.Error = "" // the host's own word is the stronger evidence, and an outcome carries one
	case r.Error != "":
		r.Status = 0
		if !slices.Contains(breaker.TransportErrors, r.Error) && !slices.Contains(breaker.OwnErrors, r.Error) {
			r.Error = "other"
		}
	case r.Status < 100 || r.Status > 599:
		r.Status = http.StatusOK // one that no policy can name, as LinkedIn's 999, is no failure
	}
	return r
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
