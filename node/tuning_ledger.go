package node

import (
	"context"
	"encoding/json"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/telemetry/decisions"
	"fleetfuse/tuner/guard"
	"fleetfuse/tuner/planner"
)

const (
	// ledgerSince is how far back the guard looks: two changes that were taken back
	// within 30 days freeze a host for a week.
	ledgerSince = 38 * 24 * time.Hour
	// trialsSince is more than a change is on trial: what is older is over.
	trialsSince = 3 * 24 * time.Hour
)

// ledger is what this node remembers of all keys, as far as a tuner that comes new
// to a member must know it: with what they were decided from, records of a month do
// not fit into an answer.
func (t *tuning) ledger(ctx context.Context) (told recordsTold, err error) {
	_, wall := t.node.clock.Both()
	short, size := shortening{ended: map[ending]bool{}, over: map[breaker.Key]bool{}, told: map[string]bool{}}, 0
	err = t.decisions.Each(ctx, wall.Add(-ledgerSince), func(k decisions.Record) bool { // the latest first
		var r planner.Record
		if json.Unmarshal(k.Body, &r) != nil || !short.shorten(&r, wall.Sub(k.At) > trialsSince) {
			return true // of a version that wrote another form, or known by what became of it
		}
		text, _ := json.Marshal(r) // it came from JSON
		if size += len(text) + len(","); size > maxObserved-len(`{"records":[],"cut":true}`) {
			told.Cut = true
			return false
		}
		told.Records = append(told.Records, r)
		return true
	})
	return told, err
}

// shortening leaves out of records what a tuner need not hear of what is over, or
// hears by another one. They come with the latest first.
type shortening struct {
	ended map[ending]bool
	over  map[breaker.Key]bool // whose change is not on trial any more
	told  map[string]bool      // kinds of changes, with their plans, whose waiting was told
}

// ending is a change of which is known what became of it.
type ending struct {
	key  breaker.Key
	plan string
}

// shorten is false for a record that nobody needs.
func (s *shortening) shorten(r *planner.Record, old bool) bool {
	r.Proof, r.Inputs = nil, nil
	kind := r.Plan + " " + r.Cohort()
	switch r.Kind {
	case planner.Begun:
		if s.ended[ending{r.Key, r.Plan}] {
			return false
		}
	case guard.Enforced:
		if s.ended[ending{r.Key, r.Plan}] = true; old || s.over[r.Key] || s.told[kind] {
			r.Waiting = nil
		}
		s.told[kind] = s.told[kind] || len(r.Waiting) > 0
	default:
		s.ended[ending{r.Key, r.Plan}], s.over[r.Key] = true, true
	}
	if old {
		r.Why = ""
		*r = planner.Record{Record: r.Record, Author: r.Author}
	}
	return true
}
