package node

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"fleetfuse/actors"
	"fleetfuse/api"
	"fleetfuse/telemetry/decisions"
	"fleetfuse/telemetry/rollup"
	"fleetfuse/tuner/planner"
)

// tuning is this node's part in tuning policies: where it hosts the tuner, all that
// happens by itself; elsewhere it keeps what is decided.
type tuning struct {
	node      *Node
	actor     *actors.Tuner
	decisions *decisions.Log

	heard    heard
	deciding sync.Mutex           // one plan is carried out at a time
	room     chan struct{}        // who makes a plan is in it
	told     map[string]time.Time // advice that was written down; the loop's own

	suggestions      atomic.Int64  // of the last plan of all breakers, that would be made
	enforced, undone atomic.Uint64 // breakers
}

// newTuning makes this node's part; the actor is reached when the cluster runs.
func newTuning(ctx context.Context, n *Node) *tuning {
	t := &tuning{node: n, room: make(chan struct{}, advisedAtOnce), told: map[string]time.Time{}}
	dir := n.opt.DataDir
	if n.opt.Memory {
		dir = ""
	}
	t.decisions = decisions.Open(ctx, dir, decisions.Options{
		Logger:   n.opt.Logger,
		OnStatus: func(s decisions.Status) { n.part(partTuner, s.Trouble == nil, errorText(s.Trouble)) },
	})
	t.actor = actors.NewTuner(func() *planner.Planner { return planner.New(t.settings()) }, n.opt.Logger)
	return t
}

// settings are those in force.
func (t *tuning) settings() planner.Settings { return t.node.policies.current().Tuner.Settings() }

// hosts reports whether the tuner is here.
func (t *tuning) hosts() bool { return t.node.board.owns(tunerKey) }

// start begins with what happens by itself; the caller ends it with what is
// returned.
func (t *tuning) start() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var loop sync.WaitGroup
	loop.Go(func() { t.run(ctx) })
	return func() {
		cancel()
		loop.Wait()
	}
}

// close writes down what was decided last.
func (t *tuning) close() { t.node.logFailure("close the decisions of the tuner", t.decisions.Close()) }

// run is the tuner's own clock, where it is hosted.
func (t *tuning) run(ctx context.Context) {
	tick := time.NewTicker(rollup.Width)
	defer tick.Stop()
	var judged time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if !t.hosts() {
			continue
		}
		if err := t.observe(ctx); err != nil {
			t.node.opt.Logger.Warn("the tuner could not look at what callers saw", slog.Any("err", err))
			continue
		}
		if time.Since(judged) < t.node.policies.current().Tuner.Interval {
			continue
		}
		judged = time.Now()
		t.judge(ctx)
		t.suggest(ctx)
	}
}

// suggest tells advice that is new, and enforces it if that is the mode.
func (t *tuning) suggest(ctx context.Context) {
	mode := t.node.policies.current().Tuner.Mode
	if mode == api.TunerObserve {
		t.suggestions.Store(0)
		return
	}
	a, err := t.advise(ctx, "", 0, toEnforce)
	if err != nil {
		t.node.opt.Logger.Warn("the tuner could not make a plan", slog.Any("err", err))
		return
	}
	t.tell(&a)
	now, later := verdicts(&a)
	t.suggestions.Store(now + later)
	if mode != api.TunerEnforce || len(a.Blocked) > 0 || now == 0 {
		return
	}
	if _, err := t.enforce(ctx, a.ID, planner.Author); err != nil {
		t.node.opt.Logger.Warn("the tuner could not enforce its plan", slog.String("plan", a.ID), slog.Any("err", err))
	}
}

// verdicts counts the changes of a plan that would be made, and those that wait.
func verdicts(a *api.AdviceResponse) (now, later int64) {
	for _, b := range a.Breakers {
		for _, c := range b.Changes {
			switch c.Verdict {
			case api.VerdictNow:
				now++
			case api.VerdictLater:
				later++
			}
		}
	}
	return now, later
}
