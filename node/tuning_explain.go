package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/httpapi"
	"fleetfuse/tuner"
	"fleetfuse/tuner/guard"
	"fleetfuse/tuner/planner"
)

// Explain implements httpapi.Tuner.
func (n *Node) Explain(ctx context.Context, key breaker.Key) (api.ExplainResponse, error) {
	a := api.ExplainResponse{Key: string(key)}
	records, silent, _ := n.tuning.listOf(ctx, everyone{n}.Members(), key)
	a.Partial = silent
	var err error
	if a.Records, err = n.tuning.shownRecords(ctx, records); err != nil {
		return a, err
	}
	a.Advice, err = askTuner[api.AdviceResponse](ctx, n, tunerQuery{What: askAdvice, Key: key, For: toExplain})
	if err != nil && len(records) > 0 { // what was done can be told all the same
		a.Advice, err = noAdvice(err), nil
	}
	return a, err
}

// noAdvice says why there is none.
func noAdvice(err error) api.AdviceResponse {
	a := api.AdviceResponse{Breakers: []api.BreakerAdvice{}, Nodes: []string{}}
	var uncalled *httpapi.UncalledError
	if errors.As(err, &uncalled) {
		a.WindowMS = uncalled.Window.Milliseconds()
		return a
	}
	a.Blocked = []string{"the tuner gives no advice: " + err.Error()}
	return a
}

// shownRecords are records as the API shows them, without those that another one says
// the end of.
func (t *tuning) shownRecords(ctx context.Context, records []planner.Record) ([]api.AdviceRecord, error) {
	shown := []api.AdviceRecord{}
	if len(records) == 0 {
		return shown, nil
	}
	leave, err := t.enter(ctx) // each is replayed again
	if err != nil {
		return nil, err
	}
	defer leave()
	for i := range records {
		if r := &records[i]; r.Kind != planner.Begun || !slices.ContainsFunc(records[:i], r.EndedBy) {
			shown = append(shown, shownRecord(r))
		}
	}
	return shown, nil
}

// shownRecord is a record with its replay run again.
func shownRecord(r *planner.Record) api.AdviceRecord {
	a := api.AdviceRecord{
		ID: r.ID, At: time.UnixMilli(r.At).UTC(), Kind: string(r.Kind), Key: string(r.Key), Plan: r.Plan,
		Changes: shownChanges(r.Done), Author: r.Author, Why: r.Why, Inputs: r.Inputs,
	}
	if r.Kind != guard.Enforced || len(r.Inputs) == 0 || len(r.Done) == 0 {
		return a
	}
	var in replayed
	if err := json.Unmarshal(r.Inputs, &in); err != nil {
		a.Again = "what it was decided from cannot be read: " + err.Error()
		return a
	}
	again := in.run(suggestionsOf(r.Done))
	text, err := json.Marshal(shownProof(r.Done[0].Rule, &again))
	if err != nil || json.Unmarshal(r.Proof, &a.Proof) != nil {
		a.Again = "what it found cannot be read"
		return a
	}
	if a.Again = "the same result"; !bytes.Equal(text, r.Proof) {
		a.Again = "another result: " + again.Verdict.Reason
	}
	return a
}

// suggestionsOf are changes without their verdicts.
func suggestionsOf(changes []planner.Change) []tuner.Suggestion {
	list := make([]tuner.Suggestion, len(changes))
	for i := range changes {
		list[i] = changes[i].Suggestion
	}
	return list
}
