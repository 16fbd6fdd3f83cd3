package outages

import "testing"

// many are hosts with one outage each, of up to twice the given length, so that only
// the prior decides.
func many(seconds float64) part {
	p := part{name: "made up"}
	for i := range 40 {
		length := seconds * (float64(i) + 0.5) / 20
		p.groups, p.sites = append(p.groups, [][]stretch{{{0, length}}}), append(p.sites, 1)
		p.outages++
	}
	return p
}

// The prior chosen for short outages is of shorter ones than that for long ones.
func TestChoose(t *testing.T) {
	short, long := choose([]part{many(900)}), choose([]part{many(6000)})
	if short.prior.Median >= long.prior.Median || short.prior.Spread > long.prior.Spread {
		t.Errorf("chosen for 900 s: %s; for 6,000 s: %s", describe(short.prior), describe(long.prior))
	}
	if short.mean > short.dearest || short.dearest > bar {
		t.Errorf("for outages of 900 s: dearest %v, mean %v", short.dearest, short.mean)
	}
}

// Beyond the tuner's bounds are longer waits only.
func TestWaits(t *testing.T) {
	list, inside := waits()
	if list[0] != 15 || list[inside-1] != 600 || len(list) <= inside {
		t.Errorf("%d of %v", inside, list)
	}
	for i := range list[1:] {
		if list[i+1] <= list[i] {
			t.Errorf("%v after %v", list[i+1], list[i])
		}
	}
}
