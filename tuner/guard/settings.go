package guard

import "time"

// Settings say how often, and how surely, a host may be changed.
type Settings struct {
	Hold       time.Duration // between two changes of one host
	DeadBand   float64       // least change, as a part of the current value
	HostBudget int           // changes of one host in any 24 h
	FleetCount int           // changes of all hosts together in any 24 h
	Evidence   float64       // what must speak for a change: natural log odds, see LogOdds
	Reversal   time.Duration // this long after a move the opposite one needs twice the evidence
	Freeze     time.Duration // two rollbacks within 30 days freeze a host this long, unless it is reset
	MaxHosts   int           // hosts the ledger knows of; the one that was longest quiet goes
}

// Defaults are the settings of a tuner nobody configured. A host that nobody
// looks at gets one new trial after seven days; if that is rolled back too, it
// is frozen again.
func Defaults() Settings {
	return Settings{
		Hold:       10 * time.Minute,
		DeadBand:   DeadBand,
		HostBudget: 6,
		FleetCount: 100,
		Evidence:   3, // odds of 20 to 1
		Reversal:   7 * 24 * time.Hour,
		Freeze:     7 * 24 * time.Hour,
		MaxHosts:   10_000,
	}
}

// DeadBand is the least change that is worth one where nobody says otherwise, as a part
// of the current value.
const DeadBand = 0.1

// Limits of what an operator may set.
const (
	LeastHold, MostHold     = time.Minute, day
	LeastBudget, MostBudget = 1, 100 // changes of one host in a day
)

// day is the span of the budgets; it slides.
const day = 24 * time.Hour

// pairing is how far apart two rollbacks still count together.
const pairing = 30 * day

// MaxLead is how far ahead of the local wall clock a record may be. It is that
// of stamps; what is farther ahead is not believed.
const MaxLead = 24 * time.Hour

// bounded answers the settings within sensible limits; zero and what is not a
// number are the strictest, never "no limit".
func (s Settings) bounded() Settings {
	s.Hold = min(max(s.Hold, LeastHold), MostHold)
	if !(s.DeadBand >= 0.01) {
		s.DeadBand = 0.01
	}
	s.DeadBand = min(s.DeadBand, 1)
	s.HostBudget = min(max(s.HostBudget, LeastBudget), MostBudget)
	s.FleetCount = min(max(s.FleetCount, 1), 10_000)
	if !(s.Evidence <= MaxLogOdds/2) {
		s.Evidence = MaxLogOdds / 2
	}
	s.Evidence = max(s.Evidence, 0.5)
	s.Reversal = min(max(s.Reversal, time.Hour), 30*day)
	s.Freeze = min(max(s.Freeze, time.Hour), 30*day)
	s.MaxHosts = min(max(s.MaxHosts, 1), 100_000)
	return s
}
