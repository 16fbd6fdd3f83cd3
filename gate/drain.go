package gate

import (
	"fleetfuse/breaker"
	"fleetfuse/telemetry/rollup"
)

// DrainUsage hands over what was seen of each key and role since it was last
// called, nothing twice and nothing left out; c is good until take returns.
// Rejections stand with the nameless role. It does not stop anybody: calls that
// end meanwhile are in this drain or in the next. For calls whose key is evicted
// before they end see departed. One goroutine calls it, about every rollup.Width.
// Without Options.Usage there is nothing.
func (g *Gate) DrainUsage(take func(s rollup.Series, c *rollup.Counts)) {
	if !g.opt.Usage {
		return
	}
	d := drain{g: g, take: take}
	for _, t := range []*table{g.hosts, g.resolvers} {
		for e := range t.each {
			d.entry(e)
		}
	}
	gone, others := g.departed.list(g.opt.Clock.Tick())
	for _, e := range gone {
		d.entry(e.entry)
	}
	for s, c := range others {
		take(s, c)
	}
}

// drain hands over one entry after the other.
type drain struct {
	g    *Gate
	take func(rollup.Series, *rollup.Counts)
	rows []seated
}

// seated is what was seen of one role of an entry.
type seated struct {
	seat seat
	rollup.Counts
}

func (d *drain) entry(e *entry) {
	d.rows = d.rows[:0]
	e.mu.Lock()
	if e.detail == nil && e.sides.Load() == nil { // as most are
		if n := e.successes.take(); n > 0 {
			d.rows = append(d.rows, seated{seat: e.first.Load()})
			d.rows[0].Successes = n
		}
	} else {
		d.all(e)
	}
	e.mu.Unlock()
	for i := range d.rows {
		if r := &d.rows[i]; !r.Empty() {
			d.take(rollup.Series{Key: e.key, Role: d.g.roles.named(r.seat)}, &r.Counts)
		}
	}
}

// all drains an entry with all its roles. The entry is locked.
func (d *drain) all(e *entry) {
	d.role(e, e.first.Load(), &e.successes, &e.detail)
	for s := e.sides.Load(); s != nil; s = s.next {
		d.role(e, s.seat, &s.successes, &s.detail)
	}
}

func (d *drain) role(e *entry, at seat, c *counter, where **detail) {
	r := d.row(at)
	r.Successes += c.take()
	detail := *where
	if detail == nil {
		return
	}
	var seen rollup.Counts
	for i, n := range detail.latency {
		seen.Latency[i] = uint64(n)
	}
	detail.latency = [rollup.LatencyBuckets]uint32{}
	if rare := detail.rare; rare != nil {
		seen.Add(&rare.counts)
		rare.counts = rollup.Counts{}
	}
	idle := seen.Empty()
	r.Add(&seen)
	if rare := detail.rare; rare != nil && where == &e.detail {
		rejected := rollup.Counts{Rejected: e.takeRejected(rare)}
		idle = idle && rejected.Empty() && len(rare.retired) == 0
		d.row(plainSeat).Add(&rejected)
	}
	// What failed is remembered with its run; of the rest the room goes after a
	// whole interval without use, so that an idle host stays small.
	if idle && detail.idle && e.failing == nil {
		*where = nil
	}
	detail.idle = idle
}

// row is that of a role, made if needed.
func (d *drain) row(at seat) *seated {
	for i := range d.rows {
		if d.rows[i].seat == at {
			return &d.rows[i]
		}
	}
	d.rows = append(d.rows, seated{seat: at})
	return &d.rows[len(d.rows)-1]
}

// named is the role of a seat.
func (r *roles) named(at seat) string {
	if at < firstSeat {
		return ""
	}
	return (*r.known.Load())[at-firstSeat].role
}

// tellApart gives the roles that policies are written for their seats before
// callers can take all there are.
func (r *roles) tellApart() {
	for _, role := range []string{breaker.RoleMetadata, breaker.RoleLanding, breaker.RoleArtifact} {
		r.add(role)
	}
}
