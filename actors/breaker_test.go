package actors_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"fleetfuse/actors"
	"fleetfuse/breaker"
)

func TestFiveFailuresTrip(t *testing.T) {
	r := newRig(t, nil)
	r.fail(key, 4)
	if got := r.inspect(t, key).Status.State; got != breaker.Closed {
		t.Fatalf("state after 4 failures = %v, want closed", got)
	}
	r.fail(key, 1)
	m := r.next(t)
	if m.key != key || m.To != breaker.Open || m.Reason != breaker.ReasonConsecutive || m.Failures != 5 {
		t.Errorf("announced %+v, want open for 5 consecutive failures", m)
	}
	in := r.inspect(t, key) // behind the report in the mailbox, so its effects are carried out
	if seen := r.of(key); seen.Circuit != in.Snapshot.Circuit {
		t.Errorf("the view has %+v, want %+v", seen.Circuit, in.Snapshot.Circuit)
	}
}

func TestOnePermitOfFiftyAsks(t *testing.T) {
	r := newRig(t, func(r *rig) { r.policy.ResetTimeout = 20 * time.Millisecond })
	r.fail(key, 5)
	r.next(t)
	if m := r.next(t); m.To != breaker.HalfOpen { // nobody asked: the timer did it
		t.Fatalf("announced %+v, want half-open", m)
	}
	answers := make(chan breaker.Answer)
	for id := range uint64(50) {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			a, err := r.Ask(ctx, key, breaker.Question{ID: id + 1, Node: "n1"})
			if err != nil {
				t.Error(err)
			}
			answers <- a
		}()
	}
	permits := 0
	var permit breaker.PermitID
	for range 50 {
		if a := <-answers; a.Permit != 0 {
			permits++
			permit = a.Permit
		} else if a.RetryIn < breaker.MinRetryIn {
			t.Errorf("refusal says retry in %v, want at least %v", a.RetryIn, breaker.MinRetryIn)
		}
	}
	if permits != 1 {
		t.Fatalf("%d permits were granted, want 1", permits)
	}
	o := r.outcome("n1", breaker.Success)
	o.Permit = permit
	r.Report(key, "n1", false, []breaker.Outcome{o})
	if m := r.next(t); m.To != breaker.Closed {
		t.Errorf("announced %+v after the probe succeeded, want closed", m)
	}
}

func TestReturnedPermitIsGrantedAgain(t *testing.T) {
	r := newRig(t, func(r *rig) { r.policy.ResetTimeout = 20 * time.Millisecond })
	r.fail(key, 5)
	r.next(t)
	r.next(t)
	first, err := r.Ask(t.Context(), key, breaker.Question{ID: 1, Node: "n1"})
	if err != nil || first.Permit == 0 {
		t.Fatalf("first question: %+v, %v; want a permit", first, err)
	}
	back := r.outcome("n1", breaker.Neutral)
	back.Permit = first.Permit
	r.Report(key, "n1", false, []breaker.Outcome{back})
	if second, err := r.Ask(t.Context(), key, breaker.Question{ID: 2, Node: "n1"}); err != nil || second.Permit == 0 {
		t.Fatalf("after the return: %+v, %v; want a permit", second, err)
	}
}

func TestOpenBreakerIsRecalled(t *testing.T) {
	first := newRig(t, nil)
	first.fail(key, 5)
	first.next(t)
	first.cluster.Stop()
	if first.Counts().Active != 0 {
		t.Errorf("%d actors after Stop, want 0", first.Counts().Active)
	}
	known := first.of(key)
	second := newRig(t, func(r *rig) {
		r.opt.Clock = first.clock // the instants of the snapshot are of this clock
		r.view.Merge(key, known)
	})
	a, err := second.Ask(t.Context(), key, breaker.Question{ID: 1, Node: "n1"})
	if err != nil || a.State != breaker.Open || a.Reason != breaker.ReasonConsecutive {
		t.Errorf("after re-activation: %+v, %v; want open", a, err)
	}
}

func TestPanicIsContained(t *testing.T) {
	r := newRig(t, nil)
	onFire := func() { panic("view on fire") }
	r.hook.Store(&onFire)
	r.fail(key, 5)
	r.next(t)
	a, err := r.Ask(t.Context(), key, breaker.Question{ID: 1, Node: "n1"})
	if err != nil || a.State != breaker.Open {
		t.Errorf("after the panic: %+v, %v; want what was announced, open", a, err)
	}
	if r.Counts().Panics != 1 {
		t.Errorf("Panics = %d, want 1", r.Counts().Panics)
	}
}

func TestPanicIsAnswered(t *testing.T) {
	var mu sync.Mutex
	broken := true
	r := newRig(t, func(r *rig) {
		recall := r.opt.Recall
		r.opt.Recall = func(k breaker.Key) breaker.Snapshot {
			mu.Lock()
			defer mu.Unlock()
			if broken {
				panic("view on fire")
			}
			return recall(k)
		}
	})
	for range 20 { // more than protoactor's own supervisor would let pass
		if _, err := r.Inspect(t.Context(), key); !errors.Is(err, actors.ErrPanicked) {
			t.Fatalf("Inspect: %v, want %v", err, actors.ErrPanicked)
		}
	}
	mu.Lock()
	broken = false
	mu.Unlock()
	if got := r.inspect(t, key).Status.State; got != breaker.Closed {
		t.Errorf("state = %v, want closed", got)
	}
	if r.Counts().Panics != 20 {
		t.Errorf("Panics = %d, want 20", r.Counts().Panics)
	}
}

func TestThousandDeadHosts(t *testing.T) {
	const hosts = 1000
	r := newRig(t, nil)
	for i := range hosts {
		go r.fail(breaker.HostKey(fmt.Sprintf("h%d.example.org", i)), 5)
	}
	open := map[breaker.Key]bool{}
	for range hosts {
		m := r.next(t)
		open[m.key] = m.To == breaker.Open
	}
	if len(open) != hosts || r.Counts().Active != hosts {
		t.Errorf("%d breakers opened with %d actors, want %d", len(open), r.Counts().Active, hosts)
	}
}

func TestOrderOfReportsIsKept(t *testing.T) {
	r := newRig(t, nil)
	at := r.clock.Now().Add(-time.Minute)
	report := func(kind breaker.Kind) {
		at++
		r.Report(key, "n1", false, []breaker.Outcome{{Node: "n1", Kind: kind, Began: at, Ended: at}})
	}
	for range 1000 { // out of order, five failures would meet
		for range 4 {
			report(breaker.Failure)
		}
		report(breaker.Success)
	}
	if in := r.inspect(t, key); in.Status.State != breaker.Closed || len(in.Runs) != 0 {
		t.Errorf("after runs of 4 failures: %v with runs %+v, want closed with none", in.Status.State, in.Runs)
	}
}
