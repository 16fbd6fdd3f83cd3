package view

import (
	"cmp"
	"slices"
	"time"

	"fleetfuse/breaker"
)

// lag is how much later another machine may believe a deadline to be: its
// message was under way for a minute, its clock stood still for a minute, and
// this message was under way for a minute.
const lag = 3 * time.Minute

// maxPast bounds the redundant cooldowns that are remembered of one key.
const maxPast = 64

// identity is a cooldown that another made redundant here.
type identity struct {
	setter string
	stamp  breaker.Stamp
	until  breaker.Instant
}

// Hear takes what another machine says of a key and returns what may be
// adopted of it: hearing something again never moves its deadline, also where
// it was redundant and went, and what was forgotten stays so.
func (v *View) Hear(now breaker.Instant, key breaker.Key, s breaker.Snapshot) breaker.Snapshot {
	s = s.Clone()
	s.Renewed = min(s.Renewed, now)
	s.Forget(now)
	lasting := s.Clone() // what is new here must last: it may be new because it was forgotten
	lasting.Forget(now.Add(lag))
	e := v.buckets[BucketOf(key)][key]
	switch known := e.snap.Circuit; {
	case known.Stamp == 0:
		s.Circuit = lasting.Circuit
	case circuitEchoes(known, s.Circuit):
		s.Circuit = known
	}
	if e.snap.Clear == 0 {
		s.Clear, s.ClearKept = lasting.Clear, lasting.ClearKept
	}
	s.Overlays = slices.DeleteFunc(slices.Clone(s.Overlays), func(o breaker.Overlay) bool {
		return e.snap.Overlay(o.Register).Stamp == 0 && lasting.Overlay(o.Register).Stamp == 0
	})
	s.Cooldowns = slices.DeleteFunc(s.Cooldowns, func(c breaker.Cooldown) bool {
		if i := slices.IndexFunc(e.snap.Cooldowns, sameAs(c)); i >= 0 {
			return echoes(e.snap.Cooldowns[i], c)
		}
		return e.isPast(c) || !slices.ContainsFunc(lasting.Cooldowns, sameAs(c))
	})
	return s
}

// echoes reports whether a copy from disk says of a deadline from disk what is
// known: it is later only because it was under way, or by as much as clocks
// differ. If each such copy moved the deadline, and then told the others, it
// would creep with every message.
func echoes(known, c breaker.Cooldown) bool {
	return known.Disk && c.Disk && c.Until.Sub(known.Until) < echo
}

// circuitEchoes is echoes for a circuit. What ended it follows the same clock as
// what it ended.
func circuitEchoes(known, c breaker.Circuit) bool {
	return known.Disk && c.Disk && known.Stamp == c.Stamp && max(c.Until, c.Keep).Sub(max(known.Until, known.Keep)) < echo
}

// echo is how much later a copy from disk must be to be another word.
const echo = 2 * time.Second

func sameAs(c breaker.Cooldown) func(breaker.Cooldown) bool {
	return func(d breaker.Cooldown) bool { return c.Setter == d.Setter && c.Stamp == d.Stamp }
}

func (e *entry) isPast(c breaker.Cooldown) bool {
	return slices.ContainsFunc(e.past, func(p identity) bool { return p.setter == c.Setter && p.stamp == c.Stamp })
}

// setPast notes what is past when s was merged and reports whether anything
// is: cooldowns of either that are not in the result and that no clear covers.
// One from disk is not past: a living copy of it may come.
func (e *entry) setPast(s, merged breaker.Snapshot) bool {
	n := len(e.past)
	for _, list := range [2][]breaker.Cooldown{e.snap.Cooldowns, s.Cooldowns} {
		for _, c := range list {
			if !c.Disk && c.Stamp > merged.Clear && !e.isPast(c) && !slices.ContainsFunc(merged.Cooldowns, sameAs(c)) {
				e.past = append(e.past, identity{c.Setter, c.Stamp, c.Until})
			}
		}
	}
	if len(e.past) == n {
		return false
	}
	if len(e.past) > maxPast { // those that end soonest go
		slices.SortFunc(e.past, func(a, b identity) int { return cmp.Compare(b.until, a.until) })
		e.past = slices.Clip(e.past[:maxPast])
	}
	return true
}

// Over drops the cooldowns of a key that ran out, as if another made them
// redundant, and reports whether there were any: its owner says that it is
// closed.
func (v *View) Over(now breaker.Instant, key breaker.Key) bool {
	e := v.buckets[BucketOf(key)][key]
	over := func(c breaker.Cooldown) bool { return c.Until <= now }
	if !slices.ContainsFunc(e.snap.Cooldowns, over) {
		return false
	}
	before := e.snap
	e.snap = e.snap.Clone()
	e.snap.Cooldowns = slices.DeleteFunc(e.snap.Cooldowns, over)
	if len(e.snap.Cooldowns) == 0 {
		e.snap.Cooldowns = nil
	}
	e.setPast(before, e.snap)
	v.put(key, e)
	return true
}

// forgetPast drops what nobody can say any more and reports whether it did.
func (e *entry) forgetPast(now breaker.Instant) bool {
	n := len(e.past)
	e.past = slices.DeleteFunc(e.past, func(p identity) bool { return p.until.Add(keepPast) <= now })
	if len(e.past) == 0 {
		e.past = nil
	}
	return len(e.past) != n
}

// keepPast is how long after its deadline nobody speaks of a cooldown that is
// not renewed: ten minutes, and what another machine may lag behind.
const keepPast = 10*time.Minute + lag
