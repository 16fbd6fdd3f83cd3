package bubbles

import "fmt"

// Covered counts what a history shows that a check had to judge: with nothing
// of it a clean history says nothing.
type Covered struct {
	Deadlines int // rejections by nodes that could not but know of the deadline
	Closes    int // decisions after a close that the node could not but know of
	Probes    int // permits handed out in quiet times
	Policies  int // reads by nodes that could not but know of the policy
}

func (c Covered) String() string {
	return fmt.Sprintf("judged %d rejections, %d decisions after a close, %d permits, %d policies", c.Deadlines, c.Closes, c.Probes, c.Policies)
}

// Cover counts what Check judges in a history.
func Cover(h *History, a Allowances) (n Covered) {
	c := &checker{h: h, a: a}
	sayings := c.sayings()
	for _, r := range h.Rejections {
		for _, s := range sayings {
			if s.host == r.Host && r.Asked.From >= s.From && r.Asked.To < s.From+s.length-a.Drift && c.mustKnow(s, r.Node, r.Asked) && !c.lifted(s, r.Asked) {
				n.Deadlines++
				break
			}
		}
		n.Closes += c.closed(r.Host, r.Node, r.Asked)
	}
	for _, call := range h.Calls {
		n.Closes += c.closed(call.Host, call.Node, call.Asked)
		if p := c.probe(call); call.Permit != "" && c.quiet(call.Host, p, p) {
			n.Probes++
		}
	}
	for _, r := range h.Reads {
		for _, l := range h.Laid {
			if l.Host == r.Host && c.mustKnow(saying{l.Span, l.Node, l.Host, "a policy", 0, true, l.OK}, r.Node, r.Asked) {
				n.Policies++
				break
			}
		}
	}
	return n
}

func (c *checker) closed(host string, node int, asked Span) int {
	for _, k := range c.closes(host) {
		if c.mustKnow(k, node, asked) {
			return 1
		}
	}
	return 0
}
