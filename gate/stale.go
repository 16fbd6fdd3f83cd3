package gate

import "fleetfuse/breaker"

// Stale reports whether the breaker's owner would have had to be asked and did
// not answer, so that this node's ring decided. While the view is closed the
// ring decides by right.
func (d *Decision) Stale() bool {
	for _, e := range [2]*entry{d.host, d.resolver} {
		if e == nil || !d.byRing(e) {
			continue
		}
		if x := e.exception.Load(); x != nil && x.view.At(d.g.opt.Clock.Now()).State != breaker.Closed {
			return true
		}
	}
	return false
}

// byRing reports whether the ring of a key rejected the call or made it a probe.
func (d *Decision) byRing(e *entry) bool {
	p := d.probe.permitOf(e)
	return p != nil && p.ring || d.denied != nil && d.denied.local && d.denied.key == e.key
}
