package node

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetfuse/client/admin"
	"fleetfuse/cluster"
)

// certify makes a certificate for 127.0.0.1 that is good for both ends of a
// connection and is its own CA.
func certify(t *testing.T, name string) cluster.TLS {
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
	cert, private := filepath.Join(t.TempDir(), name+".pem"), filepath.Join(t.TempDir(), name+".key")
	for file, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, private: {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cluster.TLS{CertFile: cert, KeyFile: private, CAFile: cert}
}

func TestGuardHTTP(t *testing.T) {
	files := certify(t, "n")
	tests := []struct {
		name     string
		listen   string
		files    cluster.TLS
		insecure bool
		host     string // accepted beside the listed one
		secure   bool
		want     string // in the error; "" is none
	}{
		{name: "loopback", listen: "127.0.0.1:0", host: "127.0.0.1"},
		{name: "loopback by name", listen: "localhost:0", host: "localhost"},
		{name: "loopback, IPv6", listen: "[::1]:0", host: "::1"},
		{name: "loopback with files", listen: "127.0.0.1:0", files: files, host: "127.0.0.1", secure: true}, // for listen, which does not use it there
		{name: "beyond", listen: "10.0.0.1:7140", want: "--http.listen-address 10.0.0.1:7140 can be reached from elsewhere"},
		{name: "everywhere", listen: "0.0.0.0:7140", want: "give --tls.cert-file, --tls.key-file and --tls.ca-file, or --insecure"},
		{name: "everywhere, short", listen: ":7140", want: "can be reached from elsewhere"},
		{name: "by name", listen: "node1:7140", want: "can be reached from elsewhere"},
		{name: "beyond with files", listen: "10.0.0.1:7140", files: files, host: "10.0.0.1", secure: true},
		{name: "everywhere with files", listen: ":7140", files: files, host: "10.0.0.9", secure: true},
		{name: "everywhere, as a node says it is called", listen: "0.0.0.0:7140", files: files, host: "10.0.0.9", secure: true},
		{name: "everywhere, IPv6", listen: "[::]:7140", insecure: true, host: "10.0.0.9"},
		{name: "beyond, insecure", listen: "10.0.0.1:7140", insecure: true, host: "10.0.0.1"},
		{name: "insecure with files", listen: "10.0.0.1:7140", insecure: true, files: files, host: "10.0.0.1", secure: true},
		{name: "some of the files", listen: "10.0.0.1:7140", files: cluster.TLS{CertFile: files.CertFile}, want: "all three or none"},
		{name: "some, insecure", listen: "10.0.0.1:7140", insecure: true, files: cluster.TLS{CAFile: files.CAFile}, want: "all three or none"},
		{name: "no such file", listen: "10.0.0.1:7140", files: cluster.TLS{CertFile: files.CertFile, KeyFile: files.KeyFile, CAFile: "/none"}, want: "--tls.ca-file"},
		{name: "swapped", listen: "10.0.0.1:7140", files: cluster.TLS{CertFile: files.KeyFile, KeyFile: files.CertFile, CAFile: files.CAFile}, want: "--tls.cert-file and --tls.key-file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := &Options{HTTPListen: tt.listen, TLS: tt.files, Insecure: tt.insecure, AllowedHosts: []string{"listed"}}
			secure, hosts, err := o.guardHTTP("10.0.0.9:7141")
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want %q", err, tt.want)
			}
			if err != nil {
				return
			}
			if (secure != nil) != tt.secure {
				t.Errorf("TLS: got %v, want %v", secure != nil, tt.secure)
			}
			if secure != nil && (secure.ClientAuth != tls.RequireAndVerifyClientCert || secure.MinVersion != tls.VersionTLS13 || secure.ClientCAs == nil) {
				t.Errorf("client certificates are not required and verified over TLS 1.3: %+v", secure)
			}
			want := []string{"listed"}
			if tt.host != "" {
				want = append(want, tt.host)
			}
			if !slices.Equal(hosts, want) || len(o.AllowedHosts) != 1 {
				t.Errorf("hosts: got %v, want %v", hosts, want)
			}
		})
	}
}

// A node at every address of the machine answers those alone that show a
// certificate of its CA; its Unix socket needs none.
func TestServesBeyondLoopback(t *testing.T) {
	files, stranger := certify(t, "n"), certify(t, "stranger")
	socket := filepath.Join(t.TempDir(), "s")
	n, err := Start(t.Context(), Options{
		Name: "n", Memory: true, HTTPListen: "0.0.0.0:0", HTTPSocket: socket, TLS: files,
		Gossip: cluster.Gossip{Listen: "127.0.0.1:0"}, Actor: cluster.Actor{Listen: "127.0.0.1:0"}, Version: "test",
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	_, port, err := net.SplitHostPort(n.Addresses().HTTP)
	if err != nil {
		t.Fatal(err)
	}
	status := func(c *admin.Client, err error) error {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Status(t.Context())
		return err
	}
	over := func(f cluster.TLS) (*admin.Client, error) {
		secure, err := admin.TLSFiles{CertFile: f.CertFile, KeyFile: f.KeyFile, CAFile: files.CAFile}.Config()
		if err != nil {
			return nil, err
		}
		return admin.NewTLS("https://127.0.0.1:"+port, secure)
	}
	for name, err := range map[string]error{"over TLS": status(over(files)), "over the socket": status(admin.New("unix://" + socket))} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for want, err := range map[string]error{"no CA that it believes": status(over(stranger)), "it speaks TLS": status(admin.New("127.0.0.1:" + port))} {
		if !errors.Is(err, admin.ErrUnreachable) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
