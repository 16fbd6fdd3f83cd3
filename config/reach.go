package config

import (
	"fmt"
	"strings"
)

// tlsFlags are the flags of the three TLS files, in a sentence.
const tlsFlags = "--tls.cert-file, --tls.key-file and --tls.ca-file"

// validateTLS finds TLS files that are not all there.
func (c *Config) validateTLS() []error {
	var given, missing []string
	for _, file := range []struct{ flag, path string }{
		{"tls.cert-file", c.TLS.CertFile}, {"tls.key-file", c.TLS.KeyFile}, {"tls.ca-file", c.TLS.CAFile},
	} {
		if file.path != "" {
			given = append(given, file.flag)
		} else {
			missing = append(missing, "--"+file.flag)
		}
	}
	if len(given) == 0 || len(missing) == 0 {
		return nil
	}
	return []error{c.problem(given[0], fmt.Errorf("needs %s too: the three TLS files come together or not at all",
		strings.Join(missing, " and ")))}
}

// validateReach finds ports that other machines could reach and nothing
// guards, and ports of which other nodes would be told what they cannot reach.
func (c *Config) validateReach() []error {
	// Only some of the TLS files are a problem of their own.
	keyring, certificates := c.Cluster.KeyringFile != "", c.TLS != TLS{}
	var problems []error
	for _, port := range []struct {
		flag, listen string
		guarded      bool
		guard        string // what guards it
		advertise    string // the flag of what others are told; empty if nothing
		advertised   string
	}{
		{"cluster.listen-address", c.Cluster.ListenAddress, keyring, "--cluster.keyring-file",
			"cluster.advertise-address", c.Cluster.AdvertiseAddress},
		{"actor.listen-address", c.Actor.ListenAddress, certificates, tlsFlags,
			"actor.advertise-address", c.Actor.AdvertiseAddress},
		{"http.listen-address", c.HTTP.ListenAddress, certificates, tlsFlags + ", so that clients show a certificate", "", ""},
	} {
		ip, err := listenIP(port.listen)
		if err != nil || ip.IsLoopback() {
			continue // reported by its option, or within the machine
		}
		if !port.guarded && !c.Insecure {
			problems = append(problems, c.problem(port.flag, fmt.Errorf("is %s, which is not loopback: other machines could reach it; "+
				"give %s; or listen on 127.0.0.1; or accept the risk with --insecure", quote(port.listen), port.guard)))
		}
		if ip.IsUnspecified() && port.advertise != "" && port.advertised == "" {
			problems = append(problems, c.problem(port.flag, fmt.Errorf("is %s, every address of this machine, and other nodes must be told "+
				"one they can reach; give --%s HOST", quote(port.listen), port.advertise)))
		}
	}
	return problems
}
