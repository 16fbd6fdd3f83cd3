package travel

import (
	"math"
	"time"

	"google.golang.org/protobuf/proto"

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
	if w == nil {
		w = &wire.Outcome{Kind: wire.Kind_KIND_NEUTRAL}
	}
	return breaker.Outcome{
		Node: node, Role: breaker.Cut(w.GetRole()), Kind: kindIn(w.GetKind()), Slow: w.GetSlow(), Strict: w.GetStrict(),
		Count: int(min(max(w.GetCount(), 1), 1_000_000)), Began: ago(w.BeganAge, now), Ended: ago(w.EndedAge, now),
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
	return breaker.Evidence{Status: count(w.GetStatus()), Error: breaker.Cut(w.GetError()), RetryAfter: breaker.Cut(w.GetRetryAfter())}
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
		State: stateIn(w.State), Until: at(w.Remaining, now),
		Reason: breaker.Reason(breaker.Cut(w.Reason)), Author: breaker.Cut(w.Author), Detail: breaker.Cut(w.Detail),
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
		Setter: breaker.Cut(w.Setter), Stamp: breaker.Stamp(w.Stamp), Until: at(w.Remaining, now), Length: span(w.Length),
		Reason: breaker.Reason(breaker.Cut(w.Reason)), Author: breaker.Cut(w.Author), Detail: breaker.Cut(w.Detail), Disk: w.Disk,
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
			RecoveredAge: behind(c.Recovered, now), Disk: c.Disk,
		},
	}
	for _, k := range s.Cooldowns {
		w.Cooldowns = append(w.Cooldowns, cooldownOut(k, now))
	}
	for _, o := range s.Overlays {
		w.Overlays = append(w.Overlays, overlayOut(o, now))
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
			FirstTrip: ago(c.FirstTripAge, now), Opens: count(c.Opens), Reason: breaker.Reason(breaker.Cut(c.Reason)),
			Role: breaker.Cut(c.Role), ByRole: c.ByRole, Detail: breaker.Cut(c.Detail), Keep: at(c.KeepRemaining, now),
			Recovered: ago(c.RecoveredAge, now), Disk: c.Disk,
		}
	}
	for _, k := range w.Cooldowns[:min(len(w.Cooldowns), maxCooldowns)] {
		s.Cooldowns = append(s.Cooldowns, cooldownIn(k, now))
	}
	s.Overlays = overlaysIn(w.Overlays, now)
	return s
}

// maxCooldowns bounds those of one key on the wire; a view keeps fewer.
const maxCooldowns = 64

// ahead is what remains until an instant, nil for never.
func ahead(i, now breaker.Instant) *int64 {
	if i == 0 {
		return nil
	}
	return proto.Int64(int64(i.Sub(now)))
}

// behind is the age of an instant, nil for never.
func behind(i, now breaker.Instant) *int64 {
	if i == 0 {
		return nil
	}
	return proto.Int64(int64(now.Sub(i)))
}

// longest bounds what a peer may say of a duration: more than any deadline or
// memory of ours has, and far from where sums overflow.
const longest = int64(2 * breaker.KeepClear)

func bounded(d int64) time.Duration { return time.Duration(min(max(d, -longest), longest)) }

// span reads a length, which is not negative.
func span(d int64) time.Duration { return bounded(max(d, 0)) }

// count reads a number of things.
func count(n int64) int { return int(min(max(n, 0), math.MaxInt32)) }

// at is the instant with so much left, never for nil.
func at(remaining *int64, now breaker.Instant) breaker.Instant {
	if remaining == nil {
		return 0
	}
	return known(now.Add(bounded(*remaining)))
}

// ago is the instant of an age, never for nil.
func ago(age *int64, now breaker.Instant) breaker.Instant {
	if age == nil {
		return 0
	}
	return known(now.Add(-bounded(*age)))
}

// known keeps an instant that happens to be the origin from meaning never.
func known(i breaker.Instant) breaker.Instant {
	if i == 0 {
		return 1
	}
	return i
}
