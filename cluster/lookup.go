package cluster

import (
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	proto "github.com/asynkron/protoactor-go/cluster"

	"fleetfuse/cluster/placement"
)

// lookup is the IdentityLookup: it finds the owner by rendezvous hashing and
// spawns the actor on demand if that is this node. Nothing waits for an
// activation, nor for an actor that another node owns now.
type lookup struct {
	nodeID string
	shell  *proto.Cluster

	mu      sync.RWMutex
	ring    placement.Ring
	actors  map[name]*actor.PID
	live    int // actors that have not ended, with those that gave up their name
	stopped bool
	empty   chan struct{} // closed when stopped and none is live
}

// name is a ClusterIdentity that costs nothing to look up.
type name struct{ kind, identity string }

func newLookup(nodeID string) *lookup {
	return &lookup{nodeID: nodeID, actors: map[name]*actor.PID{}, empty: make(chan struct{})}
}

// watched lets the lookup know when an actor of a kind has ended.
func (l *lookup) watched(kind *actor.Props) *actor.Props {
	return kind.Clone(actor.WithReceiverMiddleware(func(next actor.ReceiverFunc) actor.ReceiverFunc {
		return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
			if _, stopped := e.Message.(*actor.Stopped); stopped {
				defer l.ended(proto.GetClusterIdentity(c), c.Self())
			}
			next(c, e)
		}
	}))
}

func (l *lookup) ended(ci *proto.ClusterIdentity, pid *actor.PID) {
	l.RemovePid(ci, pid)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.live--; l.live == 0 && l.stopped {
		close(l.empty)
	}
}

// Setup is called once by the shell.
func (l *lookup) Setup(c *proto.Cluster, _ []string, _ bool) { l.shell = c }

// Get is part of proto.IdentityLookup: the actor of an identity, spawned if this
// node owns it. A message sent to it may come too late; deliver's cannot.
func (l *lookup) Get(ci *proto.ClusterIdentity) *actor.PID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.activate(name{ci.Kind, ci.Identity})
}

// deliver sends under the lock: once RemovePid returned, nothing more is sent
// to the actor, so it can stop without losing a message.
func (l *lookup) deliver(n name, msg any, sender *actor.PID) bool {
	l.mu.RLock()
	if pid, ok := l.actors[n]; ok {
		l.send(pid, msg, sender)
		l.mu.RUnlock()
		return true
	}
	l.mu.RUnlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	pid := l.activate(n)
	if pid == nil {
		return false
	}
	l.send(pid, msg, sender)
	return true
}

func (l *lookup) send(pid *actor.PID, msg any, sender *actor.PID) {
	if root := l.shell.ActorSystem.Root; sender == nil {
		root.Send(pid, msg)
	} else {
		root.RequestWithCustomSender(pid, msg, sender)
	}
}

// activate finds or spawns an actor; nil if another node owns it or this one
// is stopping. The lock is held.
func (l *lookup) activate(n name) *actor.PID {
	if l.stopped {
		return nil
	}
	if pid, ok := l.actors[n]; ok {
		return pid
	}
	if l.ring.Owner(n.identity) != l.nodeID {
		return nil
	}
	kind, ok := l.shell.TryGetClusterKind(n.kind)
	if !ok {
		return nil
	}
	ci := proto.NewClusterIdentity(n.identity, n.kind)
	pid := l.shell.ActorSystem.Root.SpawnPrefix(proto.WithClusterIdentity(kind.Props, ci), n.kind)
	l.actors[n] = pid
	l.live++
	return pid
}

// tell sends a message to an actor that is active here; false if it is not.
func (l *lookup) tell(n name, msg any) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	pid, ok := l.actors[n]
	if ok {
		l.send(pid, msg, nil)
	}
	return ok
}

// place replaces the ring and releases what it gives to other nodes.
func (l *lookup) place(ring placement.Ring) {
	l.mu.Lock()
	l.ring = ring
	l.mu.Unlock()
	l.release(func(n name) bool { return ring.Owner(n.identity) != l.nodeID })
}

// releaseAll drops every actor here; the next message activates a new one.
func (l *lookup) releaseAll() { l.release(func(name) bool { return true }) }

// release takes actors out of the table, so that nothing more is delivered to
// them, and lets them finish what is in their mailboxes.
func (l *lookup) release(which func(name) bool) {
	var gone []*actor.PID
	l.mu.Lock()
	for n, pid := range l.actors {
		if which(n) {
			gone = append(gone, pid)
			delete(l.actors, n)
		}
	}
	l.mu.Unlock()
	for _, pid := range gone {
		l.shell.ActorSystem.Root.Poison(pid)
	}
}

// RemovePid forgets an actor that stops.
func (l *lookup) RemovePid(ci *proto.ClusterIdentity, pid *actor.PID) {
	n := name{ci.Kind, ci.Identity}
	l.mu.Lock()
	defer l.mu.Unlock()
	if have := l.actors[n]; have != nil && have.Id == pid.Id {
		delete(l.actors, n)
	}
}

func (l *lookup) active() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.actors)
}

// stopLimit bounds the wait for actors that hang; the process ends anyway.
const stopLimit = 10 * time.Second

// Shutdown lets every actor here finish what is in its mailbox, stops it and
// waits.
func (l *lookup) Shutdown() {
	l.mu.Lock()
	all := l.actors
	l.actors = map[name]*actor.PID{}
	if l.stopped = true; l.live == 0 {
		close(l.empty)
	}
	l.mu.Unlock()
	for _, pid := range all {
		l.shell.ActorSystem.Root.Poison(pid)
	}
	select {
	case <-l.empty:
	case <-time.After(stopLimit):
	}
}
