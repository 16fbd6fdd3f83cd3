package actors_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// observer remembers what it heard, in order.
type observer struct {
	mu    sync.Mutex
	heard []string
}

func (o *observer) hear(what string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.heard = append(o.heard, what)
}

func (o *observer) Entered(k breaker.Key)                      { o.hear("entered " + string(k)) }
func (o *observer) Moved(k breaker.Key, tr breaker.Transition) { o.hear("moved to " + tr.To.String()) }
func (o *observer) Probed(breaker.Key, breaker.Outcome)        {}
func (o *observer) Left(k breaker.Key)                         { o.hear("left " + string(k)) }

func (o *observer) all() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.heard)
}

func TestObserver(t *testing.T) {
	o := &observer{}
	r := newRig(t, func(r *rig) { r.opt.IdleAfter, r.opt.Observer = 20*time.Millisecond, o })
	r.fail(key, 5)
	r.next(t)
	if _, err := r.Close(t.Context(), key, "ann", ""); err != nil {
		t.Fatal(err)
	}
	want := []string{"entered " + string(key), "moved to open", "moved to closed", "left " + string(key)}
	waitFor(t, "the actor to leave", func() bool { return len(o.all()) == len(want) })
	if got := o.all(); !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
}

func TestRoundsAreCountedByTheirEnd(t *testing.T) {
	for what, x := range map[string]struct {
		do                     func(*testing.T, *rig, spread.WitnessQuestion)
		tripped, refused, void uint64
	}{
		"nobody objects": {func(*testing.T, *rig, spread.WitnessQuestion) {}, 1, 0, 0},
		"a member saw a success": {func(_ *testing.T, r *rig, q spread.WitnessQuestion) {
			r.Witness(key, answer(q, "n3", q.From.Add(1)))
		}, 0, 1, 0},
		"an operator is faster": {func(t *testing.T, r *rig, _ spread.WitnessQuestion) {
			if _, err := r.Open(t.Context(), key, time.Minute, "ann", ""); err != nil {
				t.Error(err)
			}
		}, 0, 0, 1},
	} {
		t.Run(what, func(t *testing.T) {
			r, q := counted(t)
			x.do(t, r, q)
			r.EndRound(key, q.Round)
			r.EndRound(key, q.Round) // once is enough
			r.inspect(t, key)
			if c := r.Counts(); c.RoundsTripped != x.tripped || c.RoundsRefused != x.refused || c.RoundsVoid != x.void {
				t.Errorf("%+v; want %d tripped, %d refused, %d void", c, x.tripped, x.refused, x.void)
			}
		})
	}
}

func TestProbesAreCountedOnce(t *testing.T) {
	r := newRig(t, func(r *rig) { r.policy.ResetTimeout = time.Second })
	r.fail(key, 5)
	r.next(t)
	if m := r.next(t); m.To != breaker.HalfOpen {
		t.Fatalf("moved to %v, want half-open", m.To)
	}
	permit := func(id uint64) breaker.PermitID {
		a, err := r.Ask(t.Context(), key, breaker.Question{ID: id, Node: "n1"})
		if err != nil || a.Permit == 0 {
			t.Fatalf("answered %+v, %v; want a permit", a, err)
		}
		return a.Permit
	}
	end := func(id breaker.PermitID, kind breaker.Kind) {
		o := r.outcome("n1", kind)
		o.Permit = id
		for range 2 { // the second is a repeat
			r.Report(key, "n1", false, []breaker.Outcome{o})
		}
		r.inspect(t, key)
	}
	end(permit(1), breaker.Neutral)
	first := permit(2)
	if a, err := r.Ask(t.Context(), key, breaker.Question{ID: 3, Node: "n1"}); err != nil || a.Permit != 0 {
		t.Errorf("answered %+v, %v; want no second permit", a, err)
	}
	end(first, breaker.Success)
	c := r.Counts()
	if c.PermitsGranted != 2 || c.PermitsRefused != 1 || c.ProbesReturned != 1 || c.ProbesSucceeded != 1 || c.ProbesFailed != 0 {
		t.Errorf("%+v; want 2 granted, 1 refused, one returned, one success", c)
	}
}
