package tuner

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"
)

// host makes buckets of a host that is called n times in each.
type host struct {
	r            *rand.Rand
	n            int
	fails, is429 float64
	seconds      float64
}

func (h *host) bucket(at int64) Bucket {
	b := Bucket{At: at, Judged: uint64(h.n), LatencyCalls: uint64(h.n)}
	for range h.n {
		switch x := h.r.Float64(); {
		case x < h.is429:
			b.Limited++
			b.Failures++
		case x < h.is429+h.fails:
			b.Failures++
		}
		b.LatencyLogs += math.Log(h.seconds) + 0.3*h.r.NormFloat64()
	}
	return b
}

func newHost(seed uint64) *host {
	return &host{r: rand.New(rand.NewPCG(seed, 3)), n: 20, fails: 0.02, seconds: 0.2}
}

// remember shows a memory count buckets of a host, from at on.
func remember(m *Memory, h *host, at int64, count int) (next int64) {
	for range count {
		m.Observe(h.bucket(at))
		at++
	}
	return at
}

func TestMemorySize(t *testing.T) {
	const signals = 4 // failures, 429s, latency, outages
	size := unsafe.Sizeof(Memory{})
	t.Logf("%d B a host, %d B a signal", size, size/signals)
	if size > signals*2048 {
		t.Errorf("%d B for %d signals", size, signals)
	}
}

func TestMemoryTellsChanges(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*host)
		signal string
		within int64
	}{
		"failures": {func(h *host) { h.fails = 0.4 }, SignalFailures, 3},
		"429":      {func(h *host) { h.is429 = 0.4 }, SignalLimited, 3},
		"latency":  {func(h *host) { h.seconds = 0.8 }, SignalLatency, 12},
	} {
		t.Run(name, func(t *testing.T) {
			m, h := NewMemory(), newHost(1)
			at := remember(m, h, 1000, 400)
			if b, signal, ok := m.ChangedAt(); ok {
				t.Fatalf("%s changed at %d, nothing did", signal, b)
			}
			tc.change(h)
			remember(m, h, at, 60)
			b, signal, ok := m.ChangedAt()
			if !ok || signal != tc.signal || b < at-tc.within || b > at+tc.within {
				t.Errorf("%s changed at %d (%v), want %s at about %d", signal, b, ok, tc.signal, at)
			}
		})
	}
}

// With calls in every tenth bucket only, a change is dated all the same.
func TestChangesAreDatedAcrossGaps(t *testing.T) {
	m, h := NewMemory(), newHost(2)
	for at := int64(0); at < 3000; at += 10 {
		m.Observe(h.bucket(at))
	}
	h.fails = 0.5
	for at := int64(3000); at < 3100; at += 10 {
		m.Observe(h.bucket(at))
	}
	if b, signal, ok := m.ChangedAt(); !ok || signal != SignalFailures || b < 2970 || b > 3010 {
		t.Errorf("%q changed at %d (%v), want failures at about 3000", signal, b, ok)
	}
}

func TestLateAndRepeatedBucketsChangeNothing(t *testing.T) {
	m, h := NewMemory(), newHost(3)
	at := remember(m, h, 1000, 100)
	before := *m
	outage := Bucket{Judged: 1000, Failures: 1000}
	for _, late := range []int64{at - 1, at - 2, at - 300} {
		outage.At = late
		m.Observe(outage)
	}
	if *m != before {
		t.Error("a late bucket was counted")
	}
}

// A clock that was an hour, or for ever, ahead and is set back does not stop counting.
func TestClockSetBack(t *testing.T) {
	for _, ahead := range []int64{360, 1 << 40, math.MaxInt64 - 5000} {
		m, h := NewMemory(), newHost(4)
		at := remember(m, h, 1000, 100)
		m.Observe(h.bucket(at + ahead))
		seen := m.failures.Since()
		remember(m, h, at, 100)
		if got := m.failures.Since(); got != seen+100 {
			t.Errorf("%d ahead: %d buckets counted after it, want 100", ahead, got-seen)
		}
	}
}

// One bucket of absurd counts does not make what it says usual.
func TestAbsurdBucketHasBoundedInfluence(t *testing.T) {
	for _, absurd := range []Bucket{
		{Judged: math.MaxUint64, Failures: math.MaxUint64},
		{Judged: 1e12, Failures: 1e12, Limited: 1e12},
		{Judged: 3, Failures: 1e15, Limited: 1e16},
		{Judged: 20, LatencyLogs: math.Inf(1), LatencyCalls: 20},
		{Judged: 20, LatencyLogs: math.NaN(), LatencyCalls: math.MaxUint64},
	} {
		m, h := NewMemory(), newHost(5)
		at := remember(m, h, 1000, 300)
		absurd.At = at
		m.Observe(absurd)
		remember(m, h, at+1, 60)
		if p := m.failures.Usual(); !(p < 0.06) {
			t.Errorf("%+v: %v of failures are usual then, want about 0.02", absurd, p)
		}
		if p := m.limited.Usual(); !(p < 0.05) {
			t.Errorf("%+v: %v of 429s are usual then, want about 0", absurd, p)
		}
	}
}

// What is usual is what was before an outage, not what is in it.
func TestUsualInAnOutage(t *testing.T) {
	m, h := NewMemory(), newHost(6)
	at := remember(m, h, 1000, 300)
	h.fails = 0.95
	at = remember(m, h, at, 60)
	if low, high, ok := m.usual(0.9); !ok || low > 0.02 || high > 0.1 {
		t.Errorf("in an outage %v to %v are usual (%v), want about 0.02", low, high, ok)
	}
	h.fails = 0.02
	remember(m, h, at, 60)
	if low, high, ok := m.usual(0.9); !ok || low > 0.02 || high > 0.1 {
		t.Errorf("after it %v to %v are usual (%v), want about 0.02", low, high, ok)
	}
	if _, _, ok := NewMemory().usual(0.9); ok {
		t.Error("something is usual before anything was seen")
	}
}

// Limited calls are no failures of the host.
func TestLimitedCallsAreNoFailures(t *testing.T) {
	m, h := NewMemory(), newHost(7)
	h.is429 = 0.5
	remember(m, h, 1000, 300)
	if p := m.failures.Usual(); p < 0.02 || p > 0.08 { // 2 of the 50 that are not 429
		t.Errorf("%v fail, want about 0.04", p)
	}
	if p := m.limited.Usual(); p < 0.4 || p > 0.6 {
		t.Errorf("%v are 429s, want about 0.5", p)
	}
}

// An outage that is told as it goes on counts once.
func TestRunningOutageCountsOnce(t *testing.T) {
	m := NewMemory()
	for probe := time.Minute; probe <= 30*time.Minute; probe += time.Minute {
		m.Outage(probe, 0)
	}
	if _, weight, ok := m.lengths().Mean(); !ok || math.Abs(weight-1) > 1e-9 {
		t.Errorf("while it runs it counts %v times", weight)
	}
	m.Outage(30*time.Minute, 31*time.Minute)
	if _, weight, ok := m.lengths().Mean(); !ok || math.Abs(weight-1) > 1e-9 {
		t.Errorf("over, it counts %v times", weight)
	}
	m.Outage(10*time.Minute, 0)
	m.Outage(time.Minute, 2*time.Minute) // another one: the last was never seen to end
	if _, weight, _ := m.lengths().Mean(); weight < 2.5 || weight > 3 {
		t.Errorf("%v outages, want nearly 3", weight)
	}
	m.Outage(0, 0)
	m.Outage(-time.Hour, -time.Hour)
	if _, weight, _ := m.lengths().Mean(); weight > 3 {
		t.Errorf("nothing made it %v outages", weight)
	}
}
