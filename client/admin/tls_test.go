package admin_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/client/admin"
)

// serveTLS starts a node that serves as secure says, and returns its address.
func serveTLS(t *testing.T, secure *tls.Config) string {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TLS.PeerCertificates) == 0 {
			t.Error("a request without a client certificate arrived")
		}
		io.WriteString(w, `{"node":"n1","key":"host:a.org","state":"open"}`)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = secure
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv.URL
}

func dialTLS(t *testing.T, addr string, files admin.TLSFiles) *admin.Client {
	t.Helper()
	secure, err := files.Config()
	if err != nil {
		t.Fatal(err)
	}
	c, err := admin.NewTLS(addr, secure)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTLS(t *testing.T) {
	ours := newAuthority(t, "ours")
	addr := serveTLS(t, server(t, ours.sign(t, "node", nil)))
	c := dialTLS(t, addr, ours.sign(t, "alice", nil))
	if c.Addr() != addr {
		t.Errorf("got address %q, want %q", c.Addr(), addr)
	}
	for range 2 {
		if _, err := c.Status(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Open(t.Context(), "host:a.org", api.OpenRequest{Seconds: 1}); err != nil {
			t.Fatal(err)
		}
	}
}

// A mismatch names its cause and what to do, and nothing was carried out.
func TestMismatches(t *testing.T) {
	ours, theirs, twin := newAuthority(t, "ours"), newAuthority(t, "theirs"), newAuthority(t, "ours")
	node := ours.sign(t, "node", nil)
	alice := ours.sign(t, "alice", nil)
	with := func(change func(*x509.Certificate)) string {
		return serveTLS(t, server(t, ours.sign(t, "node2", change)))
	}
	trusting := func(a *authority, files admin.TLSFiles) admin.TLSFiles { files.CAFile = a.path("ca.pem"); return files }
	nameless := server(t, node) // a server that tells nobody which CAs it believes
	ca := nameless.ClientCAs
	nameless.ClientAuth, nameless.ClientCAs = tls.RequireAnyClientCert, nil
	nameless.VerifyConnection = func(s tls.ConnectionState) error {
		_, err := s.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: ca, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
		return err
	}
	tests := []struct {
		name, addr string
		files      admin.TLSFiles
		why, hint  string
	}{
		{"a client of another CA", serveTLS(t, server(t, node)), trusting(ours, theirs.sign(t, "eve", nil)), "no CA that it believes signed", "--tls.cert-file"},
		{"a client of another CA of that name", serveTLS(t, server(t, node)), trusting(ours, twin.sign(t, "eve", nil)), "no CA that it believes signed", "--tls.cert-file"},
		{"a client of another CA, told late", serveTLS(t, nameless), trusting(ours, theirs.sign(t, "eve", nil)), "does not accept the certificate", "--tls.cert-file"},
		{"a node of another CA", serveTLS(t, server(t, node)), trusting(theirs, alice), "no CA of the CA file signed its certificate", "--tls.ca-file"},
		{"a node of another address", with(func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(10, 0, 0, 1)} }), alice,
			"for another name: certificate is valid for 10.0.0.1, not 127.0.0.1", "--addr https://NAME:PORT"},
		{"an expired node", with(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }), alice, "has expired or is not yet valid", "the right time"},
		{"a node for clients", with(func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[1:] }), alice, "incompatible key usage", "for server use"},
		{"an old version of TLS", serveTLS(t, &tls.Config{MaxVersion: tls.VersionTLS12, Certificates: server(t, node).Certificates}), alice, "another version of TLS", "--addr"},
		{"a plain port", "https://" + serve(t, http.NotFound).Addr(), alice, "HTTP without TLS", "--addr http://127.0.0.1:"},
		{"no HTTP at all", "https://" + talker(t, "SSH-2.0-OpenSSH_9.9\r\n"), alice, "does not speak TLS", "--addr"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := dialTLS(t, tt.addr, tt.files)
			_, err := c.Open(t.Context(), "host:a.org", api.OpenRequest{})
			differs(t, c, err, tt.why, tt.hint)
		})
	}
	t.Run("no certificate", func(t *testing.T) {
		c, err := admin.NewTLS(serveTLS(t, server(t, node)), config(t, node))
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Open(t.Context(), "host:a.org", api.OpenRequest{})
		differs(t, c, err, "wants a client certificate", "--tls.cert-file")
	})
	t.Run("http to the actor port of a node", func(t *testing.T) {
		c := dial(t, talker(t, "\x00\x00\x06\x04\x00\x00\x00\x00\x00"))
		_, err := c.Status(t.Context())
		differs(t, c, err, "not HTTP", "7140")
	})
	t.Run("http to a port that hangs up, such as gossip", func(t *testing.T) {
		c := dial(t, talker(t, ""))
		_, err := c.Status(t.Context())
		differs(t, c, err, "hung up", "7140")
	})
	for name, addr := range map[string]string{
		"http to a port with TLS":            strings.TrimPrefix(serveTLS(t, server(t, node)), "https://"),
		"http to a port that sends an alert": talker(t, "\x15\x03\x01\x00\x02\x02\x50"),
		"http to nginx":                      serve(t, nginx).Addr(),
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, addr)
			_, err := c.Open(t.Context(), "host:a.org", api.OpenRequest{})
			differs(t, c, err, "it speaks TLS", "--addr https://"+addr+" with --tls.cert-file")
		})
	}
}

func differs(t *testing.T, c *admin.Client, err error, why, hint string) {
	t.Helper()
	var u *admin.UnreachableError
	if !errors.As(err, &u) || !errors.Is(err, admin.ErrUnreachable) {
		t.Fatalf("got %v, want ErrUnreachable", err)
	}
	if u.Sent {
		t.Errorf("it says that the request may have been carried out: %v", err)
	}
	if !strings.Contains(u.What(), c.Addr()) || !strings.Contains(u.What(), why) || !strings.Contains(u.Hint, hint) || !strings.Contains(err.Error(), u.Hint) {
		t.Errorf("got %q and hint %q; want %q and %q", err, u.Hint, why, hint)
	}
}

// nginx answers plain HTTP on a port for TLS as nginx does.
func nginx(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusBadRequest)
	io.WriteString(w, "<html><head><title>400 The plain HTTP request was sent to HTTPS port</title></head>")
}

// talker says the same to everybody who connects.
func talker(t *testing.T, text string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 4096)) // else the close resets
			io.WriteString(conn, text)
			conn.Close()
		}
	}()
	return ln.Addr().String()
}

func TestTLSFiles(t *testing.T) {
	ours := newAuthority(t, "ours")
	alice, bob := ours.sign(t, "alice", nil), ours.sign(t, "bob", nil)
	old := ours.sign(t, "old", func(c *x509.Certificate) { c.NotAfter = time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC) })
	serverOnly := ours.sign(t, "serverOnly", func(c *x509.Certificate) { c.ExtKeyUsage = c.ExtKeyUsage[:1] })
	anyUse := ours.sign(t, "any", func(c *x509.Certificate) { c.ExtKeyUsage = nil })
	if err := os.WriteFile(ours.path("long"), make([]byte, 1<<20+1), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name            string
		cert, key, file string
		want            string // "" is no error
	}{
		{"well", alice.CertFile, alice.KeyFile, alice.CAFile, ""},
		{"any use", anyUse.CertFile, anyUse.KeyFile, anyUse.CAFile, ""},
		{"no CA", alice.CertFile, alice.KeyFile, ours.path("none"), "CA file: open"},
		{"a key for a CA", alice.CertFile, alice.KeyFile, alice.KeyFile, "holds no PEM certificate"},
		{"a directory", ours.dir, alice.KeyFile, alice.CAFile, "is a directory"},
		{"no certificate", ours.path("none"), alice.KeyFile, alice.CAFile, "certificate file: open"},
		{"no key", alice.CertFile, ours.path("none"), alice.CAFile, "key file: open"},
		{"none named", alice.CertFile, "", alice.CAFile, "key file: none is named"},
		{"another's key", alice.CertFile, bob.KeyFile, alice.CAFile, "private key does not match"},
		{"swapped", alice.KeyFile, alice.CertFile, alice.CAFile, "certificate file"},
		{"expired", old.CertFile, old.KeyFile, old.CAFile, "it expired on 2026-01-02"},
		{"for servers", serverOnly.CertFile, serverOnly.KeyFile, serverOnly.CAFile, "not for client use"},
		{"endless", alice.CertFile, alice.KeyFile, ours.path("long"), "longer than 1048576 bytes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := admin.TLSFiles{CertFile: tt.cert, KeyFile: tt.key, CAFile: tt.file}.Config()
			if got := err == nil; got != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestAddressesTLS(t *testing.T) {
	tests := []struct{ addr, want string }{ // want "" is an error
		{"https://node1:7140/", "https://node1:7140"},
		{"HTTPS://[::1]:7140", "https://[::1]:7140"},
		{"https://:7140", "https://127.0.0.1:7140"},
		{"https://node1", ""},
		{"https://node1:7140/v1", ""},
		{"https://u@node1:7140", ""},
		{"http://node1:7140", ""},
		{"node1:7140", ""},
		{"unix:///run/f.sock", ""},
	}
	for _, tt := range tests {
		c, err := admin.NewTLS(tt.addr, nil)
		got := ""
		if err == nil {
			got = c.Addr()
		}
		if got != tt.want {
			t.Errorf("%q: got %q, %v; want %q", tt.addr, got, err, tt.want)
		}
		if want := strings.EqualFold(tt.addr[:min(8, len(tt.addr))], "https://"); admin.Secure(tt.addr) != want {
			t.Errorf("Secure(%q): got %v, want %v", tt.addr, !want, want)
		}
	}
}
