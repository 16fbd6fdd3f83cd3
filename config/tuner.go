package config

import (
	"cmp"
	"fmt"
	"strings"
	"time"
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
	return Tuner{Mode: TunerSuggest, Window: 10 * time.Minute, ProbePrice: 10, Hold: 10 * time.Minute, MaxChanges: 6, Canary: 0.1, Interval: time.Minute}
}

// A span is the least and the most that a value may be.
type span[T cmp.Ordered] struct{ least, most T }

// Limits of the tuner's options.
var (
	tunerWindow     = span[time.Duration]{time.Minute, time.Hour}
	tunerProbePrice = span[float64]{0.1, 3600}
	tunerHold       = span[time.Duration]{time.Minute, 24 * time.Hour}
	tunerMaxChanges = span[int]{1, 100}
	tunerCanary     = span[float64]{0.01, 0.1}
	tunerInterval   = span[time.Duration]{10 * time.Second, 10 * time.Minute}
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
