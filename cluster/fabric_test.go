package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/memberlist"

	"fleetfuse/wire"
)

// A fabric is a network in memory that can lose, delay and cut. It never blocks
// a sender, so that it works in a synctest bubble.
type fabric struct {
	mu    sync.Mutex
	ports map[string]*port
	cut   func(from, to string) bool
	loss  float64 // of packets
}

// A port is one node's connection to the fabric.
type port struct {
	fabric  *fabric
	addr    string
	packets chan *memberlist.Packet
	streams chan net.Conn
	down    bool
}

type fabricAddr string

func (fabricAddr) Network() string  { return "fabric" }
func (a fabricAddr) String() string { return string(a) }

func newFabric() *fabric { return &fabric{ports: map[string]*port{}} }

// port connects the next node, at 10.0.0.1:7141 and so on.
func (f *fabric) port() *port {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := &port{fabric: f, addr: fmt.Sprintf("10.0.0.%d:7141", len(f.ports)+1),
		packets: make(chan *memberlist.Packet, 4096), streams: make(chan net.Conn, 256)}
	f.ports[p.addr] = p
	return p
}

// split cuts the nodes into groups, by address; nil heals.
func (f *fabric) split(group map[string]int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.cut = func(a, b string) bool { return group[a] != group[b] }
}

func (f *fabric) lose(share float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.loss = share
}

// kill takes a node off the network without a word.
func (p *port) kill() {
	p.fabric.mu.Lock()
	defer p.fabric.mu.Unlock()
	p.down = true
}

// reach finds the port at an address, and how many packets of six arrive.
func (p *port) reach(addr string) (to *port, lost, slow bool) {
	f := p.fabric
	f.mu.Lock()
	defer f.mu.Unlock()
	if to = f.ports[addr]; to == nil || to.down || p.down || f.cut != nil && f.cut(p.addr, addr) {
		return nil, true, true
	}
	for range 6 {
		slow = slow || rand.Float64() < f.loss
	}
	return to, rand.Float64() < f.loss, slow
}

func (p *port) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	host, n, err := splitHostPort(p.addr)
	return net.ParseIP(host).To4(), int(n), err
}

func (p *port) WriteTo(b []byte, addr string) (time.Time, error) {
	now := time.Now()
	to, lost, _ := p.reach(addr)
	if lost {
		return now, nil
	}
	packet := &memberlist.Packet{Buf: append([]byte(nil), b...), From: fabricAddr(p.addr)}
	time.AfterFunc(500*time.Microsecond+rand.N(1500*time.Microsecond), func() {
		packet.Timestamp = time.Now()
		select {
		case to.packets <- packet:
		default:
		}
	})
	return now, nil
}

// DialTimeout loses one of the six packets of a short exchange now and then:
// TCP repeats it after a second.
func (p *port) DialTimeout(addr string, limit time.Duration) (net.Conn, error) {
	const repeat = time.Second
	to, _, slow := p.reach(addr)
	if to == nil || slow && limit <= repeat {
		time.Sleep(limit)
		return nil, errors.New("i/o timeout")
	}
	if slow {
		time.Sleep(repeat)
	}
	here, there := net.Pipe()
	select {
	case to.streams <- there:
		return here, nil
	default:
		return nil, errors.New("connection refused")
	}
}

func (p *port) PacketCh() <-chan *memberlist.Packet { return p.packets }
func (p *port) StreamCh() <-chan net.Conn           { return p.streams }
func (p *port) Shutdown() error                     { p.kill(); return nil }

// A fellow is a membership on a fabric, with what it told.
type fellow struct {
	*membership
	port *port

	mu    sync.Mutex
	notes notes
}

// Notes are what a membership told. The slices are never changed.
type notes struct {
	live    []Member
	left    []string
	lost    int // times that a member was gone and had not left
	evicted []uint64
	merged  []*wire.Frame
	seeds   []string
}

// fellow starts a node on the fabric; edit may change its options.
func (f *fabric) fellow(t *testing.T, id string, epoch uint64, edit func(*Options)) *fellow {
	t.Helper()
	p := f.port()
	opt := Options{NodeID: id, Epoch: epoch, Name: "same", Logger: slog.New(slog.DiscardHandler),
		Gossip: Gossip{Transport: p, Peers: []string{"10.0.0.1:7141"}}}
	if edit != nil {
		edit(&opt)
	}
	n := &fellow{port: p}
	keys, err := openKeyring(opt.Gossip.KeyringFile)
	if err != nil {
		t.Fatal(err)
	}
	m, err := newMembership(opt, "127.0.0.1:7142", new(counts), hooks{
		changed: n.changed,
		evicted: func(e uint64) { n.note(func(o *notes) { o.evicted = append(slices.Clip(o.evicted), e) }) },
		merged:  func(f *wire.Frame) { n.note(func(o *notes) { o.merged = append(slices.Clip(o.merged), f) }) },
		state: func() *wire.Frame {
			return &wire.Frame{Stamp: 7, Body: &wire.Frame_Digest{Digest: &wire.Digest{Sync: 1}}}
		},
		seeds: func(s []string) { n.note(func(o *notes) { o.seeds = s }) },
	})
	if err != nil {
		t.Fatal(err)
	}
	n.membership = m
	if err := m.start(context.Background(), opt, place{}, keys); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *fellow) note(do func(*notes)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	do(&n.notes)
}

func (n *fellow) changed(live []Member, left []string) {
	n.note(func(o *notes) {
		here := map[string]bool{}
		for _, m := range live {
			here[m.ID] = true
		}
		for _, id := range left {
			here[id] = true
		}
		for _, m := range o.live {
			if !here[m.ID] {
				o.lost++
			}
		}
		o.live, o.left = live, slices.Concat(o.left, left)
	})
}

// sees says whether the node's live members are these, as id#epoch.
func (n *fellow) sees(want ...string) bool {
	live := n.told().live
	if len(live) != len(want) {
		return false
	}
	for i, m := range live {
		if memberID(m.ID, m.Epoch) != want[i] {
			return false
		}
	}
	return true
}

// told is what the node was told so far.
func (n *fellow) told() notes {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.notes
}

// count is how many live members the node knows.
func (n *fellow) count() int { return len(n.told().live) }

// until waits for a condition and says how long it took. In a bubble waiting
// costs nothing.
func until(t *testing.T, limit time.Duration, what string, ok func() bool) time.Duration {
	t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > limit {
			t.Fatalf("not within %v: %s", limit, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
	return time.Since(began)
}

// A lockedBuffer takes a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func textLogger(b *lockedBuffer) *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// beside lets a test run beside others: stopping a node within its first second
// waits for protoactor's sleep.
func beside(t *testing.T) {
	if !raceEnabled {
		t.Parallel()
	}
}
