//go:build bubble

package bubbles

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/hashicorp/memberlist"
)

const gossipPort = "7141"

// A gossip is memberlist's transport on a machine.
type gossip struct {
	*machine
	packets chan *memberlist.Packet
	streams chan net.Conn
	port    *listener
	done    chan struct{}
}

// transport is the gossip of a process that starts on a machine.
func (m *machine) transport() (*gossip, error) {
	l, err := m.listen(gossipPort)
	if err != nil {
		return nil, err
	}
	g := &gossip{machine: m, packets: make(chan *memberlist.Packet, 4096), streams: make(chan net.Conn), port: l.(*listener), done: make(chan struct{})}
	m.fabric.change(func() { m.gossip = g })
	go g.accept()
	return g, nil
}

func (g *gossip) accept() {
	defer close(g.done)
	for {
		c, err := g.port.Accept()
		if err != nil {
			return
		}
		select {
		case g.streams <- c:
		case <-g.port.closed:
			c.Close()
			return
		}
	}
}

func (g *gossip) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return net.ParseIP(g.ip).To4(), 7141, nil
}

func (g *gossip) WriteTo(b []byte, to string) (time.Time, error) {
	f := g.fabric
	now := time.Now()
	host, _, err := net.SplitHostPort(to)
	if err != nil {
		return now, err
	}
	delay := f.delay()
	f.mu.Lock()
	there := f.byIP[host]
	lost := there == nil || !f.reaches(g.machine, there) || f.random.Float64() < f.loss
	f.mu.Unlock()
	if lost {
		return now, nil
	}
	packet := &memberlist.Packet{Buf: append([]byte(nil), b...), From: address(g.ip + ":" + gossipPort)}
	time.AfterFunc(delay%(2*time.Millisecond), func() { there.arrive(packet) })
	return now, nil
}

// arrive hands a packet to the process that gossips now.
func (m *machine) arrive(p *memberlist.Packet) {
	m.fabric.mu.Lock()
	defer m.fabric.mu.Unlock()
	if m.gossip == nil || m.off {
		return
	}
	p.Timestamp = time.Now()
	select {
	case m.gossip.packets <- p:
	default:
	}
}

func (g *gossip) DialTimeout(to string, limit time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), limit, errors.New("i/o timeout"))
	defer cancel()
	return g.dial(ctx, to)
}

func (g *gossip) PacketCh() <-chan *memberlist.Packet { return g.packets }
func (g *gossip) StreamCh() <-chan net.Conn           { return g.streams }

func (g *gossip) Shutdown() error {
	g.fabric.change(func() {
		if g.machine.gossip == g {
			g.machine.gossip = nil
		}
	})
	err := g.port.Close()
	<-g.done
	return err
}
