package outages

import (
	"slices"
	"time"

	"fleetfuse/tuner/outage"
)

// backoff waits first seconds, then multiplier times longer after each failed
// probe, up to most. With multiplier 1 it is a fixed reset_timeout.
type backoff struct {
	first, multiplier, most float64
	wait                    float64
}

func (b *backoff) tripped() float64 {
	b.wait = b.first
	return b.wait
}

func (b *backoff) failed(float64) float64 {
	b.wait = max(b.first, min(b.wait*b.multiplier, b.most))
	return b.wait
}

func (b *backoff) recovered(_, _ float64) {}

// fixed waits always the same.
func fixed(wait float64) func() rule {
	return func() rule { return &backoff{first: wait, multiplier: 1} }
}

// median is the rule of the seed advisor: reset_timeout is the median of how
// long the breaker itself was open, from trip to close; 60 s before it ever was.
type median struct{ open []float64 }

func (m *median) tripped() float64 {
	n := len(m.open)
	if n == 0 {
		return 60
	}
	half := (m.open[(n-1)/2] + m.open[n/2]) / 2
	return min(max(half, outage.LeastWait.Seconds()), outage.MostWait.Seconds())
}

func (m *median) failed(float64) float64 { return m.tripped() }

func (m *median) recovered(_, good float64) {
	at, _ := slices.BinarySearch(m.open, good)
	m.open = slices.Insert(m.open, at, good)
}

// tuned waits as package outage says, from what its own probes saw.
type tuned struct {
	price    outage.Price
	estimate outage.Estimate
	wait     float64
}

func (t *tuned) tripped() float64 {
	t.wait = outage.ResetTimeout(t.estimate, t.price, 0).Seconds()
	return t.wait
}

func (t *tuned) failed(float64) float64 { return t.wait }

func (t *tuned) recovered(failed, good float64) {
	t.estimate.Add(outage.Sample{AtLeast: span(failed), AtMost: span(good)})
}

func span(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }

// tunedWith makes rules that begin with a prior.
func tunedWith(prior outage.Prior, price float64) func() rule {
	return func() rule { return &tuned{price: outage.Price(price), estimate: outage.New(prior)} }
}

// late is tuned, but waits 60 s until the host's first outage is over.
type late struct{ tuned }

func (l *late) tripped() float64 {
	if _, _, ok := l.estimate.Mean(); ok {
		return l.tuned.tripped()
	}
	l.wait = 60
	return l.wait
}

// inside is tuned, and looks again once in hold seconds of an outage: the
// outage so far counts as one more that is not over.
type inside struct {
	tuned
	looked float64
}

// hold is the least time between two changes of a policy by the tuner.
const hold = 600

func (t *inside) tripped() float64 {
	t.looked = 0
	return t.tuned.tripped()
}

func (t *inside) failed(elapsed float64) float64 {
	if elapsed-t.looked >= hold {
		t.looked = elapsed
		sofar := t.estimate
		sofar.Add(outage.Sample{AtLeast: span(elapsed)})
		t.wait = outage.ResetTimeout(sofar, t.price, 0).Seconds()
	}
	return t.wait
}
