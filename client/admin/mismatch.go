package admin

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"
)

// A mismatch says that something listens, but the two ends did not agree how
// to talk, so that no request was carried out.
type mismatch struct {
	why  string
	hint string // what to do
	err  error  // may be nil
}

func (m *mismatch) Error() string { return m.why }
func (m *mismatch) Unwrap() error { return m.err }

// What to do about certificates.
const (
	otherCertificate = "--tls.cert-file and --tls.key-file with a certificate for client use, signed by a CA in the node's --tls.ca-file"
	otherCA          = "--tls.ca-file with the CA that signed the node's certificate"
	otherAddr        = "--addr, if the node listens elsewhere"
	otherPort        = "--addr with the HTTP port of a node, 7140 if it was told no other (7141 is its gossip, 7142 its actor port)"
)

// mismatch is what a failed request says about how the two ends talk, nil if
// it says nothing.
func (c *Client) mismatch(err error) *mismatch {
	var (
		own     *mismatch
		record  tls.RecordHeaderError
		verify  *tls.CertificateVerificationError
		refused *net.OpError
	)
	switch {
	case errors.As(err, &own):
		return own
	case errors.Is(err, http.ErrSchemeMismatch):
		return &mismatch{"it speaks HTTP without TLS", "--addr " + c.otherScheme() + ", if only this machine can reach it", err}
	case errors.As(err, &record):
		return &mismatch{"it does not speak TLS", otherAddr, err}
	case errors.As(err, &verify):
		return untrusted(verify)
	case errors.As(err, &refused) && refused.Op == "remote error":
		return turnedAway(refused)
	case strings.Contains(err.Error(), `malformed HTTP response "\x15\x03`): // the start of a TLS alert
		return c.wantsTLS(err)
	case strings.Contains(err.Error(), "malformed HTTP"):
		return &mismatch{"what answers there is not HTTP", otherPort, err}
	}
	return nil
}

// wantsTLS is the mismatch of plain HTTP with a port that speaks TLS.
func (c *Client) wantsTLS(err error) *mismatch {
	return &mismatch{"it speaks TLS", "--addr " + c.otherScheme() + " with --tls.cert-file, --tls.key-file and --tls.ca-file", err}
}

// plainRefused reports whether an answer over plain HTTP is that of a server
// that speaks TLS: Go's, or nginx's.
func (c *Client) plainRefused(status int, body []byte) bool {
	return status == http.StatusBadRequest && strings.HasPrefix(c.base, "http://") &&
		(bytes.Contains(body, []byte("an HTTP request to an HTTPS server")) || bytes.Contains(body, []byte("HTTP request was sent to HTTPS port")))
}

// otherScheme is the address with https for http and http for https.
func (c *Client) otherScheme() string {
	if rest, ok := strings.CutPrefix(c.base, "https://"); ok {
		return "http://" + rest
	}
	return "https://" + strings.TrimPrefix(c.base, "http://")
}

// untrusted is why the node's certificate was not believed.
func untrusted(verify *tls.CertificateVerificationError) *mismatch {
	var (
		unsigned x509.UnknownAuthorityError
		name     x509.HostnameError
		invalid  x509.CertificateInvalidError
	)
	text := strings.TrimPrefix(verify.Err.Error(), "x509: ")
	switch {
	case errors.As(verify.Err, &unsigned):
		return &mismatch{"no CA of the CA file signed its certificate", otherCA, verify}
	case errors.As(verify.Err, &name):
		return &mismatch{"its certificate is for another name: " + text, "--addr https://NAME:PORT with a name or an address that the certificate is for", verify}
	case errors.As(verify.Err, &invalid) && invalid.Reason == x509.Expired:
		return &mismatch{"its " + text, "a new certificate for the node, or the right time on this machine", verify}
	}
	return &mismatch{"its certificate is not valid: " + text, "another certificate for the node, for server use", verify}
}

// TLS alerts (RFC 8446, section 6).
const (
	alertBadCertificate         tls.AlertError = 42
	alertUnsupportedCertificate tls.AlertError = 43
	alertCertificateRevoked     tls.AlertError = 44
	alertCertificateExpired     tls.AlertError = 45
	alertCertificateUnknown     tls.AlertError = 46
	alertUnknownCA              tls.AlertError = 48
	alertAccessDenied           tls.AlertError = 49
	alertProtocolVersion        tls.AlertError = 70
	alertCertificateRequired    tls.AlertError = 116
)

// turnedAway is why the node broke off with an alert. Outside QUIC crypto/tls
// tells alerts apart by their text only.
func turnedAway(alert *net.OpError) *mismatch {
	text := alert.Err.Error()
	switch text {
	case alertCertificateRequired.Error():
		return &mismatch{"it wants a client certificate", otherCertificate, alert}
	case alertUnknownCA.Error():
		return &mismatch{"no CA that it believes signed the certificate shown", otherCertificate, alert}
	case alertCertificateExpired.Error():
		return &mismatch{"by its clock the certificate shown has expired or is not valid yet", "a new certificate, or the right time on the node", alert}
	case alertBadCertificate.Error(), alertUnsupportedCertificate.Error(), alertCertificateRevoked.Error(),
		alertCertificateUnknown.Error(), alertAccessDenied.Error():
		return &mismatch{"it does not accept the certificate shown (" + strings.TrimPrefix(text, "tls: ") + ")", otherCertificate, alert}
	case alertProtocolVersion.Error():
		return &mismatch{"it speaks another version of TLS than 1.3, which every node speaks", otherAddr, alert}
	}
	return &mismatch{"it refused TLS (" + strings.TrimPrefix(text, "tls: ") + ")", otherAddr, alert}
}
