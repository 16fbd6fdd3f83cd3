package simulation

import "time"

// A figure is a line of the table of figures.
type figure struct {
	key  string // as in the JSON of a run
	name string
	of   func(*Figures) string
	// number is what a campaign sums up: neverEnded for what did not end. It is
	// not known where too few calls tell.
	number func(*Figures) (x float64, known bool)
	unit   string
}

func tallied(key, name string, of func(*Figures) uint64) figure {
	return figure{key, name, func(f *Figures) string { return whole(of(f)) }, func(f *Figures) (float64, bool) { return float64(of(f)), true }, ""}
}

func waited(key, name string, of func(*Figures) Wait) figure {
	return figure{key, name, func(f *Figures) string { return of(f).String() }, func(f *Figures) (float64, bool) {
		switch w := of(f); w {
		case unended:
			return neverEnded, true
		case unseen:
			return 0, false
		default:
			return time.Duration(w).Seconds(), true
		}
	}, " s"}
}

// figures are the lines, in the order in which a person asks.
var figures = []figure{
	tallied("wanted", "calls wanted", func(f *Figures) uint64 { return f.Wanted }),
	tallied("called", "  sent", func(f *Figures) uint64 { return f.Called }),
	tallied("succeeded", "    succeeded", func(f *Figures) uint64 { return f.Succeeded }),
	tallied("failed", "    failed", func(f *Figures) uint64 { return f.Failed }),
	tallied("neutral", "    neutral (other 4xx)", func(f *Figures) uint64 { return f.Neutral }),
	tallied("unended", "    no answer yet at the end", func(f *Figures) uint64 { return f.Unended }),
	tallied("probes", "    of these, probes", func(f *Figures) uint64 { return f.Probes }),
	tallied("rejected", "  not sent", func(f *Figures) uint64 { return f.Rejected }),
	tallied("spared", "    spared (host not well)", func(f *Figures) uint64 { return f.Spared }),
	tallied("obeyed", "    a pause was asked for", func(f *Figures) uint64 { return f.Obeyed }),
	tallied("wrongly_rejected", "    wrongly rejected", func(f *Figures) uint64 { return f.Wrongly }),
	tallied("late", "      waiting for a probe", func(f *Figures) uint64 { return f.Late }),
	tallied("wasted", "sent to hosts that were down", func(f *Figures) uint64 { return f.Wasted }),
	tallied("overshoot", "overshoot", func(f *Figures) uint64 { return f.Overshoot }),
	waited("recovery_s", "slowest recovery", func(f *Figures) Wait { return f.Recovery }),
	waited("closed_s", "  breaker closed after", func(f *Figures) Wait { return f.Closed }),
	tallied("trips", "trips", func(f *Figures) uint64 { return f.Trips }),
	tallied("messages", "messages between nodes", func(f *Figures) uint64 { return f.Messages }),
}
