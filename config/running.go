package config

import "maps"

// Reloaded is c with what a running node takes over when it reads its
// configuration again: the policies, and what the tuner may do.
func (c *Config) Reloaded(read *Config) Config {
	next := *c
	next.Breakers, next.Profile, next.Tuner = read.Breakers, read.Profile, read.Tuner
	next.origins = maps.Clone(c.origins)
	for i := range options {
		o := &options[i]
		if !o.isReloaded() {
			continue
		}
		delete(next.origins, o.flag)
		if origin, ok := read.origins[o.flag]; ok {
			if next.origins == nil {
				next.origins = map[string]Origin{}
			}
			next.origins[o.flag] = origin
		}
	}
	return next
}

// profileFlag is the one option that is about policies.
const profileFlag = "profile"

// isReloaded reports whether a running node takes the option over.
func (o *option) isReloaded() bool { return o.flag == profileFlag || o.isTuners() }

// Restart names the options, as in a file, that differ from those of a running
// node and that it keeps until it is started again.
func (c *Config) Restart(old *Config) []string {
	var names []string
	for i := range options {
		if o := &options[i]; !o.isReloaded() && o.text(c) != o.text(old) {
			names = append(names, o.key)
		}
	}
	return names
}

// ScopeTuner is the scope of changes of the tuner's options.
const ScopeTuner = "tuner"

// DiffReloaded lists what a running node takes over: the settings of policies,
// and the tuner's options.
func DiffReloaded(before, after *Config) []Change {
	changes := Diff(&before.Breakers, &after.Breakers)
	for i := range options {
		o := &options[i]
		from, to := o.text(before), o.text(after)
		if !o.isTuners() || from == to {
			continue
		}
		origin, ok := after.origins[o.flag]
		if !ok { // what had set it is gone
			origin = before.origins[o.flag]
		}
		changes = append(changes, Change{ScopeTuner, o.key, from, to, origin})
	}
	return changes
}
