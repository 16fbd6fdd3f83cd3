package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fleetfuse/api"
)

// certify writes NAME.pem, a certificate for both ends of a connection that is
// its own CA, and NAME.key.
func certify(t *testing.T, dir, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(dir, name+file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// newSecureTerminal runs command lines against a node that serves as NAME and
// believes nobody else.
func newSecureTerminal(t *testing.T, n node, dir, name string) *terminal {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key"))
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(pair.Leaf)
	srv := httptest.NewUnstartedServer(n)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = &tls.Config{MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return &terminal{t: t, addr: srv.Listener.Addr().String(), env: map[string]string{}}
}

func TestReachOverTLS(t *testing.T) {
	dir := t.TempDir()
	certify(t, dir, "ours")
	certify(t, dir, "theirs")
	pem, key := filepath.Join(dir, "ours.pem"), filepath.Join(dir, "ours.key")
	theirs, theirKey := filepath.Join(dir, "theirs.pem"), filepath.Join(dir, "theirs.key")
	n := fleet()
	n["POST /v1/cluster/leave"] = api.LeaveResponse{Node: "n1", Remaining: []api.Member{{Name: "n2", APIAddress: "10.0.0.2:7140"}}}
	term := newSecureTerminal(t, n, dir, "ours")
	types := func(addr string, args ...string) { term.types(append(args, "--addr", addr)...) }
	secure, plain := "https://"+term.addr, term.addr

	types(secure, "breaker", "check", "arxiv.org", "--tls.cert-file", pem, "--tls.key-file", key, "--tls.ca-file", pem)
	types(secure, "cluster", "leave", "--tls.cert-file", pem, "--tls.key-file", key, "--tls.ca-file", pem)
	types(secure, "status")
	types(secure, "status", "--tls.cert-file", pem, "--tls.ca-file", pem)
	types(secure, "status", "--tls.cert-file", pem, "--tls.key-file", key, "--tls.ca-file", filepath.Join(dir, "none"))
	types(secure, "status", "--tls.cert-file", pem, "--tls.key-file", theirKey, "--tls.ca-file", pem)
	types(secure, "status", "--tls.cert-file", theirs, "--tls.key-file", theirKey, "--tls.ca-file", pem)
	types(secure, "breaker", "open", "a.org", "--for", "1m", "--tls.cert-file", pem, "--tls.key-file", key, "--tls.ca-file", theirs)
	types("https://localhost", "status", "--tls.cert-file", pem, "--tls.key-file", key, "--tls.ca-file", pem)
	types(plain, "status", "--tls.cert-file", pem, "--tls.key-file", key, "--tls.ca-file", pem)
	types("unix:///run/f.sock", "status", "--tls.ca-file", pem)
	types(plain, "status")
	term.env = map[string]string{"FLEETFUSE_ADDR": secure, "FLEETFUSE_TLS_CERT_FILE": pem, "FLEETFUSE_TLS_KEY_FILE": key}
	term.log.WriteString("With FLEETFUSE_ADDR, FLEETFUSE_TLS_CERT_FILE and FLEETFUSE_TLS_KEY_FILE in the environment:\n\n")
	term.types("breaker", "check", "arxiv.org")
	term.types("breaker", "check", "arxiv.org", "--tls.ca-file", pem)
	term.types("breaker", "check", "arxiv.org", "--tls.ca-file", pem, "--tls.key-file", theirKey)

	// Files of the environment are for the nodes at https.
	clear := newTerminal(t, fleet())
	clear.env["FLEETFUSE_TLS_CERT_FILE"] = pem
	clear.types("breaker", "check", "arxiv.org")
	clear.types("breaker", "open", "arxiv.org", "--for", "1m", "--addr", "https://"+clear.addr,
		"--tls.cert-file", pem, "--tls.key-file", key, "--tls.ca-file", pem)
	term.log.WriteString("A node that serves HTTP without TLS:\n\n")
	term.log.Write(bytes.ReplaceAll(clear.log.Bytes(), []byte(clear.addr), []byte(term.addr)))

	told := bytes.ReplaceAll(term.log.Bytes(), []byte(dir), []byte("DIR"))
	term.log = *bytes.NewBuffer(told)
	term.golden("tls")
}
