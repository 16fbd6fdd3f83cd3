package fleet_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fleetfuse/internal/fleet"
)

// authority signs certificates, all of it in one directory.
type authority struct {
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{dir: t.TempDir(), key: must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t)}
	a.cert = a.sign(t, "ca", &x509.Certificate{
		Subject: pkix.Name{CommonName: "fleet"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, a.key)
	return a
}

// flags issues a certificate for an address and returns the flags that use it.
func (a *authority) flags(t *testing.T, ip string) []string {
	t.Helper()
	a.sign(t, ip, &x509.Certificate{
		Subject: pkix.Name{CommonName: ip}, IPAddresses: []net.IP{net.ParseIP(ip)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))(t))
	file := func(name string) string { return filepath.Join(a.dir, name) }
	return []string{"--tls.ca-file", file("ca.pem"), "--tls.cert-file", file(ip + ".pem"), "--tls.key-file", file(ip + ".key")}
}

// sign writes NAME.pem and NAME.key.
func (a *authority) sign(t *testing.T, name string, c *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	t.Helper()
	c.SerialNumber = must(rand.Int(rand.Reader, big.NewInt(1<<62)))(t)
	c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent := a.cert
	if parent == nil {
		parent = c // the authority itself
	}
	der := must(x509.CreateCertificate(rand.Reader, c, parent, &key.PublicKey, a.key))(t)
	for suffix, block := range map[string]*pem.Block{
		".pem": {Type: "CERTIFICATE", Bytes: der},
		".key": {Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(key))(t)},
	} {
		writeFile(t, filepath.Join(a.dir, name+suffix), string(pem.EncodeToMemory(block)))
	}
	return must(x509.ParseCertificate(der))(t)
}

// writeFile replaces a file in one step.
func writeFile(t *testing.T, path, text string) {
	t.Helper()
	succeed(t, os.WriteFile(path+".new", []byte(text), 0o600))
	succeed(t, os.Rename(path+".new", path))
}

func gossipKey(t *testing.T) string {
	t.Helper()
	key := make([]byte, 32)
	must(rand.Read(key))(t)
	return base64.StdEncoding.EncodeToString(key)
}

// secured is a network whose nodes have certificates and keyrings.
type secured struct {
	network *fleet.Network
	program fleet.Program
	ca      *authority
	rings   string // directory of the keyring files
}

// start starts a node on machine i with these keys.
func (s *secured) start(t *testing.T, i int, ca *authority, keys ...string) *fleet.Node {
	t.Helper()
	s.setKeys(t, i, keys...)
	args := append(ca.flags(t, s.network.IP(i)), "--cluster.keyring-file", s.ring(i))
	if i > 0 {
		args = append(args, "--cluster.peer", s.network.Gossip(0))
	}
	n, err := s.network.Start(t.Context(), s.program, i, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Kill)
	return n
}

func (s *secured) ring(i int) string { return filepath.Join(s.rings, s.network.IP(i)) }

func (s *secured) setKeys(t *testing.T, i int, keys ...string) {
	t.Helper()
	writeFile(t, s.ring(i), strings.Join(keys, "\n")+"\n")
}

// TestKeysAndCertificates runs a cluster that encrypts everything, and changes
// its gossip key without a restart. A node with the old key stays outside then,
// one with the new key comes in, one whose certificate another authority signed
// learns nothing; the members live on.
func TestKeysAndCertificates(t *testing.T) {
	t.Parallel()
	network := newNetwork(t, 6)
	s := &secured{network, fleet.Program{Binary: program, Dir: t.TempDir()}, newAuthority(t), t.TempDir()}
	old, next := gossipKey(t), gossipKey(t)
	var nodes []*fleet.Node
	for i := range 3 {
		nodes = append(nodes, s.start(t, i, s.ca, old))
	}
	awaitMembers(t, nodes)
	exchange(t, nodes, "before.example.org")

	stop := departures(t, nodes)
	for _, step := range [][]string{{old, next}, {next, old}, {next}} {
		for i := range nodes {
			s.setKeys(t, i, step...)
		}
		pass(t, 5*time.Second, time.Now()) // nodes read the file every three seconds
	}
	exchange(t, nodes, "after.example.org")
	if seen := stop(); len(seen) > 0 {
		t.Errorf("while the key was changed: %s", seen[0])
	}
	for _, n := range nodes {
		if refused := must(n.Metric(t.Context(), refusedKey))(t); refused > 0 {
			t.Errorf("%s refused gossip %v times while the key was changed", n.Name, refused)
		}
	}

	stranger := s.start(t, 3, s.ca, old)
	await(t, "a refusal", nodes[0], func() (bool, error) {
		refused, err := nodes[0].Metric(t.Context(), refusedKey)
		return refused > 0, err
	})
	nodes = append(nodes, s.start(t, 4, s.ca, next))
	awaitMembers(t, nodes)
	impostor := s.start(t, 5, newAuthority(t), next)
	exchange(t, nodes, "fourth.example.org")
	pass(t, 3*time.Second, time.Now()) // a round of digests
	for _, n := range []*fleet.Node{stranger, impostor} {
		expect(t, "what members were told", n, "fourth.example.org", closed)
	}
	for _, n := range append([]*fleet.Node{stranger}, nodes...) {
		members := must(n.Members(t.Context()))(t)
		for _, m := range members {
			if (m.Name == stranger.Name) != (n == stranger) {
				t.Errorf("%s has the member %+v", n.Name, m)
			}
		}
	}
}

const refusedKey = "fleetfuse_gossip_refused_key_total"

// exchange has one node be told a Retry-After and two others trip a host: all
// must know of both.
func exchange(t *testing.T, nodes []*fleet.Node, host string) {
	t.Helper()
	report(t, nodes[0], retryAfter(host, "600"))
	awaitAll(t, "a Retry-After", host, rejectedFor("retry-after"), nodes...)
	tripped := must(nodes[0].OwnHost(t.Context(), "tripped-"+host))(t)
	tripAll(t, tripped, append(nodes[1:len(nodes):len(nodes)], nodes[0])...)
}
