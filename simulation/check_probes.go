package simulation

import (
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// won is what probes came to since a breaker of an activation is half-open.
type won struct {
	since     time.Duration
	successes map[string]int           // by budget role
	asked     map[string]time.Duration // when each role asked last
	circuit   breaker.Circuit          // that they decide about
}

// wonBy is what the probes of an activation came to.
func (c *checks) wonBy(a *actor) *won {
	x := c.won[a.life]
	if x == nil {
		x = &won{since: never, successes: map[string]int{}, asked: map[string]time.Duration{}}
		c.won[a.life] = x
	}
	return x
}

// probed notes a probe that succeeded, before it counts.
func (c *checks) probed(a *actor, o breaker.Outcome) {
	good := o.Kind == breaker.Success && !o.Strict
	x := c.wonBy(a)
	s := a.machine.Snapshot()
	x.circuit = s.Circuit
	if i := slices.IndexFunc(c.permits[a.life], func(p permit) bool { return p.id == o.Permit }); good && i >= 0 {
		x.successes[c.permits[a.life][i].role]++
	}
}

// recovered checks that a breaker that closes had its probes.
func (c *checks) recovered(a *actor, t *breaker.Transition) {
	x := c.wonBy(a)
	defer func() {
		delete(c.won, a.life)
		c.wonBy(a).since = a.node.moment(t.At)
	}()
	if t.From != breaker.HalfOpen || t.To != breaker.Closed || t.Stamp == 0 || t.Author != "" || t.Detail != "" {
		return
	}
	if at, asked := c.heals[a.life]; asked && at >= x.since-healWithin {
		return // what members saw counts too
	}
	p := a.machine.Policy()
	if p != c.world.plan.Policies.Policy(a.key) || p.Mode != breaker.ModeEnforce {
		return // other thresholds held before, or every call was a probe
	}
	k := x.circuit
	silent := c.world.now-max(x.since, x.asked[k.Role]) >= p.ForRole(k.Role).ResetTimeout-clockSlack
	for role, n := range x.successes {
		if (role == k.Role || !k.ByRole || k.State == breaker.Closed || silent) && n >= p.ForRole(role).SuccessThreshold {
			return
		}
	}
	c.world.fail("a recovery has its probes", a.node, "%s closed after %v, it was tripped by role %q", a.key, x.successes, k.Role)
}

// asks notes a question of a role.
func (c *checks) asks(a *actor, q breaker.Question) {
	x := c.wonBy(a)
	s := a.machine.Snapshot()
	x.circuit = s.Circuit
	x.asked[a.machine.Policy().BudgetRole(q.Role)] = c.world.now
}

// arrived notes when an answer with a permit reached who had asked.
func (c *checks) arrived(m spread.Message) {
	if r, ok := m.(spread.Reply); ok {
		if x, ok := r.Body.(breaker.Answer); ok && x.Permit != 0 {
			c.arrivals[x.Permit] = c.world.now
		}
	}
}

// backWithin is how long the end of a permit may travel: it is repeated.
const backWithin = 4 * time.Second

// permitComesBack checks, when a permit expires that had reached its holder, that
// its call is under way: else it was lost there, or on the way back. While a word is
// committed its end waits with everything else.
func (c *checks) permitComesBack(a *actor, q breaker.Question, x breaker.Answer) {
	w, issued := c.world, c.world.now
	holder := w.nodes[w.indexOf(q.Node)]
	w.after(a.node.when(x.Expires)-w.now-time.Millisecond, func() {
		out := slices.ContainsFunc(c.permits[a.life], func(p permit) bool { return p.id == x.Permit })
		at, came := c.arrivals[x.Permit]
		if holder != a.node && (!came || w.now-at < backWithin) {
			return
		}
		if !out || a.busy || a.node.actors[a.key] != a || !c.calm(issued-time.Minute, w.nodes...) {
			return
		}
		for i := range w.callers.calls {
			k := &w.callers.calls[i]
			if int(k.life) == holder.starts && w.plan.Hosts[k.host].Name == a.key.Name() && k.began >= issued && k.decision.Probe() {
				return
			}
		}
		if holder != a.node && c.endsTravels(a, holder, q.Role, issued) {
			return
		}
		w.fail("every permit comes back", a.node, "%s: a permit of %s of %.3fs expires and no call is under way", a.key, q.Node, issued.Seconds())
	})
}

// endsTravels reports whether a call that a node may have made with a permit
// ended so lately that its owner need not have heard.
func (c *checks) endsTravels(a *actor, holder *node, role string, issued time.Duration) bool {
	p, long := a.machine.Policy(), c.travel()
	if c.world.plan.Network.Loss > 0 {
		long = backWithin
	}
	for _, e := range slices.Backward(c.truth.ends[c.truth.hosts[a.key.Name()]]) {
		if e.ended < c.world.now-long {
			break
		}
		if e.node == holder && e.began >= issued && p.BudgetRole(e.role) == p.BudgetRole(role) {
			return true
		}
	}
	return false
}

// herd checks a call that begins after a cooldown that every node knew: until
// one succeeded they are probes, and few.
func (c *checks) herd(n *node, h int, at time.Duration) {
	w := c.world
	host := &w.plan.Hosts[h]
	last, ok := c.over[host.Name]
	if w.plan.Network.Loss > 0 || w.plan.Network.Slow > 0 { // rings hand out probes where owners do not answer
		return
	}
	if !ok || at < last.until || at > last.until+time.Minute || !c.calm(last.since, w.nodes...) || w.now < c.leaves(last.since)+c.within() {
		return
	}
	p := n.policies.Of(breaker.HostKey(host.Name))
	if p.Mode != breaker.ModeEnforce || p != w.plan.Policies.Policy(breaker.HostKey(host.Name)) || n.laidUntil(host.Name) > last.until {
		return
	}
	for _, e := range slices.Backward(c.truth.ends[h]) {
		if e.ended < last.until {
			break
		}
		if e.kind == breaker.Success && e.began >= last.until-clockSlack {
			return
		}
	}
	out, most := 0, 0
	for i := range w.callers.calls {
		k := &w.callers.calls[i]
		if k.life > 0 && int(k.host) == h && k.began >= last.until && at-k.began < p.PermitTimeout-time.Second {
			out++
		}
	}
	for _, role := range []string{"", breaker.RoleMetadata, breaker.RoleArtifact} {
		most += p.ForRole(role).TrialCalls
	}
	if out > most {
		w.fail("no herd at the end of a cooldown", n, "%d calls of %s are under way since %s ended at %.3fs, want at most %d", out, host.Name, last.what, last.until.Seconds(), most)
	}
}

// laidUntil is when the fields that were laid for a while ended, or end: permits
// of that time are as many as they say.
func (n *node) laidUntil(host string) (until time.Duration) {
	for _, o := range n.spread.View().Of(breaker.HostKey(host)).Overlays {
		if o.Until != 0 {
			until = max(until, n.moment(o.Until))
		}
	}
	return until
}

// latest notes a hold, for what follows it.
func (c *checks) latest(h hold) {
	if last := c.over[h.host]; h.until > last.until {
		c.over[h.host] = h
	}
}
