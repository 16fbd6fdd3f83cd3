package simulation

import (
	"cmp"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/config"
)

// quiet reads how long the world shows that it recovers: long enough for every
// pause of its policies.
func (r *scenarioReader) quiet(part config.Part) {
	p := &r.plan
	least := p.leastQuiet(p.Policies)
	p.Quiet = max(defaultQuiet, least)
	if !part.There() {
		return
	}
	p.Quiet = part.Duration(time.Second, maxLength)
	if p.Quiet != 0 && p.Quiet < least {
		part.Fail("quiet is %v; the policy keeps calls away for up to %v, fields that words replace included, so a healthy host could still be rejected at the end: want %v or more, or leave it out",
			p.Quiet, least-pauseSlack, least)
	}
}

// pauseSlack is how long a host has to show that it is healthy after the last
// pause.
const pauseSlack = 30 * time.Second

// leastQuiet is the longest that a policy, or what words make of it, keeps calls
// away, and some time for calls to probe.
func (p *Plan) leastQuiet(b *config.Breakers) time.Duration {
	longest := time.Duration(0)
	for i := range p.Hosts {
		key := breaker.HostKey(p.Hosts[i].Name)
		longest = max(longest, longestPause(b.Policy(key)), longestPause(p.replaced(b, key, i)...))
	}
	return longest + pauseSlack
}

// replaced are the policies that words may make of a host's. Some never come
// into force, if a node that is told of them is down: a word may be the first, or
// the latest of all that were said.
func (p *Plan) replaced(b *config.Breakers, key breaker.Key, host int) (policies []*breaker.Policy) {
	var lasting, temporary config.Overlay
	for _, x := range slices.SortedStableFunc(slices.Values(p.Words), func(x, y Word) int { return cmp.Compare(x.At, y.At) }) {
		if x.Kind != Replace || x.Host != host {
			continue
		}
		alone, err := config.ParseOverlay(x.Fields)
		if err != nil {
			continue // a problem of its own
		}
		if x.For > 0 {
			temporary = alone
		} else if all, err := lasting.With(alone); err == nil {
			lasting = all
		}
		for _, overlays := range [][]config.Overlay{{alone}, {lasting}, {lasting, temporary}} {
			var layers []config.Layer
			for _, o := range overlays {
				layers = append(layers, config.Layer{Name: "say: replace", Overlay: o})
			}
			if policy, err := b.Overlaid(key, layers...); err == nil { // else the nodes refuse it
				policies = append(policies, policy)
			}
		}
	}
	return policies
}

// longestPause is how long policies may keep calls away before they probe, but
// for what a host or an operator asks for.
func longestPause(policies ...*breaker.Policy) time.Duration {
	longest := time.Duration(0)
	for _, p := range policies {
		longest = max(longest, p.ResetTimeout)
		for _, r := range p.Roles {
			longest = max(longest, r.ResetTimeout)
		}
		if p.Backoff.Multiplier > 1 {
			longest = max(longest, p.Backoff.Max)
		}
		if p.Rolling.Enabled {
			longest = max(longest, p.Rolling.Cooldown)
		}
	}
	return longest
}
