package gate

import "fleetfuse/breaker"

// Witness says what this gate saw of a key (DESIGN 4): when the latest call
// that succeeded began of those that began inside the question's span, to the
// tick, and for the rate rule how many succeeded that no report has brought to
// an owner. A call that began in the tick of one of the ends does not count.
func (g *Gate) Witness(key breaker.Key, q breaker.WitnessQuestion) breaker.WitnessAnswer {
	a := breaker.WitnessAnswer{Round: q.Round, Node: g.opt.Node}
	e := g.tableOf(key).find(key.Name())
	if e == nil {
		return a
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	a.Success = e.begun.latest(q.From, q.To)
	if q.Window != 0 {
		e.rotate(g.opt.Clock.Now())
		a.Successes = e.unreported()
	}
	return a
}

// unreported is how many successes no report has brought. The entry is locked.
func (e *entry) unreported() int {
	f := e.failing
	if f == nil {
		return int(e.total() - e.recent.before)
	}
	n := f.run.Count
	if total := e.total(); total > f.reported {
		n += int(total - f.reported)
	}
	for _, o := range f.outbox {
		if o.Kind == breaker.Success && o.Permit == 0 {
			n += o.Count
		}
	}
	return n
}
