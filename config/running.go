package config

import "maps"

// WithPolicies is c with the policies of another configuration: what a running
// node takes over when it reads its configuration again.
func (c *Config) WithPolicies(of *Config) Config {
	next := *c
	next.Breakers, next.Profile = of.Breakers, of.Profile
	next.origins = maps.Clone(c.origins)
	delete(next.origins, profileFlag)
	if o, ok := of.origins[profileFlag]; ok {
		if next.origins == nil {
			next.origins = map[string]Origin{}
		}
		next.origins[profileFlag] = o
	}
	return next
}

// profileFlag is the one option that is about policies.
const profileFlag = "profile"
