package planner

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner"
	"fleetfuse/tuner/canary"
	"fleetfuse/tuner/guard"
)

// A Record is what was done to one breaker, with all that it was decided from.
// Every member keeps it. Its JSON form only ever gains members.
type Record struct {
	guard.Record
	Author string `json:"author,omitempty"`
	// Done are the changes with their evidence, Before the tuner's overlay that they
	// were laid over, as text.
	Done   []Change `json:"done,omitempty"`
	Before string   `json:"before,omitempty"`
	// Waiting are the breakers that get the same kind of change if it does well here.
	Waiting []Waiting `json:"waiting,omitempty"`
	// Trial is how it is watched: as it began, by intervals of so many milliseconds; 0:
	// as the settings say.
	Trial      canary.State `json:"trial,omitzero"`
	IntervalMS int64        `json:"interval_ms,omitempty"`
	// Proof is what a replay found, and Inputs what it was made from.
	Proof  json.RawMessage `json:"proof,omitempty"`
	Inputs json.RawMessage `json:"inputs,omitempty"`
}

// Waiting is a change that is made if it does well elsewhere.
type Waiting struct {
	Key     breaker.Key `json:"key"`
	Changes []Change    `json:"changes"`
	Before  string      `json:"before,omitempty"`
}

// MaxRecordBytes bounds a record as JSON: what it was decided from is left out of
// one that would be longer.
const MaxRecordBytes = 60 << 10

// Limits of the breakers that wait for a trial: a record has room for them beside the
// change itself, for a trial whose record lost them would be held against nobody.
const (
	maxWaiting      = 100
	maxWaitingBytes = MaxRecordBytes / 2
)

// A Result says what became of an order; Err is nil if it was carried out.
type Result struct {
	Order
	Err error
}

// Enforced takes note of what became of orders, and returns what is to be kept.
func (p *Planner) Enforced(now time.Time, results []Result) (records []Record) {
	results = p.rewatched(results)
	for _, r := range results {
		if r.Err != nil && r.Undo {
			continue // it is ordered again
		}
		record := p.recordOf(now, &r.Order)
		if r.Err != nil {
			record = p.notMade(now, r.Order, r.Err)
		}
		p.take(now, &record)
		records = append(records, record)
	}
	return records
}

// recordOf is the record of an order that was carried out.
func (p *Planner) recordOf(now time.Time, o *Order) Record {
	r := Record{
		Record: guard.Record{
			Kind: o.Cause.Kind, At: p.ledger.Stamp(now, o.Key), Key: o.Key, Plan: o.Cause.Plan, Why: breaker.Cut(o.Cause.Why),
		},
		Author: o.Cause.Author, Done: o.Changes, Before: o.Before,
	}
	r.ID = idWith("%s/%s/%s/%d", o.Cause.Plan, o.Cause.Kind, o.Key, r.At)
	for _, c := range o.Changes {
		r.Changes = append(r.Changes, changeOf(o.Key, &c.Suggestion))
	}
	if o.Cause.Kind == guard.Enforced {
		r.Waiting, r.Trial, r.IntervalMS = o.Waiting, o.Trial, p.length.Milliseconds()
		if plan := p.planOf(o.Cause.Plan); plan != nil {
			r.Proof, r.Inputs = plan.proof(o.Key, o.Changes[0].Rule)
		}
	}
	r.fit()
	return r
}

// idWith is the id of a record, digested where a key is too long for it.
func idWith(format string, parts ...any) string {
	id := fmt.Sprintf(format, parts...)
	if len(id) <= guard.MaxIDBytes {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return hex.EncodeToString(sum[:])
}

// Cohort names the kind of change that it tells of, "" if it tells of none.
func (r *Record) Cohort() string {
	if !oneChange(r.Done) {
		return ""
	}
	return cohortOf(r.Done)
}

// fit leaves out, one after the other, what a record can do without, until it is not
// too long.
func (r *Record) fit() {
	for _, leave := range []func(){func() {}, func() { r.Inputs = nil }, func() { r.Proof = nil }} {
		leave()
		if text, err := json.Marshal(r); err == nil && len(text) <= MaxRecordBytes {
			return
		}
	}
}

// waiting are the hosts of a plan whose change of a kind is to be made later, as many
// as a record has room for. The others are advised on again.
func (p *Plan) waiting(cohort string) (list []Waiting) {
	size := 0
	for i := range p.Hosts {
		h := &p.Hosts[i]
		later := h.chosen(Later)
		if len(later) == 0 || cohortOf(later) != cohort {
			continue
		}
		w := Waiting{h.Key(), later, h.Before}
		text, err := json.Marshal(w)
		if size += len(text) + len(","); err != nil || size > maxWaitingBytes || len(list) == maxWaiting {
			break
		}
		list = append(list, w)
	}
	return list
}

// proof is what a replay of a breaker found, and from what.
func (p *Plan) proof(key breaker.Key, rule tuner.Rule) (found, inputs json.RawMessage) {
	for i := range p.Hosts {
		if h := &p.Hosts[i]; h.Key() == key && h.Proof[rule].Found != nil {
			return h.Proof[rule].Found, h.Inputs
		}
	}
	return nil, nil
}

// Recall takes records of earlier tuners, of other members, and of operators that
// reset policies. They may come twice and in any order. A record that makes no
// sense is passed over.
func (p *Planner) Recall(now time.Time, records []Record) {
	records = slices.Clone(records)
	slices.SortFunc(records, func(a, b Record) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID)) })
	for i := range records {
		p.take(now, &records[i])
	}
	p.measure()
}

// Knows reports whether the planner was told what was done before it.
func (p *Planner) Knows() bool { return p.recalled }

// Recalled says that all members who answer have said what they remember.
func (p *Planner) Recalled() { p.recalled = true }

// take lets ledger and trials follow a record.
func (p *Planner) take(now time.Time, r *Record) {
	if p.ledger.Apply(now, r.Record) != nil {
		return
	}
	at := time.UnixMilli(r.At)
	switch r.Kind {
	case guard.Enforced:
		p.begin(now, at, r)
	case Begun:
		p.beginning(r)
	case guard.Promoted, guard.RolledBack, guard.Reset, NotMade:
		p.end(at, r.Key)
	}
}

// ResetOf is the record of an operator who reset the policy of a breaker.
func ResetOf(now time.Time, key breaker.Key, author string) Record {
	return Record{
		Record: guard.Record{
			ID: idWith("reset/%s/%d", key, now.UnixMilli()), Kind: guard.Reset, At: now.UnixMilli(), Key: key, Why: "an operator reset the policy",
		},
		Author: author,
	}
}
