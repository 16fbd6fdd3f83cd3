package cluster

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"
	proto "github.com/asynkron/protoactor-go/cluster"

	"fleetfuse/wire"
)

// Members are the live members, this node among them, sorted by id.
func (c *Cluster) Members() []Member { return slices.Clone(c.picture.Load().members) }

// Owner is the id of the node that owns a key: rendezvous hashing over the live
// members that neither drain nor are apart. It is "" if there is none.
func (c *Cluster) Owner(key string) string { return c.picture.Load().ring.Owner(key) }

// Epoch is the present epoch of this node.
func (c *Cluster) Epoch() uint64 { return c.membership.epoch.Load() }

// Send sends a frame to another member, with the sender filled in. It never
// blocks: a frame for nobody, one that is too large, and one for a member that
// does not keep up are dropped and counted. Frames to one member arrive in
// order, at most once. The frame is not changed, and its body must not be
// changed afterwards; it may be sent to several members.
func (c *Cluster) Send(to string, f *wire.Frame) {
	c.outboxes.send(to, &wire.Frame{From: c.nodeID, Epoch: c.membership.epoch.Load(), Stamp: f.GetStamp(), Body: f.GetBody()})
}

// Deliver sends a message to the actor of a key, activating it if this node
// owns the key and the actor is not here. It is false while stopping, or if
// another node, or none, owns the key.
func (c *Cluster) Deliver(kind, identity string, msg any, sender *actor.PID) bool {
	return c.lookup.deliver(name{kind, identity}, msg, sender)
}

// Tell sends a message to the actor of a key if it is active here.
func (c *Cluster) Tell(kind, identity string, msg any) bool {
	return c.lookup.tell(name{kind, identity}, msg)
}

// Passivated may be called by an actor before it stops itself: after it returns
// nothing more is delivered to it.
func (c *Cluster) Passivated(kind, identity string, pid *actor.PID) {
	c.lookup.RemovePid(proto.NewClusterIdentity(identity, kind), pid)
}

// Active is the number of activated actors.
func (c *Cluster) Active() int { return c.lookup.active() }

// SetAPIAddress tells the members where this node's HTTP API is. It does not
// wait for them. An address that does not fit into 512 bytes with the rest is
// left out.
func (c *Cluster) SetAPIAddress(addr string) {
	c.membership.tell(func(m *wire.Meta) { m.ApiAddress = addr })
}

// SetApart takes this node out of the ring, or back: a node whose clock is days
// off owns nothing. It does not wait for the members.
func (c *Cluster) SetApart(apart bool) {
	c.membership.tell(func(m *wire.Meta) { m.Apart = apart })
}

// SetConfigHash tells the members of another configuration. It does not wait
// for them.
func (c *Cluster) SetConfigHash(hash uint64) {
	c.membership.tell(func(m *wire.Meta) { m.ConfigHash = hash })
}

// Counts is what was counted since the start.
func (c *Cluster) Counts() Counts { return c.counts.read() }
