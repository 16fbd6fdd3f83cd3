package cluster

import (
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/protobuf/proto"

	"fleetfuse/wire"
)

// Limits of one member's outbox.
const (
	outboxFrames = 4096
	outboxBytes  = 32 << 20
	windowFrames = 2 * batchFrames
	windowBytes  = maxMessageBytes / 2 // so that a batch is not too large to be received
	maxFrame     = maxMessageBytes - 64<<10
	stallLimit   = 15 * time.Second // after all other limits: then the connection is given up
)

// An outbox holds the frames for one member. protoactor's queue behind it is
// unbounded and tells nothing, so only a window of frames is put there at a
// time: the next when it serialised the ones before, or lost its connection.
type outbox struct {
	all  *outboxes
	pid  *actor.PID // the member's inbox
	out  chan parcel
	quit chan struct{}
	room chan struct{} // cap 1: the window may have room

	mu     sync.Mutex
	queued int    // bytes in out
	round  uint64 // of the window: grows when the connection is lost
	frames int    // in the window
	bytes  int
}

// A parcel is a frame on its way through protoactor.
type parcel struct {
	frame *wire.Frame
	size  int
	box   *outbox
	round uint64
}

func newOutbox(all *outboxes, m Member) *outbox {
	return &outbox{
		all: all, pid: actor.NewPID(m.ActorAddress, inboxName),
		out: make(chan parcel, outboxFrames), quit: make(chan struct{}), room: make(chan struct{}, 1),
	}
}

// put is false if the frame is too large or the outbox is full.
func (b *outbox) put(f *wire.Frame, size int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if size > maxFrame || b.queued+size > outboxBytes {
		return false
	}
	select {
	case b.out <- parcel{frame: f, size: size, box: b}:
		b.queued += size
		return true
	default:
		return false
	}
}

func (b *outbox) close() { close(b.quit) }

// run feeds the window until the outbox is closed, then closes the connection.
func (b *outbox) run() {
	defer b.disconnect()
	for {
		select {
		case <-b.quit:
			return
		case p := <-b.out:
			if !b.enter(&p) {
				return
			}
			b.all.system.Root.Send(b.pid, &p)
		}
	}
}

// enter waits for room in the window; false when the outbox is closed.
func (b *outbox) enter(p *parcel) bool {
	stalled := time.NewTimer(stallLimit)
	defer stalled.Stop()
	for !b.tryEnter(p) {
		select {
		case <-b.quit:
			return false
		case <-b.room:
		case <-stalled.C: // it ended without a word, as it does when the other side ends the stream
			b.disconnect()
			b.lost()
			stalled.Reset(stallLimit)
		}
	}
	return true
}

func (b *outbox) tryEnter(p *parcel) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.frames > 0 && (b.frames >= windowFrames || b.bytes+p.size > windowBytes) {
		return false
	}
	b.frames++
	b.bytes += p.size
	b.queued -= p.size
	p.round = b.round
	return true
}

// disconnect tells protoactor to close the connection to the member.
func (b *outbox) disconnect() {
	b.all.system.EventStream.Publish(&remote.EndpointTerminatedEvent{Address: b.pid.Address})
}

// lost empties the window: what is in it will not arrive.
func (b *outbox) lost() {
	b.mu.Lock()
	b.all.counts.droppedSends.Add(uint64(b.frames))
	b.round++
	b.frames, b.bytes = 0, 0
	b.mu.Unlock()
	b.wake()
}

func (b *outbox) wake() {
	select {
	case b.room <- struct{}{}:
	default:
	}
}

// Serialize is part of remote.RootSerializable: protoactor calls it when the
// frame leaves its queue.
func (p *parcel) Serialize() (remote.RootSerialized, error) {
	b := p.box
	b.mu.Lock()
	if p.round == b.round {
		b.frames--
		b.bytes -= p.size
	}
	b.mu.Unlock()
	b.wake()
	return sealed{p.frame}, nil
}

// sealed is a frame as protoactor sends it.
type sealed struct{ *wire.Frame }

// Deserialize is part of remote.RootSerialized; frames arrive as they are.
func (s sealed) Deserialize() (remote.RootSerializable, error) { return nil, nil }

var _ proto.Message = sealed{}
