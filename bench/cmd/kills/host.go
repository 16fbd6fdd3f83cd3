package main

import (
	"fmt"
	"time"
)

// How far a deadline may be from what was said. Clocks on disk are walls', and
// no call is let through sooner. Of two copies from disk one that is later by 2 s
// or more wins (ADR 0009). What was lost or came back is off by more.
const (
	maxSooner = time.Second
	maxLater  = 3 * time.Second
)

// A host is what was said about one host, and so what its breaker must be
// like. One talker at a time says something about it.
type host struct {
	name string
	// It is open until a deadline between floor and ceiling; with no floor it
	// may be closed, with no ceiling it must be.
	floor, ceiling time.Time
	// interrupted: a word was said since the last check of which nobody knows
	// whether it was done, or still will be. Nothing more is said until then.
	interrupted bool
	// loose: a word of unknown outcome left floor and ceiling apart.
	loose bool
	last  *word // the last that was acknowledged
}

// A word is one that was acknowledged.
type word struct {
	tally *tally // where it counts
	text  string
	at    time.Time // of the acknowledgement
	held  bool      // by a check
}

// tally counts words of one kind: acknowledged are those superseded before a
// kill tried them, survived and lost.
type tally struct {
	acknowledged, superseded, survived, lost, unknown int
}

// mayOpen and mayClose say that a word is about to be said.
func (h *host) mayOpen(until time.Time) { h.ceiling = later(h.ceiling, until) }
func (h *host) mayClose()               { h.floor, h.loose = time.Time{}, true }

// opened and closed say that it was acknowledged.
func (h *host) opened(until time.Time) { h.floor = later(h.floor, until) }
func (h *host) closed()                { h.floor, h.ceiling, h.loose = time.Time{}, time.Time{}, false }

// acknowledged keeps the word that a kill must not undo from now on.
func (h *host) acknowledged(w word) {
	if h.last != nil && !h.last.held {
		h.last.tally.superseded++
	}
	w.tally.acknowledged++
	h.last = &w
}

// unknown says that nobody knows what became of a word.
func (h *host) unknown(t *tally) {
	t.unknown++
	h.interrupted, h.loose = true, true
}

// off is how much sooner and later a deadline is than what was said.
func (h *host) off(until time.Time) (sooner, later time.Duration) {
	return max(h.floor.Sub(until), 0), max(until.Sub(h.ceiling), 0)
}

// wrong says why a deadline that a node believes, zero if none, is not what was
// said; "" if it is.
func (h *host) wrong(until time.Time) string {
	sooner, later := h.off(until)
	switch {
	case until.IsZero() && !h.floor.IsZero():
		return fmt.Sprintf("closed; it must be open until %v", clock(h.floor))
	case sooner > maxSooner:
		return fmt.Sprintf("open until %v; it must be until %v", clock(until), clock(h.floor))
	case !until.IsZero() && h.ceiling.IsZero():
		return fmt.Sprintf("open until %v; it must be closed", clock(until))
	case later > maxLater:
		return fmt.Sprintf("open until %v; it must be until %v at most", clock(until), clock(h.ceiling))
	}
	return ""
}

// held says that a check found the host as it must be.
func (h *host) held() {
	h.interrupted = false
	if h.last != nil && !h.last.held {
		h.last.held = true
		h.last.tally.survived++
	}
}

// lost says that it was not. Anything is right until the next word.
func (h *host) lost(nameless *tally) (text string) {
	t, text := nameless, "nothing acknowledged"
	if w := h.last; w != nil {
		t, text = w.tally, fmt.Sprintf("%s, acknowledged %v", w.text, clock(w.at))
		if w.held {
			t.survived--
		}
	}
	t.lost++
	h.last, h.interrupted = nil, false
	h.floor, h.ceiling, h.loose = time.Time{}, time.Now().Add(longest), true
	return text
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func clock(t time.Time) string { return t.Format("15:04:05.000") }
