package cluster

import (
	"context"
	"fmt"
	"log"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
	"google.golang.org/protobuf/proto"

	"fleetfuse/wire"
)

const (
	beatEvery   = 500 * time.Millisecond
	rejoinEvery = 2 * time.Second
	pauseLimit  = 2 * time.Second // between turns of the loop: this process was stopped
	doubtFor    = 5 * time.Second // after that, while its own view is stale
	spreadLimit = 2 * time.Second // for the members to hear of a change
	firstJoin   = time.Second     // how long a start waits for a member
)

// hooks are what membership tells the rest of the cluster. All are called by
// its loop, but state, which memberlist's goroutines call one at a time.
type hooks struct {
	changed func(live []Member, left []string)
	evicted func(epoch uint64)
	merged  func(*wire.Frame) // that came along with memberlist's state
	state   func() *wire.Frame
	seeds   func([]string)
}

// A membership knows who is alive. Its loop owns the roster and the seeds.
type membership struct {
	nodeID  string
	process string // name in memberlist, unique per start
	log     *slog.Logger
	said    *rate
	counts  *counts
	misses  misses
	hooks   hooks
	list    *memberlist.Memberlist
	own     string // gossip address of this node

	epoch   atomic.Uint64
	stale   atomic.Bool   // the meta differs from what memberlist has
	dirty   chan struct{} // cap 1: something may have changed
	work    chan func()   // for the loop
	rounds  chan round    // for the joiner
	stateMu sync.Mutex

	mu        sync.Mutex
	meta      *wire.Meta
	sightings map[string]sighting // by process

	ctx    context.Context
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	// Of the loop alone.
	roster   *roster
	seeds    *seeds
	told     map[string]time.Time // when a process was told last that it was evicted
	lastTurn time.Time            // when the loop last came to its end
	rejoinAt time.Time
	doubtful time.Time // until then this node gives nobody up
}

// newMembership prepares a membership: the meta says where the actor port is.
func newMembership(opt Options, actorAddress string, c *counts, h hooks) (*membership, error) {
	m := &membership{
		nodeID: opt.NodeID, process: memberID(opt.NodeID, opt.Epoch), log: opt.Logger, said: newRate(),
		counts: c, hooks: h,
		dirty: make(chan struct{}, 1), work: make(chan func(), 256), rounds: make(chan round),
		sightings: map[string]sighting{}, told: map[string]time.Time{},
		roster: newRoster(), seeds: newSeeds(opt.Gossip.Peers, opt.Seeds),
		meta: &wire.Meta{
			Protocol: protocol, Id: opt.NodeID, Epoch: opt.Epoch, Name: opt.Name, ActorAddress: actorAddress,
			ApiAddress: opt.APIAddress, Version: opt.Version, ConfigHash: opt.ConfigHash,
		},
	}
	m.epoch.Store(opt.Epoch)
	m.ctx, m.cancel = context.WithCancel(context.Background())
	return m, checkMeta(m.meta)
}

// checkMeta makes sure that the meta fits whatever becomes of it.
func checkMeta(meta *wire.Meta) error {
	worst := proto.CloneOf(meta)
	worst.Epoch, worst.Draining, worst.Apart = ^uint64(0), true, true
	if len(worst.ApiAddress) < maxAPIAddrBytes {
		worst.ApiAddress = string(make([]byte, maxAPIAddrBytes))
	}
	if n := proto.Size(worst); n > memberlist.MetaMaxSize {
		return fmt.Errorf("what this node tells about itself takes %d bytes, at most %d fit: shorten --node.name (%d bytes) "+
			"or the advertised addresses", n, memberlist.MetaMaxSize, len(meta.Name))
	}
	return nil
}

// start joins the gossip and waits up to a second for the first member.
func (m *membership) start(ctx context.Context, opt Options, at place, keys *keyring) error {
	config, err := m.config(ctx, opt, at, keys)
	if err != nil {
		return err
	}
	if m.list, err = memberlist.Create(config); err != nil {
		_ = config.Transport.Shutdown()
		return fmt.Errorf("start the gossip on %s: %w", at, err)
	}
	m.mu.Lock()
	m.own = m.sightings[m.process].GossipAddress
	m.mu.Unlock()
	m.lastTurn = time.Now()
	m.rejoinAt = m.lastTurn.Add(rejoinEvery)
	m.look()
	first := m.firstRound()
	m.tasks.Go(m.loop)
	m.tasks.Go(m.joiner)
	if keys != nil {
		m.tasks.Go(func() { keys.watch(m.ctx, m.log) })
	}
	m.joinFirst(ctx, first)
	return nil
}

// config puts the delegate, the keys and the network into a profile.
func (m *membership) config(ctx context.Context, opt Options, at place, keys *keyring) (*memberlist.Config, error) {
	c, err := profile(opt.Gossip.Profile)
	if err != nil {
		return nil, err
	}
	c.Name, c.Label = m.process, opt.Gossip.Label
	d := delegate{m}
	c.Delegate, c.Events, c.Alive, c.Merge, c.Conflict = d, d, d, d, d
	c.Logger = log.New(gossipLog{m.log, m.counts, newRate()}, "", 0)
	if keys != nil {
		c.Keyring = keys.ring
	}
	if c.Transport = opt.Gossip.Transport; c.Transport != nil {
		return c, nil
	}
	ip, err := at.lookIP(ctx)
	if err != nil {
		return nil, err
	}
	n, err := listen(m.ctx, at, c.Logger)
	if err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(at.address(uint16(n.GetAutoBindPort())))
	c.Transport, c.BindAddr, c.BindPort, c.AdvertiseAddr = n, at.host, n.GetAutoBindPort(), ip
	c.AdvertisePort, _ = strconv.Atoi(port)
	return c, nil
}

// loop is the goroutine that owns who is a member.
func (m *membership) loop() {
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for {
		var do func()
		select {
		case <-m.ctx.Done():
			return
		case <-m.dirty:
			do = m.look
		case do = <-m.work:
		case <-beat.C:
			do = func() { m.beat(time.Now()) }
		}
		m.notePause(time.Now())
		do()
		m.lastTurn = time.Now() // what this loop does itself, however long, is no pause
	}
}

// kick has the loop look again, soon.
func (m *membership) kick() {
	select {
	case m.dirty <- struct{}{}:
	default:
	}
}

// post has the loop do something; false if it has too much to do.
func (m *membership) post(do func()) bool {
	select {
	case m.work <- do:
		return true
	default:
		return false
	}
}

// settle waits until the loop has looked.
func (m *membership) settle(ctx context.Context) {
	done := make(chan struct{})
	select {
	case m.work <- func() { m.look(); close(done) }:
	case <-m.ctx.Done():
		return
	case <-ctx.Done():
		return
	}
	select {
	case <-done:
	case <-m.ctx.Done():
	case <-ctx.Done():
	}
}

// self is this node as a member.
func (m *membership) self() Member {
	m.mu.Lock()
	defer m.mu.Unlock()
	self := memberOf(m.meta, m.own)
	self.Self = true
	return self
}

// tell changes what this node tells about itself.
func (m *membership) tell(change func(*wire.Meta)) {
	m.mu.Lock()
	change(m.meta)
	m.mu.Unlock()
	m.stale.Store(true)
	m.kick()
}

// leave tells the members that this node drains, and waits until they heard.
func (m *membership) leave(ctx context.Context) error {
	m.tell(func(meta *wire.Meta) { meta.Draining = true })
	m.settle(ctx)
	limit := spreadLimit
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end))
	}
	if limit <= 0 || ctx.Err() != nil {
		return fmt.Errorf("leave the cluster: %w", context.Cause(ctx))
	}
	if err := m.list.UpdateNode(limit); err != nil {
		return fmt.Errorf("leave the cluster: the members may not have heard of it: %w", err)
	}
	return nil
}
