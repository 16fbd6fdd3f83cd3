package httpapi

import (
	"fmt"
	"net/http"
	"strings"

	"fleetfuse/breaker"
	"fleetfuse/hostname"
)

// keyOf reads {scope} and {name}. It answers the request itself on an error.
func keyOf(w http.ResponseWriter, r *http.Request) (breaker.Key, bool) {
	k, err := spell(r.PathValue("scope"), r.PathValue("name"))
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error(), "/v1/breakers/host/api.example.org")
	}
	return k, err == nil
}

// parseKey reads a key as people write it: a host name, host:NAME or
// resolver:NAME. A host on a port that is called "host" or "resolver" needs the
// long form.
func parseKey(text string) (breaker.Key, error) {
	scope, name, ok := strings.Cut(text, ":")
	if !ok || scope != breaker.ScopeHost && scope != breaker.ScopeResolver {
		scope, name = breaker.ScopeHost, text
	}
	return spell(scope, name)
}

// spell gives a key its one spelling.
func spell(scope, name string) (breaker.Key, error) {
	switch scope {
	case breaker.ScopeHost:
		name, err := hostname.Normalize(name)
		if err != nil {
			return "", err
		}
		return breaker.HostKey(name), nil
	case breaker.ScopeResolver:
		name, err := hostname.Resolver(name)
		if err != nil {
			return "", err
		}
		return breaker.ResolverKey(name), nil
	}
	return "", fmt.Errorf("the scope %q is neither host nor resolver", scope)
}
