package outages

import (
	"time"

	"fleetfuse/tuner/outage"
)

// prices of one probe, in seconds of a host that is up and not called.
var prices = []float64{1, 10, 60}

// unheld is the longest fixed wait that is tried, in seconds.
const unheld = 6 * 3600.0

// waits lists the fixed waits that are tried, in steps of 5 %: first those the tuner may
// set, inside of them, then longer ones.
func waits() (list []float64, inside int) {
	most := outage.MostWait.Seconds()
	for w := outage.LeastWait.Seconds(); w < most; w *= 1.05 {
		list = append(list, w)
	}
	inside = len(list) + 1
	for w := most; w <= unheld; w *= 1.05 {
		list = append(list, w)
	}
	return list, inside
}

// allowed runs the part with each fixed wait that the tuner may set.
func (p part) allowed() []bill {
	list, inside := waits()
	var rules []func() rule
	for _, w := range list[:inside] {
		rules = append(rules, fixed(w))
	}
	return p.runAll(rules)
}

// priors lists what Usual is chosen from. The weights are small enough for the outages of a
// host that is unlike the others to win against the prior.
func priors() (list []outage.Prior) {
	for _, median := range []time.Duration{10 * time.Minute, 15 * time.Minute, 20 * time.Minute} {
		for _, spread := range []float64{1, 1.2, 1.4} {
			for _, weight := range []float64{1, 2} {
				for _, forget := range []float64{0.95, 0.98, 1} {
					list = append(list, outage.Prior{Median: median, Spread: spread, MedianWeight: weight, SpreadWeight: 8, Forget: forget})
				}
			}
		}
	}
	return list
}

// choice is how one prior did on some parts: the dearest ratio of a data set and
// price to the best fixed policy, and their mean.
type choice struct {
	prior         outage.Prior
	dearest, mean float64
}

// choose tries every prior on the parts. The best is, of those that meet the bar for each
// of them and at each price, the one whose mean is least; if none does, of all.
func choose(parts []part) (best choice) {
	all := make([]choice, len(priors()))
	for i, p := range priors() {
		all[i].prior = p
	}
	for _, p := range parts {
		fixes := p.allowed()
		for _, price := range prices {
			by := pricing{probe: price}
			_, least := cheapest(fixes, by)
			var rules []func() rule
			for _, c := range all {
				rules = append(rules, tunedWith(c.prior, price))
			}
			for i, b := range p.runAll(rules) {
				ratio := b.mean(by) / least
				all[i].dearest = max(all[i].dearest, ratio)
				all[i].mean += ratio / float64(len(parts)*len(prices))
			}
		}
	}
	best = all[0]
	for _, c := range all[1:] {
		meets, met := c.dearest <= bar, best.dearest <= bar
		if meets && !met || meets == met && c.mean < best.mean {
			best = c
		}
	}
	return best
}
