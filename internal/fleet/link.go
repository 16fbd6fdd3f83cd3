package fleet

import (
	"context"
	"net"
	"sync"
	"time"
)

// A link is one client's connection through a Proxy.
type link struct {
	proxy  *Proxy
	ctx    context.Context // until the end
	cancel context.CancelFunc
	client *net.TCPConn

	mu     sync.Mutex
	server *net.TCPConn // nil until there is one
	ended  bool
}

// How a link ends: the client sees a reset, or an orderly close.
type ending bool

const (
	reset   ending = true
	orderly ending = false
)

// end closes both connections; the first end counts.
func (k *link) end(how ending) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ended {
		return
	}
	k.ended = true
	k.cancel()
	if how == reset {
		_ = k.client.SetLinger(0)
	}
	k.client.Close()
	if k.server != nil {
		k.server.Close()
	}
}

// serve forwards in both directions until the end.
func (k *link) serve() {
	if !k.wait(toClient, time.Now()) || !k.dial(k.proxy.where()) {
		k.end(reset)
		return
	}
	var both sync.WaitGroup
	both.Go(func() { k.forward(toServer, k.server, k.client) })
	both.Go(func() { k.forward(toClient, k.client, k.server) })
	both.Wait()
}

func (k *link) dial(target string) bool {
	d := net.Dialer{Timeout: dialLimit}
	conn, err := d.DialContext(k.ctx, "tcp", target)
	if err != nil {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.server = conn.(*net.TCPConn)
	if k.ended { // too late for end to close it
		conn.Close()
	}
	return !k.ended
}

type direction bool

const (
	toServer direction = true
	toClient direction = false
)

// forward passes on one direction piece by piece. When its sender is through,
// which while the proxy hangs nobody learns, the link ends: nobody here closes
// half a connection.
func (k *link) forward(to direction, out, in *net.TCPConn) {
	defer k.end(orderly)
	piece := make([]byte, 64<<10)
	for {
		n, err := in.Read(piece)
		if !k.wait(to, time.Now()) {
			return
		}
		if _, errOut := out.Write(piece[:n]); err != nil || errOut != nil {
			return
		}
	}
}

// wait returns when what arrived at a time may go on; false if the link ended.
func (k *link) wait(to direction, arrived time.Time) bool {
	for {
		delay, changed := k.proxy.now()
		if to == toClient && delay != forever {
			delay = 0
		}
		left := delay - time.Since(arrived)
		if left <= 0 {
			return k.ctx.Err() == nil
		}
		timer := time.NewTimer(left)
		select {
		case <-timer.C:
		case <-changed:
		case <-k.ctx.Done():
		}
		timer.Stop()
		if k.ctx.Err() != nil {
			return false
		}
	}
}
