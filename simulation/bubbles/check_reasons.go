package bubbles

import (
	"slices"
	"time"
)

// reasons: a node that rejects has a reason that was not closed by an operator
// since, and is not over.
func (c *checker) reasons() {
	for _, r := range c.h.Rejections {
		if r.State != "open" {
			continue // it waits for a probe
		}
		var latest saying
		for _, k := range c.closes(r.Host) {
			if k.To > latest.To && c.mustKnow(k, r.Node, r.Asked) {
				latest = k
			}
		}
		if c.justified(r, latest.From-c.a.Skew) {
			continue
		}
		if latest.To > 0 {
			c.fail("a close stays closed", "node %d rejected %s at %v for %q, which was closed at node %d in %v; nothing happened since",
				r.Node+1, r.Host, r.Asked, r.Reason, latest.node+1, latest.Span)
			continue
		}
		c.fail("a rejection has a reason", "node %d rejected %s at %v for %q; nobody asked for that, or it is over", r.Node+1, r.Host, r.Asked, r.Reason)
	}
}

// justified reports whether something that ended after a moment speaks against
// the host.
func (c *checker) justified(r Rejection, since time.Duration) bool {
	switch r.Reason {
	case "cli-open", "retry-after":
		want := map[string]string{"cli-open": "an operator's open", "retry-after": "a Retry-After"}[r.Reason]
		return slices.ContainsFunc(c.sayings(), func(s saying) bool {
			end := s.To + s.length + c.a.Repair // where it was not heard of at once it begins later
			return s.host == r.Host && s.what == want && s.From <= r.Asked.To && s.To >= since && end >= r.Asked.From
		})
	case "store", "":
		return true // another program's word
	}
	return slices.ContainsFunc(c.h.Reports, func(f Report) bool {
		return f.Host == r.Host && f.Failed && f.From <= r.Asked.To && c.settled(f.Span).To >= since
	})
}
