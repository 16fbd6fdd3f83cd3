//go:build bubble

package bubbles

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"syscall"
	"time"
)

// A fabric is a network in memory that can lose, delay and cut.
type fabric struct {
	mu       sync.Mutex
	random   *rand.Rand
	machines []*machine
	byIP     map[string]*machine
	side     map[*machine]int     // machines on different sides are cut off from each other
	deaf     map[[2]*machine]bool // nothing of the first arrives at the second
	loss     float64              // of packets
	changed  chan struct{}        // closed and replaced at every change
}

// A machine has one wire to the fabric, and what runs on it ports.
type machine struct {
	fabric *fabric
	ip     string

	// The fabric's lock holds these.
	life      int  // counts the times it was switched off
	off       bool // it answers to nothing
	listeners map[string]*listener
	gossip    *gossip
	dials     map[int64]int // of actor ports, by second
}

type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }

func newFabric(size int, random *rand.Rand) *fabric {
	f := &fabric{random: random, byIP: map[string]*machine{}, side: map[*machine]int{}, deaf: map[[2]*machine]bool{}, changed: make(chan struct{})}
	for i := range size {
		m := &machine{fabric: f, ip: fmt.Sprint("10.0.0.", i+1), listeners: map[string]*listener{}, dials: map[int64]int{}}
		f.machines, f.byIP[m.ip] = append(f.machines, m), m
	}
	return f
}

// change alters the network, and wakes who waits for it.
func (f *fabric) change(how func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how()
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fabric) lose(share float64) { f.change(func() { f.loss = share }) }

// split cuts machines off from the rest, together; none heals.
func (f *fabric) split(away ...int) {
	f.change(func() {
		clear(f.side)
		for _, i := range away {
			f.side[f.machines[i]] = 1
		}
	})
}

// deafen lets nothing of one machine arrive at another; it undoes that too.
func (f *fabric) deafen(to, from int, on bool) {
	f.change(func() { f.deaf[[2]*machine{f.machines[from], f.machines[to]}] = on })
}

// switchOff takes a machine off the network without a word.
func (m *machine) switchOff() {
	m.fabric.change(func() {
		m.off = true
		m.life++
	})
}

func (m *machine) switchOn() { m.fabric.change(func() { m.off = false }) }

// countDial counts that the machine's node connects to another's actors.
func (m *machine) countDial() {
	m.fabric.mu.Lock()
	defer m.fabric.mu.Unlock()
	m.dials[time.Now().Unix()]++
}

// busiest is the most dials that a machine made in a second.
func (f *fabric) busiest() (most int, from *machine) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.machines {
		for _, n := range m.dials {
			if n > most {
				most, from = n, m
			}
		}
	}
	return most, from
}

// state says of a lane whether its wire is whole, whether both machines are
// still those that made it, and gives a channel that tells of changes.
func (f *fabric) state(l *lane) (whole, alive bool, changed <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	whole = f.reaches(l.from, l.to)
	alive = l.lives == [2]int{l.from.life, l.to.life}
	return whole, alive, f.changed
}

func (f *fabric) reaches(a, b *machine) bool {
	return a == b || !a.off && !b.off && f.side[a] == f.side[b] && !f.deaf[[2]*machine{a, b}]
}

// delay is how long a piece of a stream takes; one that is lost is repeated.
func (f *fabric) delay() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	d := 100*time.Microsecond + time.Duration(f.random.Int64N(int64(time.Millisecond)))
	for f.random.Float64() < f.loss {
		d += 200 * time.Millisecond
	}
	return d
}

// dial connects to a port. Nobody answers behind a cut.
func (m *machine) dial(ctx context.Context, to string) (net.Conn, error) {
	f := m.fabric
	host, port, err := net.SplitHostPort(to)
	if err != nil {
		return nil, err
	}
	for {
		f.mu.Lock()
		there := f.byIP[host]
		whole, changed := there != nil && f.reaches(m, there) && f.reaches(there, m), f.changed
		if whole {
			c, err := m.accepted(there, port, to)
			f.mu.Unlock()
			return c, err
		}
		f.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("dial %s: %w", to, ctx.Err())
		}
	}
}

// accepted hands one end to who listens. The fabric is locked.
func (m *machine) accepted(there *machine, port, to string) (net.Conn, error) {
	l := there.listeners[port]
	if l == nil {
		return nil, syscall.ECONNREFUSED
	}
	here, away := m.fabric.connect(m, there, address(to))
	select {
	case l.arriving <- away:
		return here, nil
	default:
		return nil, syscall.ECONNREFUSED
	}
}

// A listener is a port of a machine that streams arrive at.
type listener struct {
	machine  *machine
	port     string
	arriving chan net.Conn
	closed   chan struct{}
	once     sync.Once
}

func (m *machine) listen(port string) (net.Listener, error) {
	f := m.fabric
	f.mu.Lock()
	defer f.mu.Unlock()
	if m.listeners[port] != nil {
		return nil, fmt.Errorf("listen %s:%s: %w", m.ip, port, syscall.EADDRINUSE)
	}
	l := &listener{machine: m, port: port, arriving: make(chan net.Conn, 256), closed: make(chan struct{})}
	m.listeners[port] = l
	return l, nil
}

func (l *listener) Addr() net.Addr { return address(l.machine.ip + ":" + l.port) }

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.arriving:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() {
		f := l.machine.fabric
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(l.machine.listeners, l.port)
		close(l.closed)
		for len(l.arriving) > 0 {
			(<-l.arriving).Close()
		}
	})
	return nil
}
