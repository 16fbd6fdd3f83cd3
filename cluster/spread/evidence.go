package spread

import (
	"slices"

	"fleetfuse/breaker"
)

// Report hands over outcomes of one key, in order, for its owner.
func (n *Node) Report(now breaker.Instant, key breaker.Key, outcomes []breaker.Outcome) Effects {
	owner := n.Owner(key)
	p := n.peers[owner]
	switch {
	case owner == n.opt.Self:
		n.step(key, Count{n.opt.Self, n.takeGap(key), outcomes})
	case p == nil:
		n.lose(key, len(outcomes))
	default:
		rest := n.settleAll(p, key, outcomes, now)
		n.wait(p, key, rest)
		n.launch(p, now)
	}
	return n.take(now)
}

// Return gives a permit back unused.
func (n *Node) Return(now breaker.Instant, key breaker.Key, id breaker.PermitID) Effects {
	returned := []breaker.Outcome{{Node: n.opt.Self, Kind: breaker.Neutral, Permit: id, Began: now, Ended: now}}
	return n.Report(now, key, returned)
}

// settleAll sends the ends of permits, which are repeated until acknowledged,
// and returns the other outcomes.
func (n *Node) settleAll(p *peer, key breaker.Key, outcomes []breaker.Outcome, now breaker.Instant) []breaker.Outcome {
	if !slices.ContainsFunc(outcomes, func(o breaker.Outcome) bool { return o.Permit != 0 }) {
		return outcomes
	}
	var rest []breaker.Outcome
	for _, o := range outcomes {
		if o.Permit == 0 {
			rest = append(rest, o)
			continue
		}
		n.settle(p, key, o, now)
	}
	return rest
}

func (n *Node) settle(p *peer, key breaker.Key, o breaker.Outcome, now breaker.Instant) {
	if len(p.settles) >= maxSettles {
		n.dropped++
		return
	}
	x := &settle{repeated: repeated{sent: now}, Settle: Settle{n.id(), key, o}, expires: now.Add(n.opt.Policy(key).PermitTimeout)}
	p.settles = append(p.settles, x)
	n.send(p, x.Settle)
}

// wait puts outcomes into the next batch for a member.
func (n *Node) wait(p *peer, key breaker.Key, outcomes []breaker.Outcome) {
	if len(outcomes) == 0 {
		return
	}
	if p.outcomes+len(outcomes) > maxWaiting {
		n.lose(key, len(outcomes))
		return
	}
	r := p.byKey[key]
	if r == nil {
		r = &Report{Key: key}
		p.byKey[key] = r
		p.waiting = append(p.waiting, r)
	}
	r.Gap = n.takeGap(key) || r.Gap
	r.Outcomes = append(r.Outcomes, outcomes...)
	p.outcomes += len(outcomes)
}

// lose gives up outcomes of a key.
func (n *Node) lose(key breaker.Key, outcomes int) {
	n.dropped += uint64(outcomes)
	if len(n.gaps) < maxWaiting {
		n.gaps[key] = struct{}{}
	}
}

// takeGap reports whether a report of the key was lost since the last one.
func (n *Node) takeGap(key breaker.Key) bool {
	_, lost := n.gaps[key]
	delete(n.gaps, key)
	return lost
}

// launch sends what waits for a member unless a batch is in flight.
func (n *Node) launch(p *peer, now breaker.Instant) {
	if p.flight != nil || len(p.waiting) == 0 {
		return
	}
	m := Batch{Seq: n.id()}
	outcomes, taken := 0, 0
	for _, r := range p.waiting {
		if outcomes > 0 && outcomes+len(r.Outcomes) > batchLimit {
			break
		}
		taken++
		outcomes += len(r.Outcomes)
		m.Reports = append(m.Reports, *r)
		delete(p.byKey, r.Key)
	}
	p.outcomes -= outcomes
	if p.waiting = p.waiting[taken:]; len(p.waiting) == 0 {
		p.waiting = nil
	}
	p.flight = &flight{seq: m.Seq, reports: m.Reports, sent: now, deadline: now.Add(p.patience())}
	n.counts.BatchesSent++
	n.send(p, m)
}

// expireBatch gives up a batch that was not acknowledged in time.
func (n *Node) expireBatch(p *peer, now breaker.Instant) {
	if p.flight != nil && now >= p.flight.deadline {
		n.counts.BatchesLost++
		n.missed(p, p.flight.reports)
		p.flight = nil
		n.launch(p, now)
	}
}

// missed gives up reports that may not have been counted. What waits for the same
// member comes next.
func (n *Node) missed(p *peer, reports []Report) {
	for _, r := range reports {
		if next := p.byKey[r.Key]; next != nil {
			n.dropped += uint64(len(r.Outcomes))
			next.Gap = true
			continue
		}
		n.lose(r.Key, len(r.Outcomes))
	}
}

func (n *Node) onBatchAck(p *peer, m BatchAck, now breaker.Instant) {
	if p.flight == nil || p.flight.seq != m.Seq {
		return
	}
	n.counts.BatchesAcked++
	p.measured(now.Sub(p.flight.sent))
	n.missed(p, slices.DeleteFunc(slices.Clone(p.flight.reports), func(r Report) bool { return !slices.Contains(m.Foreign, r.Key) }))
	p.flight = nil
	n.launch(p, now)
}

// onBatch counts what another node saw on keys of this one. A batch that is
// not later than the last is a repeat.
func (n *Node) onBatch(p *peer, m Batch) {
	ack := BatchAck{Seq: m.Seq}
	if m.Seq > p.lastSeq {
		p.lastSeq = m.Seq
		for _, r := range m.Reports {
			if !n.owns(r.Key) {
				ack.Foreign = append(ack.Foreign, r.Key)
				continue
			}
			n.step(r.Key, Count{p.ID, r.Gap, r.Outcomes})
		}
	}
	n.send(p, ack)
}

// onSettle ends a permit of this node. Permits are good once, so a repeat
// changes nothing.
func (n *Node) onSettle(p *peer, m Settle) {
	if n.owns(m.Key) && m.Outcome.Permit != 0 {
		n.step(m.Key, Count{Node: p.ID, Outcomes: []breaker.Outcome{m.Outcome}})
	}
	n.send(p, Ack{[]uint64{m.ID}})
}
