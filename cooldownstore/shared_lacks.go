package cooldownstore

import (
	"slices"

	"fleetfuse/breaker"
)

// Lacks reports whether a place that says there is to be told what s says: a
// cooldown that runs and is neither known there nor redundant, or a clear that
// ends something there. A clear of what the place does not know is no news: it
// may have been flushed, and a place that knows nothing brings nothing back.
//
// A deadline of another program beside a longer one of anybody is no news either:
// its stamp tells only when its reader saw it first. Two clusters that saw it
// before and after the longer one would put back what the other takes for
// redundant, for ever.
func Lacks(there, s breaker.Snapshot, now breaker.Instant) bool {
	for _, c := range s.Cooldowns {
		told := func(d breaker.Cooldown) bool {
			return d.Says(c) || d.Until >= c.Until && (d.Stamp >= c.Stamp || isForeign(c))
		}
		if c.Until > now && c.Stamp > there.Clear && !slices.ContainsFunc(there.Cooldowns, told) {
			return true
		}
	}
	return slices.ContainsFunc(there.Cooldowns, func(d breaker.Cooldown) bool { return d.Stamp <= s.Clear })
}

// Outlives reports whether a place shows a cooldown as running that, as s knows,
// ended KeepEnded ago: the clock that set it is ahead, and what came to its value
// later keeps that alive. Who remembers s no more would take it for news.
func Outlives(there, s breaker.Snapshot, now breaker.Instant) bool {
	return slices.ContainsFunc(there.Cooldowns, func(d breaker.Cooldown) bool {
		return d.Until > now && slices.ContainsFunc(s.Cooldowns, func(c breaker.Cooldown) bool {
			return same(c, d) && !isForeign(c) && c.Until.Add(KeepEnded) <= now
		})
	})
}
