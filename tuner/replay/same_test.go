package replay_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetfuse/tuner/replay"
)

// drawWorld draws a host with outages and failures by chance, and a policy.
func drawWorld(t *rapid.T) *world {
	w := steady(rapid.SampledFrom([]float64{0, 0.01, 0.2, 0.4}).Draw(t, "fails"), rapid.Uint64().Draw(t, "seed"))
	w.length = 10 * time.Minute
	w.rate = rapid.SampledFrom([]float64{0.05, 0.5, 5, 10}).Draw(t, "rate")
	w.latency = time.Duration(rapid.IntRange(0, 2000).Draw(t, "latency")) * time.Millisecond
	w.nodes = []string{"n1", "n2", "n3"}[:rapid.IntRange(1, 3).Draw(t, "nodes")]
	every := time.Duration(rapid.IntRange(60, 600).Draw(t, "every")) * time.Second
	down := time.Duration(rapid.IntRange(0, 300).Draw(t, "down")) * time.Second
	w.up = func(at time.Duration) bool { return at%every >= down }
	// Where calls are rare, or it waits long for a probe of a second witness, it is
	// not known well enough when blocked ones were made to tell before from after
	// it ran out.
	w.whole = w.rate >= 5 && len(w.nodes) == 1 && rapid.Bool().Draw(t, "whole")
	p := &w.policy
	p.FailMax = rapid.IntRange(1, 10).Draw(t, "fail_max")
	p.ResetTimeout = time.Duration(rapid.IntRange(1, 120).Draw(t, "reset_timeout")) * time.Second
	p.SuccessThreshold = rapid.IntRange(1, 3).Draw(t, "success_threshold")
	p.Rolling.Enabled = rapid.Bool().Draw(t, "rolling")
	p.FailureRate.Enabled = rapid.Bool().Draw(t, "failure_rate")
	p.Backoff.Multiplier = rapid.SampledFrom([]float64{1, 2}).Draw(t, "multiplier")
	return w
}

// Under the policy that wrote the tape the breaker opens as it did.
func TestSamePolicyOpensAsRecorded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		l := w.live()
		c := replay.Compare(&replay.Case{Tape: l.tape, Old: w.policy, Proposed: w.policy, Seed: 1})
		for i, d := range c.By {
			if d.Old != d.New || d.Cost != 0 {
				t.Fatalf("the same policy differs from itself: %v", show(c))
			}
			unknown := 0.0
			if w.whole { // no record says whether a call behind the last probe was a probe
				unknown = 1
			}
			if math.Abs(d.Old.Opens-float64(len(l.opens))) > unknown {
				t.Fatalf("it opened %d times; replayed, %v: %v times\n%s", len(l.opens), replay.Imputation(i), d.Old.Opens, show(c))
			}
		}
		if c.Verdict.Accepted {
			t.Fatal(fmt.Sprint("accepted: ", c.Verdict.Reason))
		}
	})
}
