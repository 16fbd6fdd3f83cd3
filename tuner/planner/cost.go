package planner

import (
	"math"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner/canary"
)

// bucketWidth is the length of a bucket of counts.
const bucketWidth = 10 * time.Second

// keepIntervals is how many intervals of a host are remembered: with those of a
// minute the hour that a tuner which has just moved can still ask members for.
const keepIntervals = 60

// costs is what a host cost its callers, interval by interval.
type costs [keepIntervals]interval

// interval is what was seen in one.
type interval struct {
	number       int64 // since 1970
	wanted, lost uint32
	probesFailed uint32
	opens        uint32
}

// intervalOf is the number of the interval that a bucket lies in.
func (p *Planner) intervalOf(bucket int64) int64 {
	return bucket / int64(p.length/bucketWidth)
}

// readable is a length of intervals as it can be counted in.
func readable(length time.Duration) time.Duration {
	return min(max(length, LeastInterval), MostInterval).Truncate(LeastInterval)
}

// measure has what hosts cost counted by intervals of the length that the changes on
// trial were begun with, or else of that of the settings. What was counted by
// another length is forgotten: the two cannot be compared.
func (p *Planner) measure() {
	length := readable(p.settings.Trial.Interval)
	if oldest := p.Trials(); len(oldest) > 0 {
		length = oldest[0].length
	}
	if length == p.length {
		return
	}
	p.length = length
	p.forgetCosts()
}

func (p *Planner) forgetCosts() {
	for _, h := range p.hosts {
		h.costs = costs{}
	}
}

// add counts a bucket.
func (c *costs) add(number int64, s *Seen) {
	i := &c[uint64(number)%keepIntervals]
	if i.number != number {
		*i = interval{number: number}
	}
	i.wanted = sum(sum(i.wanted, s.Judged), s.Rejected)
	i.lost = min(sum(sum(i.lost, s.Failures), s.Rejected), i.wanted)
	i.probesFailed = sum(i.probesFailed, s.ProbesFailed)
	i.opens = sum(i.opens, s.Opens)
}

// sum does not overflow: a member may tell any number.
func sum(a uint32, b uint64) uint32 {
	return uint32(min(uint64(a)+min(b, math.MaxUint32), math.MaxUint32))
}

// cost of an interval in seconds of lost service: the part of the calls that failed
// or were rejected, and the price of each probe that failed. ok is false if nobody
// called.
func (p *Planner) cost(key breaker.Key, number int64) (cost float64, opens int, ok bool) {
	h := p.hosts[key]
	if h == nil {
		return 0, 0, false
	}
	i := &h.costs[uint64(number)%keepIntervals]
	if i.number != number || i.wanted == 0 {
		return 0, 0, false
	}
	return p.length.Seconds()*float64(i.lost)/float64(i.wanted) + p.settings.Tuner.ProbePrice*float64(i.probesFailed), int(i.opens), true
}

// meanCost is that of several hosts, of those that were called.
func (p *Planner) meanCost(keys []breaker.Key, number int64) (mean float64, opens int, ok bool) {
	n := 0.0
	for _, k := range keys {
		if c, o, ok := p.cost(k, number); ok {
			mean, opens, n = mean+c, opens+o, n+1
		}
	}
	if n == 0 {
		return 0, 0, false
	}
	return mean / n, opens, true
}

// trialInterval is one interval of changed hosts and of those they are held
// against, if there are any.
func (p *Planner) trialInterval(tried, held []breaker.Key, number int64) canary.Interval {
	i := canary.Interval{Length: p.length}
	var ok, other bool
	i.Treated, i.Opens, ok = p.meanCost(tried, number)
	if i.Idle = !ok; len(held) > 0 {
		i.Control, _, other = p.meanCost(held, number)
		i.Idle = !ok || !other
	}
	return i
}

// past is what was seen of hosts in the intervals before one, the oldest first.
func (p *Planner) past(tried, held []breaker.Key, before int64) []canary.Interval {
	list := make([]canary.Interval, 0, keepIntervals)
	for n := before - keepIntervals; n < before; n++ {
		list = append(list, p.trialInterval(tried, held, n))
	}
	return list
}

// seenIntervals is in how many of the last intervals a host was called.
func (p *Planner) seenIntervals(key breaker.Key) (n int) {
	last := p.intervalOf(p.seen)
	for i := last - keepIntervals; i < last; i++ {
		if _, _, ok := p.cost(key, i); ok {
			n++
		}
	}
	return n
}
