package cluster

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	proto "github.com/asynkron/protoactor-go/cluster"

	"fleetfuse/cluster/placement"
)

// lookup is the IdentityLookup: it finds the owner by rendezvous hashing and
// spawns the actor there on demand. Nothing waits for an activation.
type lookup struct {
	nodeID string
	shell  *proto.Cluster

	mu      sync.Mutex
	members []string
	actors  map[string]*actor.PID
	stopped bool
}

func newLookup(nodeID string) *lookup {
	return &lookup{nodeID: nodeID, members: []string{nodeID}, actors: map[string]*actor.PID{}}
}

// Setup is called once by the shell.
func (l *lookup) Setup(c *proto.Cluster, _ []string, _ bool) { l.shell = c }

// Get returns the actor of an identity, spawned if this node owns it.
func (l *lookup) Get(ci *proto.ClusterIdentity) *actor.PID {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return nil
	}
	name := ci.AsKey()
	if pid, ok := l.actors[name]; ok {
		return pid
	}
	if placement.Owner(l.members, ci.Identity) != l.nodeID {
		return nil // the fleet issue asks the owner here
	}
	kind, ok := l.shell.TryGetClusterKind(ci.Kind)
	if !ok {
		return nil
	}
	pid := l.shell.ActorSystem.Root.SpawnPrefix(proto.WithClusterIdentity(kind.Props, ci), ci.Kind)
	l.actors[name] = pid
	return pid
}

// RemovePid forgets an actor that stopped.
func (l *lookup) RemovePid(ci *proto.ClusterIdentity, pid *actor.PID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if have := l.actors[ci.AsKey()]; have != nil && have.Id == pid.Id {
		delete(l.actors, ci.AsKey())
	}
}

func (l *lookup) active() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.actors)
}

// Shutdown stops every actor here and waits for them.
func (l *lookup) Shutdown() {
	l.mu.Lock()
	l.stopped = true
	all := l.actors
	l.actors = map[string]*actor.PID{}
	l.mu.Unlock()
	root := l.shell.ActorSystem.Root
	waits := make([]*actor.Future, 0, len(all))
	for _, pid := range all {
		waits = append(waits, root.PoisonFuture(pid))
	}
	for _, w := range waits {
		_ = w.Wait() // a timeout means the actor hangs; the process ends anyway
	}
}
