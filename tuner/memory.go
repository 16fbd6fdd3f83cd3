package tuner

import (
	"math"
	"time"

	"fleetfuse/tuner/detect"
	"fleetfuse/tuner/outage"
)

// A Bucket is what was seen of a host in one span of 10 s.
type Bucket struct {
	At       int64  // the number of the span; later ones are greater
	Judged   uint64 // calls that say something about the host
	Failures uint64 // those that failed, 429s included
	Limited  uint64 // those answered 429
	// LatencyLogs is the sum of the natural logarithms of the seconds that
	// LatencyCalls calls took.
	LatencyLogs  float64
	LatencyCalls uint64
}

// The signals of a host, as ChangedAt names them.
const (
	SignalFailures = "failures"
	SignalLimited  = "429"
	SignalLatency  = "latency"
)

const (
	// wildFactor is how many times the usual number of calls a bucket may count
	// for, and fewCalls what it always may: one node that reports absurd counts
	// moves a baseline no further than a burst would.
	wildFactor, fewCalls = 8, 64
	// SetBack is by how many buckets one must be older than the last for the clock to
	// have been set back; less is late.
	SetBack = 360
	// enoughOutages of a host itself say something of how long its outages last; before,
	// an estimate is mostly what was assumed of any host.
	enoughOutages = 3
	// learned is with how many buckets that had calls a usual share is known.
	learned = 30
)

// Memory is what is usual for one host: its share of failures and of 429s and its
// latency since they last changed, and how long its outages last. It is a value whose
// copies share nothing that changes, of at most 2 KB for each of these signals. It is
// not safe for concurrent use.
type Memory struct {
	failures detect.ShareBaseline // of the calls that were not answered 429
	limited  detect.ShareBaseline // of all judged
	latency  detect.LatencyBaseline
	outages  outage.Estimate
	running  time.Duration // until the last failed probe of an outage that is not over; 0: none is
	probed   int           // outages that a probe found going on, up to enoughOutages
	over     int           // and of which the end is known

	calls    detect.EWMA // of a bucket with calls
	observed int         // buckets with calls
	last     int64       // number of the last bucket
	began    bool        // there was one
	busy     gaps
	changed  int64 // number of the bucket with which a signal last changed
	signal   string
}

// NewMemory makes the memory of a host of which nothing is known. No baseline
// tells a change before it has seen some buckets.
func NewMemory() *Memory {
	limited := detect.ForFailures()
	limited.Prior = 0.001 // most hosts send none
	return &Memory{
		failures: detect.NewShareBaseline(detect.ForFailures()),
		limited:  detect.NewShareBaseline(limited),
		latency:  detect.NewLatencyBaseline(detect.ForLatency()),
		calls:    detect.EWMA{Weight: 1.0 / 360},
	}
}

// Observe takes one bucket. They come in order; those missing had no calls. One
// that comes late or again changes nothing, unless it is an hour older than the
// last: then the clock was set back, and counting goes on from there.
func (m *Memory) Observe(b Bucket) {
	switch {
	case !m.began:
		m.began = true
	case b.At > m.last:
		m.pass(b.At - m.last)
	case b.At > m.last-SetBack:
		return
	default:
		m.busy = gaps{}
		m.changed, m.signal = 0, ""
	}
	m.last = b.At
	m.busy.pass(1)
	m.observeShares(b)
	m.observeLatency(b)
}

// pass lets steps buckets begin, of which all but the last had no calls.
func (m *Memory) pass(steps int64) {
	if steps <= 0 { // so far apart that the difference is no number
		steps = math.MaxInt64
	}
	group := int64(detect.ForLatency().Group)
	for range min(steps-1, group) { // more would say nothing more
		m.observeLatency(Bucket{At: m.last})
	}
	m.busy.pass(steps - 1)
}

func (m *Memory) observeShares(b Bucket) {
	if b.Judged == 0 {
		return
	}
	judged := bound(float64(b.Judged), 0, max(fewCalls, wildFactor*m.calls.Mean))
	m.calls.Update(judged)
	m.observed = min(m.observed+1, learned)
	m.busy.mark()
	part := judged / float64(b.Judged)
	limited := min(part*float64(b.Limited), judged)
	failed := bound(part*float64(b.Failures)-limited, 0, judged-limited)
	n, l, f := int(math.Round(judged)), int(math.Round(limited)), int(math.Round(failed))
	if ago, changed := m.limited.Update(l, n); changed {
		m.change(m.busy.ago(ago), SignalLimited)
	}
	if ago, changed := m.failures.Update(f, n-l); changed {
		m.change(m.busy.ago(ago), SignalFailures)
	}
}

func (m *Memory) observeLatency(b Bucket) {
	calls := int(bound(float64(b.LatencyCalls), 0, 1e6))
	sum := b.LatencyLogs
	if b.LatencyCalls > 1e6 {
		sum *= 1e6 / float64(b.LatencyCalls)
	}
	if ago, changed := m.latency.Update(sum, calls); changed {
		group := int64(detect.ForLatency().Group)
		m.change(group*int64(ago+1)-1, SignalLatency)
	}
}

// change remembers that a signal changed with the bucket so many before the last.
func (m *Memory) change(ago int64, signal string) {
	if at := m.last - ago; m.signal == "" || at >= m.changed {
		m.changed, m.signal = at, signal
	}
}

// ChangedAt is the number of the bucket with which the share of failures, that of
// 429s or the latency last changed, and which of them (SignalFailures, ...): what was
// counted before says little about the host as it is now. A change is told some
// buckets late. For a latency, and for a change that began more than 64 buckets with calls
// ago, the number is right as far as the host had calls all the time.
func (m *Memory) ChangedAt() (bucket int64, signal string, ok bool) {
	return m.changed, m.signal, m.signal != ""
}

// Outage tells of one outage when, counted from the failure that opened the
// breaker, the last probe failed (0: none did) and the first one succeeded (0: none
// did so far). One that is not over may be told again and again as it goes on: it
// counts once. How long the breaker was open is no such time.
func (m *Memory) Outage(lastFailed, firstGood time.Duration) {
	if lastFailed <= 0 && firstGood <= 0 {
		return
	}
	if m.running == 0 && lastFailed > 0 || m.running > lastFailed && lastFailed > 0 {
		m.probed = min(m.probed+1, enoughOutages)
	}
	if m.running > max(lastFailed, 0) { // another one: that it was told of never ended, as far as is known
		m.outages.Add(outage.Sample{AtLeast: m.running})
	}
	m.running = 0
	if firstGood <= 0 {
		m.running = lastFailed
		return
	}
	m.over = min(m.over+1, enoughOutages)
	m.outages.Add(outage.Sample{AtLeast: lastFailed, AtMost: firstGood})
}

// lengths is the estimate with the outage that is not over.
func (m *Memory) lengths() outage.Estimate {
	e := m.outages
	if m.running > 0 {
		e.Add(outage.Sample{AtLeast: m.running})
	}
	return e
}

// usual bounds the share of failures, 429s apart, that is usual for the host: it is
// below high, and above low, with the given probability each. It is not ok before
// some minutes were seen, or if the host fails more than it works: that is not
// usual for any host.
func (m *Memory) usual(sure float64) (low, high float64, ok bool) {
	if m == nil || m.observed < learned {
		return 0, 0, false
	}
	share, calls := m.failures.Usual(), m.failures.Calls()
	if share > 0.5 { // an outage: the usual was before it
		share, calls = m.failures.Before(), detect.ForFailures().Strength
	}
	if share > 0.5 {
		return 0, 0, false
	}
	p := believe(share*calls, calls, m.failures.Dispersion())
	return p.quantile(1 - sure), p.quantile(sure), true
}

// excess is how many times more the 429s vary from bucket to bucket than those of
// independent calls would: they come in bursts.
func (m *Memory) excess() float64 {
	if m == nil {
		return 1
	}
	return m.limited.Dispersion()
}
