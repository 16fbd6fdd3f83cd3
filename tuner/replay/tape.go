package replay

import (
	"cmp"
	"math"
	"slices"
	"time"

	"fleetfuse/breaker"
)

// Bounds of what is replayed.
const (
	// MaxRecords is how many outcomes are replayed: the latest.
	MaxRecords = 50_000
	// MaxBlocked is how many blocked calls are replayed one by one. Where there
	// were more, neighbours are one.
	MaxBlocked = 10_000
	// MaxSpan is how far before its end a tape begins.
	MaxSpan = 31 * 24 * time.Hour
	// maxCount bounds the calls of one record or gap.
	maxCount = 1_000_000
	// maxNodes bounds Members.
	maxNodes = 1024
)

// A Tape is what was seen of one key in a window, by all nodes that told. All
// instants are of one clock.
type Tape struct {
	// Outcomes are the calls that were made, each with its Node, in order of
	// arrival. A Permit that is not zero marks a probe; which one does not
	// matter. A Retry-After in seconds cools the replayed breaker as it did the
	// real one; a date does not, because it was relative to a clock that is not
	// on the tape.
	Outcomes []breaker.Outcome
	// Blocked are the calls that the breaker rejected, the operator's opens left
	// out: best a gap for each time it was open, from the trip until it ran out
	// (what was rejected while probes were out may be added to it), or for each
	// bucket of counts therein. Gaps may touch but should not overlap.
	Blocked []Gap
	// Members is the number of nodes that told, 0 for as many as Outcomes name.
	// A trip needs witnesses among them.
	Members int
	// CallsPerSecond is how many calls the window's callers wanted to make, 0 for
	// what is on the tape by its length. A log has calls of the times with
	// failures only, so a count of all calls knows it better.
	CallsPerSecond float64
}

// A Gap is a number of calls that were rejected between two instants. They are
// taken to have been spread evenly over it.
type Gap struct {
	From, To breaker.Instant
	Calls    int
}

// call is a record of the tape or some blocked calls.
type call struct {
	breaker.Outcome
	blocked bool
	// Of a blocked call:
	stretch int             // all between the same two records have the same
	up      float64         // the probability that the host was up
	defers  breaker.Instant // it takes no permit if a recorded probe begins until then
}

// script is a tape made ready.
type script struct {
	calls   []call // in order of their end
	events  []event
	probes  []breaker.Instant // when recorded probes began, in order
	members int
	rate    float64 // calls per second, positive
	// How often a call fails while the host is up and while it is down.
	upFails, downFails float64
	records            int // calls that were made, with their counts
	blocked            int // calls that were rejected
}

// event is the beginning or the end of a call.
type event struct {
	at   breaker.Instant
	call int
	end  bool
}

// newScript bounds a tape and puts its calls in order.
func newScript(t *Tape) *script {
	s := &script{}
	outcomes, blocked := within(t)
	s.calls = make([]call, 0, len(outcomes)+len(blocked))
	nodes := nodesOf(outcomes)
	for _, o := range outcomes {
		s.records += o.Count
		s.calls = append(s.calls, call{Outcome: o})
	}
	for i, c := range spread(blocked, typicalLatency(outcomes)) {
		s.blocked += c.Count
		c.Node = nodes[i%len(nodes)]
		s.calls = append(s.calls, c)
	}
	slices.SortStableFunc(s.calls, func(a, b call) int { return cmp.Compare(a.Ended, b.Ended) })
	s.shift()
	s.members = min(max(t.Members, 0), maxNodes)
	if s.members == 0 {
		s.members = len(nodes)
	}
	s.rate = s.callRate(t.CallsPerSecond)
	s.order()
	s.smooth()
	return s
}

// within are the latest outcomes and gaps of a tape, made plausible.
func within(t *Tape) (outcomes []breaker.Outcome, blocked []Gap) {
	dropped := max(0, len(t.Outcomes)-MaxRecords)
	outcomes = slices.Clone(t.Outcomes[dropped:])
	blocked = slices.DeleteFunc(slices.Clone(t.Blocked), func(g Gap) bool { return g.Calls <= 0 || g.To < g.From })
	outcomes = slices.DeleteFunc(outcomes, func(o breaker.Outcome) bool { return !plausible(o.Ended) })
	blocked = slices.DeleteFunc(blocked, func(g Gap) bool { return !plausible(g.From) || !plausible(g.To) })
	first := lastOf(outcomes, blocked) - breaker.Instant(MaxSpan)
	for i := range outcomes {
		o := &outcomes[i]
		o.Count = min(max(o.Count, 1), maxCount)
		o.Began = max(min(o.Began, o.Ended), first)
	}
	outcomes = slices.DeleteFunc(outcomes, func(o breaker.Outcome) bool { return o.Ended < first })
	if dropped > 0 && len(outcomes) > 0 { // why calls were blocked before that is not known any more
		first = outcomes[0].Ended
	}
	blocked = slices.DeleteFunc(blocked, func(g Gap) bool { return g.From < first })
	slices.SortStableFunc(blocked, func(a, b Gap) int { return cmp.Compare(a.From, b.From) })
	return outcomes, blocked[max(0, len(blocked)-MaxBlocked):]
}

// plausible instants are within 73 years of the clock's origin, so that no sum
// of one and a policy's durations overflows.
func plausible(at breaker.Instant) bool { return at > -1<<61 && at < 1<<61 }

func lastOf(outcomes []breaker.Outcome, blocked []Gap) (last breaker.Instant) {
	for i, o := range outcomes {
		if i == 0 || o.Ended > last {
			last = o.Ended
		}
	}
	for i, g := range blocked {
		if i == 0 && len(outcomes) == 0 || g.To > last {
			last = g.To
		}
	}
	return last
}

func nodesOf(outcomes []breaker.Outcome) []string {
	seen := map[string]bool{}
	for i := range outcomes {
		if seen[outcomes[i].Node] = true; len(seen) == maxNodes {
			break
		}
	}
	nodes := make([]string, 0, len(seen)+1)
	for n := range seen {
		nodes = append(nodes, n)
	}
	if slices.Sort(nodes); len(nodes) == 0 {
		nodes = append(nodes, "")
	}
	return nodes
}

// typicalLatency is the median of the calls that were made, which a blocked
// call is taken to have lasted.
func typicalLatency(outcomes []breaker.Outcome) time.Duration {
	var list []time.Duration
	for i := range outcomes {
		if o := &outcomes[i]; o.Kind != breaker.Neutral {
			list = append(list, o.Ended.Sub(o.Began))
		}
	}
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[len(list)/2]
}

// deferFor is how long before a recorded probe a blocked call takes no permit:
// the real breaker refused it one. When it ran out is not known better than
// this: a gate repeats a refusal for a second, and a witness round takes its
// time. Where a gap's calls are far apart, neither is when they were made.
const deferFor = time.Second + 250*time.Millisecond

// spread makes calls of gaps: as many at once as keep their number within
// MaxBlocked, and each gap at least one.
func spread(blocked []Gap, latency time.Duration) (list []call) {
	total := 0
	for _, g := range blocked {
		total += min(g.Calls, maxCount)
	}
	atOnce := (total + MaxBlocked - 1) / MaxBlocked
	for _, g := range blocked {
		left := min(g.Calls, maxCount)
		n := (left + atOnce - 1) / atOnce
		for i := range n {
			// The middle of its share of the gap.
			at := g.From + breaker.Instant(float64(g.To-g.From)*(float64(i)+0.5)/float64(n))
			count := left / (n - i)
			left -= count
			list = append(list, call{
				Outcome: breaker.Outcome{Count: count, Began: at, Ended: at.Add(latency)},
				blocked: true, defers: at.Add(deferFor).Add(2 * g.To.Sub(g.From) / time.Duration(n)),
			})
		}
	}
	return list
}

// shift moves a tape from before an origin of the clock, where another node's
// outcomes may be, to behind it: an Instant of zero means never.
func (s *script) shift() {
	first := breaker.Instant(time.Hour)
	for i := range s.calls {
		first = min(first, s.calls[i].Began)
	}
	if first > 0 {
		return
	}
	hours := 1 - first/breaker.Instant(time.Hour)
	for i := range s.calls {
		s.calls[i].Began += hours * breaker.Instant(time.Hour)
		s.calls[i].Ended += hours * breaker.Instant(time.Hour)
	}
}

// The call rate by which calls become seconds is within these.
const (
	leastRate = 1e-6
	mostRate  = 1e9
)

func (s *script) callRate(told float64) float64 {
	if told >= leastRate && told <= mostRate {
		return told
	}
	if len(s.calls) == 0 {
		return 1
	}
	first := s.calls[0].Began
	for i := range s.calls {
		first = min(first, s.calls[i].Began)
	}
	seconds := max(s.calls[len(s.calls)-1].Ended.Sub(first).Seconds(), 1)
	return float64(s.records+s.blocked) / seconds
}

// order lists the beginnings and ends. Of those at one instant the ends come
// first, as a call that began when a state came about belongs to that state;
// a call that took no time ends right after it began.
func (s *script) order() {
	s.events = make([]event, 0, 2*len(s.calls))
	for i := range s.calls {
		c := &s.calls[i]
		s.events = append(s.events, event{c.Began, i, false}, event{c.Ended, i, true})
	}
	for i := range s.calls {
		if c := &s.calls[i]; !c.blocked && c.Permit != 0 {
			s.probes = append(s.probes, c.Began)
		}
	}
	slices.Sort(s.probes)
	phase := func(e event) int {
		if c := &s.calls[e.call]; e.end && c.Began < c.Ended {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(s.events, func(a, b event) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(phase(a), phase(b)), cmp.Compare(a.call, b.call))
	})
}

// probeAfter is when the first recorded probe began that began at an instant or
// later, the end of time if there is none.
func (s *script) probeAfter(at breaker.Instant) breaker.Instant {
	i, _ := slices.BinarySearch(s.probes, at)
	if i == len(s.probes) {
		return math.MaxInt64
	}
	return s.probes[i]
}
