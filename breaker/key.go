package breaker

import (
	"errors"
	"strings"
)

// A Key names one breaker: "host:api.crossref.org" or "resolver:crossref".
// The name of a host is already in its one spelling (package hostname).
type Key string

// The two scopes a key can have.
const (
	ScopeHost     = "host"
	ScopeResolver = "resolver"
)

// MaxNameBytes bounds the name in a key. A DNS name has at most 253 bytes.
const MaxNameBytes = 253

// ErrBadKey is returned by ParseKey for text that names no breaker.
var ErrBadKey = errors.New("want host:NAME or resolver:NAME with a name of 1 to 253 bytes")

// HostKey is the key of a host.
func HostKey(name string) Key { return Key(ScopeHost + ":" + name) }

// ResolverKey is the key of a resolver, a named upstream API.
func ResolverKey(name string) Key { return Key(ScopeResolver + ":" + name) }

// ParseKey reads "scope:name". It does not normalise the name.
func ParseKey(s string) (Key, error) {
	scope, name, ok := strings.Cut(s, ":")
	if !ok || (scope != ScopeHost && scope != ScopeResolver) || name == "" || len(name) > MaxNameBytes {
		return "", ErrBadKey
	}
	return Key(s), nil
}

// Scope is "host" or "resolver".
func (k Key) Scope() string {
	scope, _, _ := strings.Cut(string(k), ":")
	return scope
}

// Name is the key without its scope.
func (k Key) Name() string {
	_, name, _ := strings.Cut(string(k), ":")
	return name
}
