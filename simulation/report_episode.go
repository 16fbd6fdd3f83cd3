package simulation

import "time"

// An episode is a time in which a host was not well, and what came of it.
type episode struct {
	from, until time.Duration
	mode        Mode
	then        []ModeChange
	rejects     map[int]bool // nodes that rejected a call since it began
	overshoot   uint64
	rejectedAt  time.Duration // the last node that called it did so; 0: not yet
	closed      time.Duration // after until; negative: not seen
	allowed     time.Duration
	recent      [recoveryCalls]bool // of the last calls that were wanted, whether they were allowed
	began       [recoveryCalls]time.Duration
	calls       int // wanted since until
	refused     int // which of them was the first that was rejected, from 1; 0: none
}

// A host is called again when so many of so many calls in a row are allowed.
const (
	recoveryCalls   = 20
	recoveryAllowed = 19
)

// episodesOf are the times in which a host is not well.
func episodesOf(h *Host) (list []episode) {
	from := time.Duration(0)
	for _, p := range h.Phases {
		last := len(list) - 1
		switch {
		case !unwell(p):
		case last >= 0 && list[last].until == from: // it goes on, otherwise
			list[last].goesOn(p)
		default:
			list = append(list, episode{from: from, until: p.Until, mode: p.Mode, rejects: map[int]bool{}, closed: -1, allowed: -1})
		}
		from = p.Until
	}
	return list
}

// goesOn makes an episode longer by a phase.
func (e *episode) goesOn(p Phase) {
	was := e.mode.String()
	if n := len(e.then); n > 0 {
		was = e.then[n-1].Mode
	}
	if p.Mode.String() != was {
		e.then = append(e.then, ModeChange{Span(e.until), p.Mode.String()})
	}
	e.until = p.Until
}

// episode is the one that is under way.
func (rec *hostRecord) episode(now time.Duration) *episode {
	for rec.next < len(rec.episodes) && rec.episodes[rec.next].until <= now {
		rec.next++
	}
	if rec.next < len(rec.episodes) && rec.episodes[rec.next].from <= now {
		return &rec.episodes[rec.next]
	}
	return nil
}

// reject notes that a node has heard of the episode, or found out.
func (e *episode) reject(w *World, n *node) {
	if e.rejects[n.index] {
		return
	}
	e.rejects[n.index] = true
	e.rejectedAt = w.now
}

// recovering is the latest episode that is over, if none is under way.
func (rec *hostRecord) recovering(now time.Duration) *episode {
	if rec.episode(now) != nil || rec.next == 0 {
		return nil
	}
	return &rec.episodes[rec.next-1]
}

// wanted follows how the calls of a host that is healthy again fare. Those of a
// machine that reaches nobody say nothing.
func (rec *hostRecord) wanted(now time.Duration, allowed, sick bool) {
	e := rec.recovering(now)
	if e == nil || e.allowed >= 0 || sick {
		return
	}
	i := e.calls % recoveryCalls
	e.recent[i], e.began[i] = allowed, now
	e.calls++
	if !allowed && e.refused == 0 {
		e.refused = e.calls
	}
	if e.calls < recoveryCalls {
		return
	}
	good := 0
	for _, ok := range e.recent {
		if ok {
			good++
		}
	}
	if good < recoveryAllowed {
		return
	}
	first := e.calls - recoveryCalls // the oldest, counted from 0
	for !e.recent[first%recoveryCalls] {
		first++
	}
	e.allowed = e.began[first%recoveryCalls] - e.until
	if e.refused == 0 || e.refused > first {
		e.allowed = 0 // nothing kept the first call away but that nobody wanted one
	}
}

// recovery is how long it took until a host was called again. Where no call was
// rejected it is no time at all, however few they were.
func (e *episode) recovery() Wait {
	switch {
	case e.allowed >= 0:
		return Wait(e.allowed)
	case e.calls > 0 && e.refused == 0:
		return 0
	case e.calls < recoveryCalls:
		return unseen
	}
	return unended
}
