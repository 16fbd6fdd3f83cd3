package config

import (
	"cmp"
	"maps"
	"slices"

	"fleetfuse/breaker"
)

// resolve turns settings into policies, field by field: host role, host, the
// roles of a wildcard and the wildcard (the longest first), default role,
// default.
func resolve(all settings) Breakers {
	b := Breakers{
		Defaults: breaker.DefaultPolicy(), set: all,
		Hosts: make(map[string]*breaker.Policy, len(all)), Resolvers: map[string]*breaker.Policy{}, wildcards: map[string]*breaker.Policy{},
	}
	lay(&b.Defaults, all[""])
	for _, suffix := range wildcardsOf(all) {
		key := breaker.HostKey(wildcardPrefix + suffix)
		b.wildcards[suffix] = b.laid(key, all[key])
	}
	for key, own := range all {
		switch _, isWildcard := wildcardSuffix(key); {
		case key == "" || isWildcard:
		case key.Scope() == breaker.ScopeResolver:
			b.Resolvers[key.Name()] = b.laid(key, own)
		default:
			b.Hosts[key.Name()] = b.laid(key, own)
		}
	}
	return b
}

// wildcardsOf lists the suffixes of the wildcards in the settings, the
// shortest first: a longer one is laid over the shorter ones that match it.
func wildcardsOf(all settings) []string {
	var suffixes []string
	for key := range all {
		if suffix, ok := wildcardSuffix(key); ok {
			suffixes = append(suffixes, suffix)
		}
	}
	slices.SortFunc(suffixes, func(a, b string) int { return cmp.Compare(len(a), len(b)) })
	return suffixes
}

// laid is a new policy: what a key inherits, with own laid over it. Of the
// defaults ("") it is what is built in with own laid over it.
func (b *Breakers) laid(k breaker.Key, own []setting) *breaker.Policy {
	if k == "" {
		p := breaker.DefaultPolicy()
		lay(&p, own)
		return &p
	}
	// The copy shares its lists of statuses, which are replaced and never
	// changed, but needs roles of its own.
	p := *b.inherited(k)
	p.Roles = maps.Clone(p.Roles)
	lay(&p, own)
	return &p
}

// lay lays settings of one specificity over p. What they say about the
// breaker wins over what the roles of p said before: a host is more specific
// than a role of the defaults.
func lay(p *breaker.Policy, own []setting) {
	for _, s := range own {
		if s.role != "" || s.field == nil {
			continue
		}
		storeValue(s.field.at(p), s.value)
		if s.field.atRole == nil {
			continue
		}
		for name, role := range p.Roles {
			clearValue(s.field.atRole(&role))
			p.Roles[name] = role
		}
	}
	for _, s := range own {
		if s.role == "" {
			continue
		}
		role := p.Roles[s.role]
		if s.field != nil {
			storeValue(s.field.atRole(&role), s.value)
		}
		if p.Roles == nil {
			p.Roles = map[string]breaker.RolePolicy{}
		}
		p.Roles[s.role] = role
	}
}

// levels are the settings that apply to a key, the most specific first: its
// own with layers over them, those of each wildcard above it, the defaults.
func (b *Breakers) levels(k breaker.Key, layers []Layer) [][]setting {
	own := b.set[k]
	for _, l := range layers {
		own = slices.Concat(own, l.settings())
	}
	levels := [][]setting{own}
	if k == "" {
		return levels
	}
	for suffix := b.above(k); suffix != ""; suffix = b.longest(suffix) {
		levels = append(levels, b.set[breaker.HostKey(wildcardPrefix+suffix)])
	}
	return append(levels, b.set[""])
}

// Origin says where the value of a field comes from that applies to a key and
// a role ("" is the breaker itself). field is its name, as fail_max.
func (b *Breakers) Origin(k breaker.Key, role, field string) Origin {
	return originIn(b.levels(k, nil), role, fieldsByPath[field])
}

func originIn(levels [][]setting, role string, f *field) Origin {
	for _, level := range levels {
		for _, role := range []string{role, ""} {
			for _, s := range slices.Backward(level) {
				if s.role == role && s.field != nil && s.field == f {
					return s.origin
				}
			}
		}
	}
	return Origin{}
}
