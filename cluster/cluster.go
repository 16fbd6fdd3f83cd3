package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	proto "github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/remote"
)

// Options of a Cluster.
type Options struct {
	NodeID string // unique, persisted
	Listen string // actor port, host:port; port 0 picks one
	Logger *slog.Logger
}

// A Cluster is the running shell.
type Cluster struct {
	System  *actor.ActorSystem
	nodeID  string
	shell   *proto.Cluster
	lookup  *lookup
	started chan struct{} // closed when StartMember returned
}

// clusterName separates our actor systems from others; it is not a setting.
const clusterName = "fleetfuse"

// gossipNever switches protoactor's own gossip, a second failure detector, off.
const gossipNever = 24 * time.Hour

// Start starts the shell with the kinds of actor it can activate, by name.
func Start(ctx context.Context, opt Options, kinds map[string]*actor.Props) (*Cluster, error) {
	host, port, err := splitListen(opt.Listen)
	if err != nil {
		return nil, err
	}
	logger := slog.New(quiet{opt.Logger.Handler()})
	c := &Cluster{nodeID: opt.NodeID, started: make(chan struct{})}
	c.System = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return logger }))
	c.lookup = newLookup(opt.NodeID)
	up := &alone{id: opt.NodeID, up: make(chan struct{})}
	config := proto.Configure(clusterName, up, c.lookup, remote.Configure(host, port, remote.WithServerOptions(noPeers()...)))
	config.GossipInterval = gossipNever
	for name, props := range kinds {
		k := proto.NewKind(name, props)
		config.Kinds[name] = k
	}
	c.shell = proto.New(c.System, config)
	failed := make(chan error, 1)
	go func() {
		defer close(c.started)
		defer func() {
			if r := recover(); r != nil {
				failed <- fmt.Errorf("actor port %s: %v", opt.Listen, r)
			}
		}()
		c.shell.StartMember() // sleeps a second after the member is up
	}()
	select {
	case <-up.up:
		return c, nil
	case err := <-failed:
		c.System.Shutdown()
		return nil, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func splitListen(addr string) (string, int, error) {
	host, digits, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("actor.listen-address %q: %w", addr, err)
	}
	port, err := strconv.Atoi(digits)
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("actor.listen-address %q: the port is not in 0 to 65535", addr)
	}
	return host, port, nil
}

// Address is the actor port as bound.
func (c *Cluster) Address() string { return c.System.Address() }

// Owner is the node that owns a key.
func (c *Cluster) Owner(string) string { return c.nodeID }

// PID finds the actor of a key, activating it if needed; nil while stopping.
func (c *Cluster) PID(kind, identity string) *actor.PID {
	return c.lookup.Get(proto.NewClusterIdentity(identity, kind))
}

// Passivated must be called by an actor that stops itself.
func (c *Cluster) Passivated(kind, identity string, pid *actor.PID) {
	c.lookup.RemovePid(proto.NewClusterIdentity(identity, kind), pid)
}

// Active is the number of activated actors.
func (c *Cluster) Active() int { return c.lookup.active() }

// Stop stops all actors and the shell. It does not use the shell's own
// Shutdown, which races and sleeps.
func (c *Cluster) Stop() {
	<-c.started
	c.lookup.Shutdown()
	c.shell.Gossip.Shutdown()
	c.shell.Remote.Shutdown(false)
	c.System.Shutdown()
}

// alone is the ClusterProvider of a cluster of one.
type alone struct {
	id string
	up chan struct{}
}

func (a *alone) StartMember(c *proto.Cluster) error {
	host, port, err := c.ActorSystem.GetHostPort()
	if err != nil {
		return err
	}
	c.MemberList.UpdateClusterTopology(proto.Members{
		{Host: host, Port: int32(port), Id: a.id + "#0", Kinds: c.GetClusterKinds()},
	})
	close(a.up)
	return nil
}

func (a *alone) StartClient(*proto.Cluster) error { return nil }
func (a *alone) Shutdown(bool) error              { return nil }

// quiet passes protoactor's log on, one level lower: its info is our debug.
type quiet struct{ slog.Handler }

func (q quiet) Enabled(ctx context.Context, l slog.Level) bool {
	return q.Handler.Enabled(ctx, lower(l))
}

func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	r.Level = lower(r.Level)
	return q.Handler.Handle(ctx, r)
}

func (q quiet) WithAttrs(a []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(a)} }
func (q quiet) WithGroup(n string) slog.Handler      { return quiet{q.Handler.WithGroup(n)} }

func lower(l slog.Level) slog.Level { return l - 4 }
