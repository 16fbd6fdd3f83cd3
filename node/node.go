package node

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"fleetfuse/cluster"
	"fleetfuse/config"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/memory"
	"fleetfuse/cooldownstore/sqlite"
	"fleetfuse/gate"
	"fleetfuse/httpapi"
	"fleetfuse/internal/clock"
	"fleetfuse/telemetry"
	"fleetfuse/telemetry/follow"
)

// Options say how a node runs; cmd/node fills them from the configuration.
type Options struct {
	Name         string
	DataDir      string
	Memory       bool                 // keep everything in memory (tests)
	Shared       cooldownstore.Shared // where cooldowns are shared, see OpenShared; closed with the node; nil: nowhere
	HTTPListen   string
	HTTPSocket   string
	AllowedHosts []string
	Gossip       cluster.Gossip
	Actor        cluster.Actor
	TLS          cluster.TLS
	Insecure     bool                          // ports beyond loopback without keys
	OnLeave      func()                        // an operator told the node to leave: end it with Stop; nil: nothing happens
	Config       *config.Config                // the policies, and what is shown of the rest; nil: the default
	Reload       func() (config.Config, error) // reads it again; nil: it cannot be
	Version      string
	Logger       *slog.Logger
	Clock        *clock.Clock  // stopped by Stop; nil: the machine's
	EventAge     time.Duration // how long events are kept on disk; zero: eventlog.DefaultMaxAge
	EventBytes   int64         // how much of them; zero: eventlog.DefaultMaxBytes
	MetricKeys   int           // how many breakers have metrics of their own; zero: telemetry.DefaultMaxKeys
}

// Node is a running node.
type Node struct {
	opt      Options
	id       string
	epoch    uint64
	started  time.Time
	ready    atomic.Bool
	clock    *clock.Clock
	store    cooldownstore.Store
	keeper   *cooldownstore.Behind
	events   *chronicle
	standing standing
	solitude solitude
	hub      *follow.Hub // of the events of all members
	notes    *notes
	usage    *usage
	tuning   *tuning
	sharing  *sharing
	// warnings are about the place of the data directory.
	warnings []string
	// setAside is where a damaged state.db was put at the start.
	setAside string
	metrics  *telemetry.Metrics
	policies *policies
	reloads  reloads
	board    *board
	gate     *gate.Gate
	cluster  *cluster.Cluster
	http     *web
	release  []func() // undone in reverse by Stop and by a failed Start
}

// Start builds and starts a node. On an error everything is released.
func Start(ctx context.Context, opt Options) (*Node, error) {
	n := &Node{opt: opt, started: time.Now(), clock: opt.Clock, metrics: telemetry.New(opt.Version, cmp.Or(opt.MetricKeys, telemetry.DefaultMaxKeys))}
	if n.clock == nil {
		n.clock = clock.New()
	}
	if opt.Config == nil {
		c := config.Default()
		n.opt.Config = &c
	}
	n.policies = newPolicies(n.opt.Config, opt.Logger)
	n.reloads.loaded, n.reloads.one = n.started, make(chan struct{}, 1)
	n.reloads.one <- struct{}{}
	n.onStop(n.clock.Stop)
	if opt.Shared != nil {
		n.sharing = newSharing(n, opt.Shared)
		n.onStop(n.sharing.close)
	}
	for _, step := range []func(context.Context) error{n.openStore, n.tryPorts, n.openEvents, n.startBreakers, n.serve} {
		if err := step(ctx); err != nil {
			n.Stop()
			return nil, err
		}
	}
	n.ready.Store(true)
	opt.Logger.Info("ready", slog.String("node", n.opt.Name), slog.String("http", n.http.address()), slog.String("actor", n.cluster.Address()))
	return n, nil
}

func (n *Node) onStop(f func()) { n.release = append(n.release, f) }

// Stop drains and releases everything. A second call does nothing.
func (n *Node) Stop() {
	n.ready.Store(false)
	for _, f := range slices.Backward(n.release) {
		f()
	}
	n.release = nil
}

// stopLimit bounds each wait of a stop.
const stopLimit = 5 * time.Second

func (n *Node) openStore(ctx context.Context) error {
	n.store = memory.New()
	if !n.opt.Memory {
		s, err := sqlite.Open(ctx, n.opt.DataDir)
		if err != nil {
			return err
		}
		if aside := s.SetAside(); aside != "" {
			n.setAside = aside
			n.opt.Logger.Error("the database was corrupt; a fresh one was made and the old one set aside", slog.String("file", aside))
		}
		n.store, n.warnings = s, s.Warnings()
		for _, w := range n.warnings {
			n.opt.Logger.Warn("the store", slog.String("warning", w))
		}
	}
	n.onStop(func() { n.logFailure("close the store", n.store.Close()) })
	if err := n.identify(ctx); err != nil {
		return err
	}
	n.notes = newNotes(n.store.SetMeta, n.opt.Logger)
	n.onStop(n.notes.close)
	n.keeper = cooldownstore.NewBehind(n.store, cooldownstore.BehindOptions{Clock: n.clock.Both, OnHealth: n.storeHealth})
	n.onStop(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
		defer cancel()
		n.logFailure("write what was pending, which is lost unless another node has it", n.keeper.Close(ctx))
	})
	return nil
}

// storeHealth logs that the store failed or works again.
func (n *Node) storeHealth(h cooldownstore.Health) {
	n.part(partStore, h.OK, errorText(h.Err))
	if h.OK {
		n.opt.Logger.Info("the store works", slog.Int("pending", h.Pending), slog.Uint64("dropped", h.Dropped))
		return
	}
	n.opt.Logger.Error("the store fails; decisions go on, changes wait in memory", slog.Any("err", h.Err), slog.Int("pending", h.Pending))
}

// part writes down that a part of the node fails, or works again.
func (n *Node) part(name string, works bool, why string) { n.standing.tell(name, !works, why) }

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (n *Node) logFailure(what string, err error) {
	if err != nil {
		n.opt.Logger.Error(what, slog.Any("err", err))
	}
}

func (n *Node) serve(ctx context.Context) error {
	n.metrics.Read(n.sample)
	n.hub = follow.NewHub(everyone{n}, follow.Options{})
	n.onStop(n.hub.Close)
	secure, hosts, err := n.opt.guardHTTP(n.cluster.GossipAddress())
	if err != nil {
		return err
	}
	server := httpapi.New(httpapi.Options{
		Gate: n.gate, Breakers: n.board, Board: n.board, Events: n.hub, Usage: n, Tuner: n, Fleet: n.fleet(), Clock: n.clock, Metrics: n.metrics, Logger: n.opt.Logger,
		Node: n.opt.Name, Policy: n.policies.of, Named: n.policies.named, Wildcards: n.policies.wildcards, Policies: n, Beliefs: n.beliefs, Settle: n.settle, Durable: n.keeper.Durable, Status: n.Status,
		AllowedHosts: hosts,
	})
	w, err := listen(ctx, n.opt.HTTPListen, n.opt.HTTPSocket, secure, server, n.opt.Logger)
	if err != nil {
		return err
	}
	n.http = w
	n.cluster.SetAPIAddress(reachable(w.address(), n.cluster.GossipAddress()))
	n.onStop(w.stop)
	return nil
}

// fleet is the cluster as the API shows it.
func (n *Node) fleet() fleet {
	return fleet{n.board, func() {
		if n.opt.OnLeave != nil {
			n.opt.OnLeave()
		}
	}}
}

// Addresses are where the node listens.
type Addresses struct {
	HTTP   string `json:"http"`
	Socket string `json:"socket,omitempty"`
	Gossip string `json:"gossip"`
	Actor  string `json:"actor"`
}

// Addresses returns the addresses as bound.
func (n *Node) Addresses() Addresses {
	return Addresses{HTTP: n.http.address(), Socket: n.opt.HTTPSocket, Gossip: n.cluster.GossipAddress(), Actor: n.cluster.Address()}
}
