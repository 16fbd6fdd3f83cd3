package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	proto "github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/remote"

	"fleetfuse/cluster/placement"
)

// Options of a Cluster. All are required.
type Options struct {
	NodeID string // unique, persisted
	Listen string // actor port, host:port on loopback; port 0 picks one
	Logger *slog.Logger
}

// A Cluster is the running shell. It is safe for concurrent use.
type Cluster struct {
	System *actor.ActorSystem
	nodeID string
	shell  *proto.Cluster
	lookup *lookup
	ended  chan struct{} // closed when StartMember returned or panicked
	failed chan error    // why it panicked
	stop   sync.Once
}

// A Member is a live member of the cluster.
type Member struct {
	ID      string
	Address string // actor port
}

// clusterName separates our actor systems from others; it is not a setting.
const clusterName = "fleetfuse"

// gossipNever switches protoactor's own gossip, a second failure detector, off.
const gossipNever = 24 * time.Hour

// Start starts the shell with the kinds of actor it can activate, by name. Stop
// it when done.
func Start(ctx context.Context, opt Options, kinds map[string]*actor.Props) (*Cluster, error) {
	host, port, err := splitListen(opt.Listen)
	if err != nil {
		return nil, err
	}
	up := &alone{id: opt.NodeID, up: make(chan struct{})}
	c := newCluster(opt, up, remote.Configure(host, port, remote.WithServerOptions(noPeers()...)), kinds)
	go c.run(opt.Listen)
	select {
	case <-up.up:
		return c, nil
	case err = <-c.failed:
	case <-ctx.Done():
		err = fmt.Errorf("start the actor port %s: %w", opt.Listen, context.Cause(ctx))
	}
	c.Stop()
	return nil, err
}

func newCluster(opt Options, up *alone, port *remote.Config, kinds map[string]*actor.Props) *Cluster {
	logger := slog.New(quiet{opt.Logger.Handler()})
	c := &Cluster{
		System: actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return logger })),
		nodeID: opt.NodeID, lookup: newLookup(opt.NodeID), ended: make(chan struct{}), failed: make(chan error, 1),
	}
	config := proto.Configure(clusterName, up, c.lookup, port)
	config.GossipInterval = gossipNever
	for name, props := range kinds {
		config.Kinds[name] = proto.NewKind(name, c.lookup.watched(props))
	}
	c.shell = proto.New(c.System, config)
	return c
}

// run starts the member: the shell panics where others return an error, and
// sleeps a second at its end.
func (c *Cluster) run(listen string) {
	defer close(c.ended)
	defer func() {
		if r := recover(); r != nil {
			c.failed <- fmt.Errorf("start the actor port %s: %v", listen, r)
		}
	}()
	c.shell.StartMember()
}

// splitListen reads the actor port. A cluster of one has no peer, so it must
// not be reachable from elsewhere.
func splitListen(addr string) (string, int, error) {
	host, digits, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("actor.listen-address %q: %w", addr, err)
	}
	port, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("actor.listen-address %q: the port is not in 0 to 65535", addr)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", 0, fmt.Errorf("actor.listen-address %q: want a loopback address such as 127.0.0.1, "+
			"because the port takes no peers yet", addr)
	}
	if net.ParseIP(host).To4() == nil && host != "localhost" {
		host = "[" + host + "]" // the shell joins host and port without brackets
	}
	return host, int(port), nil
}

// Address is the actor port as bound.
func (c *Cluster) Address() string { return c.System.Address() }

// Owner is the id of the node that owns a key.
func (c *Cluster) Owner(key string) string { return placement.Owner([]string{c.nodeID}, key) }

// Members are the live members, this node among them.
func (c *Cluster) Members() []Member { return []Member{{ID: c.nodeID, Address: c.Address()}} }

// PID finds the actor of a key, activating it if needed; nil while stopping.
// A message sent to it may come too late; Deliver's cannot.
func (c *Cluster) PID(kind, identity string) *actor.PID {
	return c.lookup.Get(proto.NewClusterIdentity(identity, kind))
}

// Deliver sends a message to the actor of a key, activating it if needed. It is
// false while stopping, or if no node owns the key.
func (c *Cluster) Deliver(kind, identity string, msg any, sender *actor.PID) bool {
	return c.lookup.deliver(name{kind, identity}, msg, sender)
}

// Passivated may be called by an actor before it stops itself: after it returns
// nothing more is delivered to it.
func (c *Cluster) Passivated(kind, identity string, pid *actor.PID) {
	c.lookup.RemovePid(proto.NewClusterIdentity(identity, kind), pid)
}

// Active is the number of activated actors.
func (c *Cluster) Active() int { return c.lookup.active() }

// Stop stops all actors and the shell. It does not use the shell's own
// Shutdown, which races and sleeps. A second Stop does nothing.
func (c *Cluster) Stop() { c.stop.Do(c.stopAll) }

func (c *Cluster) stopAll() {
	<-c.ended
	defer c.System.Shutdown()
	c.lookup.Shutdown()
	if c.lookup.shell == nil {
		return // the port was not opened, so nothing else was started
	}
	c.shell.Gossip.Shutdown()
	c.shell.Remote.Shutdown(false)
}
