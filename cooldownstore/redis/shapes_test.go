package redis_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/redis"
)

func TestCluster(t *testing.T) {
	var servers []*server
	for range 3 {
		servers = append(servers, start(t, "--cluster-enabled", "yes", "--cluster-port", freePort(t), "--cluster-node-timeout", "20000"))
	}
	first := servers[0]
	for i, s := range servers {
		s.do(t, "CLUSTER", "ADDSLOTSRANGE", i*5461+min(i, 1), min((i+1)*5461, 16383))
		host, port, _ := strings.Cut(s.address, ":")
		bus := s.do(t, "CONFIG", "GET", "cluster-port").(map[any]any)["cluster-port"]
		first.do(t, "CLUSTER", "MEET", host, port, bus)
	}
	for _, s := range servers {
		for deadline := time.Now().Add(30 * time.Second); !strings.Contains(s.do(t, "CLUSTER", "INFO").(string), "cluster_state:ok"); {
			if time.Now().After(deadline) {
				t.Fatal(s.do(t, "CLUSTER", "INFO"))
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	raw := goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: []string{first.address}})
	defer raw.Close()
	url := "redis+cluster://" + first.address + "," + servers[1].address
	contract(t, func(t *testing.T, args ...any) any {
		v, err := raw.Do(context.Background(), args...).Result()
		if err != nil && err != goredis.Nil {
			t.Fatalf("%v: %v", args, err)
		}
		return v
	}, url, redis.Timeouts(5*time.Second, 20*time.Second))

	says(t, map[string]error{"Put": open(t, servers[1].url()).Put(t.Context(), fill(10, 0))}, "use redis+cluster://")
	s := open(t, url)
	servers[2].do(t, "CONFIG", "SET", "maxmemory", "100mb")
	servers[2].do(t, "CONFIG", "SET", "maxmemory-policy", "allkeys-random")
	if warnings, err := s.Check(t.Context()); err != nil || len(warnings) != 1 || !strings.HasPrefix(warnings[0], servers[2].address) {
		t.Errorf("Check: %q, %v; want a warning that names %s", warnings, err, servers[2].address)
	}
}

// Sentinels say who the master is, also after a failover.
func TestSentinel(t *testing.T) {
	master := start(t)
	replica := start(t, append([]string{"--replicaof"}, strings.Split(master.address, ":")...)...)
	host, port, _ := strings.Cut(master.address, ":")
	config := filepath.Join(t.TempDir(), "sentinel.conf")
	lines := fmt.Sprintf("sentinel monitor main %s %s 1\nsentinel down-after-milliseconds main 1000\nsentinel failover-timeout main 5000\n", host, port)
	if err := os.WriteFile(config, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	guard := startArgs(t, config, "--sentinel")
	s := open(t, "redis+sentinel://"+guard.address+"/main", redis.Timeouts(time.Second, 5*time.Second))
	if err := s.Put(t.Context(), fill(10, 0)); err != nil {
		t.Fatal(err)
	}
	says(t, use(t.Context(), open(t, "redis+sentinel://"+guard.address+"/other")), "--cooldown-store", "name of the master")
	says(t, map[string]error{"Put": open(t, "redis://"+guard.address).Put(t.Context(), fill(1, 0))}, "--cooldown-store", "redis+sentinel://")

	until(t, "the replica has all", func() error {
		if n := fmt.Sprint(replica.do(t, "DBSIZE")); n != "10" {
			return fmt.Errorf("it has %s", n)
		}
		return nil
	})
	until(t, "the sentinel knows the replica", func() error {
		if info := guard.do(t, "INFO", "sentinel").(string); !strings.Contains(info, "slaves=1") {
			return fmt.Errorf("%s", info)
		}
		return nil
	})
	heard, ended := make(chan breaker.Key, 1), make(chan error, 1)
	go func() { ended <- s.Hints(t.Context(), func(k breaker.Key) { heard <- k }) }()
	<-heard
	master.kill()
	if err := <-ended; err == nil {
		t.Error("Hints ends without saying why")
	}
	until(t, "the other one takes over", func() error { return s.Put(t.Context(), fill(20, 1)) })
	got := 0
	err := s.Each(t.Context(), func(cooldownstore.SharedWord) bool { got++; return true })
	if err != nil || got != 20 {
		t.Errorf("Each after the failover: %d words, %v; want 20", got, err)
	}
}

func until(t *testing.T, what string, try func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if err = try(); err == nil {
			return
		}
	}
	t.Fatalf("%s: not within a minute: %v", what, err)
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	pool := certificate(t, dir)
	port := freePort(t)
	server := start(t, "--tls-port", port, "--tls-cert-file", dir+"/cert.pem", "--tls-key-file", dir+"/key.pem",
		"--tls-ca-cert-file", dir+"/cert.pem", "--tls-auth-clients", "no")
	secure := "127.0.0.1:" + port
	s := open(t, "rediss://"+secure, redis.TLS(&tls.Config{RootCAs: pool}))
	if err := s.Put(t.Context(), fill(10, 0)); err != nil {
		t.Errorf("Put with TLS: %v", err)
	}
	says(t, use(t.Context(), open(t, "rediss://:s3cret@"+secure)), "--cooldown-store", "certificate is not trusted")
	says(t, use(t.Context(), open(t, "redis://:s3cret@"+secure)), "--cooldown-store", "rediss://")
	says(t, use(t.Context(), open(t, "rediss://:s3cret@"+server.address)), "--cooldown-store", "speaks no TLS")
}

// certificate writes cert.pem and key.pem for 127.0.0.1 and returns who signed.
func certificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	for name, block := range map[string]*pem.Block{"cert.pem": {Type: "CERTIFICATE", Bytes: cert}, "key.pem": {Type: "PRIVATE KEY", Bytes: secret}} {
		var b bytes.Buffer
		pem.Encode(&b, block)
		if name == "cert.pem" {
			pool.AppendCertsFromPEM(b.Bytes())
		}
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return pool
}
