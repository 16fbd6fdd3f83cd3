package planner

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner/canary"
	"fleetfuse/tuner/guard"
)

// TrialSettings say how a change is tried.
type TrialSettings struct {
	Share    float64 // of the hosts that need the same change
	Interval time.Duration
	Canary   canary.Settings
}

// Limits of what an operator may set: a length of intervals is whole LeastIntervals.
const (
	LeastShare, MostShare       = 0.01, canary.MaxShare
	LeastInterval, MostInterval = bucketWidth, 60 * bucketWidth
)

// DefaultTrial are the settings of a tuner nobody configured.
func DefaultTrial() TrialSettings {
	return TrialSettings{Share: MostShare, Interval: time.Minute, Canary: canary.Defaults()}
}

// A Trial is a change that was made and is still watched: of one host against its
// past, or of some hosts against those that wait for the same change.
type Trial struct {
	Plan   string
	Cohort string // the kind of change
	Began  time.Time
	Tried  []Tried
	// Waiting get the change if it does well.
	Waiting []Waiting

	state  canary.State
	length time.Duration // of the intervals it is judged by
	judged int64         // the last interval that was
}

// Tried is where a trial's change was made.
type Tried struct {
	Key     breaker.Key
	Changes []Change
	Before  string // the tuner's overlay, before
}

// Keys are where the change was made.
func (t *Trial) Keys() []breaker.Key {
	keys := make([]breaker.Key, len(t.Tried))
	for i := range t.Tried {
		keys[i] = t.Tried[i].Key
	}
	return keys
}

// Doing says for people how it does.
func (t *Trial) Doing() string {
	return fmt.Sprintf("%d spans with calls were judged, %d opens: undecided", t.state.Seen, t.state.Opens)
}

// Trials lists those under way, the oldest first.
func (p *Planner) Trials() []Trial {
	list := make([]Trial, 0, len(p.trials))
	for _, t := range p.trials {
		shown := *t
		shown.Tried = slices.Clone(t.Tried) // the planner goes on while others read
		list = append(list, shown)
	}
	slices.SortFunc(list, func(a, b Trial) int { return cmp.Or(a.Began.Compare(b.Began), cmp.Compare(a.Cohort, b.Cohort)) })
	return list
}

// trialOf is the one that watches a breaker, nil if none does.
func (p *Planner) trialOf(key breaker.Key) *Trial {
	for _, t := range p.trials {
		if slices.ContainsFunc(t.Tried, func(x Tried) bool { return x.Key == key }) {
			return t
		}
	}
	return nil
}

// trying is the one of a kind of change, nil if there is none.
func (p *Planner) trying(cohort string) *Trial {
	for _, name := range slices.Sorted(maps.Keys(p.trials)) {
		if p.trials[name].Cohort == cohort {
			return p.trials[name]
		}
	}
	return nil
}

// tried is how many breakers are on trial.
func (p *Planner) tried() (n int) {
	for _, t := range p.trials {
		n += len(t.Tried)
	}
	return n
}

// begin watches the change that a record tells of, unless it is over.
func (p *Planner) begin(now, at time.Time, r *Record) {
	if !oneChange(r.Done) || p.over(now, at, r.Key) || p.trialOf(r.Key) != nil || p.tried() >= maxTried {
		return
	}
	cohort := cohortOf(r.Done)
	name := r.Plan + " " + cohort
	t := p.trials[name]
	if t == nil {
		t = &Trial{Plan: r.Plan, Cohort: cohort, Began: at, state: r.Trial}
		t.length = readable(cmp.Or(time.Duration(r.IntervalMS)*time.Millisecond, p.settings.Trial.Interval))
		if at.After(now) {
			at = now // by the clock of another member
		}
		t.judged = at.Unix() / int64(t.length/time.Second) // what it began in is part past
		p.trials[name] = t
	}
	if len(t.Waiting) == 0 { // one record of those that begin it tells, or each does
		t.Waiting = r.Waiting[:min(len(r.Waiting), maxWaiting)]
	}
	t.Tried = append(t.Tried, Tried{r.Key, r.Done, r.Before})
}

// over reports whether a change that was made at a time is over. What a clock that was
// set back since has said is not believed.
func (p *Planner) over(now, at time.Time, key breaker.Key) bool {
	ended, known := p.ended[key]
	return known && !ended.Before(at) && !ended.After(now.Add(guard.MaxLead))
}

// end takes a breaker out of its trial.
func (p *Planner) end(at time.Time, key breaker.Key) {
	if p.ended[key].Before(at) {
		p.ended[key] = at
	}
	p.forgetEnded()
	for name, t := range p.trials {
		if t.Began.After(at) {
			continue
		}
		t.Tried = slices.DeleteFunc(t.Tried, func(x Tried) bool { return x.Key == key })
		if len(t.Tried) == 0 {
			delete(p.trials, name)
		}
	}
}

// forgetEnded bounds what is over: the oldest go, a tenth at once.
func (p *Planner) forgetEnded() {
	if len(p.ended) <= maxEnded {
		return
	}
	ends := slices.SortedFunc(maps.Values(p.ended), time.Time.Compare)
	oldest := ends[len(ends)/10]
	maps.DeleteFunc(p.ended, func(_ breaker.Key, at time.Time) bool { return !at.After(oldest) })
}

// watched are the orders of a plan with how each is watched. One whose past says too
// little is none.
func (p *Planner) watched(orders []Order, plan *Plan) (list []Order) {
	cohorts := map[string][]breaker.Key{}
	for i := range orders {
		name := cohortOf(orders[i].Changes)
		cohorts[name] = append(cohorts[name], orders[i].Key)
	}
	for _, o := range orders {
		name := cohortOf(o.Changes)
		o.Waiting = plan.waiting(name)
		var err error
		if o.Trial, err = p.watch(cohorts[name], o.Waiting); err == nil {
			list = append(list, o)
		}
	}
	return list
}

// rewatched are results with how those are watched that were carried out, where not all
// of their kind were: hosts that were not changed are not held against them.
func (p *Planner) rewatched(results []Result) []Result {
	results = slices.Clone(results)
	made, failed := map[string][]breaker.Key{}, map[string]bool{}
	for i := range results {
		if r := &results[i]; r.Cause.Kind == guard.Enforced {
			name := cohortOf(r.Changes)
			if failed[name] = failed[name] || r.Err != nil; r.Err == nil {
				made[name] = append(made[name], r.Key)
			}
		}
	}
	for i := range results {
		r := &results[i]
		if r.Cause.Kind != guard.Enforced || !failed[cohortOf(r.Changes)] {
			continue
		}
		if state, err := p.watch(made[cohortOf(r.Changes)], r.Waiting); err == nil {
			r.Trial = state
		}
	}
	return results
}

// watch begins the trial of hosts: against those that wait, or against their past.
func (p *Planner) watch(tried []breaker.Key, waiting []Waiting) (canary.State, error) {
	held, present := keysOf(waiting), p.intervalOf(p.seen)
	if len(held) > 0 {
		if s, err := canary.Begin(p.past(tried, held, present), canary.Others, p.settings.Trial.Canary); err == nil {
			return s, nil
		}
	}
	return canary.Begin(p.past(tried, nil, present), canary.Own, p.settings.Trial.Canary)
}

func keysOf(waiting []Waiting) []breaker.Key {
	keys := make([]breaker.Key, len(waiting))
	for i := range waiting {
		keys[i] = waiting[i].Key
	}
	return keys
}
