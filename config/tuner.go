package config

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"fleetfuse/tuner"
	"fleetfuse/tuner/guard"
	"fleetfuse/tuner/planner"
)

// Tuner is what the tuner looks at, and what it may do. It is hosted by one member
// and may move to any, so all must agree on it.
type Tuner struct {
	Mode   string        // TunerObserve, TunerSuggest or TunerEnforce
	Window time.Duration // how far back advice looks (1m to 1h)
	// ProbePrice is how many seconds of a host's absence one probe is worth (0.1 to
	// 3600): the higher, the later the host is probed.
	ProbePrice float64
	Hold       time.Duration // least time between two enforced changes of a host (1m to 24h)
	MaxChanges int           // most enforced changes of a host in a day (1 to 100)
	Canary     float64       // the share of hosts where a change is tried first (0.01 to 0.1), one at least
	// Interval is the length of the spans by which a change on trial is judged, whole
	// tens of seconds (10s to 10m): it takes 30 of them with calls before a change.
	Interval time.Duration
}

// What the tuner may do (Tuner.Mode).
const (
	TunerObserve = "observe" // advise who asks
	TunerSuggest = "suggest" // tell new advice as events; an operator may enforce it
	TunerEnforce = "enforce" // enforce it by itself too
)

// DefaultTuner is the tuner nobody configured. It changes nothing by itself.
func DefaultTuner() Tuner {
	s := planner.DefaultSettings()
	return Tuner{
		Mode: TunerSuggest, Window: s.Tuner.Window, ProbePrice: s.Tuner.ProbePrice, Hold: s.Guard.Hold, MaxChanges: s.Guard.HostBudget,
		Canary: s.Trial.Share, Interval: s.Trial.Interval,
	}
}

// Settings are what a planner works by.
func (t Tuner) Settings() planner.Settings {
	s := planner.DefaultSettings()
	s.Tuner.Window, s.Tuner.ProbePrice = t.Window, t.ProbePrice
	s.Guard.Hold, s.Guard.HostBudget = t.Hold, t.MaxChanges
	s.Trial.Share, s.Trial.Interval = t.Canary, t.Interval
	return s
}

// A span is the least and the most that a value may be.
type span[T cmp.Ordered] struct{ least, most T }

// Limits of the tuner's options.
var (
	tunerWindow     = span[time.Duration]{tuner.LeastWindow, tuner.MostWindow}
	tunerProbePrice = span[float64]{tuner.LeastProbePrice, tuner.MostProbePrice}
	tunerHold       = span[time.Duration]{guard.LeastHold, guard.MostHold}
	tunerMaxChanges = span[int]{guard.LeastBudget, guard.MostBudget}
	tunerCanary     = span[float64]{planner.LeastShare, planner.MostShare}
	tunerInterval   = span[time.Duration]{planner.LeastInterval, planner.MostInterval}
)

// checkWithin refuses a number that is none, too: nothing compares with it.
func checkWithin[T cmp.Ordered](x T, s span[T]) error {
	if x >= s.least && x <= s.most {
		return nil
	}
	return fmt.Errorf("is %v: want %v to %v", x, s.least, s.most)
}

// checkInterval holds it to whole buckets of counts.
func checkInterval(d time.Duration) error {
	if d%tunerInterval.least != 0 {
		return fmt.Errorf("is %v: want whole tens of seconds", d)
	}
	return checkWithin(d, tunerInterval)
}

// appendTuner appends the tuner's options that differ from what is built in. A
// fleet that has set none agrees with nodes that know no tuner.
func (c *Config) appendTuner(text []byte) []byte {
	standard := Default()
	for i := range options {
		if o := &options[i]; o.isTuners() && o.text(c) != o.text(&standard) {
			text = appendText(appendText(text, o.key), o.text(c))
		}
	}
	return text
}

// isTuners reports whether an option is one of the tuner.
func (o *option) isTuners() bool { return strings.HasPrefix(o.key, "tuner.") }
