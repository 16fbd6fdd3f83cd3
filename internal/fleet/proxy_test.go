package fleet_test

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fleetfuse/internal/fleet"
)

// A proxied is an echo server behind a proxy.
type proxied struct {
	*fleet.Proxy
	t *testing.T
}

// startProxied starts both; they end with the test, and then nothing is left.
func startProxied(t *testing.T) proxied {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	p := must(fleet.StartProxy(startEcho(t)))(t)
	t.Cleanup(p.Close)
	return proxied{p, t}
}

// startEcho starts a server that sends back what it gets.
func startEcho(t *testing.T) (address string) {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return l.Addr().String()
}

func (p proxied) dial() net.Conn {
	p.t.Helper()
	conn := must(net.Dial("tcp", p.Address))(p.t)
	p.t.Cleanup(func() { conn.Close() })
	return conn
}

// sends sends a word; comes waits for it and says how long that took.
func (p proxied) sends(conn net.Conn, word string) {
	p.t.Helper()
	if _, err := io.WriteString(conn, word); err != nil {
		p.t.Fatal(err)
	}
}
func (p proxied) comes(conn net.Conn, word string) time.Duration {
	p.t.Helper()
	began := time.Now()
	succeed(p.t, conn.SetReadDeadline(began.Add(hang)))
	got := make([]byte, len(word))
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != word {
		p.t.Fatalf("%q came, %v; want %q", got, err, word)
	}
	return time.Since(began)
}

func (p proxied) echoes(conn net.Conn, word string) time.Duration {
	p.t.Helper()
	p.sends(conn, word)
	return p.comes(conn, word)
}

// silent expects that nothing comes for a while and that nobody hangs up.
func (p proxied) silent(conn net.Conn) {
	p.t.Helper()
	succeed(p.t, conn.SetReadDeadline(time.Now().Add(100*time.Millisecond)))
	var timeout net.Error
	if n, err := conn.Read(make([]byte, 1)); n != 0 || !errors.As(err, &timeout) || !timeout.Timeout() {
		p.t.Fatalf("a proxy that hangs: %d bytes, %v; want silence", n, err)
	}
}

// isReset expects that a connection is reset.
func (p proxied) isReset(conn net.Conn) {
	p.t.Helper()
	succeed(p.t, conn.SetReadDeadline(time.Now().Add(hang)))
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		p.t.Fatalf("a connection that is cut: %v; want a reset", err)
	}
}

func TestProxyPassesAndSlows(t *testing.T) {
	p := startProxied(t)
	conn := p.dial()
	p.echoes(conn, "one")
	const delay = 200 * time.Millisecond
	succeed(t, p.Slow(delay))
	for range 2 {
		if took := p.echoes(conn, "two"); took < delay {
			t.Errorf("an echo on a connection from before took %v; want %v at least", took, delay)
		}
	}
	succeed(t, p.Slow(time.Hour))
	p.sends(conn, "three")
	p.silent(conn)
	succeed(t, p.Pass()) // goes for what is on its way too
	p.comes(conn, "three")
	conn.Close()
	p.awaitConnections(0)
}

func TestProxyHangs(t *testing.T) {
	p := startProxied(t)
	old := p.dial()
	p.echoes(old, "before")
	succeed(t, p.Hang())
	fresh := p.dial() // it still takes connections
	for _, conn := range []net.Conn{old, fresh} {
		p.sends(conn, "meanwhile")
		p.silent(conn)
	}
	succeed(t, p.Pass())
	p.comes(old, "meanwhile")
	p.comes(fresh, "meanwhile")
	succeed(t, p.Hang()) // and Close ends it
}

func TestProxyRefuses(t *testing.T) {
	p := startProxied(t)
	conn := p.dial()
	p.echoes(conn, "before")
	p.Refuse()
	p.isReset(conn)
	if _, err := net.Dial("tcp", p.Address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a new connection: %v; want it refused", err)
	}
	succeed(t, p.Pass())
	p.echoes(p.dial(), "after")
}

func TestProxyCuts(t *testing.T) {
	p := startProxied(t)
	conns := []net.Conn{p.dial(), p.dial()}
	for _, conn := range conns {
		p.echoes(conn, "before")
	}
	p.Cut()
	for _, conn := range conns {
		p.isReset(conn)
	}
	p.echoes(p.dial(), "after")
}

// TestProxyTurns has the server go and another take its place.
func TestProxyTurns(t *testing.T) {
	p := startProxied(t)
	gone := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	succeed(t, gone.Close())
	there := startEcho(t)
	p.Turn(gone.Addr().String())
	if conn, err := net.Dial("tcp", p.Address); err == nil { // else it was reset sooner
		p.isReset(conn)
		conn.Close()
	}
	p.Turn(there)
	p.echoes(p.dial(), "there")
}

// awaitConnections waits until the proxy has so many.
func (p proxied) awaitConnections(want int) {
	p.t.Helper()
	for deadline := time.Now().Add(hang); p.Connections() != want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("%d connections are left; want %d", p.Connections(), want)
		}
	}
}
