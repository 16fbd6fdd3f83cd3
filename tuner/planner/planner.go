package planner

import (
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner"
	"fleetfuse/tuner/guard"
)

// Settings of a Planner.
type Settings struct {
	Tuner tuner.Settings
	Guard guard.Settings
	Trial TrialSettings
}

// DefaultSettings are those nobody changed.
func DefaultSettings() Settings {
	return Settings{Tuner: tuner.DefaultSettings(), Guard: guard.Defaults(), Trial: DefaultTrial()}
}

// Limits of what a Planner remembers.
const (
	maxHosts = 20_000           // the one not called for longest goes
	maxPlans = 100              // the oldest goes
	maxTried = 1000             // breakers whose change is watched; beyond it none is begun
	maxEnded = 20_000           // breakers of whose last change it is known that it is over; the oldest goes
	keepPlan = 10 * time.Minute // a plan older than this cannot be enforced
)

// A Planner is what the tuner knows. It is not safe for concurrent use.
type Planner struct {
	settings Settings
	hosts    map[breaker.Key]*host
	length   time.Duration // of the intervals that costs are counted by, see measure
	seen     int64         // the latest bucket that was observed
	full     int64         // the last bucket in which there were too many hosts
	plans    []*drawn
	ledger   *guard.Ledger
	trials   map[string]*Trial
	ended    map[breaker.Key]time.Time // when the last change of a breaker was over
	begun    map[breaker.Key]Record    // changes of which the end was not told yet
	recalled bool
}

// New makes a planner that knows nothing. It enforces nothing until it was told,
// by Recall, what the tuner before it did.
func New(s Settings) *Planner {
	return &Planner{
		settings: s, length: readable(s.Trial.Interval), hosts: map[breaker.Key]*host{}, ledger: guard.NewLedger(s.Guard),
		trials: map[string]*Trial{}, ended: map[breaker.Key]time.Time{}, begun: map[breaker.Key]Record{},
	}
}

// Use takes other settings; what is known stays. A change on trial is judged to its
// end by intervals of the length it began with, and none begins meanwhile.
func (p *Planner) Use(s Settings) {
	p.settings = s
	p.ledger.Use(s.Guard)
	p.measure()
}
