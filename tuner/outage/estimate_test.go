package outage_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"

	"fleetfuse/tuner/outage"
)

// seen is an outage of the given length as a breaker sees it that probes every
// wait.
func seen(length, wait time.Duration) outage.Sample {
	n := (length + wait - 1) / wait
	return outage.Sample{AtLeast: (n - 1) * wait, AtMost: n * wait}
}

func lognormal(r *rand.Rand, median time.Duration, spread float64) time.Duration {
	return time.Duration(float64(median) * math.Exp(spread*r.NormFloat64()))
}

// faint is a prior that hardly counts, and nothing is forgotten.
var faint = outage.Prior{Median: time.Hour, Spread: 1, MedianWeight: 0.1, SpreadWeight: 0.1, Forget: 1}

// The interval holds the true mean about as often as it says, a little less where most
// outages are over before the first probe (the last wait).
func TestIntervalHoldsTheMean(t *testing.T) {
	const hosts, spread = 200, 0.8
	median := 5 * time.Minute
	mean := time.Duration(float64(median) * math.Exp(spread*spread/2))
	for _, wait := range []time.Duration{time.Second, time.Minute, 10 * time.Minute} {
		held, logs := 0, 0.0
		for seed := range uint64(hosts) {
			r, e := rand.New(rand.NewPCG(seed, 1)), outage.New(faint)
			for range 60 {
				e.Add(seen(lognormal(r, median, spread), wait))
			}
			if low, high := e.Interval(); low <= mean && mean <= high {
				held++
			}
			m, _, _ := e.Mean()
			logs += math.Log(float64(m)/float64(mean)) / hosts
		}
		if share := float64(held) / hosts; share < 0.87 || share > 0.99 {
			t.Errorf("probes every %v: %.3f of the intervals hold the mean, want 0.95", wait, share)
		}
		if math.Abs(logs) > 0.05 {
			t.Errorf("probes every %v: the mean is off by %+.1f %% on average", wait, 100*logs)
		}
	}
}

// Lengths are not taken for how long the breaker was open: a wait far longer than the
// outages comes down again, and does not go up on its own.
func TestNoRatchet(t *testing.T) {
	const mean = 45 * time.Second
	for _, price := range []outage.Price{1, 10} {
		var e outage.Estimate
		r := rand.New(rand.NewPCG(7, 7))
		best := max(time.Duration(math.Sqrt(2*float64(price)*mean.Seconds())*float64(time.Second)), outage.LeastWait)
		first := outage.ResetTimeout(e, price, 0)
		var sum time.Duration
		for i := range 400 {
			wait := outage.ResetTimeout(e, price, 0)
			e.Add(seen(time.Duration(r.ExpFloat64()*float64(mean)), wait))
			if i >= 100 {
				sum += wait
			}
		}
		if wait := sum / 300; wait > best*3/2 || wait < best*2/3 || wait > first/2 {
			t.Errorf("price %v: after 100 outages of %v on average the wait is %v on average; it was %v, best would be %v", price, mean, wait, first, best)
		}
	}
}

func TestBeforeTheFirstOutage(t *testing.T) {
	var zero outage.Estimate
	want := time.Duration(float64(outage.Usual().Median) * math.Exp(outage.Usual().Spread*outage.Usual().Spread/2))
	for _, e := range []outage.Estimate{zero, outage.New(outage.Usual())} {
		mean, weight, ok := e.Mean()
		if ok || weight != 0 || (mean-want).Abs() > time.Second {
			t.Errorf("mean %v, weight %v, ok %v; want %v, 0, false", mean, weight, ok, want)
		}
		if low, high := e.Interval(); low >= mean || high <= mean {
			t.Errorf("the interval %v to %v is not about the mean %v", low, high, mean)
		}
	}
}

// The zero value and New(Usual) go the same way.
func TestZeroValueAssumesUsual(t *testing.T) {
	var zero outage.Estimate
	made := outage.New(outage.Usual())
	for i := range 5 {
		s := seen(time.Duration(i+1)*time.Minute, time.Minute)
		zero.Add(s)
		made.Add(s)
	}
	a, _, _ := zero.Mean()
	if b, _, _ := made.Mean(); a != b {
		t.Errorf("%v and %v", a, b)
	}
}

// One outage moves the estimate towards it, and not all the way.
func TestOneOutage(t *testing.T) {
	before, _, _ := outage.New(outage.Usual()).Mean()
	for _, length := range []time.Duration{2 * time.Minute, 20 * time.Hour} {
		var e outage.Estimate
		e.Add(outage.Sample{AtLeast: length, AtMost: length})
		mean, weight, ok := e.Mean()
		if !ok || weight != 1 {
			t.Errorf("weight %v, ok %v", weight, ok)
		}
		if low, high := min(before, length), max(before, length); mean <= low || mean >= high {
			t.Errorf("one outage of %v makes a mean of %v out of %v", length, mean, before)
		}
	}
}

// An outage that goes on is longer than one known to be over, and says less.
func TestNotOverYet(t *testing.T) {
	over, goesOn := outage.New(faint), outage.New(faint)
	for i := range 20 {
		length := time.Duration(i+1) * time.Minute
		over.Add(outage.Sample{AtLeast: length, AtMost: length})
		if i%2 == 0 {
			goesOn.Add(outage.Sample{AtLeast: length})
		} else {
			goesOn.Add(outage.Sample{AtLeast: length, AtMost: length})
		}
	}
	a, _, _ := over.Mean()
	b, _, _ := goesOn.Mean()
	if b < a*3/2 {
		t.Errorf("mean %v if all are over, %v if half of them go on", a, b)
	}
	narrow := func(e outage.Estimate) float64 {
		low, high := e.Interval()
		return math.Log(float64(high) / float64(low))
	}
	if narrow(goesOn) <= narrow(over) {
		t.Error("outages that go on make the interval narrower")
	}
}

func TestForgets(t *testing.T) {
	p := outage.Usual()
	p.Forget = 0.9
	slow, quick := outage.New(outage.Usual()), outage.New(p)
	for i := range 200 {
		length := time.Hour
		if i >= 185 {
			length = time.Minute
		}
		for _, e := range []*outage.Estimate{&slow, &quick} {
			e.Add(outage.Sample{AtLeast: length, AtMost: length})
		}
	}
	a, _, _ := slow.Mean()
	b, weight, _ := quick.Mean()
	if b >= a {
		t.Errorf("after 15 short outages: %v with forgetting %v, %v with 0.9", a, outage.Usual().Forget, b)
	}
	if weight < 9.9 || weight > 10 {
		t.Errorf("weight %v, want 1/(1-0.9)", weight)
	}
}

func TestStateIsSmall(t *testing.T) {
	if size := unsafe.Sizeof(outage.Estimate{}); size > 1024 {
		t.Errorf("%d bytes, want at most 1024", size)
	}
}

// Whatever comes, the answers are bounded.
func FuzzBounded(f *testing.F) {
	f.Add(int64(0), int64(0), int64(0), int64(0), 10.0, 1.0, 2.0, int64(time.Minute))
	f.Add(int64(math.MaxInt64), int64(1), int64(math.MinInt64), int64(-1), math.Inf(1), math.NaN(), -1.0, int64(math.MaxInt64))
	f.Add(int64(1), int64(1), int64(math.MaxInt64), int64(math.MaxInt64), math.NaN(), math.Inf(1), 1e300, int64(math.MinInt64))
	f.Add(int64(time.Hour), int64(time.Minute), int64(30), int64(40), -5.0, 0.0, 0.0, int64(-1))
	f.Fuzz(func(t *testing.T, low1, high1, low2, high2 int64, price, spread, weight float64, median int64) {
		e := outage.New(outage.Prior{Median: time.Duration(median), Spread: spread, MedianWeight: weight, SpreadWeight: weight, Forget: spread})
		for i := range 70 {
			if i%2 == 0 {
				e.Add(outage.Sample{AtLeast: time.Duration(low1), AtMost: time.Duration(high1)})
			} else {
				e.Add(outage.Sample{AtLeast: time.Duration(low2), AtMost: time.Duration(high2)})
			}
			mean, n, _ := e.Mean()
			low, high := e.Interval()
			if low < time.Second || low > mean || high < mean || high > outage.Longest {
				t.Fatalf("mean %v, interval %v to %v", mean, low, high)
			}
			if !(n > 0 && n <= 64) {
				t.Fatalf("weight %v", n)
			}
			if wait := outage.ResetTimeout(e, outage.Price(price), 0); wait < outage.LeastWait || wait > outage.MostWait {
				t.Fatalf("wait %v", wait)
			}
		}
	})
}
