package node

import (
	"context"
	"encoding/json"
	"runtime"
	"slices"
	"sync"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/telemetry"
	"fleetfuse/telemetry/follow"
	"fleetfuse/telemetry/rollup"
	"fleetfuse/tuner"
	"fleetfuse/tuner/planner"
	"fleetfuse/tuner/replay"
)

// observeOutcomes is the name by which the tuner asks members for the outcomes of
// a key that they remember.
const observeOutcomes = "outcomes"

type outcomesQuery struct {
	Key breaker.Key `json:"key"`
}

// outcomesTold is what a member remembers of a key.
type outcomesTold struct {
	Log []byte `json:"log,omitempty"` // rollup.Log.Append; absent: nothing
	// Rejected are the calls of the last hour that were not made.
	Rejected []rejectedTold `json:"rejected,omitempty"`
}

// rejectedTold are calls that were not made in one bucket, or minute.
type rejectedTold struct {
	AgeMS   int64 `json:"age_ms"` // of its begin
	WidthMS int64 `json:"width_ms"`
	Calls   int   `json:"calls"`
}

// outcomes is what this node remembers of a key.
func (u *usage) outcomes(key breaker.Key) (told outcomesTold) {
	u.collect(drainPause)
	now, wall := u.clock.Both()
	u.logsMu.Lock()
	if log := u.logs.Of(key); log != nil {
		told.Log = log.Append(nil, now)
	}
	u.logsMu.Unlock()
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, s := range u.table.Spans(key) {
		if n := s.Rejected[rollup.ByCircuit]; n > 0 {
			told.Rejected = append(told.Rejected, rejectedTold{wall.Sub(s.At.Start()).Milliseconds(), s.Width.Milliseconds(), int(n)})
		}
	}
	return told
}

// replayed are the inputs of the replays of one breaker, so that they can be run
// again later: logs as members sent them, and what else a tape has.
type replayed struct {
	Logs           []nodeLog      `json:"logs"`
	Rejected       []rejectedTold `json:"rejected,omitempty"`
	CallsPerSecond float64        `json:"calls_per_second"`
	ProbePrice     float64        `json:"probe_price_s"`
	Policy         breaker.Policy `json:"policy"` // in force
}

type nodeLog struct {
	Node string `json:"node"`
	Log  []byte `json:"log"`
}

// tapeEnd is the instant that ages of a tape are counted from: any, but the same
// each time a tape is made.
const tapeEnd = breaker.Instant(1 << 60)

// run replays under the policy in force and under it with suggestions made.
func (r *replayed) run(suggestions []tuner.Suggestion) replay.Comparison {
	var logs []telemetry.NodeLog
	for _, l := range r.Logs {
		if log, _, err := rollup.DecodeLog(l.Log, tapeEnd); err == nil { // one of a later version is as one that is missing
			logs = append(logs, telemetry.NodeLog{Node: l.Node, Log: log})
		}
	}
	tape := telemetry.Tape(logs)
	tape.CallsPerSecond = r.CallsPerSecond
	for _, x := range r.Rejected {
		from := tapeEnd.Add(-time.Duration(x.AgeMS) * time.Millisecond)
		tape.Blocked = append(tape.Blocked, replay.Gap{From: from, To: from.Add(time.Duration(x.WidthMS) * time.Millisecond), Calls: x.Calls})
	}
	return replay.Compare(&replay.Case{
		Tape: tape, Old: r.Policy, Proposed: *tuner.With(&r.Policy, suggestions),
		Prices: replay.Prices{ProbePrice: time.Duration(r.ProbePrice * float64(time.Second))},
	})
}

// proven is what the replays of one breaker found, by rule.
type proven map[tuner.Rule]replay.Comparison

// maxProven bounds the breakers of a plan that are replayed: the busiest ones.
const maxProven = 50

// prove replays what was recorded of the breakers in a plan, and says in their cases
// what that proves.
func (t *tuning) prove(ctx context.Context, cases []planner.Case, missing []string) map[breaker.Key]proven {
	members := t.answering(missing)
	proofs := map[breaker.Key]proven{}
	var mu sync.Mutex
	var all sync.WaitGroup
	room := make(chan struct{}, max(1, runtime.GOMAXPROCS(0)-1)) // decisions are made beside it
	begun := 0
	for i := range cases {
		c := &cases[i]
		if ctx.Err() != nil || begun == maxProven {
			break
		}
		if !slices.ContainsFunc(c.Advice.Suggestions, func(s tuner.Suggestion) bool { return s.Provable() }) {
			continue
		}
		begun++
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			found := t.proveOne(ctx, c, members)
			mu.Lock()
			defer mu.Unlock()
			proofs[c.Metrics.Key] = found
		})
	}
	all.Wait()
	return proofs
}

func (t *tuning) proveOne(ctx context.Context, c *planner.Case, members []follow.Member) proven {
	r := t.inputs(ctx, c, members)
	if len(r.Logs) == 0 {
		return nil
	}
	found := proven{}
	for rule, suggestions := range byRule(c) {
		if suggestions[0].Provable() {
			comparison := r.run(suggestions)
			found[rule] = comparison
			text, _ := json.Marshal(shownProof(rule, &comparison)) // finite numbers and texts
			c.Proof[rule] = planner.Proof{Accepted: comparison.Verdict.Accepted, Why: comparison.Verdict.Reason, Found: text}
		}
	}
	if text, err := json.Marshal(r); err == nil {
		c.Inputs = text
	}
	return found
}

// inputs asks members for what they remember of a breaker.
func (t *tuning) inputs(ctx context.Context, c *planner.Case, members []follow.Member) *replayed {
	n, key := t.node, c.Metrics.Key
	answers, _ := askAll(members, func(m follow.Member) (outcomesTold, error) {
		return ofMember(ctx, n, m.ID, observeOutcomes, outcomesQuery{key}, usageWait, func() (outcomesTold, error) { return n.usage.outcomes(key), nil })
	})
	r := &replayed{Policy: *n.policies.of(key), ProbePrice: n.policies.current().Tuner.ProbePrice}
	for _, a := range answers {
		if len(a.answer.Log) > 0 {
			r.Logs = append(r.Logs, nodeLog{a.Name, a.answer.Log})
		}
		r.Rejected = append(r.Rejected, a.answer.Rejected...)
	}
	if all := &c.Metrics.All; c.Metrics.Window > 0 {
		r.CallsPerSecond = (float64(all.Net()) + float64(all.Rejected)) / c.Metrics.Window.Seconds()
	}
	return r
}
