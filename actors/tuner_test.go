package actors_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fleetfuse/actors"
	"fleetfuse/cluster"
	"fleetfuse/cluster/spread"
	"fleetfuse/tuner/planner"
)

// tunerRig is the door to a tuner on a running cluster of one.
type tunerRig struct {
	*actors.Tuner
	router *router
	begun  atomic.Int64 // planners that were made
}

func newTunerRig(t testing.TB) *tunerRig {
	t.Helper()
	r, logger := &tunerRig{}, slog.New(slog.DiscardHandler)
	r.Tuner = actors.NewTuner(func() *planner.Planner {
		r.begun.Add(1)
		return planner.New(planner.DefaultSettings())
	}, logger)
	c, err := cluster.Start(context.Background(), cluster.Options{NodeID: "n1", Epoch: 1, Logger: logger}, actors.Kinds(actors.New(actors.Options{}), r.Tuner))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	r.router = &router{Cluster: c}
	r.Use(r.router, c.System)
	return r
}

// observed has the planner remember a bucket, and through is which that was.
func (r *tunerRig) observed(t *testing.T, bucket int64) {
	t.Helper()
	if _, err := actors.Consult(t.Context(), r.Tuner, func(p *planner.Planner) struct{} {
		p.Observe(nil, bucket)
		return struct{}{}
	}); err != nil {
		t.Fatal(err)
	}
}

func (r *tunerRig) through(t *testing.T) int64 {
	t.Helper()
	got, err := actors.Consult(t.Context(), r.Tuner, (*planner.Planner).Through)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// Whoever consults the tuner, its steps are taken one after the other, by one planner.
func TestStepsOfTheTunerAreSerial(t *testing.T) {
	r := newTunerRig(t)
	var inside, together atomic.Int64
	var asked sync.WaitGroup
	sum := 0 // no lock: the actor is one
	for range 50 {
		asked.Go(func() {
			if _, err := actors.Consult(t.Context(), r.Tuner, func(*planner.Planner) int {
				if inside.Add(1) > 1 {
					together.Add(1)
				}
				time.Sleep(time.Millisecond)
				inside.Add(-1)
				sum++
				return sum
			}); err != nil {
				t.Error(err)
			}
		})
	}
	asked.Wait()
	if together.Load() != 0 || sum != 50 || r.begun.Load() != 1 {
		t.Errorf("%d steps met another, %d were taken, by %d planners; want 0, 50 and 1", together.Load(), sum, r.begun.Load())
	}
}

// A step that panics is answered, and what the planner knew is not believed any more.
func TestTunerStartsOverAfterAPanic(t *testing.T) {
	r := newTunerRig(t)
	r.observed(t, 1000)
	_, err := actors.Consult(t.Context(), r.Tuner, func(*planner.Planner) int { panic("no such host") })
	if !errors.Is(err, actors.ErrPanicked) || !strings.Contains(err.Error(), "no such host") {
		t.Errorf("a step that panicked: %v, want %v with what it said", err, actors.ErrPanicked)
	}
	if got := r.through(t); got != 0 || r.begun.Load() != 2 {
		t.Errorf("after a panic it knows of bucket %d, and is planner %d; want a new one that knows nothing", got, r.begun.Load())
	}
}

// Where another node hosts the tuner no step is taken.
func TestTunerIsElsewhere(t *testing.T) {
	r := newTunerRig(t)
	r.router.lost.Store(true)
	_, err := actors.Consult(t.Context(), r.Tuner, func(*planner.Planner) int {
		t.Error("a step was taken")
		return 0
	})
	if !errors.Is(err, spread.ErrNoOwner) || r.begun.Load() != 0 {
		t.Errorf("Consult: %v, and %d planners; want %v and none", err, r.begun.Load(), spread.ErrNoOwner)
	}
}

// A caller that gives up is let go at once; the step that is being taken is taken to its
// end, and the next one after it.
func TestCallerGivesUpOnTheTuner(t *testing.T) {
	r := newTunerRig(t)
	busy, free := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-busy
		cancel()
	}()
	_, err := actors.Consult(ctx, r.Tuner, func(p *planner.Planner) struct{} {
		close(busy)
		<-free
		p.Observe(nil, 1000)
		return struct{}{}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a caller that gave up: %v, want %v", err, context.Canceled)
	}
	close(free)
	if got := r.through(t); got != 1000 {
		t.Errorf("the next step sees bucket %d, want 1000", got)
	}
}

// A step whose caller gave up while it waited for another one is not taken: what it
// would do nobody would carry out.
func TestStepThatNobodyWaitsForIsNotTaken(t *testing.T) {
	r := newTunerRig(t)
	busy, free := make(chan struct{}), make(chan struct{})
	var first sync.WaitGroup
	first.Go(func() {
		if _, err := actors.Consult(t.Context(), r.Tuner, func(*planner.Planner) struct{} {
			close(busy)
			<-free
			return struct{}{}
		}); err != nil {
			t.Error(err)
		}
	})
	<-busy
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := actors.Consult(ctx, r.Tuner, func(*planner.Planner) struct{} {
		t.Error("the step was taken")
		return struct{}{}
	})
	if !errors.Is(err, spread.ErrNoOwner) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a caller that gave up: %v", err)
	}
	close(free)
	first.Wait()
	r.through(t) // every step that waited was looked at
}

// Where the cluster was stopped nobody waits for the tuner.
func TestTunerOfAStoppedNode(t *testing.T) {
	r := newTunerRig(t)
	r.observed(t, 1000)
	r.router.Cluster.Stop()
	if _, err := actors.Consult(t.Context(), r.Tuner, (*planner.Planner).Through); !errors.Is(err, spread.ErrNoOwner) {
		t.Errorf("after the cluster was stopped: %v, want %v", err, spread.ErrNoOwner)
	}
}
