package rollup_test

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetfuse/breaker"
	"fleetfuse/telemetry/rollup"
)

func drawCounts(t *rapid.T) rollup.Counts {
	number := rapid.OneOf(rapid.Just(uint64(0)), rapid.Uint64Range(0, 300), rapid.Uint64Range(0, 1<<40))
	c := rollup.Counts{
		Successes: number.Draw(t, "successes"), Neutral: number.Draw(t, "neutral"), FromCache: number.Draw(t, "from cache"),
		ProbesOK: number.Draw(t, "probes ok"), ProbesFailed: number.Draw(t, "probes failed"), LongestRun: number.Draw(t, "run"),
		Unavailable: number.Draw(t, "503"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "parts") {
		c.Failures[rapid.IntRange(0, len(c.Failures)-1).Draw(t, "class")] = number.Draw(t, "failures")
		c.Rejected[rapid.IntRange(0, len(c.Rejected)-1).Draw(t, "cause")] = number.Draw(t, "rejected")
		c.Latency[rapid.IntRange(0, len(c.Latency)-1).Draw(t, "bucket")] = number.Draw(t, "latencies")
		c.RetryAfter.Observe(time.Duration(rapid.IntRange(0, 200).Draw(t, "asked"))*time.Second, 1+number.Draw(t, "times"))
	}
	return c
}

func TestCountsComeBackAsEncoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCounts(t)
		encoded := c.Append(nil)
		var back rollup.Counts
		rest, err := back.AddEncoded(append(slices.Clone(encoded), "rest"...))
		if err != nil || string(rest) != "rest" || back != c {
			t.Fatalf("%v came back as %v, rest %q, error %v", c, back, rest, err)
		}
		for n := range len(encoded) {
			kept := rollup.Counts{Successes: 1}
			if _, err := kept.AddEncoded(encoded[:n]); err == nil || kept != (rollup.Counts{Successes: 1}) {
				t.Fatalf("%d of %d bytes were taken", n, len(encoded))
			}
		}
	})
}

func TestAddingIsSumming(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawCounts(t), drawCounts(t)
		ab, ba := a, b
		ab.Add(&b)
		ba.Add(&a)
		if ab.Calls() != a.Calls()+b.Calls() || ab.RejectedAll() != a.RejectedAll()+b.RejectedAll() || ab.LongestRun != max(a.LongestRun, b.LongestRun) ||
			ab.Unavailable != a.Unavailable+b.Unavailable {
			t.Fatalf("%v + %v = %v", a, b, ab)
		}
		if ab.RetryAfter.Count() != a.RetryAfter.Count()+b.RetryAfter.Count() || longest(ab) != max(longest(a), longest(b)) {
			t.Fatalf("Retry-After %v + %v = %v", a.RetryAfter, b.RetryAfter, ab.RetryAfter)
		}
		ab.RetryAfter, ba.RetryAfter = rollup.RetryAfters{}, rollup.RetryAfters{}
		if ab != ba {
			t.Fatalf("%v one way, %v the other", ab, ba)
		}
	})
}

func longest(c rollup.Counts) (s uint32) {
	for _, w := range c.RetryAfter {
		s = max(s, w.Seconds)
	}
	return s
}

func TestRetryAftersKeepWhatIsFrequent(t *testing.T) {
	var r rollup.RetryAfters
	for i, n := range []uint64{50, 3, 40, 1, 7, 0} {
		r.Observe(time.Duration(10*(i+1))*time.Second, n)
	}
	r.Observe(-time.Second, 1)
	if want := (rollup.RetryAfters{{10, 50}, {20, 3}, {30, 40}, {50, 8}}); r != want {
		t.Errorf("samples %v, want %v", r, want)
	}
	r.Observe(20*time.Second, 9)
	r.Observe(60*time.Second, 2)
	if want := (rollup.RetryAfters{{10, 50}, {20, 12}, {30, 40}, {60, 10}}); r != want {
		t.Errorf("samples %v, want %v", r, want)
	}
}

func TestQuantilesAreWithinTheirError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		logs := rapid.SliceOfN(rapid.Float64Range(0, math.Log(60_000)), 1, 300).Draw(t, "log of ms")
		var h rollup.Histogram
		var list []time.Duration
		for _, l := range logs {
			d := min(time.Duration(math.Exp(l)*float64(time.Millisecond)), time.Minute)
			list = append(list, d)
			h.Observe(d, 1)
		}
		slices.Sort(list)
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		want := list[max(1, int(math.Ceil(q*float64(len(list)))))-1]
		got, ok := h.Quantile(q)
		if factor := float64(got) / float64(want); !ok || factor > rollup.QuantileError*1.000001 || factor < 1/rollup.QuantileError/1.000001 {
			t.Fatalf("quantile %v is %v, estimated %v", q, want, got)
		}
	})
}

func TestQuantilesAtTheEnds(t *testing.T) {
	var h rollup.Histogram
	if _, ok := h.Quantile(0.5); ok {
		t.Error("an empty histogram has a median")
	}
	h.Observe(time.Microsecond, 1)
	if got, _ := h.Quantile(0.5); got != time.Millisecond {
		t.Errorf("median of 1 µs is %v, want 1ms", got)
	}
	h.Observe(time.Hour, 5)
	if got, _ := h.Quantile(0.5); got != time.Minute {
		t.Errorf("median of hours is %v, want 1m0s", got)
	}
	for i, bound := range rollup.LatencyBounds {
		if a, b := rollup.LatencyBucket(bound), rollup.LatencyBucket(bound+1); a != i || b != i+1 {
			t.Errorf("bound %v lies in bucket %d, more in %d", bound, a, b)
		}
	}
}

func TestClasses(t *testing.T) {
	for want, e := range map[rollup.Class]breaker.Evidence{
		rollup.Status429: {Status: 429}, rollup.Status5xx: {Status: 503}, rollup.StatusOther: {Status: 408},
		rollup.Timeout: {Error: "timeout"}, rollup.Connect: {Error: "connect"}, rollup.Reset: {Error: "reset"},
		rollup.DNS: {Error: "dns"}, rollup.TLS: {Error: "tls"}, rollup.Other: {Error: "other"},
	} {
		if got := rollup.ClassOf(e); got != want {
			t.Errorf("%v is of class %v, want %v", e, got, want)
		}
		if e.Error != "" && want.String() != e.Error {
			t.Errorf("class %v is called %q", e.Error, want)
		}
	}
}

func TestFailuresCountByClass(t *testing.T) {
	var c rollup.Counts
	for _, e := range []breaker.Evidence{{Status: 503}, {Status: 500}, {Status: 429}, {Status: 503, Error: "timeout"}, {Error: "reset"}} {
		c.Fail(e, 2)
	}
	want := rollup.Counts{Unavailable: 2}
	want.Failures[rollup.Status5xx], want.Failures[rollup.Status429], want.Failures[rollup.Timeout], want.Failures[rollup.Reset] = 4, 2, 2, 2
	if c != want {
		t.Errorf("counts %v, want %v", c, want)
	}
}

// What a program wrote that did not count 503s is read, and bytes that it would
// not know are there only where there were some.
func TestCountsOfBefore503sWereCounted(t *testing.T) {
	before := []byte{1, 0b11, 5, 0b10, 3} // 5 successes, 3 times 5xx
	var c rollup.Counts
	if rest, err := c.AddEncoded(before); err != nil || len(rest) != 0 || c.Successes != 5 || c.Failures[rollup.Status5xx] != 3 || c.Unavailable != 0 {
		t.Errorf("%v, rest %q, error %v", c, rest, err)
	}
	if got := c.Append(nil); !bytes.Equal(got, before) {
		t.Errorf("encoded as %v, want %v", got, before)
	}
}

func FuzzAddEncoded(f *testing.F) {
	c := rollup.Counts{Successes: 300, LongestRun: 2, Unavailable: 4}
	c.Latency.Observe(time.Second, 3)
	c.RetryAfter.Observe(time.Minute, 2)
	f.Add(c.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		var c rollup.Counts
		rest, err := c.AddEncoded(b)
		if err == nil && !bytes.HasSuffix(b, rest) {
			t.Errorf("the rest %q is none of %q", rest, b)
		}
	})
}
