package planner

import "time"

// keepMinutes is for how long the cost of a host's minutes is remembered.
const keepMinutes = 60

// costs is what a host cost its callers, minute by minute.
type costs [keepMinutes]minute

// minute is what was seen in one minute.
type minute struct {
	number       int64 // since 1970
	wanted, lost uint32
	probesFailed uint32
}

// add counts a bucket.
func (c *costs) add(s *Seen) {
	m := &c[(s.At/bucketsPerMinute)%keepMinutes]
	if n := s.At / bucketsPerMinute; m.number != n {
		*m = minute{number: n}
	}
	m.wanted = sum(m.wanted, s.Judged+s.Rejected)
	m.lost = sum(m.lost, s.Failures+s.Rejected)
	m.probesFailed = sum(m.probesFailed, s.ProbesFailed)
}

func sum(a uint32, b uint64) uint32 { return uint32(min(uint64(a)+b, 1<<32-1)) }

// of is the cost of a minute in seconds of lost service: the part of the calls that
// failed or were rejected, and a price for each probe that failed. ok is false if
// nobody called.
func (c *costs) of(number int64, probePrice float64) (cost float64, ok bool) {
	if number < 0 {
		return 0, false
	}
	m := &c[number%keepMinutes]
	if m.number != number || m.wanted == 0 {
		return 0, false
	}
	return time.Minute.Seconds()*float64(m.lost)/float64(m.wanted) + probePrice*float64(m.probesFailed), true
}
