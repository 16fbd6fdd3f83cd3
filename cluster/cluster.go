package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	proto "github.com/asynkron/protoactor-go/cluster"
	"github.com/asynkron/protoactor-go/remote"
)

// A Cluster is this node's part in the fleet. It is safe for concurrent use.
type Cluster struct {
	System *actor.ActorSystem

	nodeID     string
	events     Events
	counts     *counts
	picture    atomic.Pointer[picture]
	lookup     *lookup
	provider   *provider
	shell      *proto.Cluster
	inbox      *inbox
	outboxes   *outboxes
	membership *membership // nil until the actor port is open

	ended    chan struct{} // closed when StartMember returned or panicked
	failed   chan error    // why it panicked
	hangUp   context.CancelFunc
	stopOnce sync.Once
}

// clusterName is what protoactor calls the shell; it is not a setting.
const clusterName = "fleetfuse"

// gossipNever switches protoactor's own gossip, a second failure detector, off.
const gossipNever = 24 * time.Hour

// Start starts the node's part with the kinds of actor it can activate, by
// name. When it returns, the peers that answer within a second are members. It
// fails if a port cannot be bound, a file cannot be read, or an option is
// refused. Stop it when done.
func Start(ctx context.Context, opt Options, kinds map[string]*actor.Props) (*Cluster, error) {
	if opt.Events == nil {
		opt.Events = silent{}
	}
	pl, err := opt.plan()
	if err != nil {
		return nil, err
	}
	c := newCluster(opt, pl, kinds)
	go c.run(pl.port.String())
	if err = c.open(ctx, opt, pl); err != nil {
		c.Stop()
		return nil, err
	}
	return c, nil
}

// A plan is the options, read and checked before anything is opened.
type plan struct {
	gossip, port place
	keys         *keyring
	security     security
}

func (o Options) plan() (p plan, err error) {
	if err = o.validate(); err != nil {
		return p, err
	}
	if p.gossip, err = parsePlace("cluster", o.Gossip.Listen, o.Gossip.Advertise); err != nil {
		return p, err
	}
	if p.port, err = parsePlace("actor", o.Actor.Listen, o.Actor.Advertise); err != nil {
		return p, err
	}
	if err = o.allow(p.gossip, p.port); err != nil {
		return p, err
	}
	if _, err = profile(o.Gossip.Profile); err != nil {
		return p, err
	}
	var noTLS, noKeys error // both at once: an operator mends both at once
	p.security, noTLS = o.TLS.open()
	p.keys, noKeys = openKeyring(o.Gossip.KeyringFile)
	return p, errors.Join(noTLS, noKeys)
}

func newCluster(opt Options, pl plan, kinds map[string]*actor.Props) *Cluster {
	logger := slog.New(newQuiet(opt.Logger.Handler()))
	ctx, hangUp := context.WithCancel(context.Background())
	c := &Cluster{
		System: actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return logger })),
		nodeID: opt.NodeID, events: opt.Events, counts: new(counts), lookup: newLookup(opt.NodeID),
		provider: &provider{up: make(chan struct{})}, ended: make(chan struct{}), failed: make(chan error, 1), hangUp: hangUp,
	}
	c.picture.Store(newPicture(nil))
	c.inbox = &inbox{self: opt.NodeID, counts: c.counts, member: c.member, unknown: c.lookAgain, receive: opt.Events.Receive}
	c.inbox.register(c.System)
	c.outboxes = newOutboxes(c.System, c.counts)
	config := proto.Configure(clusterName, c.provider, c.lookup, c.port(ctx, pl))
	config.GossipInterval = gossipNever
	for name, props := range kinds {
		config.Kinds[name] = proto.NewKind(name, c.lookup.watched(props))
	}
	c.shell = proto.New(c.System, config)
	return c
}

// port configures the actor port, both ways.
func (c *Cluster) port(ctx context.Context, pl plan) *remote.Config {
	host := pl.port.host
	if strings.Contains(host, ":") {
		host = "[" + host + "]" // the shell joins host and port without brackets
	}
	g := guard{counts: c.counts, address: c.System.Address}
	return remote.Configure(host, int(pl.port.port),
		append(dialling(ctx, pl.security), remote.WithServerOptions(g.options(pl.security)...))...)
}

// run starts the shell: it panics where others return an error, and sleeps a
// second at its end.
func (c *Cluster) run(listen string) {
	defer close(c.ended)
	defer func() {
		if r := recover(); r != nil {
			c.failed <- CannotListen("--actor.listen-address", listen, r)
		}
	}()
	c.shell.StartMember()
}

// open waits for the actor port, then joins the gossip.
func (c *Cluster) open(ctx context.Context, opt Options, pl plan) error {
	select {
	case <-c.provider.up:
	case err := <-c.failed:
		return err
	case <-ctx.Done():
		return fmt.Errorf("start the actor port %s: %w", pl.port, context.Cause(ctx))
	}
	_, bound, err := splitHostPort(c.Address())
	if err != nil {
		return fmt.Errorf("start the actor port %s: %w", pl.port, err)
	}
	m, err := newMembership(opt, pl.port.address(bound), c.counts, hooks{
		changed: c.changed, evicted: c.evicted, merged: c.inbox.offer, state: opt.Events.State, seeds: opt.Events.SeedsChanged,
	})
	if err != nil {
		return err
	}
	c.membership = m
	c.inbox.start()
	return m.start(ctx, opt, pl.gossip, pl.keys)
}

// changed takes over a new picture: first the ring, then the connections, then
// the node hears of it. The loop calls it.
func (c *Cluster) changed(live []Member, left []string) {
	p := newPicture(live)
	c.picture.Store(p)
	c.lookup.place(p.ring)
	c.outboxes.follow(live)
	c.provider.publish(live)
	c.events.Members(live, left)
}

// evicted drops what this node did while others had given it up. The loop calls
// it.
func (c *Cluster) evicted(epoch uint64) {
	c.lookup.releaseAll()
	c.events.Evicted(epoch)
}

func (c *Cluster) member(id string) (Member, bool) {
	m, ok := c.picture.Load().byID[id]
	return m, ok
}

// lookAgain is for a frame of nobody known: its sender may just have joined.
func (c *Cluster) lookAgain(string) {
	if m := c.membership; m != nil {
		m.kick()
	}
}

// Leave has this node own nothing any more: the members are told, the actors
// here are released. It returns when the members heard, or with an error when
// that is not known by the end of the context or after 2 s. The node stays a
// member until Stop.
func (c *Cluster) Leave(ctx context.Context) error { return c.membership.leave(ctx) }

// Stop leaves the cluster, lets the actors finish what is in their mailboxes,
// and closes everything. A second Stop does nothing.
func (c *Cluster) Stop() { c.stopOnce.Do(c.stop) }

// stop does not use the shell's own Shutdown, which races and sleeps.
func (c *Cluster) stop() {
	if c.membership != nil {
		c.membership.drain()
	}
	if c.opened() {
		c.lookup.Shutdown()
	}
	if c.membership != nil {
		c.membership.stop()
	}
	<-c.ended // its sleep, if it was started within the last second
	c.inbox.stop()
	c.outboxes.stop()
	c.hangUp()
	if c.lookup.shell != nil {
		c.shell.Gossip.Shutdown()
		c.shell.Remote.Shutdown(false)
	}
	c.System.Shutdown()
}

// opened says that the actor port was opened, so that there may be actors.
func (c *Cluster) opened() bool {
	select {
	case <-c.provider.up:
		return true
	case <-c.ended:
		return c.lookup.shell != nil
	}
}

// Address is the actor port as bound.
func (c *Cluster) Address() string { return c.System.Address() }

// GossipAddress is the gossip port as others are told.
func (c *Cluster) GossipAddress() string { return c.membership.own }
