package cluster

import (
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	proto "github.com/asynkron/protoactor-go/cluster"

	"fleetfuse/cluster/placement"
)

// lookup is the IdentityLookup: it finds the owner by rendezvous hashing and
// spawns the actor there on demand. Nothing waits for an activation.
type lookup struct {
	nodeID string
	shell  *proto.Cluster

	mu      sync.RWMutex
	members []string
	actors  map[name]*actor.PID
	live    int // actors that have not ended, with those that gave up their name
	stopped bool
	empty   chan struct{} // closed when stopped and none is live
}

// name is a ClusterIdentity that costs nothing to look up.
type name struct{ kind, identity string }

func newLookup(nodeID string) *lookup {
	return &lookup{nodeID: nodeID, members: []string{nodeID}, actors: map[name]*actor.PID{}, empty: make(chan struct{})}
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

// Get returns the actor of an identity, spawned if this node owns it.
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
	if placement.Owner(l.members, n.identity) != l.nodeID {
		return nil // the fleet issue asks the owner here
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
