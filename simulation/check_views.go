package simulation

import (
	"slices"
	"time"

	"fleetfuse/breaker"
)

// seenKey is a key in the eyes of one life of a node.
type seenKey struct {
	node int
	key  breaker.Key
}

// seenView is what of an entry only grows.
type seenView struct {
	clear, circuit breaker.Stamp
	overlays       [2]breaker.Stamp
	cooldowns      []breaker.Cooldown
	cleared        time.Duration // when it heard of that clear
	changed        time.Duration // when what it believes changed last
}

// viewed checks what a node believes of a key now: stamps are monotone. What is
// forgotten becomes nothing.
func (c *checks) viewed(n *node, key breaker.Key, s breaker.Snapshot) {
	k := seenKey{n.index, key}
	was := c.seen[k]
	now := seenView{clear: s.Clear, circuit: s.Circuit.Stamp, cooldowns: slices.Clone(s.Cooldowns), cleared: was.cleared, changed: c.world.now}
	if now.clear > was.clear {
		now.cleared = c.world.now
	}
	for _, o := range s.Overlays {
		now.overlays[o.Register] = o.Stamp
	}
	c.deadlines(n, key, s)
	c.moves(n, key, was.cooldowns, s.Cooldowns)
	c.undone(n, key, &s)
	c.superseded(&s, was)
	lower := func(what string, was, now breaker.Stamp) {
		if now < was && now != 0 {
			c.world.fail("stamps are monotone", n, "%s of %s went from %d to %d", what, key, was, now)
		}
	}
	lower("the clear", was.clear, now.clear)
	lower("the circuit", was.circuit, now.circuit)
	lower("the operator's policy", was.overlays[breaker.RegisterOperator], now.overlays[breaker.RegisterOperator])
	for _, k := range s.Cooldowns {
		if k.Stamp <= s.Clear {
			c.world.fail("a close stays closed", n, "%s has a cooldown of before its close", key)
		}
	}
	if k := s.Circuit; k.State != breaker.Closed && k.Stamp <= s.Clear {
		c.world.fail("a close stays closed", n, "%s has a circuit of before its close", key)
	}
	if st := s.At(n.clock.Now()); st.State == breaker.HalfOpen {
		c.world.sometimes(SawHalfOpen)
	}
	c.seen[k] = now
}

// forgetViews forgets what a process believed that is gone.
func (c *checks) forgetViews(n *node) {
	for k := range c.seen {
		if k.node == n.index {
			delete(c.seen, k)
		}
	}
}

// healed is when the last fault is over; ended is the end of the world.
func (c *checks) healed() {
	c.world.putRight()
	c.broken = 0
}

// ended checks what must hold when everything was put right and had its time.
func (c *checks) ended() {
	w := c.world
	for _, n := range w.nodes {
		if got, want := len(n.members.live), len(w.nodes); got != want {
			w.fail("members agree after healing", n, "sees %d of %d", got, want)
		}
	}
	for i := range w.plan.Hosts {
		c.hostAtTheEnd(i)
	}
	c.atTheEnd()
}

// agree checks that all nodes believe the same of a key. Which of two cooldowns
// that ran out is redundant may depend on a machine's clock: it changes nothing. So
// does when one runs out, where a clock was off: the state counts at the end alone.
func (c *checks) agree(key breaker.Key, atTheEnd bool) {
	w := c.world
	first := w.nodes[0]
	want := first.spread.View().Of(key)
	for _, n := range w.nodes[1:] {
		got := n.spread.View().Of(key)
		same := !atTheEnd || c.believed(n, key, &got).State == c.believed(first, key, &want).State
		same = same && got.Clear == want.Clear && c.sameCircuit(n, &got.Circuit, first, &want.Circuit)
		for _, r := range []breaker.Register{breaker.RegisterTuner, breaker.RegisterOperator} {
			same = same && got.Overlay(r).Stamp == want.Overlay(r).Stamp
		}
		if !same {
			w.fail("views agree after healing", n, "%s is %s; %s has %s", key, describe(got, n.clock.Now()), first.id, describe(want, first.clock.Now()))
		}
	}
}

// believed is what a node believes of a key now. In shadow nobody asks for
// permits, so nobody hears that a breaker is closed: where a machine started with
// a wrong wall clock, slept or was stopped, or word was slow, a cooldown that it
// was told of may have run out after the recovery. It rejects nothing.
func (c *checks) believed(n *node, key breaker.Key, s *breaker.Snapshot) breaker.Status {
	now := n.clock.Now()
	if n.policies.Of(key).Mode == breaker.ModeEnforce {
		return s.At(now)
	}
	t := s.Clone()
	t.Cooldowns = slices.DeleteFunc(t.Cooldowns, func(k breaker.Cooldown) bool {
		return k.Until <= now && k.Stamp <= t.Circuit.Stamp
	})
	return t.At(now)
}

// sameCircuit reports whether two nodes believe the same of a circuit. They do not
// forget a recovery in one moment: one that stood still when it was told forgets it so
// much later, and a machine that started with a wrong wall clock minutes early or late,
// if it read it from its disk. Both still believe the breaker closed.
func (c *checks) sameCircuit(n *node, a *breaker.Circuit, m *node, b *breaker.Circuit) bool {
	due := func(n *node, k *breaker.Circuit) bool {
		return k.State == breaker.Closed && (k.Stamp == 0 || !c.truthful() || k.Keep.Sub(n.clock.Now()) < forgetSlack+c.stood())
	}
	return a.Stamp == b.Stamp || (a.Stamp == 0 || b.Stamp == 0) && due(n, a) && due(m, b)
}

// hostAtTheEnd checks one host: nothing is undone, and what is healthy is called
// again.
func (c *checks) hostAtTheEnd(h int) {
	w := c.world
	host := &w.plan.Hosts[h]
	key := breaker.HostKey(host.Name)
	c.agree(key, true)
	for _, n := range w.nodes {
		s := n.spread.View().Of(key)
		if word, ok := c.closes[host.Name]; ok && c.lasts(word.at, word.copies) {
			for _, k := range s.Cooldowns {
				if k.Stamp <= word.stamp {
					w.fail("a close stays closed", n, "%s is rejected by a cooldown of before its close", host.Name)
				}
			}
			if s.Circuit.State != breaker.Closed && s.Circuit.Stamp <= word.stamp {
				w.fail("a close stays closed", n, "%s has a circuit of before its close", host.Name)
			}
		}
		if word, ok := c.laid[host.Name]; ok && c.lasts(word.at, word.copies) {
			if o := s.Overlay(breaker.RegisterOperator); o.Stamp < word.stamp {
				w.fail("no acknowledged policy is lost", n, "%s has version %d, acknowledged was %d", host.Name, o.Stamp, word.stamp)
			}
		}
		if st := c.believed(n, key, &s); st.State != breaker.Closed && c.mustBeClosed(h, st) {
			w.fail("a healthy host is called again", n, "%s is still %v (%s) until %v", host.Name, st.State, st.Reason, st.Until.Sub(n.clock.Now()))
		}
	}
}

// mustBeClosed reports whether nothing is left to say against a host: it was
// healthy for long, and no deadline runs.
func (c *checks) mustBeClosed(h int, st breaker.Status) bool {
	host := &c.world.plan.Hosts[h]
	for _, p := range host.Phases {
		if p.Until > c.world.plan.Length {
			return false
		}
	}
	switch st.Reason {
	case breaker.ReasonRetryAfter, breaker.ReasonCLIOpen, breaker.ReasonStore:
		return st.State == breaker.HalfOpen && c.traffic(h) > 20
	}
	return c.traffic(h) > 20
}

// traffic is how many calls of a host are wanted in the quiet part.
func (c *checks) traffic(h int) float64 {
	w := c.world
	shares := w.callers.shares
	share := w.plan.Hosts[h].Weight / shares[len(shares)-1]
	return share * w.plan.Rate * float64(w.plan.Nodes) * w.plan.Quiet.Seconds()
}
