package tuner

import "slices"

// The rules about half-open breakers. As with 429s there is a gap between them.
const (
	leastTrials  = 4
	failedShare  = 0.5  // of the probes, above which a breaker closes too early
	goodShare    = 0.25 // below which it need not be careful
	carefulNeed  = 2    // success_threshold then
	carefulTrial = 1    // trial_calls then
)

// trials are probes as far as they tell whether a breaker closed too early.
type trials struct {
	failed, good float64
	down         float64 // failed too, but before the host was back: they left out
	early        int     // closed, and opened again at once
}

// probes decides about success_threshold and trial_calls by how probes went.
func (a *adviser) probes(sc scope, field string) {
	t := a.trialsOf(sc)
	n := t.failed + t.good
	if n < leastTrials {
		if t.down+n >= leastTrials && t.down > t.good && field == FieldSuccessThreshold {
			a.note("%.0f probes failed while the host was down: that is what they are for, and no case for another %s", t.down, FieldName(field, sc.role))
		}
		return
	}
	p := believe(t.failed, n, 1)
	switch {
	case p.above(failedShare) >= a.settings.Sure:
		a.moreCare(sc, field, t, p.above(failedShare))
	case p.below(goodShare) >= a.settings.Sure:
		a.lessCare(sc, field, t, p.below(goodShare))
	}
}

// trialsOf counts probes. Of an outage those that failed before the first good one only
// say that it lasted, of one that began nobody knows when for all roles; but a breaker
// that closed and opened again within its reset_timeout closed on a probe that should
// have failed.
func (a *adviser) trialsOf(sc scope) (t trials) {
	for _, o := range slices.Concat(a.m.Earlier, sc.opens) {
		if o.FirstGood <= 0 || o.LastFailed < o.FirstGood {
			t.down += min(float64(max(0, o.ProbesFailed)), mostTrials)
		}
	}
	for i, o := range sc.opens {
		if i == 0 {
			continue
		}
		before := sc.opens[i-1]
		pause := o.Began.Sub(before.Began) - before.Lasted
		if before.Ended && before.Recovered && pause >= 0 && pause <= sc.policy.ResetTimeout {
			t.early++
		}
	}
	failed, good := min(sc.counts.probesFailed, mostTrials), min(sc.counts.probesOK, mostTrials)
	t.down = min(t.down, failed)
	early := min(float64(t.early), good)
	t.failed, t.good = failed-t.down+early, good-early
	return t
}

// moreCare proposes two good probes, and one at a time.
func (a *adviser) moreCare(sc scope, field string, t trials, sure float64) {
	s := Suggestion{Field: field, Role: sc.role, Rule: RuleFailedProbes, Numbers: t.numbers(), Confidence: sure}
	switch field {
	case FieldSuccessThreshold:
		s.Current, s.Proposed = float64(sc.policy.SuccessThreshold), carefulNeed
		if s.Current >= carefulNeed {
			return
		}
		s.Why = sc.says("%.0f of %.0f probes failed or were followed by failures at once: close only after %d good ones, not %.0f.",
			t.failed, t.failed+t.good, carefulNeed, s.Current)
	case FieldTrialCalls:
		s.Current, s.Proposed = float64(sc.policy.TrialCalls), carefulTrial
		if s.Current <= carefulTrial {
			return
		}
		s.Why = sc.says("%.0f of %.0f probes failed or were followed by failures at once: probe with %d call at a time, not %.3g.",
			t.failed, t.failed+t.good, carefulTrial, s.Current)
	}
	a.propose(s)
}

// lessCare goes one step back towards what was configured.
func (a *adviser) lessCare(sc scope, field string, t trials, sure float64) {
	s := Suggestion{Field: field, Role: sc.role, Rule: RuleGoodProbes, Numbers: t.numbers(), Confidence: sure}
	switch field {
	case FieldSuccessThreshold:
		home := 1
		if sc.homely {
			home = sc.home.SuccessThreshold
		}
		s.Current = float64(sc.policy.SuccessThreshold)
		if s.Proposed = s.Current - 1; s.Proposed < float64(home) {
			return
		}
		s.Why = sc.says("%.0f of %.0f probes were good and lasted: %.0f good ones are enough to close, not %.0f.",
			t.good, t.failed+t.good, s.Proposed, s.Current)
	case FieldTrialCalls:
		home := 1
		if sc.homely {
			home = sc.home.TrialCalls
		}
		s.Current = float64(sc.policy.TrialCalls)
		if s.Proposed = s.Current + 1; s.Proposed > float64(home) {
			return
		}
		s.Why = sc.says("%.0f of %.0f probes were good and lasted: %.0f may be out at once again, not only %.0f.",
			t.good, t.failed+t.good, s.Proposed, s.Current)
	}
	a.propose(s)
}

func (t trials) numbers() []Number {
	return []Number{
		{Name: "probes failed", Value: t.failed},
		{Name: "probes good", Value: t.good},
		{Name: "probes failed before the host was back", Value: t.down},
		{Name: "closed too early", Value: float64(t.early)},
	}
}
