package outages

import (
	"math"
	"math/rand/v2"
)

// rule says how long a breaker waits before each probe. One value serves one
// host, all its outages in order.
type rule interface {
	tripped() (wait float64)
	failed(elapsed float64) (wait float64)
	recovered(failed, good float64) // seconds from the trip to the last failed (0: none), and to the good probe
}

// stretch is when a host was really down; end is infinite if it never came back.
type stretch struct{ begin, end float64 }

// draw draws when each outage really ended: uniformly after the last sample that
// failed and not after the first good one.
func draw(s site, r *rand.Rand) []stretch {
	var list []stretch
	for _, o := range s.outages {
		end := math.Inf(1)
		if o.firstUp > 0 {
			end = o.firstUp - r.Float64()*(o.firstUp-o.lastDown)
		}
		list = append(list, stretch{o.begin, end})
	}
	return list
}

// spent is what the outages of a host cost.
type spent struct {
	up     float64 // seconds the host was up and not called
	probes float64
}

func (a spent) plus(b spent) spent { return spent{a.up + b.up, a.probes + b.probes} }

// at is the cost in seconds, a probe at the given price.
func (a spent) at(price float64) float64 { return a.up + price*a.probes }

// replay runs a host's outages through a breaker that trips with the first
// failure of each, probes when the rule says, and closes with a good probe. An outage
// that begins while it is still open is part of the same. What the recording
// did not see the end of is left out.
func replay(down []stretch, by rule) (sum spent) {
	for i := 0; i < len(down); {
		trip := down[i].begin
		now, failed, wait := trip, 0.0, by.tripped()
		for {
			if math.IsInf(down[i].end, 1) {
				return sum
			}
			now += wait
			sum.probes++
			for i < len(down) && down[i].end <= now { // it came back before this probe
				back := down[i].end
				i++
				if i < len(down) {
					sum.up += max(0, min(now, down[i].begin)-back)
				} else {
					sum.up += now - back
				}
			}
			if i == len(down) || down[i].begin > now {
				by.recovered(failed, now-trip)
				break
			}
			failed = now - trip
			wait = by.failed(failed)
		}
	}
	return sum
}
