package cluster

import (
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"fleetfuse/wire"
)

const (
	inboxName   = "frames" // well known: others send to this name
	inboxFrames = 1024     // waiting to be received; beyond it senders wait
)

// An inbox is the actor that frames of other nodes arrive at. It has a channel
// for a mailbox, so that who floods it is slowed down by gRPC's flow control
// instead of filling memory.
type inbox struct {
	self    string // node id
	frames  chan *wire.Frame
	quit    chan struct{}
	done    sync.WaitGroup
	counts  *counts
	member  func(id string) (Member, bool) // live members
	unknown func(id string)                // was asked of nobody we know
	receive func(*wire.Frame)
}

// register makes the name known; frames wait until start.
func (b *inbox) register(system *actor.ActorSystem) {
	b.frames, b.quit = make(chan *wire.Frame, inboxFrames), make(chan struct{})
	system.ProcessRegistry.Add(b, inboxName)
}

func (b *inbox) start() { b.done.Go(b.run) }

// stop ends the receiving; nothing is received after it returned.
func (b *inbox) stop() {
	close(b.quit)
	b.done.Wait()
}

func (b *inbox) run() {
	for {
		select {
		case <-b.quit:
			return
		case f := <-b.frames:
			b.take(f)
		}
	}
}

// take hands over a frame of a live member in its present epoch.
func (b *inbox) take(f *wire.Frame) {
	m, ok := b.member(f.GetFrom())
	switch {
	case !ok || m.Epoch != f.GetEpoch() || m.ID == b.self:
		b.counts.strangers.Add(1)
		b.unknown(f.GetFrom())
	case f.GetBody() == nil:
		b.counts.unknownBodies.Add(1)
	default:
		b.receive(f)
	}
}

// offer puts a frame in if there is room.
func (b *inbox) offer(f *wire.Frame) {
	select {
	case b.frames <- f:
	default:
	}
}

// SendUserMessage is part of actor.Process: protoactor calls it for a message
// to the name, from the goroutine that reads the sender's stream.
func (b *inbox) SendUserMessage(_ *actor.PID, message any) {
	_, m, _ := actor.UnwrapEnvelope(message)
	f, ok := m.(*wire.Frame)
	if !ok {
		b.counts.malformed.Add(1)
		return
	}
	select {
	case b.frames <- f:
	case <-b.quit:
	}
}

// SendSystemMessage is part of actor.Process; nobody supervises an inbox.
func (b *inbox) SendSystemMessage(*actor.PID, any) {}

// Stop is part of actor.Process; the cluster stops its inbox.
func (b *inbox) Stop(*actor.PID) {}
