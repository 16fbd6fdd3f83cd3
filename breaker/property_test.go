package breaker

import (
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestMachineKeepsItsPromises plays any steps on two machines in lockstep.
func TestMachineKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWalk(t)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			w.advance(t)
			w.step(t)
		}
	})
}

// TestIdleMachineIsAFreshOne replaces the twin by a fresh machine, handed the
// snapshot, whenever the machine says it is idle.
func TestIdleMachineIsAFreshOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWalk(t)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			w.advance(t)
			if mo := w.moment(); w.m.Idle(mo) {
				w.began = mo.Now
				w.twin = New(w.m.policy)
				w.twin.Adopt(mo, w.m.Snapshot())
				w.m.Tick(mo)
				w.twin.lastFailure = w.m.lastFailure // kept for people only
			}
			w.step(t)
		}
	})
}

// walk is a machine, its twin and what was seen of them.
type walk struct {
	m, twin  *Machine
	now      Instant
	stamp    Stamp
	members  int
	began    Instant // calls began after this
	permits  []PermitID
	round    *WitnessQuestion
	wakeAt   Instant
	trials   int // the most trial_calls there was
	failures int // the most failures a policy asked for
	state    State
}

func newWalk(t *rapid.T) *walk {
	w := &walk{now: Instant(time.Hour), stamp: 100, members: rapid.IntRange(0, 4).Draw(t, "members")}
	p := w.policy(t)
	w.m, w.twin = New(p), New(p)
	return w
}

func (w *walk) policy(t *rapid.T) *Policy {
	p := DefaultPolicy()
	p.FailMax = rapid.IntRange(1, 4).Draw(t, "fail_max")
	p.ResetTimeout = time.Duration(rapid.IntRange(1, 120).Draw(t, "reset")) * time.Second
	p.Backoff.Multiplier = rapid.SampledFrom([]float64{1, 2, 10}).Draw(t, "backoff")
	p.SuccessThreshold = rapid.IntRange(1, 2).Draw(t, "success_threshold")
	p.TrialCalls = rapid.IntRange(1, 3).Draw(t, "trial_calls")
	p.Witnesses = rapid.IntRange(1, 3).Draw(t, "witnesses")
	p.HalfOpenJitter = time.Duration(rapid.IntRange(0, 1).Draw(t, "jitter"))
	p.Rolling.Enabled = rapid.Bool().Draw(t, "rolling")
	p.Rolling.ThresholdFailures = rapid.IntRange(1, 4).Draw(t, "threshold")
	p.FailureRate.Enabled = rapid.Bool().Draw(t, "rate")
	p.FailureRate.MinCalls = rapid.IntRange(1, 6).Draw(t, "min_calls")
	p.FailureRate.Window = time.Duration(rapid.IntRange(1, 60).Draw(t, "window")) * time.Second
	p.Mode = rapid.SampledFrom([]Mode{ModeEnforce, ModeEnforce, ModeEnforce, ModeShadow, ModeOff}).Draw(t, "mode")
	if rapid.Bool().Draw(t, "role") {
		p.Roles = map[string]RolePolicy{"x": {FailMax: 2, TrialCalls: 2, ResetTimeout: time.Minute}}
	}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	w.trials = max(w.trials, p.TrialCalls, 2)
	w.failures = max(w.failures, p.FailMax, p.Rolling.ThresholdFailures, 2)
	return &p
}

func (w *walk) moment() Moment {
	w.stamp++
	return Moment{Now: w.now, Stamp: w.stamp, Members: w.members, Rand: uint64(w.stamp / 3)}
}

// advance lets time pass: nothing, to the timer, or any time.
func (w *walk) advance(t *rapid.T) {
	switch rapid.IntRange(0, 4).Draw(t, "time") {
	case 1:
		w.now++
	case 2:
		w.now = w.now.Add(time.Duration(rapid.IntRange(1, 200).Draw(t, "seconds")) * time.Second)
	case 3:
		w.now = max(w.now, w.wakeAt)
	case 4:
		w.now = w.now.Add(time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond)
	}
}

// step takes one step on both machines and checks every promise.
func (w *walk) step(t *rapid.T) {
	mo := w.moment()
	before := w.m.Snapshot()
	was, foreign := before.At(mo.Now), w.m.adopted
	name, act := w.draw(t, mo)
	e, a := act(w.m)
	e2, a2 := act(w.twin)
	if d := cmp.Diff(e, e2); d != "" {
		t.Fatalf("%s: same step, other effects:\n%s", name, d)
	}
	if a != a2 {
		t.Fatalf("%s: same question, other answer: %+v %+v", name, a, a2)
	}
	if a.Permit != 0 {
		w.permits = append(w.permits, a.Permit)
	}
	if q := e.AskWitnesses; q != nil {
		w.round = q
		if q.Heal != (w.m.state != Closed) || q.Round != mo.Stamp || q.From > q.To {
			t.Fatalf("%s: what is this question of a breaker that is %v? %+v", name, w.m.state, q)
		}
	}
	w.wakeAt = e.WakeAt
	w.checkTransitions(t, name, mo, e)
	w.checkDeadlines(t, name, mo, before, was, name == "adopt" && foreign)
	w.checkBounds(t, mo)
	w.checkAnswer(t, a)
}

func (w *walk) checkAnswer(t *rapid.T, a Answer) {
	if a == (Answer{}) {
		return
	}
	granted, refused := a.Permit != 0, a.RetryIn != 0
	if granted && a.State != HalfOpen || granted == refused {
		t.Fatalf("what is this answer? %+v", a)
	}
	if refused && (a.RetryIn < MinRetryIn || a.RetryIn > maxRetryIn || a.Reason == "") {
		t.Fatalf("bad refusal: %+v", a)
	}
}

func (w *walk) checkTransitions(t *rapid.T, name string, mo Moment, e Effects) {
	var list []Transition
	if e.Announce != nil {
		list = e.Announce.Transitions
	}
	for _, tr := range list {
		if tr.From != w.state || tr.At > mo.Now {
			t.Fatalf("%s: from %v at %d: %+v", name, w.state, mo.Now, tr)
		}
		if tr.From == Closed && tr.To == HalfOpen && name != "adopt" {
			t.Fatalf("%s: closed became half-open", name)
		}
		w.state = tr.To
	}
	if at := w.m.snap.At(mo.Now); w.m.state != w.state || at.State != w.state {
		t.Fatalf("%s: announced %v, is %v, snapshot says %v", name, w.state, w.m.state, at.State)
	}
	if e.WakeAt != 0 && e.WakeAt <= mo.Now {
		t.Fatalf("%s: wake at %d, now is %d", name, e.WakeAt, mo.Now)
	}
	if w.state != Closed && e.WakeAt == 0 {
		t.Fatalf("%s: %v without a deadline in sight", name, w.state)
	}
	if e.Persist != nil && e.Persist.Empty() && w.state != Closed {
		t.Fatalf("%s: nothing is kept of a breaker that is %v", name, w.state)
	}
}

// checkDeadlines: an open ends before its time only by an operator's close,
// or where a member's success after healing ends a circuit, or yields where
// another's circuit is replaced by a later word; a cooldown only by an operator's
// close.
func (w *walk) checkDeadlines(t *rapid.T, name string, mo Moment, before Snapshot, was Status, yields bool) {
	after := &w.m.snap
	if after.Clear > before.Clear {
		return
	}
	if was.State == Open && name != "witness" && !yields && after.At(mo.Now).Until < was.Until {
		t.Fatalf("%s: open until %d became %+v", name, was.Until, after.At(mo.Now))
	}
	longest := func(s *Snapshot) (at Instant) {
		for _, c := range s.Cooldowns {
			at = max(at, c.Until)
		}
		return at
	}
	if was := longest(&before); was > mo.Now && longest(after) < was {
		t.Fatalf("%s: cooldown until %d became %d", name, was, longest(after))
	}
}

func (w *walk) checkBounds(t *rapid.T, mo Moment) {
	m := w.m
	out := map[string]int{}
	for _, p := range m.probing.permits {
		if p.expires > mo.Now {
			out[p.role]++
		}
	}
	for role, n := range out {
		if n > w.trials {
			t.Fatalf("%d permits of role %q are out", n, role)
		}
	}
	if len(m.runs) > 5 || len(m.snap.Cooldowns) > maxCooldowns || len(m.probing.failed) > maxWitnesses {
		t.Fatalf("%d runs, %d cooldowns, %d failed", len(m.runs), len(m.snap.Cooldowns), len(m.probing.failed))
	}
	tallies := []*tally{&m.burst}
	for i := range m.runs {
		tallies = append(tallies, &m.runs[i].run)
	}
	for _, r := range tallies {
		checkTally(t, r)
		if len(r.list) > w.failures+maxWitnesses+1 {
			t.Fatalf("%d failures kept for a limit of %d", len(r.list), w.failures)
		}
	}
}

// checkTally holds the sums of a tally to its list.
func checkTally(t *rapid.T, r *tally) {
	total, newest, entries := 0, Instant(0), map[string]int{}
	oldest := Instant(math.MaxInt64)
	for _, f := range r.list {
		total += f.count
		newest, oldest = max(newest, f.at), min(oldest, f.at)
		entries[f.node]++
	}
	if total != r.total || newest != r.last() || len(entries) != len(r.from) || len(r.list) > 0 && r.begun > oldest {
		t.Fatalf("sums do not match: %+v", r)
	}
	for _, e := range r.from {
		if entries[e.node] != e.n {
			t.Fatalf("entries do not match: %+v", r)
		}
	}
}
