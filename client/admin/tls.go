package admin

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
)

// maxFileBytes is more than a PEM file of certificates needs.
const maxFileBytes = 1 << 20

// TLSFiles names the PEM files with which to reach a node at https: the
// certificate to show it, that certificate's key, and the CAs one of which
// signed the node's.
type TLSFiles struct{ CertFile, KeyFile, CAFile string }

// Config reads the files, once. TLS is 1.3, as a node has it.
func (f TLSFiles) Config() (*tls.Config, error) {
	authority, err := read("CA file", f.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("CA file %s: it holds no PEM certificate", f.CAFile)
	}
	cert, err := read("certificate file", f.CertFile)
	if err != nil {
		return nil, err
	}
	key, err := read("key file", f.KeyFile)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("certificate file %s with key file %s: %s", f.CertFile, f.KeyFile, strings.TrimPrefix(err.Error(), "tls: "))
	}
	if err := fit(pair.Leaf, time.Now()); err != nil {
		return nil, fmt.Errorf("certificate file %s: %w", f.CertFile, err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: pool, GetClientCertificate: show(&pair)}, nil
}

func read(what, path string) ([]byte, error) {
	if path == "" {
		return nil, fmt.Errorf("%s: none is named", what)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, maxFileBytes+1))
	if err == nil && len(b) > maxFileBytes {
		err = fmt.Errorf("%s is longer than %d bytes", path, maxFileBytes)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return b, nil
}

// fit says why no node can accept a certificate, whoever signed it.
func fit(leaf *x509.Certificate, now time.Time) error {
	if now.After(leaf.NotAfter) {
		return fmt.Errorf("it expired on %s", leaf.NotAfter.UTC().Format(time.DateOnly))
	}
	forAll := len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) == 0
	if !forAll && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageClientAuth) && !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageAny) {
		return errors.New("it is not for client use (extended key usage clientAuth)")
	}
	return nil
}

// show presents a certificate unless the node has said that no CA it believes
// signed it: in TLS 1.3 its refusal comes late, and may be lost.
func show(pair *tls.Certificate) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return func(asked *tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if err := asked.SupportsCertificate(pair); err != nil {
			return nil, &mismatch{why: "no CA that it believes signed the certificate shown", hint: otherCertificate, err: err}
		}
		return pair, nil
	}
}
