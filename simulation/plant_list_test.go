package simulation_test

// plants are in the order of what they break.
var plants = []plant{
	// what a crash or a foreign clock may not take away
	{
		name: "the clear is dropped on disk", file: "cooldownstore/record.go",
		was: `r.Snapshot.ClearKept, r.Snapshot.Renewed = 0, 0`,
		now: `r.Snapshot.Clear, r.Snapshot.ClearKept, r.Snapshot.Renewed = 0, 0, 0`,
	},
	{
		name: "a cooldown is shortened on restore", file: "cooldownstore/record.go",
		was: `c.Until = at(r.Wall[i], c.Length)`,
		now: `c.Until = at(r.Wall[i], c.Length/2)`,
	},
	{
		name: "an overlay is dropped on disk", file: "cooldownstore/record.go",
		was: `s.Overlays = slices.Clone(s.Overlays[:min(len(s.Overlays), len(r.Overlays))])`,
		now: `s.Overlays = nil`,
	},
	{
		name: "a deadline from a wrong boot clock is believed", file: "cooldownstore/record.go",
		was: `left := min(t.Sub(wall), longest)
	if !r.UpdatedAt.IsZero() {
		left = min(left, t.Sub(r.UpdatedAt))
	}`,
		now: `left := t.Sub(wall)`,
	},
	{
		name: "the stamp clock does not follow what it hears", file: "breaker/time.go",
		was: `c.last = max(c.last, s)`,
		now: `_ = s`,
	},
	{
		name: "a restarted node answers before its first sync", file: "simulation/node.go", // in production: package node
		was: `n.up, n.ready, n.paused, n.inbox, n.tickAt = true, false, false, nil, 0`,
		now: `n.up, n.ready, n.paused, n.inbox, n.tickAt = true, true, false, nil, 0`,
	},

	// deadlines
	{
		name: "a success clears a Retry-After", file: "breaker/machine.go",
		was: `	if o.Permit != 0 {
		m.probeEnded(mo, o)`,
		now: `	if o.Kind == Success && m.state == Open {
		m.snap.Clear, m.snap.ClearKept, m.snap.Cooldowns, m.dirty = mo.Stamp, mo.Now.Add(KeepClear), nil, true
	}
	if o.Permit != 0 {
		m.probeEnded(mo, o)`,
	},
	{
		name: "hearing a deadline again moves it", file: "breaker/merge.go",
		was: `if a.Disk && (!b.Disk || b.Until > a.Until) {`,
		now: `if b.Until > a.Until {`,
	},
	{
		name: "a deadline from disk creeps", file: "cluster/view/hear.go",
		was: `return known.Disk && c.Disk && c.Until.Sub(known.Until) < echo`,
		now: `return false`,
	},
	{
		name: "a deadline travels as its whole length", file: "cluster/travel/parts.go",
		was: `Remaining: ahead(c.Until, now), Length: int64(c.Length),`,
		now: `Remaining: proto.Int64(int64(c.Length)), Length: int64(c.Length),`,
	},
	{
		name: "a longer Retry-After does not extend", file: "breaker/operator.go",
		was: `k.Reason == ReasonRetryAfter && k.Until >= c.Until &&`,
		now: `k.Reason == ReasonRetryAfter &&`,
	},
	{
		name: "the cap of Retry-After is not applied", file: "gate/report.go",
		was: `r.Date, p.RetryAfterCap, wall`,
		now: `r.Date, 100*p.RetryAfterCap, wall`,
	},
	{
		name: "a cooldown that ran out is full traffic", file: "breaker/snapshot.go",
		was: `} else if !s.ended(c) {`,
		now: `} else if c.Until.Add(time.Millisecond) > now {`,
	},

	// trips and witnesses
	{
		name: "the witness round is skipped", file: "breaker/witness.go",
		was: `if mo.Members <= 1 {
		m.trip(mo, t)`,
		now: `if mo.Members >= 1 {
		m.trip(mo, t)`,
	},
	{
		name: "a witness's success does not refuse", file: "breaker/witness.go",
		was: `inside := a.Success > r.from && a.Success < r.to`,
		now: `inside := a.Success > r.from && a.Success < r.from`,
	},
	{
		name: "a witness's success is taken without its age", file: "cluster/spread/witness.go",
		was: `a.Success = a.Success.Add(-now.Sub(r.sent))`,
		now: `a.Success = min(a.Success, now)`,
	},
	{
		name: "a success is counted without its age", file: "cluster/travel/parts.go",
		was: `Began: ago(w.BeganAge, now), Ended: ago(w.EndedAge, now),`,
		now: `Began: now, Ended: now,`,
	},
	{
		name: "an outcome from before the trip counts", file: "breaker/machine.go",
		was: `if o.Began < m.changed || m.policy.Mode == ModeOff {`,
		now: `if m.policy.Mode == ModeOff {`,
	},
	{
		name: "a batch that came twice counts twice", file: "cluster/spread/evidence.go",
		was: `if m.Seq > p.lastSeq {`,
		now: `if m.Seq > 0 {`,
	},
	{
		name: "a lost batch leaves no gap", file: "cluster/spread/evidence.go",
		was: `			next.Gap = true
			continue
		}
		n.lose(r.Key, len(r.Outcomes))`,
		now: `			continue
		}
		n.dropped += uint64(len(r.Outcomes))`,
	},
	{
		name: "one node's failed probe re-opens for all", file: "breaker/probe.go",
		was: `if len(m.probing.failed) < m.need(mo) {`,
		now: `if len(m.probing.failed) < 1 {`,
	},
	{
		name: "a lost member is not known any more", file: "cluster/spread/members.go",
		was: `				n.lost[p.ID] = now`,
		now: `				delete(n.lost, p.ID)`,
	},

	// healing
	{
		name: "a heal does not ask", file: "breaker/heal.go",
		was: `	m.healing = healing{of: c.Stamp}
	m.askHeal(mo)`,
		now: `	m.healing = healing{of: c.Stamp}`,
	},
	{
		name: "an owner does not wake the actors of its keys", file: "cluster/spread/members.go",
		was: `			n.step(k, Activate{})`,
		now: `			n.step(k, Joined{})`,
	},
	{
		name: "an owner undoes an operator's close", file: "breaker/operator.go",
		was: `	own := m.snap.Circuit
`,
		now: `	own := m.snap.Circuit
	if s.Clear > own.Stamp && own.State != Closed {
		own.Stamp, m.snap.Circuit.Stamp, m.dirty = mo.Stamp, mo.Stamp, true
	}
`,
	},
	{
		name: "a digest repairs nothing", file: "cluster/spread/sync.go",
		was: `if len(differ) > 0 {`,
		now: `if len(differ) > len(own) {`,
	},
	{
		name: "a push that was lost is not repeated", file: "cluster/spread/push.go",
		was: `		return !n.push(p, x)
	})
	p.settles`,
		now: `		return true
	})
	p.settles`,
	},

	// probes and recovery
	{
		name: "an owner that is dead lets all through", file: "gate/probe.go",
		was: `	f.ring.Adopt(g.opt.Clock.Moment(1), viewOf(e))
	e.mu.Unlock()
	return g.askRing(d, e)`,
		now: `	f.ring.Adopt(g.opt.Clock.Moment(1), viewOf(e))
	e.mu.Unlock()
	return nil`,
	},
	{
		name: "a permit leaks on a late reply", file: "cluster/spread/request.go",
		was: `if a, ok := m.Body.(breaker.Answer); ok && a.Permit != 0 && a.Permit != l.used {`,
		now: `if a, ok := m.Body.(breaker.Answer); ok && a.Permit == 0 {`,
	},
	{
		name: "a repeated question gets a second permit", file: "breaker/probe.go",
		was: `if p.question == q.ID && p.node == q.Node {`,
		now: `if p.question == q.ID && p.node != q.Node {`,
	},
	{
		name: "an unreported permit never returns", file: "breaker/probe.go",
		was: `func(p permit) bool { return p.expires <= now })`,
		now: `func(p permit) bool { return p.expires == 0 })`,
	},
	{
		name: "one permit too many", file: "breaker/probe.go",
		was: `out >= m.policy.ForRole(role).TrialCalls {`,
		now: `out > m.policy.ForRole(role).TrialCalls {`,
	},
	{
		name: "any role's success closes", file: "breaker/probe.go",
		was: `anyRole := c.State == Closed || !c.ByRole ||`,
		now: `anyRole := c.State <= Open || !c.ByRole ||`,
	},
	{
		name: "one success closes", file: "breaker/probe.go",
		was: `s.n >= m.policy.ForRole(s.role).SuccessThreshold {`,
		now: `s.n >= min(1, m.policy.ForRole(s.role).SuccessThreshold) {`,
	},
	{
		name: "a re-open forgets the backoff", file: "breaker/machine.go",
		was: `first, opens := c.FirstTrip, c.Opens+1`,
		now: `first, opens := c.FirstTrip, 1`,
	},

	// policies and words
	{
		name: "temporary fields of a policy stay", file: "config/inforce.go",
		was: `if l.until != 0 && l.until <= now {`,
		now: `if l.until != 0 && l.until <= 0 {`,
	},
	{
		name: "a policy is not replaced by a later one", file: "config/inforce.go",
		was: `return had == (len(overlays) > 0) && slices.Equal(l.overlays, overlays)`,
		now: `return had == (len(overlays) > 0) && len(l.overlays) == len(overlays)`,
	},
	{
		name: "a close leaves the rings open", file: "gate/failing.go",
		was: `	for _, c := range view.Closes() {`,
		now: `	for _, c := range view.Closes()[:0] {`,
	},
	{
		name: "a clear leaves the circuit", file: "breaker/merge.go",
		was: `if s.Clear != 0 && s.Circuit.Stamp <= s.Clear {`,
		now: `if s.Clear == 1 && s.Circuit.Stamp <= s.Clear {`,
	},
	{
		name: "nothing is forgotten", file: "cluster/view/view.go",
		was: `forgot := e.snap.Forget(now)`,
		now: `forgot := e.snap.Forget(0)`,
	},
}
