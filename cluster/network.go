package cluster

import (
	"context"
	"log"
	"net"
	"time"

	"github.com/hashicorp/memberlist"
)

// bindTries is how often a port is picked: TCP and UDP must both be free.
const bindTries = 10

// A network is memberlist's own, with streams that end with a context: a start
// or stop never waits for an address that does not answer.
type network struct {
	*memberlist.NetTransport
	ctx context.Context
}

// listen binds the gossip port, TCP and UDP.
func listen(ctx context.Context, at place, log *log.Logger) (*network, error) {
	tries := 1
	if at.port == 0 {
		tries = bindTries
	}
	var err error
	for range tries {
		var t *memberlist.NetTransport
		t, err = memberlist.NewNetTransport(&memberlist.NetTransportConfig{
			BindAddrs: []string{at.host}, BindPort: int(at.port), Logger: log,
		})
		if err == nil {
			return &network{t, ctx}, nil
		}
	}
	return nil, CannotListen("--cluster.listen-address", at.String(), err)
}

// DialTimeout is part of memberlist.Transport.
func (n *network) DialTimeout(addr string, limit time.Duration) (net.Conn, error) {
	return n.DialAddressTimeout(memberlist.Address{Addr: addr}, limit)
}

// DialAddressTimeout is part of memberlist.NodeAwareTransport.
func (n *network) DialAddressTimeout(a memberlist.Address, limit time.Duration) (net.Conn, error) {
	d := net.Dialer{Timeout: limit}
	c, err := d.DialContext(n.ctx, "tcp", a.Addr)
	if err != nil {
		return nil, err
	}
	return &stream{c, context.AfterFunc(n.ctx, func() { _ = c.Close() })}, nil
}

// A stream is closed by the context.
type stream struct {
	net.Conn
	stop func() bool
}

// Close is part of net.Conn.
func (s *stream) Close() error {
	s.stop()
	return s.Conn.Close()
}
