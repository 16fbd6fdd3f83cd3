package canary

import (
	"math"
	"time"
)

// A Verdict says what to do with a change on trial.
type Verdict string

// The verdicts. All but Continue are final.
const (
	Continue Verdict = "continue"
	Promote  Verdict = "promote"
	Rollback Verdict = "rollback"
)

// A Reason says why.
type Reason string

// The reasons of a verdict.
const (
	Worse      Reason = "worse"      // cost rose: Rollback
	NotWorse   Reason = "not-worse"  // cost did not rise by more than is tolerated: Promote
	Undecided  Reason = "undecided"  // the time is over: Rollback
	Unreadable Reason = "unreadable" // what was stored is no state: Rollback
)

// A State is a trial under way. It holds all that is needed to go on elsewhere,
// is a value, and has at most MaxStateBytes in JSON, whose members are only ever
// added to. No clock is in it: time is the length of the intervals.
type State struct {
	Against Against `json:"against"`

	// What was seen before the change.
	Cap      float64 `json:"cap"`       // costs beyond count as this
	Low      float64 `json:"low"`       // differences below count as this
	High     float64 `json:"high"`      // differences beyond count as this
	Usual    float64 `json:"usual"`     // the mean difference
	Margin   float64 `json:"margin"`    // how far off that may be
	Bearable float64 `json:"bearable"`  // how much more than usual may be promoted
	OpenRate float64 `json:"open_rate"` // opens per second
	Block    int     `json:"block"`     // intervals that are judged together
	Slow     int     `json:"slow"`      // the same for a promotion

	// What was asked for.
	LeastSeconds float64 `json:"least_s"`
	LimitSeconds float64 `json:"limit_s"`
	LeastOpens   int     `json:"least_opens"`
	NeedWorse    float64 `json:"need_worse"` // natural log of the odds that decide
	NeedFine     float64 `json:"need_fine"`

	// What was seen since.
	Seconds float64 `json:"s"`
	Opens   int     `json:"opens"`
	Seen    int     `json:"seen"` // intervals that said something
	Sum     float64 `json:"sum"`  // of differences in the block under way
	Count   int     `json:"n"`    // of them
	SlowSum float64 `json:"slow_sum"`
	SlowN   int     `json:"slow_n"`
	IsWorse Bet     `json:"worse"`
	IsFine  Bet     `json:"fine"`

	Verdict Verdict `json:"verdict"`
	Why     Reason  `json:"why,omitempty"`
}

// MaxStateBytes is the most a State takes in JSON.
const MaxStateBytes = 1024

// forPast is the part of a chance of error that is spent on the past.
const forPast = 0.5

// Begin starts a trial from what was seen before the change: the longer, the
// more it can tell; a week is good. It fails with ErrShortPast.
func Begin(before []Interval, a Against, s Settings) (State, error) {
	s = s.bounded()
	p, err := study(before, a, s.Tolerance, normalQuantile(1-forPast*s.Alpha))
	if err != nil {
		return State{}, err
	}
	return State{
		Against: a,
		Cap:     p.cap, Low: p.low, High: p.high, Usual: p.usual, Margin: p.margin, OpenRate: p.opens, Block: p.block, Slow: p.slow,
		Bearable:     p.worse,
		LeastSeconds: s.Least.Seconds(), LimitSeconds: s.Limit.Seconds(), LeastOpens: s.Opens,
		NeedWorse: -math.Log((1 - forPast) * s.Alpha), NeedFine: -math.Log((1 - forPast) * s.Beta),
		Verdict: Continue,
	}, nil
}

func normalQuantile(p float64) float64 { return math.Sqrt2 * math.Erfinv(2*p-1) }

// longest is how much time one interval can take.
const longest = 24 * time.Hour

// Update takes the next interval and answers the trial after it. A trial that has
// ended stays as it is. Time in which nothing was watched is an Idle interval.
func (s State) Update(i Interval) State {
	if !s.sound() {
		return State{Verdict: Rollback, Why: Unreadable}
	}
	if s.Verdict != Continue {
		return s
	}
	s.Seconds += min(max(i.Length, 0), longest).Seconds()
	s.Opens += i.opens()
	if d, ok := i.difference(s.Against, s.Cap); ok {
		s.judge(min(max(d, s.Low), s.High))
	}
	switch {
	case s.IsWorse.wealth() >= s.NeedWorse:
		s.Verdict, s.Why = Rollback, Worse
	case s.ripe() && s.IsFine.wealth() >= s.NeedFine:
		s.Verdict, s.Why = Promote, NotWorse
	case s.Seconds >= s.LimitSeconds:
		s.Verdict, s.Why = Rollback, Undecided
	}
	return s
}

// Pass takes so many intervals in which nothing was watched.
func (s State) Pass(length time.Duration, n int64) State {
	length = min(max(length, 0), longest)
	whole := time.Duration(min(n, int64(most/max(length, 1)))) * length
	for ; whole > longest; whole -= longest {
		s = s.Update(Interval{Length: longest, Idle: true})
	}
	return s.Update(Interval{Length: whole, Idle: true})
}

// ripe says whether a promotion is not too early. A good change may do away
// with opens, so those count that there would have been at the usual rate.
func (s *State) ripe() bool {
	return s.Seconds >= s.LeastSeconds && max(float64(s.Opens), s.OpenRate*s.Seconds) >= float64(s.LeastOpens)
}

// judge takes a difference in, and bets on the mean of each block it completes.
func (s *State) judge(d float64) {
	s.Seen++
	s.Sum, s.Count = s.Sum+d, s.Count+1
	if s.Count >= s.Block {
		high := s.Usual + s.Margin
		s.IsWorse.tell((s.Sum/float64(s.Count) - high) / (high - s.Low))
		s.Sum, s.Count = 0, 0
	}
	s.SlowSum, s.SlowN = s.SlowSum+d, s.SlowN+1
	if s.SlowN >= s.Slow {
		bearable := s.Usual - s.Margin + s.Bearable
		if room := s.High - bearable; room > 0 {
			s.IsFine.tell((bearable - s.SlowSum/float64(s.SlowN)) / room)
		}
		s.SlowSum, s.SlowN = 0, 0
	}
}

// sound says whether a state is one that Begin and Update can have made: it may
// come from a disk or another node.
func (s *State) sound() bool {
	if s.Verdict == Promote || s.Verdict == Rollback {
		return true
	}
	numbers := []float64{s.Cap, s.Low, s.High, s.Usual, s.Margin, s.Bearable, s.OpenRate, s.LeastSeconds, s.LimitSeconds, s.NeedWorse, s.NeedFine, s.Seconds, s.Sum, s.SlowSum}
	for _, bet := range []Bet{s.IsWorse, s.IsFine} {
		numbers = append(numbers, bet[:]...)
	}
	for _, x := range numbers {
		if !(math.Abs(x) <= 1e120) {
			return false
		}
	}
	return s.Verdict == Continue && s.Seconds >= 0 && s.Cap > 0 && s.High > s.Low && s.Usual+s.Margin > s.Low && s.Block >= 1 && s.Block <= mostPast &&
		s.Slow >= 1 && s.Slow <= mostPast && s.Count >= 0 && s.Count <= s.Block && s.SlowN >= 0 && s.SlowN <= s.Slow &&
		s.Seen >= 0 && s.Opens >= 0 &&
		s.NeedWorse > 0 && s.NeedFine > 0 && s.LimitSeconds > 0 && s.LimitSeconds <= most.Seconds()
}
