package simulation

import (
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cooldownstore"
)

// reading is a value that an owner reads, and what it believed before.
type reading struct {
	key     breaker.Key
	theirs  float64       // another program's deadline; 0: none
	left    time.Duration // by its clock
	due     time.Duration // what everybody must keep: no longer than its program meant
	covered bool          // the value itself says that a clear ended it
	had     bool
}

// beforeHearing notes what a node is about to hear of its keys.
func (s *sharedChecks) beforeHearing(l *link, entries []spread.Shared, texts []named) (list []reading) {
	if l.who.place() < 0 {
		return nil
	}
	mine := map[breaker.Key]breaker.Snapshot{}
	for _, x := range entries {
		mine[x.Key] = l.who.believed(x.Key)
		for _, c := range x.Snapshot.Cooldowns {
			for _, own := range mine[x.Key].Cooldowns {
				if c.Says(own) {
					s.world.sometimes(SawEcho)
				}
			}
		}
	}
	for _, v := range texts {
		key, _ := cooldownstore.FromSharedName(v.name)
		d := documentedOf(v.text)
		r := reading{key: key, theirs: d.theirs()}
		if r.theirs == 0 {
			continue
		}
		s.read[nodeRow{l.who.place(), key, r.theirs}] = true
		if !l.who.owns(key) {
			continue
		}
		r.left = cooldownstore.FromEpochSeconds(r.theirs).Sub(l.wall())
		r.due = min(r.left, cooldownstore.FromEpochSeconds(r.theirs).Sub(epoch.Add(s.world.now)))
		if d.More != nil {
			for _, until := range d.More.Covered {
				r.covered = r.covered || until == r.theirs
			}
		}
		_, r.had = s.find(l, &r)
		list = append(list, r)
	}
	return list
}

// find is the cooldown that a node took a program's deadline for.
func (s *sharedChecks) find(l *link, r *reading) (breaker.Cooldown, bool) {
	until := l.who.clocks().Now().Add(r.left)
	for _, k := range l.who.believed(r.key).Cooldowns {
		known, named := s.foreign[cooldownID{r.key, k.Setter, k.Stamp}]
		near := k.Reason == breaker.ReasonStore && k.Until.Sub(until).Abs() < time.Second && !s.nearer(r, k.Until.Sub(until))
		if named && known == r.theirs || !named && near {
			return k, true
		}
	}
	return breaker.Cooldown{}, false
}

// nearer reports whether a cooldown that is so far from a program's deadline is
// nearer to another one of it.
func (s *sharedChecks) nearer(r *reading, off time.Duration) bool {
	return slices.ContainsFunc(s.rows[r.key], func(x row) bool {
		apart := cooldownstore.FromEpochSeconds(x.until).Sub(cooldownstore.FromEpochSeconds(r.theirs))
		return (off - apart).Abs() < off.Abs()
	})
}

// heard checks what a node made of what it heard.
func (s *sharedChecks) heard(l *link, list []reading) {
	for i := range list {
		r := &list[i]
		n := s.world.nodes[l.who.place()]
		k, has := s.find(l, r)
		if has {
			s.foreign[cooldownID{r.key, k.Setter, k.Stamp}] = r.theirs
		}
		if has && !r.had {
			s.adopted(n, r, k.Stamp)
		}
		if !has {
			s.obeyed(l, n, r)
		}
	}
}

// adopted notes that a node took over a deadline of another program: all must
// keep it.
func (s *sharedChecks) adopted(n *node, r *reading, stamp breaker.Stamp) {
	w := s.world
	w.sometimes(SawForeignAdopted)
	w.story("%s adopts a deadline of another program for %s, %v from now", n.id, r.key.Name(), r.left)
	if _, ended := s.covered[nodeRow{n.index, r.key, r.theirs}]; ended && s.oneClock() || r.covered {
		w.fail("what a clear ended is never adopted again", n, "%s: until_wall %.3f is adopted again, it ends in %v", r.key, r.theirs, r.left)
	}
	if r.due > 0 && !s.mayBeCovered(r) && n.policies.Of(r.key).Mode == breaker.ModeEnforce {
		w.checks.hold(hold{host: r.key.Name(), by: n, life: n.starts, since: w.now, until: w.now + r.due, what: "another program's deadline", stamp: stamp})
	}
}

// oneClock reports whether the machines' wall clocks agree. Where they do not, an
// owner that never read a deadline itself writes it by its own clock: it is
// another one then, and a clear covers that one.
func (s *sharedChecks) oneClock() bool {
	return s.world.checks.apartByPlace() < time.Second && s.world.checks.truthful()
}

// obeyed checks that a node that does not hold a deadline that it read holds a
// longer one.
func (s *sharedChecks) obeyed(l *link, n *node, r *reading) {
	if r.due < time.Second || r.covered || s.mayBeCovered(r) || !s.world.checks.truthful() {
		return
	}
	now := l.who.clocks().Now()
	longest := time.Duration(0)
	for _, k := range l.who.believed(r.key).Cooldowns {
		longest = max(longest, k.Until.Sub(now))
	}
	if longest < r.due-time.Second {
		s.world.fail("a deadline of another program is obeyed", n, "%s: until_wall is in %v, it believes %s", r.key, r.left, describe(l.who.believed(r.key), now))
	}
}

// closeTakes bounds how long an operator's close is under way, with a stamp of
// when it began or ended.
const closeTakes = 10 * time.Second

// mayBeCovered reports whether a close, of ours or of the other cluster, may have
// ended a deadline: it was said when the deadline was there, or about to be.
func (s *sharedChecks) mayBeCovered(r *reading) bool {
	for _, x := range s.rows[r.key] {
		if x.until != r.theirs {
			continue
		}
		said, ok := s.world.checks.closeSaid[r.key.Name()]
		if ok && said+closeTakes >= x.at {
			return true
		}
		return s.closedByOthers(r.key, x.at-closeTakes)
	}
	return true // not a program's: a value of ours that was read in part
}

// closedByOthers reports whether the other cluster closed a key since a moment.
func (s *sharedChecks) closedByOthers(key breaker.Key, since time.Duration) bool {
	for _, x := range s.world.plan.Shared.Writes {
		if x.Kind == ClusterClose && x.At >= since && x.At <= s.world.now && breaker.HostKey(s.world.plan.Hosts[x.Host].Name) == key {
			return true
		}
	}
	return false
}

// spokeSince reports whether others wrote of a host since a moment: what rejects
// it may be theirs.
func (s *sharedChecks) spokeSince(host string, since time.Duration) bool {
	if s == nil {
		return false
	}
	for _, at := range s.spoke[breaker.HostKey(host)] {
		if at >= since {
			return true
		}
	}
	return false
}

// mayEnd reports whether the other cluster's close may end a hold, now or later.
func (s *sharedChecks) mayEnd(h *hold) bool {
	if s == nil {
		return false
	}
	clear, ok := s.clears[breaker.HostKey(h.host)]
	return ok && clear >= h.stamp
}
