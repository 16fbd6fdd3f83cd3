package hostname

import (
	"fmt"
	"strings"

	"fleetfuse/breaker"
)

// Key reads a key as people write it, in a command, a query or a file: a host,
// host:NAME or resolver:NAME. A host on a port that is called "host" or
// "resolver" needs the long form, host:resolver:8080.
func Key(text string) (breaker.Key, error) {
	scope, name, ok := strings.Cut(text, ":")
	if !ok || scope != breaker.ScopeHost && scope != breaker.ScopeResolver {
		scope, name = breaker.ScopeHost, text
	}
	return KeyIn(scope, name)
}

// KeyIn is the key of a name in a scope, in its one spelling.
func KeyIn(scope, name string) (breaker.Key, error) {
	switch scope {
	case breaker.ScopeHost:
		name, err := Normalize(name)
		if err != nil {
			return "", err
		}
		return breaker.HostKey(name), nil
	case breaker.ScopeResolver:
		name, err := Resolver(name)
		if err != nil {
			return "", err
		}
		return breaker.ResolverKey(name), nil
	}
	return "", fmt.Errorf("the scope %.80q is neither host nor resolver", scope)
}
