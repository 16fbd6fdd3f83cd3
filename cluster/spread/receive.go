package spread

import "fleetfuse/breaker"

// Receive takes a message of a live member; one of anybody else is dropped.
func (n *Node) Receive(now breaker.Instant, from string, m Message) Effects {
	p := n.peers[from]
	if p == nil {
		return Effects{WakeAt: n.wakeAt(now)}
	}
	n.taken(p, m)
	switch m := m.(type) {
	case Refusal:
		n.skewed(p, -m.Ahead)
	case Push:
		n.onPush(p, m, now)
	case Ack:
		n.onAck(p, m, now)
	case Batch:
		n.onBatch(p, m)
	case BatchAck:
		n.onBatchAck(p, m, now)
	case Settle:
		n.onSettle(p, m)
	case WitnessAsk:
		n.onWitnessAsk(p, m)
	case WitnessReply:
		n.onWitnessReply(p, m, now)
	case Digest:
		n.onDigest(p, m, now)
	case Want:
		n.onWant(p, m, now)
	case Synced:
		n.onSynced(m)
	case Request:
		n.onRequest(p, m, now)
	case Reply:
		n.onReply(p, m, now)
	}
	return n.take(now)
}
