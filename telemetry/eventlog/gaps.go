//go:build cgo

package eventlog

import (
	"cmp"
	"slices"
	"time"

	"fleetfuse/api"
)

// A GapReason says why events can not be shown.
type GapReason string

// The reasons.
const (
	// GapPruned: they are older than is kept.
	GapPruned GapReason = "pruned"
	// GapDropped: the disk took none, and memory was full.
	GapDropped GapReason = "dropped"
	// GapCrash: the node ended without a Close; its last events, if there were
	// any that no follower saw, are lost.
	GapCrash GapReason = "crash"
	// GapUnreadable: they may be on disk, which does not answer.
	GapUnreadable GapReason = "unreadable"
	// GapUnknown: the log gave out no such position. It was asked of another
	// node, or the clock and the disk both forgot.
	GapUnknown GapReason = "unknown"
)

// A Gap is a range of positions whose events can not be shown.
type Gap struct {
	First, Last uint64 // both inclusive
	Events      uint64 // how many are missing, zero if that is not known
	Reason      GapReason
	Time        time.Time // when it was noticed, zero for pruned and unknown
}

// API is the gap as the HTTP API shows it.
func (g Gap) API() api.EventGap {
	a := api.EventGap{First: g.First, Last: g.Last, Events: g.Events, Reason: string(g.Reason)}
	if !g.Time.IsZero() {
		at := g.Time.UTC()
		a.Time = &at
	}
	return a
}

// from is the part of a gap behind a position.
func (g Gap) from(after uint64) Gap {
	if after < g.First {
		return g
	}
	skipped := after + 1 - g.First
	g.First = after + 1
	g.Events -= min(skipped, g.Events)
	return g
}

// gaps are the gaps a log remembers, in order and apart from each other. Those
// that touch and have one reason are one, so that a disk that fails for a day
// makes one gap.
type gaps []Gap

// add returns the gaps with one more, which covers no position of the others.
func (gs gaps) add(g Gap) gaps {
	i, _ := slices.BinarySearchFunc(gs, g.First, func(have Gap, first uint64) int { return cmp.Compare(have.First, first) })
	gs = slices.Insert(gs, i, g)
	if i+1 < len(gs) && gs[i].touches(gs[i+1]) {
		gs[i].join(gs[i+1])
		gs = slices.Delete(gs, i+1, i+2)
	}
	if i > 0 && gs[i-1].touches(gs[i]) {
		gs[i-1].join(gs[i])
		gs = slices.Delete(gs, i, i+1)
	}
	return gs
}

func (g *Gap) touches(next Gap) bool { return g.Last+1 == next.First && g.Reason == next.Reason }

func (g *Gap) join(next Gap) {
	g.Last = next.Last
	if g.Reason == GapDropped {
		g.Events += next.Events
	}
}

// after is the first gap that reaches beyond a position, without the part up to
// it.
func (gs gaps) after(position uint64) (Gap, bool) {
	for _, g := range gs {
		if g.Last > position {
			return g.from(position), true
		}
	}
	return Gap{}, false
}

// beyond are the gaps without those that end at or before a position.
func (gs gaps) beyond(position uint64) gaps {
	return slices.DeleteFunc(gs, func(g Gap) bool { return g.Last <= position })
}
