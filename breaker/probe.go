package breaker

import (
	"slices"
	"time"
)

// MinRetryIn is the shortest time a refused question may be repeated after.
const MinRetryIn = 100 * time.Millisecond

// maxRetryIn bounds how long a refusal is repeated without asking again: a gate
// must not go on refusing for a reason that an operator's close or another
// node's probe has removed.
const maxRetryIn = time.Second

// permit is a probe that is out.
type permit struct {
	id       PermitID
	question uint64
	role     string // budget role
	node     string
	issued   Instant
	expires  Instant
	delay    time.Duration
}

// probing is what a half-open breaker remembers.
type probing struct {
	since     Instant // when it became half-open
	permits   []permit
	successes []roleCount
	failed    []failure // nodes whose probes failed since then
	healed    []string  // members whose success after healing counted
	asked     Instant   // last question of the role that tripped
}

type roleCount struct {
	role string
	n    int
}

// Ask answers a question for a permit.
func (m *Machine) Ask(mo Moment, q Question) (Answer, Effects) {
	m.settle(mo)
	a := m.ask(mo, q)
	m.renew(mo)
	return a, m.effects(mo)
}

func (m *Machine) ask(mo Moment, q Question) Answer {
	st := m.snap.At(mo.Now)
	switch st.State {
	case Closed:
		return Answer{State: Closed}
	case Open:
		return Answer{State: Open, Reason: st.Reason, RetryIn: retryIn(st.Until.Sub(mo.Now))}
	}
	m.asked = mo.Now
	role := m.policy.BudgetRole(q.Role)
	if role == m.snap.Circuit.Role {
		m.probing.asked = mo.Now
	}
	if m.recovered(mo) { // a silent role left it to the others
		m.close(mo)
		return Answer{State: Closed}
	}
	m.expire(mo.Now)
	for _, p := range m.probing.permits {
		if p.question == q.ID && p.node == q.Node {
			return Answer{State: HalfOpen, Permit: p.id, Expires: p.expires, Delay: p.delay}
		}
	}
	if wait := m.sickFor(mo.Now, q.Node); wait > 0 {
		return Answer{State: HalfOpen, Reason: ReasonProbeFailed, RetryIn: retryIn(wait)}
	}
	if oldest, out := m.outstanding(role); out >= m.policy.ForRole(role).TrialCalls {
		// The longer a probe is out, the more patient the question may be.
		return Answer{State: HalfOpen, Reason: ReasonProbePending, RetryIn: retryIn(mo.Now.Sub(oldest))}
	}
	return m.grant(mo, q, role)
}

func retryIn(wait time.Duration) time.Duration { return min(max(wait, MinRetryIn), maxRetryIn) }

func (m *Machine) grant(mo Moment, q Question, role string) Answer {
	p := permit{
		id: m.freeID(PermitID(mix(mo.Rand) | 1)), question: q.ID, role: role, node: q.Node,
		issued: mo.Now, expires: mo.Now.Add(m.policy.PermitTimeout),
	}
	if j := m.policy.HalfOpenJitter; j > 0 {
		p.delay = time.Duration(mix(mo.Rand+1) % uint64(j))
	}
	m.probing.permits = append(m.probing.permits, p)
	return Answer{State: HalfOpen, Permit: p.id, Expires: p.expires, Delay: p.delay}
}

// freeID is the first id from this one on that is not out.
func (m *Machine) freeID(id PermitID) PermitID {
	for slices.ContainsFunc(m.probing.permits, func(p permit) bool { return p.id == id }) {
		id += 2
	}
	return id
}

// mix spreads the bits of a random number (the finaliser of SplitMix64).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// expire returns unreported permits to the budget.
func (m *Machine) expire(now Instant) {
	m.probing.permits = slices.DeleteFunc(m.probing.permits, func(p permit) bool { return p.expires <= now })
}

// outstanding counts a role's permits that are out and when the oldest was
// issued.
func (m *Machine) outstanding(role string) (oldest Instant, n int) {
	for _, p := range m.probing.permits {
		if p.role != role {
			continue
		}
		if n++; n == 1 || p.issued < oldest {
			oldest = p.issued
		}
	}
	return oldest, n
}

// sickFor is how long a node whose probe failed gets no permit: one sick
// machine cannot keep a recovered host closed to all.
func (m *Machine) sickFor(now Instant, node string) time.Duration {
	c := m.snap.Circuit
	for _, f := range m.probing.failed {
		if f.node == node {
			return f.at.Add(m.resetTimeout(c.Role, c.ByRole)).Sub(now)
		}
	}
	return 0
}

// Return gives a permit back unused.
func (m *Machine) Return(mo Moment, id PermitID) Effects {
	m.settle(mo)
	m.take(mo.Now, id)
	return m.effects(mo)
}

// take removes a permit and reports whether it was good.
func (m *Machine) take(now Instant, id PermitID) (permit, bool) {
	m.expire(now)
	for i, p := range m.probing.permits {
		if p.id == id {
			m.probing.permits = slices.Delete(m.probing.permits, i, i+1)
			return p, true
		}
	}
	return permit{}, false
}

// probeEnded takes the report of a probe. A permit that is not good makes the
// outcome neutral; a neutral outcome gives the permit back.
func (m *Machine) probeEnded(mo Moment, o Outcome) {
	p, ok := m.take(mo.Now, o.Permit)
	if !ok || m.state != HalfOpen || o.Kind == Neutral && !o.Strict {
		return
	}
	o.Role, o.Node = p.role, p.node
	m.probed(mo, o)
}

// probed counts the result of a probe.
func (m *Machine) probed(mo Moment, o Outcome) {
	if o.Kind == Failure || o.Strict {
		m.probeFailed(mo, o)
		return
	}
	m.countProbe(m.policy.BudgetRole(o.Role))
	if m.recovered(mo) {
		m.close(mo)
	}
}

func (m *Machine) countProbe(role string) {
	for i := range m.probing.successes {
		if m.probing.successes[i].role == role {
			m.probing.successes[i].n++
			return
		}
	}
	m.probing.successes = append(m.probing.successes, roleCount{role, 1})
}

// recovered reports whether enough probes succeeded: of the role that tripped,
// or of any role where none did or that role stayed silent for its
// reset_timeout.
func (m *Machine) recovered(mo Moment) bool {
	c := &m.snap.Circuit
	anyRole := c.State == Closed || !c.ByRole ||
		mo.Now.Sub(max(m.probing.since, m.probing.asked)) >= m.policy.ForRole(c.Role).ResetTimeout
	for _, s := range m.probing.successes {
		if (anyRole || s.role == c.Role) && s.n >= m.policy.ForRole(s.role).SuccessThreshold {
			return true
		}
	}
	return false
}

// probeFailed re-opens the circuit once probes of enough distinct nodes have
// failed; until then it stays half-open.
func (m *Machine) probeFailed(mo Moment, o Outcome) {
	known := false
	for i := range m.probing.failed {
		if m.probing.failed[i].node == o.Node {
			m.probing.failed[i].at, known = mo.Now, true
		}
	}
	if !known {
		m.probing.failed = append(m.probing.failed, failure{mo.Now, o.Node, 1})
	}
	if len(m.probing.failed) < m.need(mo) {
		return
	}
	nodes := make([]string, len(m.probing.failed))
	for i, f := range m.probing.failed {
		nodes[i] = f.node
	}
	c := m.snap.Circuit
	m.trip(mo, trip{
		reason: ReasonProbeFailed, role: c.Role, byRole: c.ByRole,
		failures: len(nodes), nodes: nodes, counted: counted(m.probing.failed), evidence: o.Evidence,
	})
}

// close ends an outage: probes succeeded. Cooldowns that ran out are ended by
// it (Snapshot.At), and forgotten in their time.
func (m *Machine) close(mo Moment) {
	c := &m.snap.Circuit
	ended := mo.Now
	if c.State != Closed { // copies of it may arrive until it would have run out
		ended = max(ended, c.Until)
	}
	*c = Circuit{Stamp: mo.Stamp, Keep: max(ended.Add(keepAfterDeadline), c.Keep), Recovered: mo.Now}
	m.dirty = true
	m.become(mo, mo.Now, Transition{})
}
