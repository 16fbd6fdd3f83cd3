package actors_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

func TestTooManyReportsAreDroppedAndMarked(t *testing.T) {
	r := newRig(t, func(r *rig) { r.opt.MaxWaiting, r.policy.FailMax = 10, 100 })
	failures := func(after string, want int) {
		t.Helper()
		if in := r.inspect(t, key); len(in.Runs) != 1 || in.Runs[0].Failures != want {
			t.Errorf("after %s: runs %+v, want %d failures", after, in.Runs, want)
		}
	}
	r.failAt("n1", key, 4)
	r.failAt("n2", key, 3)
	failures("7 failures", 7)
	release := r.hold(key)
	r.Report(key, "n3", false, make([]breaker.Outcome, 10)) // began before everything: changes nothing
	r.failAt("n1", key, 2)
	r.failAt("n1", key, 1)
	if got := r.Counts().Dropped; got != 3 {
		t.Errorf("Dropped = %d, want 3", got)
	}
	release()
	failures("n1 lost a report", 7)
	r.failAt("n2", key, 1)
	failures("the next report of another node", 8)
	r.failAt("n1", breaker.HostKey("other.example.org"), 1)
	failures("n1's next report on another key", 8)
	r.failAt("n1", key, 2)
	failures("n1's next report", 4+2)
	r.failAt("n1", key, 1)
	failures("the one after", 7)
	r.Report(key, "n2", true, []breaker.Outcome{r.outcome("n2", breaker.Failure)})
	failures("n2 said itself that one was lost", 3+1)
	r.Report(key, "n2", true, nil)
	failures("an empty report", 4)
}

// TestTooManyActors: a crawler whose own uplink is sick sees millions of hosts fail
// once, and each would be remembered for minutes.
func TestTooManyActors(t *testing.T) {
	r := newRig(t, func(r *rig) { r.opt.MaxActors = 2 })
	one, two, three := breaker.HostKey("1.example"), breaker.HostKey("2.example"), breaker.HostKey("3.example")
	r.fail(one, 1)
	r.fail(two, 1)
	active := func(n int) { waitFor(t, "the actors", func() bool { return r.Counts().Active == n }) }
	active(2)
	r.fail(three, 4)
	if c := r.Counts(); r.cluster.Active() != 2 || c.Dropped != 4 || c.Refused != 1 {
		t.Errorf("a key too many: %d actors, %d outcomes dropped of %d reports; want 2, 4 of 1", r.cluster.Active(), c.Dropped, c.Refused)
	}
	r.fail(one, 4)
	if m := r.next(t); m.key != one || m.To != breaker.Open {
		t.Errorf("%s went to %v, want one that has an actor to open", m.key, m.To)
	}
	r.Drop(two)
	active(1)
	r.fail(three, 5)
	if m := r.next(t); m.key != three || m.To != breaker.Open {
		t.Errorf("%s went to %v, want the third to open when there is room", m.key, m.To)
	}
	if c := r.Counts(); c.Waiting != 0 {
		t.Errorf("%d outcomes wait, want none", c.Waiting)
	}
}

func TestPassivation(t *testing.T) {
	r := newRig(t, func(r *rig) { r.opt.IdleAfter = 20 * time.Millisecond })
	r.fail(key, 5)
	r.next(t)
	if _, err := r.Close(t.Context(), key, "ann", ""); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the closed breaker to be passivated", func() bool { return r.Counts().Active == 0 && r.cluster.Active() == 0 })
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
	if r.Counts().Active != 1 {
		t.Errorf("%d actors after the breaker opened, want 1", r.Counts().Active)
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

func TestDropDoesNotActivate(t *testing.T) {
	r := newRig(t, nil)
	r.Drop(key)
	if n := r.cluster.Active(); n != 0 {
		t.Errorf("%d actors, want none", n)
	}
}

// TestPassivationLosesNothing asks while actors come and go all the time.
func TestPassivationLosesNothing(t *testing.T) {
	r := newRig(t, func(r *rig) { r.opt.IdleAfter = time.Microsecond })
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for i := range 300 {
				if _, err := r.Inspect(t.Context(), breaker.HostKey(string(rune('a'+i%3)))); err != nil {
					t.Errorf("a question was lost: %v", err)
				}
			}
		})
	}
	work.Wait()
}

// TestTooLateForTheOwner fills the mailbox of an actor that is told to go while
// its key becomes another node's.
func TestTooLateForTheOwner(t *testing.T) {
	r := newRig(t, nil)
	r.fail(key, 1)
	r.inspect(t, key)
	release := r.hold(key)
	r.Drop(key)
	r.fail(key, 3)
	asked := make(chan error, 1)
	go func() {
		_, err := r.Inspect(t.Context(), key)
		asked <- err
	}()
	waitFor(t, "the question to be on its way", func() bool { return r.router.delivered.Load() == 5 })
	r.router.lost.Store(true)
	release()
	if err := receive(t, asked, "the question was not answered"); !errors.Is(err, spread.ErrNoOwner) {
		t.Errorf("Inspect: %v, want %v", err, spread.ErrNoOwner)
	}
	waitFor(t, "the late reports to be counted as dropped", func() bool { return r.Counts().Dropped == 3 })
	waitFor(t, "the actor to go", func() bool { return r.Counts().Active == 0 })
	r.fail(key, 2)
	if got := r.Counts().Dropped; got != 5 {
		t.Errorf("Dropped without an owner = %d, want 5", got)
	}
}

// TestAWordThatNobodyWaitsFor comes out of the mailbox when whoever said it was told
// that nobody answers, and may have had another node carry it out.
func TestAWordThatNobodyWaitsFor(t *testing.T) {
	r := newRig(t, nil)
	r.inspect(t, key)
	release := r.hold(key)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	words := []func() error{
		func() error { _, err := r.Open(ctx, key, time.Hour, "ann", ""); return err },
		func() error { _, err := r.Close(ctx, key, "ann", ""); return err },
		func() error { _, err := r.Lay(ctx, key, spread.Lay{Set: "fail_max:3"}); return err },
	}
	said := make(chan error, len(words))
	for _, say := range words {
		go func() { said <- say() }()
	}
	for range words {
		if err := receive(t, said, "a word has no end"); !errors.Is(err, spread.ErrNoOwner) {
			t.Errorf("a word ended with %v, want %v", err, spread.ErrNoOwner)
		}
	}
	release()
	if in := r.inspect(t, key); in.Status.State != breaker.Closed || len(r.keeper.commits()) > 0 {
		t.Errorf("afterwards it is %v and %d words were committed; want closed and none", in.Status.State, len(r.keeper.commits()))
	}
	if _, err := r.Open(t.Context(), key, time.Hour, "ann", ""); err != nil || len(r.keeper.commits()) != 1 {
		t.Errorf("one that is waited for: %v, %d commits", err, len(r.keeper.commits()))
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
