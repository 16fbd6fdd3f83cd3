package actors

import (
	"time"

	"fleetfuse/breaker"
	"fleetfuse/wire"
)

func outcomeOut(o breaker.Outcome, now breaker.Instant) *wire.Outcome {
	return &wire.Outcome{
		Role: o.Role, Kind: wire.Kind(o.Kind), Slow: o.Slow, Strict: o.Strict, Count: int64(o.Count),
		BeganAge: behind(o.Began, now), EndedAge: behind(o.Ended, now), Permit: uint64(o.Permit),
		Evidence: evidenceOut(o.Evidence),
	}
}

func outcomeIn(w *wire.Outcome, node string, now breaker.Instant) breaker.Outcome {
	return breaker.Outcome{
		Node: node, Role: w.GetRole(), Kind: kindIn(w.GetKind()), Slow: w.GetSlow(), Strict: w.GetStrict(),
		Count: int(w.GetCount()), Began: ago(w.BeganAge, now), Ended: ago(w.EndedAge, now),
		Permit: breaker.PermitID(w.GetPermit()), Evidence: evidenceIn(w.GetEvidence()),
	}
}

// kindIn reads a kind; one of a later version changes nothing.
func kindIn(k wire.Kind) breaker.Kind {
	if k < wire.Kind_KIND_SUCCESS || k > wire.Kind_KIND_NEUTRAL {
		return breaker.Neutral
	}
	return breaker.Kind(k)
}

// stateIn reads a state; one of a later version is taken for the most severe.
func stateIn(s wire.State) breaker.State {
	if s < wire.State_STATE_CLOSED || s > wire.State_STATE_OPEN {
		return breaker.Open
	}
	return breaker.State(s)
}

func evidenceOut(e breaker.Evidence) *wire.Evidence {
	if e == (breaker.Evidence{}) {
		return nil
	}
	return &wire.Evidence{Status: int64(e.Status), Error: e.Error, RetryAfter: e.RetryAfter}
}

func evidenceIn(w *wire.Evidence) breaker.Evidence {
	return breaker.Evidence{Status: int(w.GetStatus()), Error: w.GetError(), RetryAfter: w.GetRetryAfter()}
}

func statusOut(s breaker.Status, now breaker.Instant) *wire.Status {
	return &wire.Status{
		State: wire.State(s.State), Remaining: ahead(s.Until, now), Reason: string(s.Reason), Author: s.Author, Detail: s.Detail,
	}
}

func statusIn(w *wire.Status, now breaker.Instant) breaker.Status {
	if w == nil {
		return breaker.Status{}
	}
	return breaker.Status{
		State: stateIn(w.State), Until: at(w.Remaining, now), Reason: breaker.Reason(w.Reason), Author: w.Author, Detail: w.Detail,
	}
}

func cooldownOut(c breaker.Cooldown, now breaker.Instant) *wire.Cooldown {
	return &wire.Cooldown{
		Setter: c.Setter, Stamp: uint64(c.Stamp), Remaining: ahead(c.Until, now), Length: int64(c.Length),
		Reason: string(c.Reason), Author: c.Author, Detail: c.Detail, Disk: c.Disk,
	}
}

func cooldownIn(w *wire.Cooldown, now breaker.Instant) breaker.Cooldown {
	if w == nil {
		return breaker.Cooldown{}
	}
	return breaker.Cooldown{
		Setter: w.Setter, Stamp: breaker.Stamp(w.Stamp), Until: at(w.Remaining, now), Length: time.Duration(w.Length),
		Reason: breaker.Reason(w.Reason), Author: w.Author, Detail: w.Detail, Disk: w.Disk,
	}
}

func snapshotOut(s breaker.Snapshot, now breaker.Instant) *wire.Snapshot {
	c := s.Circuit
	w := &wire.Snapshot{
		Clear: uint64(s.Clear), ClearRemaining: ahead(s.ClearKept, now), RenewedAge: behind(s.Renewed, now),
		Circuit: &wire.Circuit{
			State: wire.State(c.State), Stamp: uint64(c.Stamp), Remaining: ahead(c.Until, now),
			FirstTripAge: behind(c.FirstTrip, now), Opens: int64(c.Opens), Reason: string(c.Reason),
			Role: c.Role, ByRole: c.ByRole, Detail: c.Detail, KeepRemaining: ahead(c.Keep, now),
		},
	}
	for _, k := range s.Cooldowns {
		w.Cooldowns = append(w.Cooldowns, cooldownOut(k, now))
	}
	return w
}

func snapshotIn(w *wire.Snapshot, now breaker.Instant) breaker.Snapshot {
	if w == nil {
		return breaker.Snapshot{}
	}
	s := breaker.Snapshot{
		Clear: breaker.Stamp(w.Clear), ClearKept: at(w.ClearRemaining, now), Renewed: ago(w.RenewedAge, now),
	}
	if c := w.Circuit; c != nil {
		s.Circuit = breaker.Circuit{
			State: stateIn(c.State), Stamp: breaker.Stamp(c.Stamp), Until: at(c.Remaining, now),
			FirstTrip: ago(c.FirstTripAge, now), Opens: int(c.Opens), Reason: breaker.Reason(c.Reason),
			Role: c.Role, ByRole: c.ByRole, Detail: c.Detail, Keep: at(c.KeepRemaining, now),
		}
	}
	for _, k := range w.Cooldowns {
		s.Cooldowns = append(s.Cooldowns, cooldownIn(k, now))
	}
	return s
}
