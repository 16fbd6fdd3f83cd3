package config

import (
	"maps"

	"fleetfuse/breaker"
)

// resolve turns settings into policies, field by field: host role, host,
// default role, default.
func resolve(all settings) Breakers {
	b := Breakers{Defaults: breaker.DefaultPolicy(), set: all}
	overlay(&b.Defaults, all[""])
	for key, own := range all {
		if key == "" || len(own) == 0 {
			continue
		}
		p := b.Defaults
		// The copy shares its lists of statuses, which are replaced and never
		// changed, but needs roles of its own.
		p.Roles = maps.Clone(b.Defaults.Roles)
		overlay(&p, own)
		b.add(key, &p)
	}
	return b
}

func (b *Breakers) add(key breaker.Key, p *breaker.Policy) {
	named := &b.Hosts
	if key.Scope() == breaker.ScopeResolver {
		named = &b.Resolvers
	}
	if *named == nil {
		*named = map[string]*breaker.Policy{}
	}
	(*named)[key.Name()] = p
}

// overlay lays settings of one specificity over p. What they say about the
// breaker wins over what the roles of p said before: a host is more specific
// than a role of the defaults.
func overlay(p *breaker.Policy, own []setting) {
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
