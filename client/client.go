package client

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/gate"
	"fleetfuse/hostname"
	"fleetfuse/internal/clock"
)

// FailMode says what happens to calls while the node is away for long.
type FailMode int

// The fail modes.
const (
	FailOpen   FailMode = iota // the last known view and the ring carry on
	FailClosed                 // everything is rejected after two heartbeats
)

// Options of a Client. All have a default.
type Options struct {
	Addr     string // host:port, http://host:port or unix:///path; default DefaultAddr
	FailMode FailMode
	Worker   string // names this process in reports; default NAME:PID of the program
	MaxHosts int    // keys remembered; default 1,000,000
	// Heartbeat is the node's; two missed make it away. Default 5 s.
	Heartbeat time.Duration
	AskLimit  time.Duration // how long a half-open question may take; default 500 ms
	Logger    *slog.Logger  // default slog.Default()
	// OnEvent is told of every event of the node's stream, after it was
	// applied. It must not block.
	OnEvent func(api.ViewEvent)
}

// A Client decides about calls in this process. It is safe for concurrent use.
type Client struct {
	opt   Options
	clock *clock.Clock
	gate  *gate.Gate
	view  *view
	feed  *feed
	node  *node
	odd   complaints

	counts counters

	cancelFeed, cancelSend context.CancelFunc
	feeding, sending       sync.WaitGroup
	closing                sync.Once
	transport              *http.Transport
}

// New returns a running client; Close it when done. It does not wait for the
// node: until the first snapshot decisions are stale. See Ready.
func New(opt Options) (*Client, error) {
	if err := opt.complete(); err != nil {
		return nil, err
	}
	base, transport, err := connectTo(opt.Addr)
	if err != nil {
		return nil, err
	}
	c := &Client{opt: opt, clock: clock.New(), transport: transport}
	web := &http.Client{
		Transport:     transport, // a node never redirects
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	c.view = &view{clock: c.clock, most: opt.MaxHosts, keys: map[breaker.Key]*known{}, policies: defaultPolicies()}
	c.node = &node{base: base, http: web, worker: opt.Worker, clock: c.clock, view: c.view, reports: reports{
		signal: make(chan struct{}, 1), tallies: map[breaker.Key]*tallies{}, dates: map[dated]string{},
	}, decided: decided{counts: &c.counts}, log: opt.Logger}
	c.gate = gate.New(gate.Options{
		Node: opt.Worker, Owner: c.node, Policy: c.view.policy, Clock: c.clock, MaxHosts: opt.MaxHosts, AskLimit: opt.AskLimit,
		Usage: true,
	})
	c.view.gate, c.node.decided.used.gate = c.gate, c.gate
	c.feed = &feed{
		base: base, http: web, view: c.view, clock: c.clock, log: opt.Logger, heartbeat: opt.Heartbeat, onEvent: opt.OnEvent,
		ready: make(chan struct{}), since: c.clock.Now(),
	}
	c.start()
	return c, nil
}

func (o *Options) complete() error {
	if o.Addr == "" {
		o.Addr = DefaultAddr
	}
	if o.Worker == "" {
		name, err := os.Executable()
		if err != nil {
			name = "worker"
		}
		o.Worker = fmt.Sprintf("%s:%d", filepath.Base(name), os.Getpid())
	}
	if o.Heartbeat == 0 {
		o.Heartbeat = 5 * time.Second
	}
	if o.MaxHosts == 0 {
		o.MaxHosts = 1_000_000
	}
	if o.AskLimit == 0 {
		o.AskLimit = 500 * time.Millisecond
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Heartbeat < 0 || o.AskLimit < 0 || o.MaxHosts < 0 || o.FailMode < FailOpen || o.FailMode > FailClosed {
		return errors.New("client: an option is out of range")
	}
	return nil
}

func (c *Client) start() {
	var feedCtx, sendCtx context.Context
	feedCtx, c.cancelFeed = context.WithCancel(context.Background())
	sendCtx, c.cancelSend = context.WithCancel(context.Background())
	c.feeding.Go(func() { c.feed.run(feedCtx) })
	c.sending.Go(func() { c.node.send(sendCtx) })
}

// Close sends what was counted, for at most about half a second, and stops.
// Calls decided before may still be reported; nobody will hear of them.
func (c *Client) Close() error {
	c.closing.Do(func() {
		c.gate.Stop()
		c.cancelFeed()
		c.feeding.Wait()
		c.cancelSend()
		c.sending.Wait()
		c.clock.Stop()
		c.transport.CloseIdleConnections()
	})
	return nil
}

// Ready waits until the node's first snapshot is in force. Its error says why
// there is none yet: a wrong address, say.
func (c *Client) Ready(ctx context.Context) error {
	select {
	case <-c.feed.ready:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the node at %s did not answer: %w", c.opt.Addr, c.feed.unheard(ctx.Err()))
	}
}

// Stale reports whether the node is away, so that answers rest on the last
// known view and this process's own ring.
func (c *Client) Stale() bool { return !c.view.fed.Load() }

// State is the state of a host's breaker as far as this process knows. It asks
// nobody and takes no permit.
func (c *Client) State(host string) breaker.State { return c.status(host).State }

// Remaining is how long calls to a host are rejected yet; zero if they are not.
func (c *Client) Remaining(host string) time.Duration {
	st := c.status(host)
	if st.State != breaker.Open {
		return 0
	}
	return max(st.Until.Sub(c.clock.Now()), 0)
}

// RateMultiplier is advice to the worker's own limiter: to call at this part of
// its normal rate, from 0.1 to 1. The tuner lowers it, for the roles it is about,
// while a host answers 429; nothing here slows a call down. It asks nobody. Of a
// call with a host and a resolver it is the lower one.
func (c *Client) RateMultiplier(call Call) float64 {
	m := 1.0
	g, _ := c.spell(call)
	if g.Host != "" {
		m = c.view.policy(breaker.HostKey(g.Host)).ForRole(g.Role).RateMultiplier
	}
	if g.Resolver != "" {
		m = min(m, c.view.policy(breaker.ResolverKey(g.Resolver)).ForRole(g.Role).RateMultiplier)
	}
	return m
}

func (c *Client) status(host string) breaker.Status {
	name, err := hostname.Normalize(host)
	if err != nil {
		return breaker.Status{}
	}
	key := breaker.HostKey(name)
	if st := c.view.status(key); st.State != breaker.Closed || c.view.fed.Load() {
		return st
	}
	for _, ring := range c.gate.OpenRings() {
		if ring.Key == key {
			return ring.Status
		}
	}
	return breaker.Status{}
}
