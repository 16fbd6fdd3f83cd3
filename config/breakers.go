package config

import (
	"maps"
	"slices"
	"strings"

	"fleetfuse/breaker"
)

// Breakers is the policy of every breaker. Policies are resolved once and
// shared; nobody may change one.
type Breakers struct {
	Defaults  breaker.Policy             // of every key that has none of its own
	Hosts     map[string]*breaker.Policy // by the one spelling of the host; complete policies
	Resolvers map[string]*breaker.Policy // by name

	wildcards map[string]*breaker.Policy // by suffix: example.org of *.example.org
	set       settings                   // what the policies were resolved from
}

// Policy is the policy of a key: its own, that of the longest wildcard which
// matches, or the default. It does not allocate.
func (b *Breakers) Policy(k breaker.Key) *breaker.Policy {
	named, name := b.Hosts, k.Name()
	isResolver := k.Scope() == breaker.ScopeResolver
	if isResolver {
		named = b.Resolvers
	}
	if p, ok := named[name]; ok {
		return p
	}
	if len(b.wildcards) == 0 || isResolver {
		return &b.Defaults
	}
	// The key of a wildcard, *.example.org, finds itself.
	if suffix := b.longest(name); suffix != "" {
		return b.wildcards[suffix]
	}
	return &b.Defaults
}

// inherited is the policy that a key has but for its own settings.
func (b *Breakers) inherited(k breaker.Key) *breaker.Policy {
	if suffix := b.above(k); suffix != "" {
		return b.wildcards[suffix]
	}
	return &b.Defaults
}

// above is the suffix of the longest wildcard above a key: of those that
// match it, other than itself. It is empty if there is none.
func (b *Breakers) above(k breaker.Key) string {
	if len(b.wildcards) == 0 || k.Scope() != breaker.ScopeHost {
		return ""
	}
	return b.longest(strings.TrimPrefix(k.Name(), wildcardPrefix))
}

// longest is the suffix of the longest wildcard that matches a host, or "".
// A name and its wildcard have the same port, if any: it is a part of both.
func (b *Breakers) longest(host string) string {
	for {
		dot := strings.IndexByte(host, '.')
		if dot < 0 {
			return ""
		}
		host = host[dot+1:]
		if _, ok := b.wildcards[host]; ok {
			return host
		}
	}
}

// Keys lists the keys that have a policy of their own, sorted; wildcards are
// none.
func (b *Breakers) Keys() []breaker.Key {
	keys := make([]breaker.Key, 0, len(b.Hosts)+len(b.Resolvers))
	for name := range b.Hosts {
		keys = append(keys, breaker.HostKey(name))
	}
	for name := range b.Resolvers {
		keys = append(keys, breaker.ResolverKey(name))
	}
	slices.Sort(keys)
	return keys
}

// Wildcards lists the wildcards as people write them, "*.example.org", sorted.
func (b *Breakers) Wildcards() []string {
	patterns := make([]string, 0, len(b.wildcards))
	for _, suffix := range slices.Sorted(maps.Keys(b.wildcards)) {
		patterns = append(patterns, wildcardPrefix+suffix)
	}
	return patterns
}

// WildcardPolicy is the policy of the hosts below a wildcard that nothing
// longer and no setting of their own matches. It is nil for a pattern that is
// not one of Wildcards.
func (b *Breakers) WildcardPolicy(pattern string) *breaker.Policy {
	suffix, ok := strings.CutPrefix(pattern, wildcardPrefix)
	if !ok {
		return nil
	}
	return b.wildcards[suffix]
}

// all lists Keys and the keys that wildcards have in the settings, sorted.
func (b *Breakers) all() []breaker.Key {
	keys := b.Keys()
	for _, pattern := range b.Wildcards() {
		keys = append(keys, breaker.HostKey(pattern))
	}
	slices.Sort(keys)
	return keys
}
