package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// A security is how the actor port proves who is who.
type security struct {
	server, client credentials.TransportCredentials
}

// open reads the files; without any the port is plain.
func (t TLS) open() (security, error) {
	server, client, err := t.Configs()
	if err != nil {
		return security{}, err
	}
	if server == nil {
		return security{insecure.NewCredentials(), insecure.NewCredentials()}, nil
	}
	return security{server: credentials.NewTLS(server), client: credentials.NewTLS(client)}, nil
}

// Configs reads the files; without any both are nil. Both sides verify: the
// caller that the certificate is for the host it called, both that the CA
// signed it. Errors name the flag.
func (t TLS) Configs() (server, client *tls.Config, err error) {
	if t == (TLS{}) {
		return nil, nil, nil
	}
	if t.CertFile == "" || t.KeyFile == "" || t.CAFile == "" {
		return nil, nil, errors.New("--tls.cert-file, --tls.key-file and --tls.ca-file: give all three or none")
	}
	authority, err := t.authority()
	if err != nil {
		return nil, nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return nil, nil, fmt.Errorf("--tls.ca-file %s holds no PEM certificate; give the certificate of the CA that signed those of all nodes", t.CAFile)
	}
	own := &certificate{certFile: t.CertFile, keyFile: t.KeyFile}
	if _, err := own.current(); err != nil {
		return nil, nil, fmt.Errorf("--tls.cert-file and --tls.key-file: %w; give a PEM certificate and the key that belongs to it, not %s and %s", err, t.CertFile, t.KeyFile)
	}
	server = &tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return own.current() },
	}
	client = &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: pool,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return own.current() },
	}
	return server, client, nil
}

// authority reads the CA's file, the last of the three. Its error names all that
// cannot be read, at once.
func (t TLS) authority() (text []byte, err error) {
	var errs []error
	for _, f := range []struct{ flag, path string }{{"--tls.cert-file", t.CertFile}, {"--tls.key-file", t.KeyFile}, {"--tls.ca-file", t.CAFile}} {
		if text, err = os.ReadFile(f.path); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w; name a PEM file that the node may read", f.flag, err))
		}
	}
	return text, errors.Join(errs...)
}

// A certificate is read again when its file changed, so that it can be renewed
// without a restart.
type certificate struct {
	certFile, keyFile string

	mu   sync.Mutex
	last *tls.Certificate
	at   time.Time // of the file that last was read from
}

// current is the certificate as of now. One that cannot be read any more stays
// in use.
func (c *certificate) current() (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	info, err := os.Stat(c.certFile)
	if err == nil && c.last != nil && info.ModTime().Equal(c.at) {
		return c.last, nil
	}
	var pair tls.Certificate
	if err == nil {
		pair, err = tls.LoadX509KeyPair(c.certFile, c.keyFile)
	}
	if err != nil {
		if c.last != nil {
			return c.last, nil
		}
		return nil, err
	}
	c.last, c.at = &pair, info.ModTime()
	return c.last, nil
}
