package simulation

import (
	"slices"
	"strings"
	"time"

	"fleetfuse/breaker"
)

// permit is one that an activation issued.
type permit struct {
	id       breaker.PermitID
	question uint64
	node     string // that asked
	role     string
	expires  breaker.Instant
}

// moved checks a transition of an owner.
func (c *checks) moved(a *actor, t *breaker.Transition) {
	w := c.world
	w.trace.note(codeTransition, uint64(a.node.index), uint64(t.From)<<8|uint64(t.To), uint64(w.now))
	w.trace.text(string(a.key))
	w.story("%s: %s %v -> %v %s %s", a.node.id, a.key.Name(), t.From, t.To, t.Reason, t.Detail)
	if !legal(t) && w.now-c.heals[a.life] > healWithin {
		w.fail("legal transitions", a.node, "%s went from %v to %v: %+v", a.key, t.From, t.To, *t)
	}
	before := c.changed[a.life]
	c.owned(a)
	if t.From != t.To || t.To == breaker.HalfOpen { // a close from elsewhere voids permits too
		c.recovered(a, t)
		delete(c.permits, a.life)
		c.changed[a.life] = t.At
	}
	if c.owners[string(a.key)] != a.life {
		c.owners[string(a.key)] = a.life
	}
	switch {
	case t.To == breaker.Open && counted(t.Reason) && t.Stamp != 0 && t.Detail != "adopted":
		c.tripped(a, t)
		c.trueTrip(a, t, before)
		c.limits(a, t)
		c.measures.tripped(a.key)
	case t.To == breaker.Closed && t.From == breaker.HalfOpen:
		w.sometimes(SawRecovery)
	}
}

func counted(r breaker.Reason) bool {
	switch r {
	case breaker.ReasonConsecutive, breaker.ReasonRolling, breaker.ReasonFailureRate, breaker.ReasonProbeFailed:
		return true
	}
	return false
}

// tripped checks that a trip had the witnesses it needs.
func (c *checks) tripped(a *actor, t *breaker.Transition) {
	w := c.world
	w.counts.Trips++
	c.trips[a.key] = max(c.trips[a.key], t.Stamp)
	delete(c.over, a.key.Name()) // what follows are probes of the circuit
	w.sometimes(SawTrip)
	if t.Reason == breaker.ReasonProbeFailed {
		w.sometimes(SawProbeFailed)
	}
	nodes := slices.Clone(t.Nodes)
	slices.Sort(nodes)
	need := min(a.machine.Policy().Witnesses, a.node.spread.Known(a.node.clock.Now()))
	if got := len(slices.Compact(nodes)); got < need {
		w.fail("a trip has its witnesses", a.node, "%s tripped (%s) with %d of %d: %v", a.key, t.Reason, got, need, t.Nodes)
	}
}

// healWithin is how long after a healing round was asked it may close a breaker.
const healWithin = 10 * time.Second

// legal reports whether a breaker may move like this. What another owner, the
// view or an operator said may bring it anywhere; so may witnesses who are asked
// about a circuit that another owner counted.
func legal(t *breaker.Transition) bool {
	said := t.Author != "" || strings.HasPrefix(t.Detail, "closed by hand") || t.Detail != ""
	switch {
	case t.From == t.To: // a longer deadline, or a close of what was closed
		return t.To == breaker.Open || said
	case t.From == breaker.Closed && t.To == breaker.HalfOpen, t.From == breaker.Open && t.To == breaker.Closed:
		return said
	}
	return true
}

// answered checks a permit: none is granted where as many are out as the policy
// allows. Those that were granted by a policy from before are out all the same.
func (c *checks) answered(a *actor, q breaker.Question, answer breaker.Answer) {
	c.permitted(a, answer)
	c.repeated(a, q, answer)
	c.asks(a, q)
	if answer.Permit == 0 {
		return
	}
	c.permitComesBack(a, q, answer)
	w, now := c.world, a.node.clock.Now()
	role := a.machine.Policy().BudgetRole(q.Role)
	out := slices.DeleteFunc(c.permits[a.life], func(p permit) bool {
		if p.expires <= now {
			w.sometimes(SawPermitExpired)
		}
		return p.expires <= now
	})
	if slices.ContainsFunc(out, func(p permit) bool { return p.id == answer.Permit }) { // a repeated question gets the same
		c.permits[a.life] = out
		return
	}
	out = append(out, permit{answer.Permit, q.ID, q.Node, role, answer.Expires})
	c.permits[a.life] = out
	of := 0
	for _, p := range out {
		if p.role == role {
			of++
		}
	}
	if most := a.machine.Policy().ForRole(role).TrialCalls; of > most {
		w.fail("probe budget", a.node, "%s has %d permits out for role %q, trial_calls is %d", a.key, of, role, most)
	}
}

// repeated checks that a question whose answer was lost loses no permit: its
// repeat gets the one that is out.
func (c *checks) repeated(a *actor, q breaker.Question, answer breaker.Answer) {
	now := a.node.clock.Now()
	for _, p := range c.permits[a.life] {
		if p.question == q.ID && p.node == q.Node && p.expires > now && answer.State == breaker.HalfOpen && answer.Permit != p.id {
			c.world.fail("a repeat gets the same permit", a.node, "%s: question %d of %s got permit %d, its repeat %d", a.key, q.ID, q.Node, p.id, answer.Permit)
		}
	}
}

// reported is what was true before an outcome was counted.
type reported struct{ old bool }

func (c *checks) beforeReport(a *actor, o breaker.Outcome) reported {
	c.toldOf(a, o)
	if o.Permit != 0 {
		c.probed(a, o)
		c.permits[a.life] = slices.DeleteFunc(c.permits[a.life], func(p permit) bool { return p.id == o.Permit })
		return reported{}
	}
	at, moved := c.changed[a.life]
	return reported{old: moved && o.Began < at}
}

// afterReport checks that an old outcome, and a neutral one without a permit,
// moved nothing.
func (c *checks) afterReport(a *actor, was reported, o breaker.Outcome, e breaker.Effects) {
	if was.old {
		c.world.sometimes(SawStaleOutcome)
	}
	if o.Permit != 0 || e.Announce == nil || !was.old && o.Kind != breaker.Neutral {
		return
	}
	for _, t := range e.Announce.Transitions {
		if t.Stamp != 0 && t.From != t.To {
			c.world.fail("old and neutral outcomes are ignored", a.node, "%s moved %v to %v by %+v", a.key, t.From, t.To, o)
		}
	}
}

// maxRounds bounds the witness rounds of one breaker in a second: one of a trip
// that was refused, and the three of a heal.
const maxRounds = 8

// asked checks that rounds are bounded.
func (c *checks) asked(a *actor, q *breaker.WitnessQuestion) {
	w := c.world
	w.counts.Rounds++
	c.questioned(a, q)
	if q.Heal {
		w.sometimes(SawHealRound)
		c.heals[a.life] = w.now
	}
	recent := slices.DeleteFunc(c.rounds[a.life], func(at time.Duration) bool { return w.now-at >= time.Second })
	recent = append(recent, w.now)
	c.rounds[a.life] = recent
	if len(recent) > maxRounds {
		w.fail("bounded witness rounds", a.node, "%s asked %d times within a second", a.key, len(recent))
	}
}

// released forgets an actor that is gone.
func (c *checks) released(a *actor) {
	delete(c.permits, a.life)
	delete(c.changed, a.life)
	delete(c.rounds, a.life)
	delete(c.won, a.life)
	delete(c.truth.asked, a.life)
}

// owned notes that a key has two owners for a moment.
func (c *checks) owned(a *actor) {
	for _, n := range c.world.nodes {
		if n != a.node && n.up && n.actors[a.key] != nil && n.owns(a.key) {
			c.world.sometimes(SawTwoOwners)
		}
	}
}
