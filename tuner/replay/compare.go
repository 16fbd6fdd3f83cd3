package replay

import (
	"fmt"
	"math"
	"time"

	"fleetfuse/breaker"
)

// A Case is a proposal and what it is judged by. It is all that Compare needs:
// who keeps it can show a decision and run it again.
type Case struct {
	Tape     Tape
	Old      breaker.Policy // in force
	Proposed breaker.Policy
	Prices   Prices
	// Doubt is by how much the pessimistic imputation divides the odds that the
	// host was up when a call was blocked, 0 for 19 (even odds become 1 in 20).
	// It bounds what the record may hide (a sensitivity analysis: Rosenbaum
	// 2002; Tan 2006). With +Inf all blocked calls fail; no proposal that lets
	// more of them through can then be accepted.
	Doubt float64
	Seed  uint64 // of the draws and the bootstrap
}

const defaultDoubt = 19

// A Difference is the proposed policy against the old one, in one imputation.
type Difference struct {
	Old, New Result
	Cost     float64  // New.Cost - Old.Cost, in seconds: negative is better
	Interval Interval // of Cost, with 95 % confidence, by a bootstrap over episodes
}

// Better reports whether the proposed policy costs less, by more than rounding
// makes.
func (d *Difference) Better() bool { return d.Cost < -negligible }

// negligible is a difference in seconds that rounding alone may make.
const negligible = 1e-6

// A Comparison is what a replay found.
type Comparison struct {
	By      [Imputations]Difference
	Verdict Verdict
	Records int     // calls on the tape that were made
	Blocked int     // and that were rejected
	Members int     // nodes among which witnesses were wanted
	Rate    float64 // calls per second by which calls became seconds
	// UpFails and DownFails are how often a call is taken to fail while the host
	// is up and while it is down.
	UpFails, DownFails float64
	Episodes           int    // outages, or parts of long ones, that the interval rests on
	Digest             uint64 // of the Case, FNV-1a: who runs it again sees that it is the same
}

// A Verdict says whether a proposal may be enforced.
type Verdict struct {
	Accepted bool
	Reason   string // for people, in a few words
}

// Compare replays a tape under both policies. A proposal is accepted if it costs
// less in two imputations of three, the pessimistic among them, and if zero is
// outside the interval of the pessimistic or the mean difference.
func Compare(c *Case) Comparison {
	result := Comparison{Digest: c.digest()}
	if err := c.Old.Validate(); err != nil {
		return result.refused("the policy in force is invalid: %v", err)
	}
	if err := c.Proposed.Validate(); err != nil {
		return result.refused("the proposed policy is invalid: %v", err)
	}
	s := newScript(&c.Tape)
	result.Records, result.Blocked, result.Members = s.records, s.blocked, s.members
	result.Rate, result.UpFails, result.DownFails = s.rate, s.upFails, s.downFails
	p := pair{script: s, c: c, prices: c.Prices.within(), doubt: c.Doubt}
	if !(p.doubt >= 1) { // the negation also catches NaN
		p.doubt = defaultDoubt
	}
	p.replay(&result)
	return result.judged()
}

func (c Comparison) refused(why string, args ...any) Comparison {
	c.Verdict = Verdict{Reason: fmt.Sprintf(why, args...)}
	return c
}

// pair replays two policies side by side.
type pair struct {
	script *script
	c      *Case
	prices Prices
	doubt  float64
	open   []interval // when any of them was not closed
}

func (p *pair) replay(result *Comparison) {
	var diffs [Imputations][]float64
	for how := range Imputations {
		diffs[how] = make([]float64, len(p.script.calls))
		for draw := range how.draws() {
			p.script.impute(how, draw, p.doubt, p.c.Seed)
			share := 1 / float64(how.draws())
			before, after := p.run(&p.c.Old), p.run(&p.c.Proposed)
			d := &result.By[how]
			d.Old.add(&before.result, share)
			d.New.add(&after.result, share)
			for i := range diffs[how] {
				diffs[how][i] += share * (after.costs[i] - before.costs[i])
			}
		}
	}
	longest := longestEpisode * max(longestReset(&p.c.Old), longestReset(&p.c.Proposed))
	starts := episodes(p.open, longest)
	result.Episodes = len(starts)
	for how := range Imputations {
		d := &result.By[how]
		sums := byEpisode(p.script, diffs[how], starts)
		for _, sum := range sums {
			d.Cost += sum
		}
		if len(sums) > 0 {
			d.Interval = bootstrap(sums, p.c.Seed)
		}
	}
}

func (p *pair) run(policy *breaker.Policy) *run {
	r := newRun(p.script, policy, p.prices)
	r.play()
	p.open = joined(append(p.open, r.open...))
	return r
}

func longestReset(p *breaker.Policy) time.Duration {
	longest := p.ResetTimeout
	for role := range p.Roles {
		longest = max(longest, p.ForRole(role).ResetTimeout)
	}
	return longest
}

// add adds a share of another result.
func (r *Result) add(o *Result, share float64) {
	r.LetThrough += share * o.LetThrough
	r.FailuresThrough += share * o.FailuresThrough
	r.RejectedWrongly += share * o.RejectedWrongly
	r.RejectedRightly += share * o.RejectedRightly
	r.Probes += share * o.Probes
	r.FailedProbes += share * o.FailedProbes
	r.Opens += share * o.Opens
	r.SecondsOpen += share * o.SecondsOpen
	r.Cost += share * o.Cost
}

// judged adds the verdict.
func (c Comparison) judged() Comparison {
	better, same := 0, true
	for i := range c.By {
		if c.By[i].Better() {
			better++
		}
		same = same && math.Abs(c.By[i].Cost) <= negligible
	}
	pessimistic, mean := &c.By[Pessimistic], &c.By[Mean]
	switch {
	case c.Records == 0:
		return c.refused("too little to judge: no call on the tape")
	case c.Episodes == 0:
		return c.refused("too little to judge: neither policy would have opened")
	case same:
		return c.refused("no difference on this tape")
	case !pessimistic.Better():
		return c.refused("not better if blocked calls are imputed pessimistically: %+.1f s", pessimistic.Cost)
	case better < 2:
		return c.refused("better in only one imputation of three: mean %+.1f s, optimistic %+.1f s", mean.Cost, c.By[Optimistic].Cost)
	case c.Episodes < fewestEpisodes:
		return c.refused("too little to judge: %d of at least %d episodes", c.Episodes, fewestEpisodes)
	case pessimistic.Interval.High >= 0 && mean.Interval.High >= 0:
		return c.refused("may be chance: between %+.1f s and %+.1f s if pessimistic, %+.1f s and %+.1f s in the mean",
			pessimistic.Interval.Low, pessimistic.Interval.High, mean.Interval.Low, mean.Interval.High)
	}
	c.Verdict = Verdict{true, fmt.Sprintf("better by %.1f s if pessimistic, by %.1f s in the mean, over %d episodes",
		-pessimistic.Cost, -mean.Cost, c.Episodes)}
	return c
}
