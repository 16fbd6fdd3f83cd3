//go:build bubble

package bubbles

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// maxBuffered is how much a sender may be ahead of its reader, as in TCP.
const maxBuffered = 1 << 20

// A lane is one direction of a connection.
type lane struct {
	fabric   *fabric
	from, to *machine
	lives    [2]int // of the machines, when the connection was made

	mu      sync.Mutex
	pieces  []piece
	size    int
	last    time.Time     // when the latest piece arrives
	over    bool          // the sender has closed
	gone    bool          // the reader has closed
	changed chan struct{} // closed and replaced at every change
}

type piece struct {
	at   time.Time
	text []byte
}

func (l *lane) change() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// A conn is one end of a connection in memory. What is sent while the wire is
// cut arrives when it is whole again, as TCP's repetitions do; an end whose
// machine was switched off meanwhile is reset.
type conn struct {
	in, out    *lane
	here, away net.Addr

	mu           sync.Mutex
	read, write  time.Time // deadlines
	deadlineMove chan struct{}
}

// connect makes a connection between two machines.
func (f *fabric) connect(from, to *machine, away net.Addr) (here, there *conn) {
	way := func(a, b *machine) *lane {
		return &lane{fabric: f, from: a, to: b, lives: [2]int{a.life, b.life}, changed: make(chan struct{})}
	}
	up, down := way(from, to), way(to, from)
	client := address(from.ip + ":40000")
	return &conn{in: down, out: up, here: client, away: away, deadlineMove: make(chan struct{})},
		&conn{in: up, out: down, here: away, away: client, deadlineMove: make(chan struct{})}
}

func (c *conn) LocalAddr() net.Addr  { return c.here }
func (c *conn) RemoteAddr() net.Addr { return c.away }

func (c *conn) Read(b []byte) (n int, err error) {
	err = c.wait(c.in, func() time.Time { return c.read }, func(whole bool) (done bool, next time.Time, err error) {
		l := c.in
		switch {
		case l.gone:
			return true, next, net.ErrClosed
		case !whole:
			return false, next, nil
		case len(l.pieces) == 0 && l.over:
			return true, next, io.EOF
		case len(l.pieces) == 0:
			return false, next, nil
		case time.Now().Before(l.pieces[0].at):
			return false, l.pieces[0].at, nil
		}
		p := &l.pieces[0]
		n = copy(b, p.text)
		if p.text = p.text[n:]; len(p.text) == 0 {
			l.pieces = l.pieces[1:]
		}
		l.size -= n
		l.change()
		return true, next, nil
	})
	return n, err
}

func (c *conn) Write(b []byte) (int, error) {
	delay := c.out.fabric.delay()
	err := c.wait(c.out, func() time.Time { return c.write }, func(bool) (bool, time.Time, error) {
		l := c.out
		switch {
		case l.over:
			return true, time.Time{}, net.ErrClosed
		case l.gone:
			return true, time.Time{}, syscall.EPIPE
		case l.size > maxBuffered:
			return false, time.Time{}, nil
		}
		if at := time.Now().Add(delay); at.After(l.last) {
			l.last = at
		}
		l.pieces = append(l.pieces, piece{l.last, append([]byte(nil), b...)})
		l.size += len(b)
		l.change()
		return true, time.Time{}, nil
	})
	if err != nil {
		return 0, err
	}
	return len(b), nil
}

// wait tries until something is done, an end of the connection is no more, or
// the deadline is over.
func (c *conn) wait(l *lane, deadline func() time.Time, try func(whole bool) (bool, time.Time, error)) error {
	for {
		whole, alive, cable := l.fabric.state(l)
		if !alive && whole {
			return syscall.ECONNRESET
		}
		l.mu.Lock()
		done, next, err := try(whole)
		changed := l.changed
		l.mu.Unlock()
		if done {
			return err
		}
		c.mu.Lock()
		limit, moved := deadline(), c.deadlineMove
		c.mu.Unlock()
		if !limit.IsZero() && !time.Now().Before(limit) {
			return os.ErrDeadlineExceeded
		}
		if !limit.IsZero() && (next.IsZero() || limit.Before(next)) {
			next = limit
		}
		var timer <-chan time.Time
		stop := func() bool { return true }
		if !next.IsZero() {
			t := time.NewTimer(time.Until(next))
			timer, stop = t.C, t.Stop
		}
		select {
		case <-changed:
		case <-moved:
		case <-cable:
		case <-timer:
		}
		stop()
	}
}

// Close ends both directions; the other end hears of it when the wire is whole.
func (c *conn) Close() error {
	c.out.mu.Lock()
	c.out.over = true
	c.out.change()
	c.out.mu.Unlock()
	c.in.mu.Lock()
	c.in.gone = true
	c.in.change()
	c.in.mu.Unlock()
	return nil
}

func (c *conn) SetDeadline(t time.Time) error      { return c.set(t, &c.read, &c.write) }
func (c *conn) SetReadDeadline(t time.Time) error  { return c.set(t, &c.read) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.set(t, &c.write) }

func (c *conn) set(t time.Time, which ...*time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range which {
		*w = t
	}
	close(c.deadlineMove)
	c.deadlineMove = make(chan struct{})
	return nil
}
