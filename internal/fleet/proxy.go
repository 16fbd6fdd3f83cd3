package fleet

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// A Proxy stands in front of a TCP server and does to its connections what
// networks and sick servers do. What it does can be changed at any time, and
// goes for the connections there are as for new ones.
type Proxy struct {
	Address string // host:port

	mu       sync.Mutex
	target   string
	delay    time.Duration // of what clients send; forever stops both directions
	changed  chan struct{} // closed when delay changes
	listener net.Listener  // nil while it refuses
	links    map[*link]bool
	closed   bool
	work     sync.WaitGroup
}

const forever = time.Duration(1<<63 - 1)

// dialLimit bounds the time until the server takes a connection.
const dialLimit = 10 * time.Second

// StartProxy starts a proxy in front of an address, which need not be listened
// on yet. Close it when done.
func StartProxy(target string) (*Proxy, error) {
	p := &Proxy{target: target, changed: make(chan struct{}), links: map[*link]bool{}}
	const tries = 5 // another process may take the port first
	var err error
	for range tries {
		var port int
		if port, err = keptPort(); err != nil {
			return nil, err
		}
		p.Address = fmt.Sprintf("127.0.0.1:%d", port)
		if err = p.set(0); err == nil {
			return p, nil
		}
	}
	return nil, err
}

// Pass forwards everything at once.
func (p *Proxy) Pass() error { return p.set(0) }

// Slow delays each piece of what clients send; answers come at once.
func (p *Proxy) Slow(by time.Duration) error { return p.set(by) }

// Hang takes connections and keeps those there are, and forwards nothing. What
// was sent meanwhile goes on when that is over.
func (p *Proxy) Hang() error { return p.set(forever) }

// set takes connections and delays what clients send.
func (p *Proxy) set(delay time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return net.ErrClosed
	}
	if p.listener == nil {
		l, err := net.Listen("tcp", p.Address)
		if err != nil {
			return err
		}
		p.listener = l
		p.work.Go(func() { p.take(l) })
	}
	p.delay = delay
	close(p.changed)
	p.changed = make(chan struct{})
	return nil
}

// Refuse resets the connections there are and refuses new ones.
func (p *Proxy) Refuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse()
}

func (p *Proxy) refuse() {
	if p.listener != nil {
		p.listener.Close()
		p.listener = nil
	}
	p.cut()
}

// Cut resets the connections there are, once.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut()
}

func (p *Proxy) cut() {
	for l := range p.links {
		l.end(reset)
	}
}

// Turn sends new connections to another address, as after a failover.
func (p *Proxy) Turn(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
}

// Connections counts the clients' connections there are.
func (p *Proxy) Connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.links)
}

// Close resets all connections and waits until nothing is left of the proxy.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.refuse()
	p.mu.Unlock()
	p.work.Wait()
}

// take takes connections until the listener is closed.
func (p *Proxy) take(l net.Listener) {
	for {
		client, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			p.admit(l, client.(*net.TCPConn))
		}
	}
}

// admit begins to serve a connection, unless it came in just before Refuse.
func (p *Proxy) admit(l net.Listener, client *net.TCPConn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k := &link{proxy: p, client: client}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	if p.listener != l {
		k.end(reset)
		return
	}
	p.links[k] = true
	p.work.Go(func() {
		k.serve()
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.links, k)
	})
}

// where is the address of the server.
func (p *Proxy) where() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.target
}

// now is the delay, and what says that it changed.
func (p *Proxy) now() (time.Duration, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.delay, p.changed
}

// keptPort is a free port that can be bound again later: no connection that
// some process makes meanwhile gets it as its own end. Linux takes those from
// 32768 on.
func keptPort() (int, error) {
	const first, last, tries = 15_000, 32_000, 50
	var err error
	for range tries {
		port := first + rand.IntN(last-first)
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, err
}
