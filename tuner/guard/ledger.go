package guard

import (
	"fmt"
	"time"

	"fleetfuse/breaker"
)

// A Ledger remembers what was done to which host, as far as it bears on what
// may be done next. It is rebuilt from Records by Apply. It is not safe for
// concurrent use.
type Ledger struct {
	settings Settings
	hosts    map[breaker.Key]*host
	fleet    newest
}

// NewLedger makes an empty ledger. Settings that make no sense count as the
// nearest that do.
func NewLedger(s Settings) *Ledger {
	return &Ledger{settings: s.bounded(), hosts: map[breaker.Key]*host{}}
}

// Use takes other settings; what is known stays. A fleet's budget that grows counts
// what the smaller one remembered.
func (l *Ledger) Use(s Settings) { l.settings = s.bounded() }

// FleetLeft is how many more changes of all hosts together the budget of the day
// allows. May asks of one change whether there is any: a plan has several.
func (l *Ledger) FleetLeft(now time.Time) int {
	left := l.settings.FleetCount
	for _, e := range l.fleet {
		if remaining(now, e.at, day) > 0 {
			left--
		}
	}
	return max(left, 0)
}

// Stamp is the time to write into the next record of a key: now, but after
// every record of the key this ledger knows, so that an operator's reset also
// follows what a node with a fast clock had written.
func (l *Ledger) Stamp(now time.Time, key breaker.Key) int64 {
	at := max(now.UnixMilli(), 1)
	if h := l.hosts[key]; h != nil && h.latest <= at+MaxLead.Milliseconds() {
		at = max(at, h.latest+1)
	}
	return at
}

// Apply takes a record in. Records may come late, twice and in any order. One
// that cannot be read, or is more than MaxLead ahead of the clock, is refused
// and changes nothing. Beyond MaxHosts what was known of the host that was
// longest quiet is forgotten.
func (l *Ledger) Apply(now time.Time, r Record) error {
	if err := r.Valid(); err != nil {
		return err
	}
	if r.At > now.Add(MaxLead).UnixMilli() {
		return fmt.Errorf("record %s of %s: %w", r.ID, r.Key, breaker.ErrStampAhead)
	}
	e := entry{r.At, r.ID}
	if r.Kind == Enforced {
		l.fleet = l.fleet.with(e, l.settings.FleetCount)
	}
	h := l.host(r)
	if h == nil {
		return nil // older than all that is remembered
	}
	h.latest = max(h.latest, r.At)
	switch r.Kind {
	case Enforced:
		h.enforced = h.enforced.with(e, MostBudget)
	case RolledBack:
		h.undone = h.undone.with(e, 2)
	case Reset:
		h.reset = max(h.reset, r.At)
	}
	switch r.Kind {
	case Enforced, RolledBack, Reset:
		h.held = max(h.held, r.At)
	}
	h.moved(r, e)
	return nil
}

// moved remembers which way each field went. A rollback is a move back, so
// what was undone needs twice the evidence to be tried again.
func (h *host) moved(r Record, e entry) {
	if r.Kind != Enforced && r.Kind != RolledBack {
		return
	}
	for _, c := range r.Changes {
		if c.From != c.To {
			h.remember(slot{c.Field, c.Role}, move{e, (c.To > c.From) == (r.Kind == Enforced)})
		}
	}
}

// host finds or makes the entry of the record's key, nil where there is no
// room for one so old.
func (l *Ledger) host(r Record) *host {
	if h := l.hosts[r.Key]; h != nil {
		return h
	}
	if len(l.hosts) >= l.settings.MaxHosts {
		quietest := r.Key
		at := r.At
		for k, h := range l.hosts {
			if h.latest < at || h.latest == at && k < quietest {
				quietest, at = k, h.latest
			}
		}
		if quietest == r.Key {
			return nil
		}
		delete(l.hosts, quietest)
	}
	h := &host{}
	l.hosts[r.Key] = h
	return h
}
