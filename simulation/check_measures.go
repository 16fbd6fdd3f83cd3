package simulation

import (
	"slices"
	"time"

	"fleetfuse/breaker"
)

// Measures are the promises that are measured.
type Measures struct {
	// Overshoot is how many calls each host got after it went down and before a
	// node rejected one for the fleet.
	Overshoot []int
	// Rounds is how many witness rounds came before each trip.
	Rounds []int
}

// Measures are what the world measured.
func (w *World) Measures() Measures { return w.checks.measures.Measures }

// measures measure.
type measures struct {
	Measures
	downtimes map[string]*downtime // by host
	rounds    map[breaker.Key]int
}

// downtime is a time in which a host is down.
type downtime struct {
	until time.Duration
	calls int
	over  bool // the fleet knows
}

func newMeasures() measures {
	return measures{downtimes: map[string]*downtime{}, rounds: map[breaker.Key]int{}}
}

// called counts a call of a host that is down.
func (f *measures) called(host string, p Phase) {
	if p.Mode != Down {
		return
	}
	o := f.downtimes[host]
	if o == nil || o.until != p.Until {
		o = &downtime{until: p.Until}
		f.downtimes[host] = o
	}
	if !o.over {
		o.calls++
	}
}

// rejected ends what overshoots: the fleet rejects.
func (f *measures) rejected(host string, p Phase) {
	if o := f.downtimes[host]; o != nil && o.until == p.Until && !o.over {
		o.over = true
		f.Overshoot = append(f.Overshoot, o.calls)
	}
}

func (f *measures) tripped(key breaker.Key) {
	f.Rounds = append(f.Rounds, f.rounds[key])
	f.rounds[key] = 0
}

func (f *Measures) add(g Measures) {
	f.Overshoot = append(f.Overshoot, g.Overshoot...)
	f.Rounds = append(f.Rounds, g.Rounds...)
}

func (f *Measures) sort() {
	slices.Sort(f.Overshoot)
	slices.Sort(f.Rounds)
}

// Quantile is the value that a part of a sorted list does not exceed.
func Quantile(sorted []int, part float64) int {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(part*float64(len(sorted))), len(sorted)-1)]
}
