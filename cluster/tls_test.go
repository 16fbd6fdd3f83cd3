package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/remote"
)

// An authority signs certificates for 127.0.0.1 into a directory.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir(), cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	a.sign(t, "ca", a.cert, a.key)
	return a
}

// sign writes NAME.crt and NAME.key.
func (a *authority) sign(t *testing.T, name string, c *x509.Certificate, key *ecdsa.PrivateKey) {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{".crt": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(filepath.Join(a.dir, name+file), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// node makes a certificate that is good for both ends of a connection.
func (a *authority) node(t *testing.T, name string) TLS {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	a.sign(t, name, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, key)
	in := func(file string) string { return filepath.Join(a.dir, file) }
	return TLS{CertFile: in(name + ".crt"), KeyFile: in(name + ".key"), CAFile: in("ca.crt")}
}

func TestMutualTLS(t *testing.T) {
	beside(t)
	ours, theirs := newAuthority(t), newAuthority(t)
	with := func(files TLS) func(*Options) { return func(o *Options) { o.TLS = files } }
	a := real(t, "a", nil, with(ours.node(t, "a")))
	b := real(t, "b", nil, with(ours.node(t, "b")), a)
	x := real(t, "x", nil, with(theirs.node(t, "x")), a) // not ours, though it gossips
	plain := real(t, "y", nil, nil, a)
	for _, n := range []*realNode{a, b, x, plain} {
		n.sees(t, "a", "b", "x", "y")
	}
	x.Send("a", ack(1))
	plain.Send("a", ack(2))
	a.Send("x", ack(3))
	s, err := stranger(t, a.Address()).Receive(t.Context())
	if err == nil {
		err = s.Send(&remote.RemoteMessage{})
	}
	if err == nil {
		_, err = s.Recv()
	}
	if err == nil {
		t.Error("a caller without a certificate got a reply")
	}
	b.Send("a", ack(4))
	if f := a.receives(t); f.GetFrom() != "b" {
		t.Errorf("a received %v, want only b's", f)
	}
	a.Send("b", ack(5))
	b.receives(t)
	if len(a.frames)+len(x.frames) > 0 {
		t.Error("a frame arrived without the right certificate")
	}
}

func TestCertificateIsRenewed(t *testing.T) {
	ca := newAuthority(t)
	files := ca.node(t, "a")
	c := &certificate{certFile: files.CertFile, keyFile: files.KeyFile}
	first, err := c.current()
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := c.current(); again != first {
		t.Error("an unchanged certificate was read again")
	}
	ca.node(t, "a")
	if err := os.Chtimes(files.CertFile, time.Time{}, time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	second, err := c.current()
	if err != nil || string(second.Certificate[0]) == string(first.Certificate[0]) {
		t.Errorf("err = %v, or the renewed certificate is not in use", err)
	}
	if err := os.Remove(files.CertFile); err != nil {
		t.Fatal(err)
	}
	if last, err := c.current(); err != nil || last != second {
		t.Errorf("without the file: %v, want the last one to stay", err)
	}
}

func TestOptionsThatAreRefused(t *testing.T) {
	beside(t)
	files := newAuthority(t).node(t, "a")
	keys := filepath.Join(t.TempDir(), "keys")
	writeKeys(t, keys, 1)
	everywhere := "0.0.0.0:0"
	for want, edit := range map[string]func(*Options){
		"--cluster.keyring-file, or --insecure":                                     func(o *Options) { o.Gossip.Listen = everywhere },
		"give --cluster.keyring-file":                                               func(o *Options) { o.Gossip.Advertise = "192.0.2.1:7141" },
		"--tls.cert-file, --tls.key-file and --tls.ca-file":                         func(o *Options) { o.Actor.Listen = everywhere },
		"or --insecure if everybody there may send to it":                           func(o *Options) { o.Actor.Advertise, o.Gossip.KeyringFile = "worker-7", keys },
		"give all three or none":                                                    func(o *Options) { o.TLS = files; o.TLS.KeyFile = "" },
		"--tls.ca-file":                                                             func(o *Options) { o.TLS = files; o.TLS.CAFile += "-absent" },
		"holds no PEM certificate":                                                  func(o *Options) { o.TLS = files; o.TLS.CAFile = files.KeyFile },
		"--tls.cert-file and --tls.key-file":                                        func(o *Options) { o.TLS = files; o.TLS.CertFile = keys },
		"--cluster.keyring-file":                                                    func(o *Options) { o.Gossip.KeyringFile = keys + "-absent" },
		"--cluster.keyring-file: stat keys: no such file or directory; name a file": func(o *Options) { o.Gossip.KeyringFile = "keys" },
		"--tls.ca-file: open c: no such file or directory; name a PEM file that the node may read\n--cluster.keyring-file": func(o *Options) {
			o.TLS, o.Gossip.KeyringFile = TLS{CertFile: files.CertFile, KeyFile: "k", CAFile: "c"}, "keys"
		},
		"--cluster.gossip-profile":                    func(o *Options) { o.Gossip.Profile = "fast" },
		"--cluster.label has 256 bytes":               func(o *Options) { o.Gossip.Label = strings.Repeat("x", 256) },
		`--cluster.peer "east"`:                       func(o *Options) { o.Gossip.Peers = []string{"east"} },
		`node id ""`:                                  func(o *Options) { o.NodeID = "" },
		`node id "a#1"`:                               func(o *Options) { o.NodeID = "a#1" },
		"--cluster.listen-address":                    func(o *Options) { o.Gossip.Listen = "host:1" },
		`--cluster.advertise-address ":9": want host`: func(o *Options) { o.Gossip.Advertise = ":9" },
		"shorten --node.name (500 bytes)":             func(o *Options) { o.Name = strings.Repeat("n", 500) },
	} {
		opt := Options{NodeID: "a", Epoch: 1, Logger: textLogger(new(lockedBuffer))}
		edit(&opt)
		c, err := Start(t.Context(), opt, nil)
		if err == nil {
			c.Stop()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}

// A port that is taken is said with its flag and what to do.
func TestPortsThatAreTaken(t *testing.T) {
	beside(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for flag, edit := range map[string]func(*Options){
		"--actor.listen-address":   func(o *Options) { o.Actor.Listen = l.Addr().String() },
		"--cluster.listen-address": func(o *Options) { o.Gossip.Listen = l.Addr().String() },
	} {
		opt := Options{NodeID: "a", Epoch: 1, Logger: textLogger(new(lockedBuffer))}
		edit(&opt)
		c, err := Start(t.Context(), opt, nil)
		if err == nil {
			c.Stop()
		}
		if err == nil || !strings.HasPrefix(err.Error(), flag+" "+l.Addr().String()) || !strings.Contains(err.Error(), "another node may run here: stop it, or choose another port") {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

func TestInsecureListensEverywhere(t *testing.T) {
	beside(t)
	a := real(t, "a", nil, func(o *Options) {
		o.Insecure, o.Gossip.Listen, o.Actor.Listen = true, "127.0.0.1:0", "0.0.0.0:0"
		o.Actor.Advertise = "localhost"
	})
	b := real(t, "b", nil, nil, a)
	a.sees(t, "a", "b")
	if m := b.Cluster.Members()[0]; !strings.HasPrefix(m.ActorAddress, "localhost:") {
		t.Errorf("a is told as %q, want its advertised host with the bound port", m.ActorAddress)
	}
	b.Send("a", ack(1)) // to another address than a binds
	a.receives(t)
}
