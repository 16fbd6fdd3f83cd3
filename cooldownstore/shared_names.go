package cooldownstore

import (
	"strings"
	"unicode/utf8"

	"fleetfuse/breaker"
)

const (
	hostPrefix     = breaker.ScopeHost + ":"
	resolverPrefix = breaker.ScopeResolver + ":"
)

// SharedName is a key as other programs write it: a host's bare name, or
// resolver:NAME. A host whose own name starts like a key (none that package
// hostname lets through) keeps its scope, so that no two keys share a name.
func SharedName(key breaker.Key) string {
	name := key.Name()
	if key.Scope() == breaker.ScopeHost && !startsLikeKey(name) {
		return name
	}
	return string(key)
}

// FromSharedName reads what SharedName wrote; false if no key is written like
// that, which is what hostile names are.
func FromSharedName(name string) (breaker.Key, bool) {
	text := name
	if !startsLikeKey(name) {
		text = hostPrefix + name
	}
	key, err := breaker.ParseKey(text)
	return key, err == nil && utf8.ValidString(name) && SharedName(key) == name
}

func startsLikeKey(name string) bool {
	return strings.HasPrefix(name, resolverPrefix) || strings.HasPrefix(name, hostPrefix)
}

// Sharable reports whether a key can be shared: its name says the same to
// whoever reads it.
func Sharable(key breaker.Key) bool {
	same, ok := FromSharedName(SharedName(key))
	return ok && same == key
}
