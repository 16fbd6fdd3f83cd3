package simulation

import (
	"slices"
	"time"

	"fleetfuse/breaker"
)

// cooldownID names a cooldown, on every node.
type cooldownID struct {
	key    breaker.Key // those that other programs set have the stamp of who read them
	setter string
	stamp  breaker.Stamp
}

// deadlineSeen is what a cooldown's setter, or who was seen first with it, took
// for its deadline.
type deadlineSeen struct {
	until  time.Duration
	setter bool
}

// creep is less than what another word would move a deadline from a disk by.
const creep = time.Second

// moves checks that a node that hears of a cooldown again keeps its deadline. A
// living one may replace one from a disk. What is over, an owner has dropped: a word
// that was on its way meanwhile brings it as it was.
func (c *checks) moves(n *node, key breaker.Key, before, after []breaker.Cooldown) {
	for _, k := range after {
		i := slices.IndexFunc(before, func(b breaker.Cooldown) bool { return b.Setter == k.Setter && b.Stamp == k.Stamp })
		if i < 0 {
			continue
		}
		moved := k.Until.Sub(before[i].Until)
		if max(k.Until, before[i].Until) <= n.clock.Now() {
			continue
		}
		if moved != 0 && (!before[i].Disk || k.Disk && moved.Abs() < creep) {
			c.world.fail("a deadline never moves", n, "%s of %s (disk %v, then %v) was moved by %v", k.Reason, key, before[i].Disk, k.Disk, moved)
		}
	}
}

// clockSlack is how far apart clocks that are a little fast and a little slow
// put a deadline within the length of a world.
const clockSlack = 100 * time.Millisecond

// deadlines checks each cooldown that a node believes in: it ends when its setter
// said, later by at most the time that messages were under way.
func (c *checks) deadlines(n *node, key breaker.Key, s breaker.Snapshot) {
	now := n.clock.Now()
	for _, k := range s.Cooldowns {
		id := cooldownID{key, k.Setter, k.Stamp}
		until := n.moment(k.Until)
		seen, known := c.set[id]
		if setter := k.Setter == n.id && !k.Disk; !known || setter && !seen.setter {
			c.set[id] = deadlineSeen{until, setter}
			continue
		}
		slack := clockSlack + 3*c.travel() + c.stood() + c.apartByPlace()
		if !k.Disk {
			c.apart(n, key, k, until-seen.until, slack)
			continue
		}
		if left := k.Until.Sub(now); left > k.Length+slack {
			c.world.fail("a deadline never moves", n, "%s has %v left of a %s of %v", key, left, k.Reason, k.Length)
		}
		if c.truthful() {
			c.apart(n, key, k, until-seen.until, slack+diskSlack)
		}
	}
}

func (c *checks) apart(n *node, key breaker.Key, k breaker.Cooldown, late, slack time.Duration) {
	if late.Abs() > slack {
		c.world.fail("a deadline never moves", n, "%s of %s (disk %v) ends %v later than %s set it", k.Reason, key, k.Disk, late, k.Setter)
	}
}

// apartByPlace is by how much deadlines may differ that were read from the shared
// store, where they are wall time: by as much as the clocks of the machines.
func (c *checks) apartByPlace() time.Duration {
	if c.shared == nil {
		return 0
	}
	least, most := time.Duration(0), time.Duration(0)
	for _, m := range c.world.plan.Machines {
		least, most = min(least, m.Ahead), max(most, m.Ahead)
	}
	return most - least
}

// truthful reports whether no wall clock was set, nor a machine asleep: then
// deadlines from disks are as good as others.
func (c *checks) truthful() bool {
	for _, f := range c.world.plan.Faults {
		if (f.Kind == ClockSteps || f.Kind == Suspend) && f.At <= c.world.now {
			return false
		}
	}
	return true
}

// limits checks that an open is as long as its policy allows, and longer the
// more often it was opened again.
func (c *checks) limits(a *actor, t *breaker.Transition) {
	s := a.machine.Snapshot()
	p, k := a.machine.Policy(), s.Circuit
	want := p.ForRole(t.Role).ResetTimeout
	switch {
	case t.Reason == breaker.ReasonRolling:
		want = p.Rolling.Cooldown
	case !k.ByRole:
		want = p.ResetTimeout
	}
	if got := k.Until.Sub(a.node.clock.Now()); p.Backoff.Multiplier <= 1 && got != want || got < want || got > max(want, p.Backoff.Max) {
		c.world.fail("limits", a.node, "%s opened (%s) for %v, want %v", a.key, t.Reason, got, want)
	}
	was := a.node.spread.View().Of(a.key)
	if w := was.Circuit; w.State != breaker.Closed && w.Stamp > s.Clear && k.Opens <= w.Opens {
		c.world.fail("limits", a.node, "%s opened again for the time no. %d, it was %d before", a.key, k.Opens, w.Opens)
	}
}

// allowedLength checks a Retry-After as a gate takes it.
func (c *checks) allowedLength(n *node, key breaker.Key, k breaker.Cooldown) {
	most := n.policies.Of(key).RetryAfterCap
	if left := k.Until.Sub(n.clock.Now()); k.Length <= 0 || k.Length > most || left > k.Length {
		c.world.fail("limits", n, "%s has a Retry-After of %v with %v left, the cap is %v", key, k.Length, left, most)
	}
}

// permitted checks an owner's answer to a question for a permit.
func (c *checks) permitted(a *actor, x breaker.Answer) {
	p := a.machine.Policy()
	refused := x.Permit == 0 && x.State != breaker.Closed
	if refused && (x.RetryIn < breaker.MinRetryIn || x.RetryIn > time.Second) || x.Delay > p.HalfOpenJitter ||
		x.Permit != 0 && x.Expires.Sub(a.node.clock.Now()) > p.PermitTimeout {
		c.world.fail("limits", a.node, "%s answers %+v", a.key, x)
	}
}
