package config

import (
	"slices"

	"fleetfuse/breaker"
)

// Breakers is the policy of every breaker. Policies are resolved once and
// shared; nobody may change one.
type Breakers struct {
	Defaults  breaker.Policy             // of every key that has none of its own
	Hosts     map[string]*breaker.Policy // by the one spelling of the host; complete policies
	Resolvers map[string]*breaker.Policy // by name

	set settings // what the policies were resolved from
}

// Policy is the policy of a key: its own, or the default. It does not
// allocate.
func (b *Breakers) Policy(k breaker.Key) *breaker.Policy {
	named := b.Hosts
	if k.Scope() == breaker.ScopeResolver {
		named = b.Resolvers
	}
	if p, ok := named[k.Name()]; ok {
		return p
	}
	return &b.Defaults
}

// Keys lists the keys that have a policy of their own, sorted.
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

// Origin says where the value of a field comes from that applies to a key and
// a role ("" is the breaker itself). field is a canonical name, as fail_max.
func (b *Breakers) Origin(k breaker.Key, role, field string) Origin {
	steps := []struct {
		key  breaker.Key
		role string
	}{{k, role}, {k, ""}, {"", role}, {"", ""}}
	for _, step := range steps {
		for _, s := range slices.Backward(b.set[step.key]) {
			if s.role == step.role && s.field != nil && s.field.name == field {
				return s.origin
			}
		}
	}
	return Origin{}
}
