package actors_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

func TestOperatorOpen(t *testing.T) {
	for _, c := range []struct {
		name string
		kept spread.OperatorResult
	}{
		{"on two machines", spread.OperatorResult{Durable: true, Copies: 2}},
		{"in memory", spread.OperatorResult{Copies: 1}},
		{"not committed", spread.OperatorResult{Copies: 1, Err: errors.New("disk full")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, func(r *rig) {
				r.keeper.answer = c.kept
				r.keeper.onCommit = func() {
					if len(r.moved) != 0 {
						t.Error("it was announced before it was committed")
					}
				}
			})
			got, err := r.Open(t.Context(), key, 10*time.Minute, "ann", "maintenance")
			if err != nil {
				t.Fatal(err)
			}
			if got.Durable != c.kept.Durable || !errors.Is(got.Err, c.kept.Err) || got.Copies != c.kept.Copies {
				t.Errorf("Open = %+v, want what the keeper said: %+v", got, c.kept)
			}
			if got.Before.State != breaker.Closed || got.After.State != breaker.Open || got.After.Reason != breaker.ReasonCLIOpen {
				t.Errorf("Open went from %+v to %+v, want from closed to open by hand", got.Before, got.After)
			}
			if m := r.next(t); m.To != breaker.Open || m.Author != "ann" { // announced in any case
				t.Errorf("announced %+v, want ann's open", m)
			}
			if kept := r.keeper.commits(); len(kept) != 1 || !sameCooldowns(kept[0], r.of(key)) {
				t.Errorf("committed %+v, want once what the view has: %+v", kept, r.of(key))
			}
		})
	}
}

func sameCooldowns(a, b breaker.Snapshot) bool { return slices.Equal(a.Cooldowns, b.Cooldowns) }

func TestOperatorClose(t *testing.T) {
	r := newRig(t, nil)
	if _, err := r.Open(t.Context(), key, time.Hour, "ann", ""); err != nil {
		t.Fatal(err)
	}
	got, err := r.Close(t.Context(), key, "bob", "works again")
	if err != nil {
		t.Fatal(err)
	}
	if got.Before.State != breaker.Open || got.Before.Author != "ann" || got.After.State != breaker.Closed || !got.Durable {
		t.Errorf("Close = %+v, want from ann's open to closed, durable", got)
	}
	if st := r.of(key); st.At(r.clock.Now()).State != breaker.Closed || st.Clear == 0 {
		t.Errorf("the view has %+v, want a clear", st)
	}
}

func TestCool(t *testing.T) {
	r := newRig(t, nil)
	cool := func(d time.Duration) breaker.Cooldown {
		return breaker.Cooldown{
			Setter: "n1", Stamp: r.clock.Stamp(), Until: r.clock.Now().Add(d), Length: d,
			Reason: breaker.ReasonRetryAfter, Detail: "Retry-After: 120",
		}
	}
	long := cool(2 * time.Minute)
	r.merge(key, breaker.Snapshot{Cooldowns: []breaker.Cooldown{long}}) // its node did; to the actor it is news
	r.Cool(key, long)
	if m := r.next(t); m.To != breaker.Open || m.Reason != breaker.ReasonRetryAfter || m.Detail != long.Detail {
		t.Errorf("recorded %+v, want what the host said", m)
	}
	r.Cool(key, cool(time.Second)) // a shorter one changes nothing
	in := r.quiet(t, key, "a shorter one")
	if s := r.of(key); len(s.Cooldowns) != 1 || s.Cooldowns[0] != long || !sameCooldowns(s, in.Snapshot) {
		t.Errorf("after a shorter one the view has %+v, the owner %+v", s.Cooldowns, in.Snapshot.Cooldowns)
	}
	longer := cool(time.Hour)
	r.Cool(key, longer)
	if m := r.next(t); m.From != breaker.Open || m.To != breaker.Open {
		t.Errorf("recorded %+v, want a line for the extension", m)
	}
	if s := r.of(key); len(s.Cooldowns) != 1 || s.Cooldowns[0] != longer {
		t.Errorf("the view has %+v, want the longer one", s.Cooldowns)
	}
}

func TestReplace(t *testing.T) {
	r := newRig(t, nil)
	r.fail(key, 2)
	p := *r.policy
	p.FailMax = 3
	r.replace.Store(&p)
	r.fail(key, 1)
	if m := r.next(t); m.To != breaker.Open || m.Failures != 3 {
		t.Errorf("announced %+v, want open after 3 failures", m)
	}
}

func TestActivate(t *testing.T) {
	r := newRig(t, nil)
	now := r.clock.Now()
	r.merge(key, breaker.Snapshot{Circuit: breaker.Circuit{
		State: breaker.Open, Stamp: r.clock.Stamp(), Until: now.Add(500 * time.Millisecond), FirstTrip: now, Opens: 1,
	}})
	r.Activate(key)
	if m := r.next(t); m.To != breaker.Open {
		t.Errorf("announced %+v, want open", m)
	}
	if m := r.next(t); m.To != breaker.HalfOpen { // the recalled deadline has a timer
		t.Errorf("announced %+v, want half-open", m)
	}
}

func TestRequestsAreLeftWithTheirContext(t *testing.T) {
	hang := make(chan struct{})
	r := newRig(t, func(r *rig) { r.opt.Members = func() int { <-hang; return 1 } })
	defer close(hang)
	began := time.Now()
	if _, err := r.Ask(t.Context(), key, breaker.Question{ID: 1}); !errors.Is(err, spread.ErrNoOwner) {
		t.Errorf("Ask of an owner that hangs: %v, want %v", err, spread.ErrNoOwner)
	}
	if took := time.Since(began); took < 90*time.Millisecond || took > 5*time.Second {
		t.Errorf("Ask gave up after %v, want 100ms", took)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := r.Open(ctx, key, time.Hour, "", ""); !errors.Is(err, context.Canceled) {
		t.Errorf("Open with a cancelled context: %v, want %v", err, context.Canceled)
	}
}

func TestStopped(t *testing.T) {
	r := newRig(t, nil)
	r.fail(key, 4)
	r.cluster.Stop()
	if r.Counts().Active != 0 {
		t.Errorf("%d actors after Stop, want 0", r.Counts().Active)
	}
	if _, err := r.Ask(t.Context(), key, breaker.Question{ID: 1}); !errors.Is(err, spread.ErrNoOwner) {
		t.Errorf("Ask after Stop: %v, want %v", err, spread.ErrNoOwner)
	}
	r.fail(key, 1)
	if r.Counts().Dropped != 1 {
		t.Errorf("Dropped after Stop = %d, want 1", r.Counts().Dropped)
	}
}
