package outage_test

import (
	"math"
	"testing"
	"time"

	"fleetfuse/tuner/outage"
)

// certain is an estimate whose mean is known.
func certain(mean time.Duration) outage.Estimate {
	return outage.New(outage.Prior{Median: time.Duration(float64(mean) / math.Exp(0.05*0.05/2)), Spread: 0.05, MedianWeight: 1, SpreadWeight: 1, Forget: 1})
}

func TestResetTimeout(t *testing.T) {
	for _, c := range []struct {
		mean  time.Duration
		price outage.Price
		floor time.Duration
		want  time.Duration
	}{
		{500 * time.Second, 10, 0, 100 * time.Second},
		{500 * time.Second, 40, 0, 200 * time.Second},
		{2000 * time.Second, 10, 0, 200 * time.Second},
		{20 * time.Second, 1, 0, outage.LeastWait},
		{500 * time.Second, 0, 0, outage.LeastWait},
		{24 * time.Hour, 60, 0, outage.MostWait},
		{500 * time.Second, 10, 2 * time.Minute, 2 * time.Minute},
		{500 * time.Second, 10, time.Minute, 100 * time.Second},
		{500 * time.Second, 10, -time.Minute, 100 * time.Second},
		{500 * time.Second, 10, 15 * time.Minute, 15 * time.Minute},
		{500 * time.Second, 10, math.MaxInt64, 24 * time.Hour},
		{500 * time.Second, outage.Price(math.NaN()), 0, outage.LeastWait},
		{500 * time.Second, outage.Price(math.Inf(1)), 0, outage.MostWait},
	} {
		if got := outage.ResetTimeout(certain(c.mean), c.price, c.floor); (got - c.want).Abs() > 10*time.Millisecond {
			t.Errorf("mean %v, price %v, floor %v: %v, want %v", c.mean, c.price, c.floor, got, c.want)
		}
	}
}

// The law is the least of what it balances, for outages whose end is as likely at
// any moment: no other wait is cheaper by more than 2 %.
func TestSquareRootLawIsLeast(t *testing.T) {
	const mean = 1800.0
	for _, price := range []float64{1, 10, 60} {
		// With probes every w seconds, exp(-k·w/mean) of the outages outlast the k-th.
		cost := func(w float64) float64 { return (w+price)/(1-math.Exp(-w/mean)) - mean }
		ours := cost(outage.ResetTimeout(certain(mean*time.Second), outage.Price(price), 0).Seconds())
		for w := 15.0; w <= 600; w++ {
			if cost(w) < ours/1.02 {
				t.Errorf("price %v: %.0f, and %.0f with %v s", price, ours, cost(w), w)
			}
		}
	}
}
