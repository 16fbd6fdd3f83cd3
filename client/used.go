package client

import (
	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/gate"
	"fleetfuse/telemetry/rollup"
)

// used is what of single breakers the node does not learn from outcomes: calls
// that were rejected here, were neutral or came from a cache. It is told every
// rollup.Width.
type used struct {
	gate    *gate.Gate
	waiting map[rollup.Series]*rollup.Counts
	next    breaker.Instant
}

// maxUsed bounds what waits while the node is away; beyond it new keys are left
// out.
const maxUsed = 10_000

// collect takes what the gate has counted, if it is time or the last time, and
// returns some of what waits.
func (u *used) collect(now breaker.Instant, last bool) []api.KeyUse {
	if last || now >= u.next {
		u.next = now.Add(rollup.Width)
		u.gate.DrainUsage(u.add)
	}
	list := make([]api.KeyUse, 0, min(len(u.waiting), api.MaxUsedKeys))
	for s, c := range u.waiting {
		if len(list) == api.MaxUsedKeys {
			break
		}
		list = append(list, api.KeyUse{
			Key: string(s.Key), Role: s.Role, Neutral: c.Neutral, FromCache: c.FromCache,
			Cooldown: c.Rejected[rollup.ByCooldown], Circuit: c.Rejected[rollup.ByCircuit], Local: c.Rejected[rollup.ByRing],
		})
	}
	return list
}

// add takes what no outcome tells.
func (u *used) add(s rollup.Series, c *rollup.Counts) {
	rest := rollup.Counts{Neutral: c.Neutral, FromCache: c.FromCache, Rejected: c.Rejected}
	if rest.Empty() {
		return
	}
	if known := u.waiting[s]; known != nil {
		known.Add(&rest)
		return
	}
	if u.waiting == nil {
		u.waiting = map[rollup.Series]*rollup.Counts{}
	}
	if len(u.waiting) < maxUsed {
		u.waiting[s] = &rest
	}
}

// told forgets what the node knows now.
func (u *used) told(list []api.KeyUse) {
	for _, k := range list {
		delete(u.waiting, rollup.Series{Key: breaker.Key(k.Key), Role: k.Role})
	}
}
