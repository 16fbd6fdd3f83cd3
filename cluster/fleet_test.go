package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"fleetfuse/wire"
)

// A realNode is a Cluster on the loopback network, with what it told.
type realNode struct {
	*Cluster
	silent
	frames chan *wire.Frame
	change chan struct{} // cap 1

	mu   sync.Mutex
	live []Member
	left []string
}

func (n *realNode) Members(live []Member, left []string) {
	n.mu.Lock()
	n.live, n.left = live, append(n.left, left...)
	n.mu.Unlock()
	select {
	case n.change <- struct{}{}:
	default:
	}
}

func (n *realNode) Receive(f *wire.Frame) { n.frames <- f }

// real starts a node that knows the others and stops it with the test.
func real(t *testing.T, id string, kinds map[string]*actor.Props, edit func(*Options), others ...*realNode) *realNode {
	t.Helper()
	if raceEnabled && len(others) > 0 {
		t.Skip("protoactor races when a node starts beside another one; bubbles run with the race detector")
	}
	n := &realNode{frames: make(chan *wire.Frame, 10_000), change: make(chan struct{}, 1)}
	opt := Options{NodeID: id, Epoch: 1, Name: "same", Logger: slog.New(slog.DiscardHandler), Events: n}
	for _, o := range others {
		opt.Gossip.Peers = append(opt.Gossip.Peers, o.GossipAddress())
	}
	if edit != nil {
		edit(&opt)
	}
	c, err := Start(t.Context(), opt, kinds)
	if err != nil {
		t.Fatal(err)
	}
	n.Cluster = c
	t.Cleanup(c.Stop)
	return n
}

// sees waits until the node has told of these live members.
func (n *realNode) sees(t *testing.T, want ...string) {
	t.Helper()
	limit := time.After(10 * time.Second)
	for {
		var ids []string
		n.mu.Lock()
		for _, m := range n.live {
			ids = append(ids, m.ID)
		}
		n.mu.Unlock()
		if slices.Equal(ids, want) {
			return
		}
		select {
		case <-n.change:
		case <-limit:
			t.Fatalf("members are %v, want %v", ids, want)
		}
	}
}

// receives waits for a frame.
func (n *realNode) receives(t *testing.T) *wire.Frame {
	t.Helper()
	select {
	case f := <-n.frames:
		return f
	case <-time.After(10 * time.Second):
		t.Fatal("no frame arrived")
		return nil
	}
}

func ack(id uint64) *wire.Frame {
	return &wire.Frame{Stamp: 5, Body: &wire.Frame_Ack{Ack: &wire.Ack{Ids: []uint64{id}}}}
}

func TestThreeNodesExchangeFrames(t *testing.T) {
	beside(t)
	a := real(t, "a", nil, nil)
	b := real(t, "b", nil, nil, a)
	c := real(t, "c", nil, func(o *Options) { // by name
		o.Gossip.Peers = []string{strings.Replace(a.GossipAddress(), "127.0.0.1", "localhost", 1)}
	}, a)
	for _, n := range []*realNode{b, c} { // those they joined are known when Start returns
		if len(n.Cluster.Members()) < 2 {
			t.Errorf("%s starts with %v", n.nodeID, n.Cluster.Members())
		}
	}
	all := []*realNode{a, b, c}
	for _, n := range all {
		n.sees(t, "a", "b", "c")
	}
	const frames = 1000
	for _, from := range all {
		for _, to := range all {
			for i := range uint64(frames) {
				if to != from {
					from.Send(to.nodeID, ack(i))
				}
			}
		}
	}
	for _, n := range all {
		next := map[string]uint64{}
		for range frames * 2 {
			f := n.receives(t)
			if f.GetAck().GetIds()[0] != next[f.GetFrom()] || f.GetStamp() != 5 || f.GetEpoch() != 1 {
				t.Fatalf("%s got %v, want %d as the next of its sender", n.nodeID, f, next[f.GetFrom()])
			}
			next[f.GetFrom()]++
		}
		if got := n.Counts(); got.DroppedSends+got.Malformed > 0 {
			t.Errorf("%s counted %+v", n.nodeID, got)
		}
	}
	if o := a.Owner("host:x"); o == "" || o != b.Owner("host:x") || o != c.Owner("host:x") {
		t.Errorf("the owners are %q %q %q, want one", o, b.Owner("host:x"), c.Owner("host:x"))
	}
}

func TestSendToNobody(t *testing.T) {
	beside(t)
	a := real(t, "a", nil, nil)
	f := ack(1)
	a.Send("a", f)
	a.Send("nobody", f)
	a.Send("", nil)
	if got := a.Counts().DroppedSends; got != 3 || f.From != "" {
		t.Errorf("DroppedSends = %d and the frame is %v, want 3 and the frame as it was", got, f)
	}
}

// keeper is an actor that says when it starts and has stopped.
type keeper struct{ said chan<- string }

func (k keeper) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Stopped:
		k.said <- "stopped"
	case string:
		k.said <- m
	}
}

func TestRingChangeReleases(t *testing.T) {
	beside(t)
	said := make(chan string, 1000)
	kinds := map[string]*actor.Props{"k": actor.PropsFromProducer(func() actor.Actor { return keeper{said} })}
	a := real(t, "a", kinds, nil)
	const keys = 100
	for i := range keys {
		if !a.Deliver("k", fmt.Sprint("host:", i), "first", nil) {
			t.Fatal("Deliver on a cluster of one: false")
		}
	}
	hear(t, said, map[string]int{"first": keys})
	b := real(t, "b", nil, nil, a)
	a.sees(t, "a", "b")
	b.sees(t, "a", "b")
	mine := 0
	for i := range keys {
		key := fmt.Sprint("host:", i)
		owns := a.Owner(key) == "a"
		if a.Tell("k", key, "tell") != owns || a.Deliver("k", key, "second", nil) != owns {
			t.Errorf("%s: Tell and Deliver differ from Owner, which is %s", key, a.Owner(key))
		}
		if owns {
			mine++
		}
	}
	hear(t, said, map[string]int{"stopped": keys - mine, "tell": mine, "second": mine})
	b.Stop()
	a.sees(t, "a")
	if b.left = nil; !slices.Equal(a.left, []string{"b"}) {
		t.Errorf("left = %v, want b: it was stopped, not lost", a.left)
	}
	if err := a.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	hear(t, said, map[string]int{"stopped": mine})
	if a.Active() != 0 || a.Deliver("k", "host:1", "late", nil) || a.Owner("host:1") != "" {
		t.Errorf("after Leave %d actors are active, host:1 is owned by %q", a.Active(), a.Owner("host:1"))
	}
}

// hear waits until actors said these things so often.
func hear(t *testing.T, said <-chan string, want map[string]int) {
	t.Helper()
	limit := time.After(10 * time.Second)
	for len(want) > 0 {
		select {
		case s := <-said:
			if want[s]--; want[s] == 0 {
				delete(want, s)
			}
		case <-limit:
			t.Fatalf("not said, so often: %v", want)
		}
	}
}

func TestHungMember(t *testing.T) {
	beside(t)
	a := real(t, "a", nil, nil)
	b := real(t, "b", nil, nil, a)
	h := hung(t, a)
	a.sees(t, "a", "b", h)
	began := time.Now()
	for i := range uint64(3 * outboxFrames) {
		a.Send(h, ack(i))
	}
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("Send to a member that hangs took %v for %d frames", took, 3*outboxFrames)
	}
	if a.Counts().DroppedSends == 0 {
		t.Error("DroppedSends = 0, want what does not fit counted")
	}
	a.Send("b", ack(7))
	if f := b.receives(t); f.GetAck().GetIds()[0] != 7 {
		t.Errorf("b got %v, want the frame that was sent after the others", f)
	}
	began = time.Now()
	a.Stop()
	if took := time.Since(began); took > 1500*time.Millisecond {
		t.Errorf("Stop beside a member that hangs took %v", took)
	}
}

func TestOtherPeerRestarts(t *testing.T) {
	beside(t)
	a := real(t, "a", nil, nil)
	b := real(t, "b", nil, nil, a)
	a.sees(t, "a", "b")
	a.Send("b", ack(1))
	b.receives(t)
	b.Stop()
	a.sees(t, "a")
	again := real(t, "b", nil, func(o *Options) { o.Epoch, o.Actor.Listen = 2, b.Address() }, a)
	a.sees(t, "a", "b")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for sent := uint64(0); len(again.frames) == 0; sent++ { // the first may go into the old connection
		a.Send("b", ack(sent))
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			t.Fatal("nothing arrives at the node that was started again")
		}
	}
}
