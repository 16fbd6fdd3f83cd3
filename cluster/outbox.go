package cluster

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/eventstream"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/proto"

	"fleetfuse/wire"
)

// Outboxes carry frames to the other members, each in its own goroutine.
type outboxes struct {
	system *actor.ActorSystem
	counts *counts
	sub    *eventstream.Subscription
	done   sync.WaitGroup

	mu     sync.RWMutex
	byID   map[string]*outbox // of the other members
	closed bool
}

func newOutboxes(system *actor.ActorSystem, c *counts) *outboxes {
	o := &outboxes{system: system, counts: c, byID: map[string]*outbox{}}
	o.sub = system.EventStream.Subscribe(func(e any) {
		if end, ok := e.(*remote.EndpointTerminatedEvent); ok {
			o.disconnected(end.Address)
		}
	})
	return o
}

// follow opens outboxes for new members and closes those of members that went
// or moved.
func (o *outboxes) follow(members []Member) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	here := map[string]bool{}
	for _, m := range members {
		if m.Self {
			continue
		}
		here[m.ID] = true
		if b := o.byID[m.ID]; b != nil && b.pid.Address == m.ActorAddress {
			continue
		} else if b != nil {
			b.close()
		}
		b := newOutbox(o, m)
		o.byID[m.ID] = b
		o.done.Go(b.run)
	}
	for id, b := range o.byID {
		if !here[id] {
			b.close()
			delete(o.byID, id)
		}
	}
}

// send puts a frame into a member's outbox, or counts it as dropped. The frame
// is not changed and must not be changed afterwards.
func (o *outboxes) send(to string, f *wire.Frame) {
	size := proto.Size(f)
	o.mu.RLock()
	defer o.mu.RUnlock()
	if b := o.byID[to]; b == nil || !b.put(f, size) {
		o.counts.droppedSends.Add(1)
	}
}

func (o *outboxes) disconnected(address string) {
	o.mu.RLock()
	defer o.mu.RUnlock()
	for _, b := range o.byID {
		if b.pid.Address == address {
			b.lost()
		}
	}
}

// stop closes all outboxes and their connections.
func (o *outboxes) stop() {
	o.follow(nil)
	o.mu.Lock()
	o.closed = true
	o.mu.Unlock()
	o.done.Wait()
	o.system.EventStream.Unsubscribe(o.sub)
}
