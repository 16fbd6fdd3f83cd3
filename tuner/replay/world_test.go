package replay_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner/replay"
)

// world is a host and its callers behind a real breaker, which writes a tape.
type world struct {
	policy  breaker.Policy
	nodes   []string
	length  time.Duration
	rate    float64 // calls per second
	latency time.Duration
	up      func(at time.Duration) bool
	upFails float64 // how often a call fails while it is up
	seed    uint64
	whole   bool // gaps last until it closed or opened anew, not until it ran out
}

// lived is what became of a world.
type lived struct {
	tape  replay.Tape
	opens []breaker.Instant
	wrong int // calls rejected while the host was up
}

const origin = breaker.Instant(2 * time.Hour)

// live lets a world pass. Times are whole milliseconds.
func (w *world) live() (l lived) {
	rng := rand.New(rand.NewPCG(w.seed, 1))
	m, stamp, gap := breaker.New(&w.policy), breaker.Stamp(0), (*replay.Gap)(nil)
	l.tape.Members = len(w.nodes)
	var wake breaker.Instant
	var under []breaker.Outcome
	moment := func(now breaker.Instant) breaker.Moment {
		stamp++
		return breaker.Moment{Now: now, Stamp: stamp, Members: len(w.nodes), Rand: rng.Uint64()}
	}
	var take func(now breaker.Instant, e breaker.Effects)
	take = func(now breaker.Instant, e breaker.Effects) {
		wake = cmp.Or(e.WakeAt, wake)
		if e.Announce != nil {
			for _, t := range e.Announce.Transitions {
				switch {
				case t.To == breaker.Open:
					if w.whole && gap != nil && t.From != breaker.Closed {
						gap.To = t.At
					}
					l.opens = append(l.opens, t.At)
					l.tape.Blocked = append(l.tape.Blocked, replay.Gap{From: t.At})
					gap = &l.tape.Blocked[len(l.tape.Blocked)-1]
				case t.From == breaker.Open, w.whole && t.To == breaker.Closed:
					gap.To = t.At
				}
			}
		}
		if q := e.AskWitnesses; q != nil {
			take(now, m.EndRound(moment(now), q.Round))
		}
	}
	passes := func(to breaker.Instant) {
		for {
			ended := len(under) > 0 && under[0].Ended <= to
			if wake != 0 && wake <= to && (!ended || wake <= under[0].Ended) {
				at := wake
				wake = 0
				take(at, m.Tick(moment(at)))
				continue
			}
			if !ended {
				return
			}
			o := under[0]
			under = under[1:]
			take(o.Ended, m.Report(moment(o.Ended), o))
			l.tape.Outcomes = append(l.tape.Outcomes, o)
		}
	}
	for at := time.Duration(0); at < w.length; at += time.Duration(rng.ExpFloat64()/w.rate*1000+1) * time.Millisecond {
		now := origin.Add(at)
		passes(now)
		node := w.nodes[rng.IntN(len(w.nodes))]
		a, e := m.Ask(moment(now), breaker.Question{ID: rng.Uint64(), Node: node})
		take(now, e)
		up := w.up(at)
		if a.State != breaker.Closed && a.Permit == 0 && w.policy.Mode == breaker.ModeEnforce {
			if up {
				l.wrong++
			}
			if a.State == breaker.Open || w.whole {
				gap.Calls++
			}
			continue
		}
		o := breaker.Outcome{Node: node, Count: 1, Began: now, Ended: now.Add(w.latency), Permit: a.Permit}
		o.Status = 200
		if !up || rng.Float64() < w.upFails {
			o.Kind, o.Status = breaker.Failure, 503
		}
		under = append(under, o)
	}
	passes(origin.Add(w.length + time.Minute))
	if gap != nil && gap.To == 0 {
		gap.To = origin.Add(w.length + time.Minute)
	}
	return l
}

// steady is a host with so many failures by chance and no outage.
func steady(fails float64, seed uint64) *world {
	return &world{
		policy: breaker.DefaultPolicy(), nodes: []string{"n1"}, length: time.Hour, rate: 10, latency: 80 * time.Millisecond,
		up: func(time.Duration) bool { return true }, upFails: fails, seed: seed,
	}
}

// outages is a host that is down at the same time in each stretch.
func outages(every, down time.Duration, seed uint64) *world {
	w := steady(0.002, seed)
	w.length, w.rate = 2*time.Hour, 2
	w.up = func(at time.Duration) bool { return at%every >= down || at < every }
	return w
}

func with(p breaker.Policy, change func(*breaker.Policy)) breaker.Policy {
	change(&p)
	return p
}

func show(c replay.Comparison) string {
	s := fmt.Sprintf("%+v, %d calls, %d blocked, %d episodes, rate %.2f, up fails %.4f", c.Verdict, c.Records, c.Blocked, c.Episodes, c.Rate, c.UpFails)
	for i, d := range c.By {
		s += fmt.Sprintf("\n%v: %+.2f s [%.2f, %.2f]\n  old %+.1f\n  new %+.1f", replay.Imputation(i), d.Cost, d.Interval.Low, d.Interval.High, d.Old, d.New)
	}
	return s
}
