package config

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"fleetfuse/breaker"
	"fleetfuse/hostname"
)

// hostPrefix may stand before a host, resolverPrefix marks a resolver where a
// host is expected.
const (
	hostPrefix     = breaker.ScopeHost + ":"
	resolverPrefix = breaker.ScopeResolver + ":"
)

// wildcardPrefix starts the name of a wildcard. Settings of *.example.org are
// kept under the key host:*.example.org, which no host can have.
const wildcardPrefix = "*."

// hostKey is the key of a host as a person writes it, of a wildcard, or of
// host:NAME or resolver:NAME, as ctl prints them.
func hostKey(name string) (breaker.Key, error) {
	if resolver, ok := strings.CutPrefix(name, resolverPrefix); ok {
		return resolverKey(resolver)
	}
	if !strings.Contains(name, "*") {
		return hostname.Key(name)
	}
	host, err := spellWildcard(strings.TrimPrefix(name, hostPrefix))
	if err != nil {
		return "", err
	}
	return breaker.HostKey(host), nil
}

// spellWildcard is the one spelling of a wildcard: what follows *. is spelled
// like a host. So *.example.org:443 is *.example.org, and another port stays:
// hosts with that port have names of their own, and only those match.
func spellWildcard(name string) (string, error) {
	suffix, ok := strings.CutPrefix(name, wildcardPrefix)
	switch {
	case name == "*":
		return "", errors.New(`wildcard "*": what applies to every host are the defaults; use the section defaults, or --breaker-defaults`)
	case !ok || strings.Contains(suffix, "*"):
		return "", fmt.Errorf("wildcard %s: * stands for everything before one suffix and nowhere else; write it as *.example.org", quote(name))
	case suffix == "":
		return "", fmt.Errorf("wildcard %s: the suffix is missing; write it as *.example.org", quote(name))
	}
	spelled, err := hostname.Normalize(suffix)
	switch {
	case err != nil:
		return "", fmt.Errorf("wildcard %s: %w", quote(name), err)
	case isAddress(spelled):
		return "", fmt.Errorf("wildcard %s: nothing is below an IP address; name each address", quote(name))
	case len(wildcardPrefix+spelled) > breaker.MaxNameBytes:
		return "", fmt.Errorf("wildcard %s: no host name of at most %d bytes is below that suffix", quote(name), breaker.MaxNameBytes)
	}
	return wildcardPrefix + spelled, nil
}

// isAddress reports whether a host in its one spelling is an IP address, with
// or without a port.
func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	_, portErr := netip.ParseAddrPort(host)
	return err == nil || portErr == nil
}

// wildcardSuffix is what follows *. in the key of a wildcard.
func wildcardSuffix(k breaker.Key) (suffix string, ok bool) {
	return strings.CutPrefix(string(k), hostPrefix+wildcardPrefix)
}

// resolverKey is the key of a resolver as a person writes it.
func resolverKey(name string) (breaker.Key, error) {
	if strings.Contains(name, "*") {
		return "", fmt.Errorf("resolver %s: wildcards are for hosts; name each resolver", quote(name))
	}
	resolver, err := hostname.Resolver(name)
	if err != nil {
		return "", err
	}
	return breaker.ResolverKey(resolver), nil
}

// roleName is the spelling of a role that has a name.
func roleName(name string) (string, error) {
	if name == "" {
		return "", errors.New("a role needs a name, as in metadata")
	}
	return hostname.Role(name)
}
