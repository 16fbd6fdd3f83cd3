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
	if kept := r.keeper.put(key); kept.Circuit != in.Snapshot.Circuit || kept.Circuit.State != breaker.Open {
		t.Errorf("persisted %+v, want the open circuit %+v", kept.Circuit, in.Snapshot.Circuit)
	}
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
	o := r.outcome(breaker.Success)
	o.Permit = permit
	r.Report(key, []breaker.Outcome{o})
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
	r.Return(key, first.Permit)
	if second, err := r.Ask(t.Context(), key, breaker.Question{ID: 2, Node: "n1"}); err != nil || second.Permit == 0 {
		t.Fatalf("after the return: %+v, %v; want a permit", second, err)
	}
}

func TestPassivation(t *testing.T) {
	r := newRig(t, func(r *rig) { r.opt.IdleAfter = 20 * time.Millisecond })
	r.fail(key, 5)
	r.next(t)
	if _, err := r.Close(t.Context(), key, "ann", ""); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the closed breaker to be passivated", func() bool { return r.Active() == 0 && r.cluster.Active() == 0 })
	clear := r.of(key).Clear
	for len(r.moved) > 0 {
		<-r.moved
	}
	if in := r.inspect(t, key); clear == 0 || in.Snapshot.Clear != clear {
		t.Errorf("after re-activation the clear is %d, want %d", in.Snapshot.Clear, clear)
	}
	if len(r.moved) != 0 {
		t.Errorf("re-activation announced %+v, want nothing", <-r.moved)
	}
	r.fail(key, 5)
	if m := r.next(t); m.To != breaker.Open {
		t.Errorf("announced %+v, want open", m)
	}
	time.Sleep(100 * time.Millisecond) // five idle times: an open breaker must not go
	if r.Active() != 1 {
		t.Errorf("%d actors after the breaker opened, want 1", r.Active())
	}
}

func TestOpenBreakerIsRecalled(t *testing.T) {
	first := newRig(t, nil)
	first.fail(key, 5)
	first.next(t)
	first.cluster.Stop()
	if first.Active() != 0 {
		t.Errorf("%d actors after Stop, want 0", first.Active())
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
	r.keeper.onPut = func() {
		r.keeper.mu.Lock()
		r.keeper.onPut = nil
		r.keeper.mu.Unlock()
		panic("disk on fire")
	}
	r.fail(key, 5)
	r.next(t)
	a, err := r.Ask(t.Context(), key, breaker.Question{ID: 1, Node: "n1"})
	if err != nil || a.State != breaker.Open {
		t.Errorf("after the panic: %+v, %v; want what was announced, open", a, err)
	}
	if r.Panics() != 1 {
		t.Errorf("Panics = %d, want 1", r.Panics())
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
	if r.Panics() != 20 {
		t.Errorf("Panics = %d, want 20", r.Panics())
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
	if len(open) != hosts || r.Active() != hosts {
		t.Errorf("%d breakers opened with %d actors, want %d", len(open), r.Active(), hosts)
	}
}

func TestOrderOfReportsIsKept(t *testing.T) {
	r := newRig(t, nil)
	at := r.clock.Now().Add(-time.Minute)
	report := func(kind breaker.Kind) {
		at++
		r.Report(key, []breaker.Outcome{{Node: "n1", Kind: kind, Began: at, Ended: at}})
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

func TestTooManyReportsAreDroppedAndMarked(t *testing.T) {
	var block sync.RWMutex
	r := newRig(t, func(r *rig) {
		r.opt.MaxWaiting = 10
		r.opt.Members = func() int {
			block.RLock()
			defer block.RUnlock()
			return 1
		}
	})
	r.fail(key, 4)
	r.inspect(t, key)
	block.Lock()
	r.Return(key, 1)                           // the actor stops here, so what follows waits
	r.Report(key, make([]breaker.Outcome, 10)) // began before everything: changes nothing
	r.fail(key, 3)
	if got := r.Dropped(); got != 3 {
		t.Errorf("Dropped = %d, want 3", got)
	}
	block.Unlock()
	if in := r.inspect(t, key); len(in.Runs) != 1 || in.Runs[0].Failures != 4 {
		t.Errorf("runs before the gap: %+v, want 4 failures", in.Runs)
	}
	r.fail(key, 2)
	if in := r.inspect(t, key); len(in.Runs) != 1 || in.Runs[0].Failures != 2 {
		t.Errorf("runs after the gap: %+v, want the 2 failures after it", in.Runs)
	}
}

func TestDropForgetsTheKey(t *testing.T) {
	r := newRig(t, nil)
	r.fail(key, 4)
	r.inspect(t, key)
	r.Drop(key)
	r.fail(key, 4)
	if in := r.inspect(t, key); in.Status.State != breaker.Closed || len(in.Runs) != 1 || in.Runs[0].Failures != 4 {
		t.Errorf("after Drop: %v, runs %+v; want closed and the 4 failures since", in.Status.State, in.Runs)
	}
}

// waitFor polls what no channel tells.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !done(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited %v for %s", patience, what)
		}
	}
}
