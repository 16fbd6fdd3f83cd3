package bubbles

import (
	"fmt"
	"slices"
	"time"
)

// A Violation is a promise that the history shows was not kept.
type Violation struct{ Check, Text string }

func (v Violation) String() string { return v.Check + ": " + v.Text }

// Allowances say what a check lets pass.
type Allowances struct {
	Hear      time.Duration // until all members that nothing happened to know of something
	HearLossy time.Duration // while messages are lost
	Own       time.Duration // until the node that was told itself does
	Repair    time.Duration // after the last fault, until all know all
	Drift     time.Duration // of clocks, and of what lies between two of them
	Skew      time.Duration // between the wall clocks of two nodes: it may order what neither heard of
	Disk      time.Duration // of a deadline that a disk kept (ADR 9)
	Budget    int           // trial_calls
	Permit    time.Duration // permit_timeout
}

// Usual are the promises of DESIGN.md.
var Usual = Allowances{
	Hear: time.Second, HearLossy: 10 * time.Second, Own: 50 * time.Millisecond, Repair: 15 * time.Second,
	Drift: 200 * time.Millisecond, Skew: time.Second, Disk: 2200 * time.Millisecond, Budget: 1, Permit: 30 * time.Second,
}

// maxViolations bounds those of one check: the first tell most.
const maxViolations = 10

// Check holds a history to the promises. The history must not grow any more.
func Check(h *History, a Allowances) []Violation {
	c := &checker{h: h, a: a}
	c.deadlines()
	c.reasons()
	c.probes()
	c.policies()
	c.agreements()
	return c.found
}

type checker struct {
	h     *History
	a     Allowances
	found []Violation
	count map[string]int
}

func (c *checker) fail(check, format string, args ...any) {
	if c.count == nil {
		c.count = map[string]int{}
	}
	if c.count[check]++; c.count[check] <= maxViolations {
		c.found = append(c.found, Violation{check, fmt.Sprintf(format, args...)})
	}
}

// A saying is something that the fleet must know of: a Retry-After or a word.
type saying struct {
	Span
	node   int
	host   string
	what   string
	length time.Duration
	kept   bool // on the disks of two: it outlives any one node
	sure   bool // it was acknowledged
}

// sayings lists what asked for a pause.
func (c *checker) sayings() (all []saying) {
	for _, r := range c.h.Reports {
		if r.RetryAfter > 0 {
			all = append(all, saying{c.settled(r.Span), r.Node, r.Host, "a Retry-After", r.RetryAfter, false, r.OK})
		}
	}
	for _, w := range c.h.Words {
		if !w.Close {
			all = append(all, saying{c.settled(w.Span), w.Node, w.Host, "an operator's open", w.Length, true, w.OK})
		}
	}
	return all
}

// closes lists the closes of a host.
func (c *checker) closes(host string) (all []saying) {
	for _, w := range c.h.Words {
		if w.Close && w.Host == host {
			all = append(all, saying{c.settled(w.Span), w.Node, w.Host, "an operator's close", 0, true, w.OK})
		}
	}
	return all
}

// settled ends the span of what was not answered: it waits in a socket, perhaps,
// until the faults of its time are over.
func (c *checker) settled(s Span) Span {
	const late = 10 * time.Second // of requests
	if s.To != forever {
		return s
	}
	s.To = s.From + late
	for _, f := range c.h.Faults {
		if f.From <= s.To && f.To >= s.From {
			s.To = max(s.To, f.To+late)
		}
	}
	return s
}

// mustKnow reports whether a node cannot but know of a saying when it is asked.
// It is conservative: it says no where faults leave room for doubt.
func (c *checker) mustKnow(s saying, node int, asked Span) bool {
	if !s.sure {
		return false
	}
	lost, last, lossy := false, time.Duration(-1), false
	for _, f := range c.h.Faults {
		if !f.matters(s, node) || f.From > asked.To || f.To+c.a.Repair < s.From {
			continue
		}
		switch {
		case f.Kind == Lossy:
			lossy = true
			continue
		case node == s.node && f.Kind != Killed && f.Kind != Stopped:
			continue // it was told itself, and goes on living
		case f.restarts(s.node) && !s.kept && f.From <= s.To+c.a.Hear:
			lost = true // a 202 promises nothing
		}
		last = max(last, f.To)
	}
	switch {
	case lost:
		return false
	case last >= 0:
		return asked.From >= max(last, s.To)+c.a.Repair
	case node == s.node && !s.kept:
		return asked.From >= s.To+c.a.Own
	case lossy:
		return asked.From >= s.To+c.a.HearLossy
	}
	return asked.From >= s.To+c.a.Hear
}

// matters reports whether a fault may keep a saying from a node.
func (f Fault) matters(s saying, node int) bool {
	switch f.Kind {
	case DiskFull, RedisDown:
		return false // decisions never wait for a disk
	case Parted, Lossy:
		return true
	}
	return slices.Contains(f.Nodes, node) || slices.Contains(f.Nodes, s.node)
}

func (f Fault) restarts(node int) bool {
	return (f.Kind == Killed || f.Kind == Stopped) && slices.Contains(f.Nodes, node)
}

// deadlines: nobody who must know of it calls before a deadline.
func (c *checker) deadlines() {
	for _, s := range c.sayings() {
		until := s.From + s.length - c.a.Drift
		if c.restarted(s.From, until) {
			until -= c.a.Disk
		}
		for _, call := range c.h.Calls {
			if call.Host != s.host || call.Asked.To >= until || call.Asked.From < s.From ||
				!c.mustKnow(s, call.Node, call.Asked) || c.lifted(s, call.Asked) {
				continue
			}
			c.fail("nothing is called before a deadline", "node %d allowed a call of %s at %v, %v before the end of %s that node %d has since %v",
				call.Node+1, s.host, call.Asked, (s.From + s.length - call.Asked.To).Round(time.Millisecond), s.what, s.node+1, s.Span)
		}
	}
}

// restarted reports whether a node came back from its disk in a time.
func (c *checker) restarted(from, to time.Duration) bool {
	return slices.ContainsFunc(c.h.Faults, func(f Fault) bool {
		return (f.Kind == Killed || f.Kind == Stopped) && f.From <= to && f.To >= from
	})
}

// lifted reports whether a close may have ended what was said.
func (c *checker) lifted(s saying, asked Span) bool {
	return slices.ContainsFunc(c.closes(s.host), func(k saying) bool {
		return k.From <= asked.To && k.To >= s.From-c.a.Hear-c.a.Skew
	})
}

// policies: a policy that was acknowledged is not lost, but to a later one.
func (c *checker) policies() {
	for _, r := range c.h.Reads {
		for _, l := range c.h.Laid {
			known := saying{l.Span, l.Node, l.Host, "a policy", 0, true, l.OK}
			if l.Host == r.Host && l.Version > r.Version && c.mustKnow(known, r.Node, r.Asked) {
				c.fail("no acknowledged policy is lost", "node %d showed version %d of %s at %v; version %d was acknowledged at node %d in %v",
					r.Node+1, r.Version, r.Host, r.Asked, l.Version, l.Node+1, l.Span)
			}
		}
	}
}

func (c *checker) agreements() {
	for _, a := range c.h.Agreements {
		if took := a.To - a.From; !a.OK || took > c.a.Repair {
			c.fail("the nodes agree after healing", "%s: not after %v, want at most %v", a.What, took.Round(time.Millisecond), c.a.Repair)
		}
	}
}
