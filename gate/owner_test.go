package gate

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"fleetfuse/breaker"
	"fleetfuse/internal/clock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is a gate before a real machine for each key. The owner is
// synchronous and announces by Apply.
type world struct {
	g      *Gate
	clock  *clock.Clock
	policy *breaker.Policy
	// context is that of the calls.
	context context.Context

	mu       sync.Mutex
	machines map[breaker.Key]*breaker.Machine
	view     map[breaker.Key]breaker.Snapshot
	members  int
	down     bool
	hang     chan struct{} // if not nil an answer waits for it
	round    breaker.Stamp // of the latest witness round
	messages int
	asks     int
	got      map[breaker.Key][]breaker.Outcome
	returned []breaker.PermitID
}

func newWorld(t testing.TB, change ...func(*breaker.Policy, *Options)) *world {
	p := breaker.DefaultPolicy()
	p.HalfOpenJitter = 0
	w := &world{
		clock: clock.New(), policy: &p, members: 1, context: context.Background(),
		machines: map[breaker.Key]*breaker.Machine{}, view: map[breaker.Key]breaker.Snapshot{},
		got: map[breaker.Key][]breaker.Outcome{},
	}
	opt := Options{Node: "n1", Owner: w, Clock: w.clock, Usage: true, Policy: func(breaker.Key) *breaker.Policy { return w.policy }}
	for _, f := range change {
		f(&p, &opt)
	}
	w.g = New(opt)
	t.Cleanup(func() {
		w.g.Stop()
		w.clock.Stop()
	})
	return w
}

// inBubble runs a test in virtual time: pass lets it pass.
func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, f)
}

// pass lets virtual time pass and everything settle.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// step does one thing with a key's machine and announces what came of it.
func (w *world) step(key breaker.Key, f func(*breaker.Machine, breaker.Moment) breaker.Effects) {
	w.mu.Lock()
	m := w.machines[key]
	if m == nil {
		m = breaker.New(w.policy)
		w.machines[key] = m
	}
	mo := w.clock.Moment(w.members)
	eff := f(m, mo)
	if eff.AskWitnesses != nil {
		w.round = eff.AskWitnesses.Round
	}
	w.mu.Unlock()
	if eff.Announce != nil {
		w.hear(key, eff.Announce.Snapshot)
	}
}

// hear merges an announcement into the view and applies it.
func (w *world) hear(key breaker.Key, s breaker.Snapshot) {
	w.mu.Lock()
	merged := w.view[key]
	merged.Merge(s)
	w.view[key] = merged
	w.mu.Unlock()
	w.g.Apply(key, merged)
}

func (w *world) Ask(key breaker.Key, q breaker.Question, _ time.Duration, answer func(breaker.Answer, error)) {
	go func() { answer(w.ask(key, q)) }()
}

func (w *world) ask(key breaker.Key, q breaker.Question) (breaker.Answer, error) {
	w.mu.Lock()
	w.asks++
	down, hang := w.down, w.hang
	w.mu.Unlock()
	if down {
		return breaker.Answer{}, errors.New("no owner")
	}
	if hang != nil {
		<-hang
	}
	var a breaker.Answer
	w.step(key, func(m *breaker.Machine, mo breaker.Moment) (eff breaker.Effects) {
		a, eff = m.Ask(mo, q)
		return eff
	})
	return a, nil
}

func (w *world) Report(key breaker.Key, outcomes []breaker.Outcome) {
	w.mu.Lock()
	w.messages++
	w.got[key] = append(w.got[key], outcomes...)
	down := w.down
	w.mu.Unlock()
	for _, o := range outcomes {
		if !down {
			w.step(key, func(m *breaker.Machine, mo breaker.Moment) breaker.Effects { return m.Report(mo, o) })
		}
	}
}

func (w *world) Return(key breaker.Key, id breaker.PermitID) {
	w.mu.Lock()
	w.returned = append(w.returned, id)
	w.mu.Unlock()
	w.step(key, func(m *breaker.Machine, mo breaker.Moment) breaker.Effects { return m.Return(mo, id) })
}

func (w *world) Cool(key breaker.Key, c breaker.Cooldown) {
	w.mu.Lock()
	w.messages++
	w.mu.Unlock()
	w.step(key, func(m *breaker.Machine, mo breaker.Moment) breaker.Effects { return m.Cool(mo, c) })
}

// close is an operator's close.
func (w *world) close(key breaker.Key) {
	w.step(key, func(m *breaker.Machine, mo breaker.Moment) breaker.Effects { return m.Close(mo, "ann", "") })
}

func (w *world) set(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *world) allow(host string) Decision { return w.g.Allow(context.Background(), Call{Host: host}) }

func failed(status int) Result { return Result{Evidence: breaker.Evidence{Status: status}} }

// trip makes calls to a host fail until it is rejected.
func (w *world) trip(t *testing.T, host string) {
	t.Helper()
	for range w.policy.FailMax {
		d := w.allow(host)
		wantAllowed(t, d)
		d.Report(failed(503))
	}
	d := w.allow(host)
	wantRejected(t, d, breaker.Open, breaker.ReasonConsecutive)
}

// halfOpen trips a host and waits until it may be probed.
func (w *world) halfOpen(t *testing.T, host string) {
	t.Helper()
	w.trip(t, host)
	pass(w.policy.ResetTimeout + time.Millisecond)
}

func (w *world) state(key breaker.Key) (st breaker.State) {
	w.step(key, func(m *breaker.Machine, mo breaker.Moment) breaker.Effects {
		st = m.Inspect(mo.Now).Status.State
		return breaker.Effects{}
	})
	return st
}

func (w *world) returnedNow() []breaker.PermitID {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.returned)
}

func wantAllowed(t *testing.T, d Decision) {
	t.Helper()
	if !d.Allowed() {
		t.Fatalf("call rejected (%+v), want it allowed", d.Rejection())
	}
}

func wantProbe(t *testing.T, d Decision) {
	t.Helper()
	wantAllowed(t, d)
	if !d.Probe() {
		t.Fatalf("call allowed in state %v, want a probe", d.State())
	}
}

func wantRejected(t *testing.T, d Decision, state breaker.State, reason breaker.Reason) {
	t.Helper()
	if d.Allowed() {
		t.Fatalf("call allowed in state %v, want %v %s", d.State(), state, reason)
	}
	if r := d.Rejection(); r.State != state || r.Reason != reason {
		t.Fatalf("rejection = %+v, want %v %s", r, state, reason)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}
