package travel

import (
	"errors"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/wire"
)

// Limits of what a peer may say of policies.
const (
	maxUnset   = 128 // names of fields in one change: lasting ones and temporary ones
	maxPast    = 200 // overlays in one history
	maxRefused = 32  // things wrong with one change
)

func overlayOut(o breaker.Overlay, now breaker.Instant) *wire.Overlay {
	return &wire.Overlay{
		Register: uint32(o.Register), Stamp: uint64(o.Stamp), Base: uint64(o.Base), Fields: o.Fields, Temporary: o.Temporary,
		Remaining: ahead(o.Until, now), Length: int64(o.Length), KeptRemaining: ahead(o.Kept, now),
		Author: o.Author, Reason: o.Reason, Disk: o.Disk, Change: o.Change,
	}
}

// overlayIn reads an overlay; false if it is of a register unknown here or too
// long. What would never be forgotten although nothing of it is in force gets
// an end.
func overlayIn(w *wire.Overlay, now breaker.Instant) (breaker.Overlay, bool) {
	if w == nil {
		return breaker.Overlay{}, false
	}
	o := breaker.Overlay{
		Register: breaker.Register(w.GetRegister()), Stamp: breaker.Stamp(w.GetStamp()), Base: breaker.Stamp(w.GetBase()),
		Fields: w.GetFields(), Temporary: w.GetTemporary(), Until: at(w.Remaining, now), Length: span(w.GetLength()),
		Kept: at(w.KeptRemaining, now), Author: breaker.Cut(w.GetAuthor()), Reason: breaker.Cut(w.GetReason()), Disk: w.GetDisk(),
		Change: w.GetChange(),
	}
	if w.GetRegister() > uint32(breaker.RegisterOperator) || len(o.Fields) > breaker.MaxFieldsBytes || len(o.Temporary) > breaker.MaxFieldsBytes {
		return breaker.Overlay{}, false
	}
	if o.Temporary == "" {
		o.Until, o.Length = 0, 0
	}
	switch {
	case o.Fields != "":
		o.Kept = 0
	case o.Kept == 0:
		o.Kept = max(now, o.Until).Add(breaker.KeepReset)
	}
	return o, true
}

// overlaysIn reads those of one key: one a register.
func overlaysIn(list []*wire.Overlay, now breaker.Instant) []breaker.Overlay {
	var s breaker.Snapshot
	for _, w := range list[:min(len(list), 2*maxCooldowns)] {
		if o, ok := overlayIn(w, now); ok && o.Stamp != 0 {
			s.Merge(breaker.Snapshot{Overlays: []breaker.Overlay{o}})
		}
	}
	return s.Overlays
}

func layOut(b spread.Lay) *wire.Lay {
	return &wire.Lay{
		Register: uint32(b.Register), Whole: b.Whole, Set: b.Set, Unset: b.Unset, Length: int64(b.Length),
		Match: (*uint64)(b.Match), Author: b.Author, Reason: b.Reason, Id: b.ID, Again: b.Again,
	}
}

func layIn(w *wire.Lay) (spread.Lay, error) {
	switch {
	case w.GetRegister() > uint32(breaker.RegisterOperator):
		return spread.Lay{}, errors.New("a change in a register that is unknown here")
	case len(w.GetSet()) > breaker.MaxFieldsBytes || len(w.GetUnset()) > maxUnset:
		return spread.Lay{}, errors.New("a change of too many fields")
	case w.GetLength() < 0: // zero is for good
		return spread.Lay{}, errors.New("a change for less than no time")
	}
	unset := make([]string, len(w.GetUnset()))
	for i, name := range w.GetUnset() {
		unset[i] = breaker.Cut(name)
	}
	return spread.Lay{
		Register: breaker.Register(w.GetRegister()), Whole: w.GetWhole(), Set: w.GetSet(), Unset: unset,
		Length: min(span(w.GetLength()), breaker.MaxOpen), Match: (*breaker.Stamp)(w.Match),
		Author: breaker.Cut(w.GetAuthor()), Reason: breaker.Cut(w.GetReason()), ID: w.GetId(), Again: w.GetAgain(),
	}, nil
}

func layReplyOut(b spread.LayResult, now breaker.Instant) *wire.LayReply {
	w := &wire.LayReply{
		Was: overlayOut(b.Was, now), Overlay: overlayOut(b.Overlay, now), Durable: b.Durable, Copies: int64(b.Copies),
		Conflict: b.Conflict, Refused: b.Refused[:min(len(b.Refused), maxRefused)],
	}
	if b.Err != nil {
		w.Error = b.Err.Error()
	}
	return w
}

func layReplyIn(w *wire.LayReply, now breaker.Instant) spread.LayResult {
	b := spread.LayResult{
		Durable: w.GetDurable(), Copies: count(w.GetCopies()), Conflict: w.GetConflict(),
	}
	b.Was, _ = overlayIn(w.GetWas(), now)
	b.Overlay, _ = overlayIn(w.GetOverlay(), now)
	for _, text := range w.GetRefused()[:min(len(w.GetRefused()), maxRefused)] {
		b.Refused = append(b.Refused, shortened(text))
	}
	if text := w.GetError(); text != "" {
		b.Err = errors.New(shortened(text))
	}
	return b
}

func pastOut(list spread.PastOverlays) *wire.Overlays {
	w := &wire.Overlays{}
	for _, o := range list[:min(len(list), maxPast)] {
		past := &wire.PastOverlay{Overlay: overlayOut(o.Overlay, 0)}
		if !o.Until.IsZero() {
			past.UntilWall = o.Until.UnixMilli()
		}
		w.Overlays = append(w.Overlays, past)
	}
	return w
}

func pastIn(w *wire.Overlays) spread.PastOverlays {
	list := spread.PastOverlays{}
	for _, x := range w.GetOverlays()[:min(len(w.GetOverlays()), maxPast)] {
		o, ok := overlayIn(x.GetOverlay(), 0)
		if !ok {
			continue
		}
		o.Until, o.Kept = 0, 0
		past := spread.PastOverlay{Overlay: o}
		if ms := x.GetUntilWall(); ms != 0 {
			past.Until = time.UnixMilli(ms)
		}
		list = append(list, past)
	}
	return slices.Clip(list)
}
