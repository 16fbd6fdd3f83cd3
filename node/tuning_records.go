package node

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"fleetfuse/actors"
	"fleetfuse/breaker"
	"fleetfuse/telemetry/decisions"
	"fleetfuse/telemetry/follow"
	"fleetfuse/tuner/guard"
	"fleetfuse/tuner/planner"
)

// observeRecords is the name by which members tell and ask what the tuner did.
const observeRecords = "tuner-records"

// recordsQuery tells records, or asks for those of a key with what they were
// decided from, or, with "", for those of all without.
type recordsQuery struct {
	Told []planner.Record `json:"told,omitempty"`
	Ask  bool             `json:"ask,omitempty"`
	Key  breaker.Key      `json:"key,omitempty"`
}

// recordsTold is what a member remembers, the latest first. Cut says that there was more
// than fits into an answer.
type recordsTold struct {
	Records []planner.Record `json:"records,omitempty"`
	Cut     bool             `json:"cut,omitempty"`
}

// Limits of what is asked for.
const (
	recordsSince = 30 * 24 * time.Hour
	maxRecords   = 50 // of a key: they are large
	recordsWait  = 2 * time.Second
)

// keep writes records down here and with all members.
func (t *tuning) keep(ctx context.Context, records []planner.Record) {
	if len(records) == 0 {
		return
	}
	t.write(records)
	members := slices.DeleteFunc(everyone{t.node}.Members(), func(m follow.Member) bool { return m.ID == t.node.id })
	told := inParts(records)
	askAll(members, func(m follow.Member) (struct{}, error) { // who does not answer is told when it hosts the tuner
		for _, part := range told {
			if _, err := observed[recordsTold](ctx, t.node, m.ID, observeRecords, recordsQuery{Told: part}, recordsWait); err != nil {
				return struct{}{}, err
			}
		}
		return struct{}{}, nil
	})
}

// toldBytes bounds what is told at once: of a question of more than 64 KiB the rest
// would be lost (travel). One record always fits (planner.MaxRecordBytes).
const toldBytes = 62 << 10

// inParts splits records so that each part is not too much to be told at once.
func inParts(records []planner.Record) (parts [][]planner.Record) {
	size := 0
	for i := range records {
		text, _ := json.Marshal(&records[i]) // held to its form
		size += len(text) + len(",")
		if i == 0 || size > toldBytes {
			parts, size = append(parts, nil), len(text)+len(",")
		}
		last := &parts[len(parts)-1]
		*last = append(*last, records[i])
	}
	return parts
}

// write writes records down here.
func (t *tuning) write(records []planner.Record) {
	for _, r := range records {
		body, err := json.Marshal(r)
		if err != nil {
			continue // it came from JSON, or was held to its form
		}
		err = t.decisions.Add(decisions.Record{ID: r.ID, At: time.UnixMilli(r.At), Key: r.Key, Kind: string(r.Kind), Body: body})
		t.node.logFailure("keep a record of the tuner", err)
	}
}

// list is what this node remembers of a key, the latest first.
func (t *tuning) list(ctx context.Context, key breaker.Key) ([]planner.Record, error) {
	_, wall := t.node.clock.Both()
	kept, err := t.decisions.List(ctx, key, wall.Add(-recordsSince), maxRecords)
	list, size := make([]planner.Record, 0, len(kept)), 0
	for _, k := range kept {
		var r planner.Record
		if json.Unmarshal(k.Body, &r) != nil {
			continue // of a version that wrote another form
		}
		if size += len(k.Body); size > maxObserved {
			break
		}
		list = append(list, r)
	}
	return list, err
}

// remembered is what this node remembers of a key, or of all with "".
func (t *tuning) remembered(ctx context.Context, key breaker.Key) (recordsTold, error) {
	if key == "" {
		return t.ledger(ctx)
	}
	list, err := t.list(ctx, key)
	return recordsTold{Records: list}, err
}

// answerRecords answers a member.
func (t *tuning) answerRecords(ctx context.Context, q recordsQuery) (recordsTold, error) {
	if t.hear(ctx, q.Told); !q.Ask {
		return recordsTold{}, nil
	}
	return t.remembered(ctx, q.Key)
}

// hear takes records that another member made.
func (t *tuning) hear(ctx context.Context, records []planner.Record) {
	records = slices.DeleteFunc(records, func(r planner.Record) bool { return r.Valid() != nil })
	if len(records) == 0 {
		return
	}
	t.write(records)
	if t.hosts() {
		t.recall(ctx, records)
	}
}

// recall tells the tuner here what was done elsewhere. If it moved meanwhile, its
// next host asks.
func (t *tuning) recall(ctx context.Context, records []planner.Record) {
	_, wall := t.node.clock.Both()
	_, err := actors.Consult(ctx, t.actor, func(p *planner.Planner) struct{} {
		p.Recall(wall, records)
		return struct{}{}
	})
	t.node.logFailure("tell the tuner what was done", err)
}

// listOf is what some members remember of a key, or of all with "", the latest first,
// without what they remember twice; silent are those that did not answer, and cut those
// that remember more.
func (t *tuning) listOf(ctx context.Context, members []follow.Member, key breaker.Key) (list []planner.Record, silent, cut []string) {
	answers, silent := askAll(members, func(m follow.Member) (recordsTold, error) {
		return ofMember(ctx, t.node, m.ID, observeRecords, recordsQuery{Ask: true, Key: key}, recordsWait, func() (recordsTold, error) { return t.remembered(ctx, key) })
	})
	for _, a := range answers {
		list = append(list, a.answer.Records...)
		if a.answer.Cut {
			cut = append(cut, a.Name)
		}
	}
	return merged(list), silent, cut
}

// merged sorts records of several members. Of those that are there twice that stays
// which has who waits: each member tells that once (ledger).
func merged(list []planner.Record) []planner.Record {
	slices.SortFunc(list, func(a, b planner.Record) int {
		return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(a.ID, b.ID), cmp.Compare(len(b.Waiting), len(a.Waiting)))
	})
	return slices.CompactFunc(list, func(a, b planner.Record) bool { return a.ID == b.ID })
}

// policyReset tells all members that an operator reset a policy: what the tuner did
// to it is over.
func (n *Node) policyReset(ctx context.Context, key breaker.Key, author string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordLimit) // it is reset, whether the operator waits or not
	defer cancel()
	_, at := n.clock.Both()
	known, err := n.tuning.list(ctx, key)
	n.logFailure("read what the tuner did", err)
	if len(known) > 0 { // by a clock that may be ahead of this one; the latest comes first
		if last := time.UnixMilli(known[0].At + 1); last.After(at) && last.Sub(at) <= guard.MaxLead {
			at = last
		}
	}
	records := []planner.Record{planner.ResetOf(at, key, author)}
	n.tuning.hear(ctx, records)
	n.tuning.keep(ctx, records)
}
