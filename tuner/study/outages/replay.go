package outages

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// rule says how long a breaker waits before each probe. One value serves one
// host, all its outages in order. Times are in seconds.
type rule interface {
	tripped() (wait float64)
	failed(elapsed float64) (wait float64)
	recovered(failed, good float64) // from the trip to the last failed probe (0: none), and to the good one
}

// stretch is when a host was really down; end is infinite if it never came back.
type stretch struct{ begin, end float64 }

// ends says where between the last sample that failed (0) and the first good one
// (1) an outage ended.
type ends func(r *rand.Rand) float64

func uniform(r *rand.Rand) float64 { return 1 - r.Float64() } // never 0
func latest(*rand.Rand) float64    { return 1 }

// draw says when each outage of s really ended, for the n-th time; all rules
// meet the same.
func draw(s site, n int, by ends) []stretch {
	name := fnv.New64a()
	name.Write([]byte(s.name))
	r := rand.New(rand.NewPCG(name.Sum64(), uint64(n)))
	var list []stretch
	for _, o := range s.outages {
		end := math.Inf(1)
		if o.firstUp > 0 {
			end = o.lastDown + by(r)*(o.firstUp-o.lastDown)
		}
		list = append(list, stretch{o.begin, end})
	}
	return list
}

// spent is what outages cost.
type spent struct {
	up           float64 // seconds a host was up and not called
	failed, good float64 // probes
}

func (a spent) plus(b spent) spent { return spent{a.up + b.up, a.failed + b.failed, a.good + b.good} }

// pricing makes one number, in seconds, of what was spent.
type pricing struct {
	probe      float64 // seconds that one probe is worth
	failedOnly bool    // the good one is free
}

func (p pricing) of(a spent) float64 {
	if p.failedOnly {
		return a.up + p.probe*a.failed
	}
	return a.up + p.probe*(a.failed+a.good)
}

// replay runs a host's outages through a breaker that trips with the first
// failure of each, probes when the rule says, and closes with a good probe. An
// outage that begins while it is still open is part of the one before. One of which the
// recording does not have the end is left out.
func replay(down []stretch, by rule) (sum spent) {
	for i := 0; i < len(down); {
		trip := down[i].begin
		now, failed, wait := trip, 0.0, by.tripped()
		for {
			if math.IsInf(down[i].end, 1) {
				return sum
			}
			now += wait
			for i < len(down) && down[i].end <= now { // it came back before this probe
				back, again := down[i].end, now
				i++
				if i < len(down) {
					again = min(now, down[i].begin)
				}
				sum.up += max(0, again-back)
			}
			if i == len(down) || down[i].begin > now {
				sum.good++
				by.recovered(failed, now-trip)
				break
			}
			sum.failed++
			failed = now - trip
			wait = by.failed(failed)
		}
	}
	return sum
}
