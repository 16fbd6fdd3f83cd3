package node

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"fleetfuse/actors"
	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/cluster"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/memory"
	"fleetfuse/cooldownstore/sqlite"
	"fleetfuse/gate"
	"fleetfuse/httpapi"
	"fleetfuse/internal/clock"
	"fleetfuse/telemetry"
)

// Options say how a node runs; cmd/node fills them from the configuration.
type Options struct {
	Name         string
	DataDir      string
	Memory       bool // keep everything in memory (tests)
	HTTPListen   string
	HTTPSocket   string
	AllowedHosts []string
	ActorListen  string
	Policy       func(breaker.Key) *breaker.Policy
	Named        func() []breaker.Key // keys with a policy of their own
	Version      string
	Logger       *slog.Logger
}

// Node is a running node.
type Node struct {
	opt     Options
	id      string
	started time.Time
	ready   atomic.Bool
	clock   *clock.Clock
	store   cooldownstore.Store
	keeper  *cooldownstore.Behind
	metrics *telemetry.Metrics
	board   *board
	gate    *gate.Gate
	cluster *cluster.Cluster
	http    *web
	release []func() // undone in reverse by Stop and by a failed Start
}

// Start builds and starts a node. On an error everything is released.
func Start(ctx context.Context, opt Options) (*Node, error) {
	n := &Node{opt: opt, started: time.Now(), clock: clock.New(), metrics: telemetry.New()}
	n.onStop(n.clock.Stop)
	for _, step := range []func(context.Context) error{n.openStore, n.startBreakers, n.serve} {
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
			n.opt.Logger.Error("the database was corrupt; a fresh one was made and the old one set aside", slog.String("file", aside))
		}
		n.store = s
	}
	n.onStop(func() { n.logFailure("close the store", n.store.Close()) })
	if err := n.identify(ctx); err != nil {
		return err
	}
	n.keeper = cooldownstore.NewBehind(n.store, cooldownstore.BehindOptions{Clock: n.clock.Both, OnHealth: n.storeHealth})
	n.onStop(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
		defer cancel()
		n.logFailure("write what was pending", n.keeper.Close(ctx))
	})
	return nil
}

// storeHealth logs that the store failed or works again.
func (n *Node) storeHealth(h cooldownstore.Health) {
	if h.OK {
		n.opt.Logger.Info("the store works", slog.Int("pending", h.Pending), slog.Uint64("dropped", h.Dropped))
		return
	}
	n.opt.Logger.Error("the store fails; decisions go on, changes wait in memory", slog.Any("err", h.Err), slog.Int("pending", h.Pending))
}

func (n *Node) logFailure(what string, err error) {
	if err != nil {
		n.opt.Logger.Error(what, slog.Any("err", err))
	}
}

// identify reads the node's id, or makes one on the first start.
func (n *Node) identify(ctx context.Context) error {
	id, err := n.store.Meta(ctx, "node_id")
	if err != nil {
		return err
	}
	if id == "" {
		id = rand.Text()
		err = n.store.SetMeta(ctx, "node_id", id)
	}
	n.id = id
	return err
}

// startBreakers connects view, gate and actors and recalls what the store knows.
func (n *Node) startBreakers(ctx context.Context) error {
	n.board = newBoard(n.clock, n.keeper, n.metrics, n.opt.Logger)
	n.board.Breakers = actors.New(actors.Options{
		Node: n.opt.Name, Announcer: n.board, Keeper: n.keeper, Clock: n.clock, Logger: n.opt.Logger,
		Policy: n.opt.Policy, Recall: n.board.Of, Members: func() int { return 1 },
	})
	n.gate = gate.New(gate.Options{Node: n.opt.Name, Owner: n.board, Policy: n.opt.Policy, Clock: n.clock})
	n.board.gate = n.gate
	c, err := cluster.Start(ctx, cluster.Options{NodeID: n.id, Listen: n.opt.ActorListen, Logger: n.opt.Logger}, n.board.Kinds())
	if err != nil {
		n.gate.Stop()
		return err
	}
	n.cluster = c
	n.board.Use(c, c.System)
	n.onStop(c.Stop)
	n.onStop(n.gate.Stop) // before the actors: it flushes to them
	go n.board.run()
	n.onStop(n.board.close)
	return n.recall(ctx)
}

// recall reads the store into the view and activates every key that is not
// closed. Later stamps exceed all stored ones.
func (n *Node) recall(ctx context.Context) error {
	now, wall := n.clock.Both()
	var open []breaker.Key
	err := n.store.Each(ctx, func(r cooldownstore.Record) bool {
		s := r.ToSnapshot(now, wall)
		if err := n.clock.Observe(r.Snapshot.MaxStamp()); err != nil { // also of parts that are forgotten by now
			n.opt.Logger.Warn("a stored breaker is ignored", slog.String("key", string(r.Key)), slog.Any("err", err))
			return true
		}
		if s.Empty() {
			return true
		}
		n.board.merge(r.Key, s)
		if s.At(now).State != breaker.Closed {
			open = append(open, r.Key)
		}
		return true
	})
	if err != nil {
		return fmt.Errorf("recall breakers: %w", err)
	}
	for _, k := range open {
		n.board.Activate(k)
	}
	return nil
}

func (n *Node) serve(ctx context.Context) error {
	n.gauges()
	server := httpapi.New(httpapi.Options{
		Gate: n.gate, Breakers: n.board.Breakers, Board: n.board, Clock: n.clock, Metrics: n.metrics, Logger: n.opt.Logger,
		Node: n.opt.Name, Policy: n.opt.Policy, Named: n.opt.Named, Durable: n.keeper.Durable, Status: n.Status,
		AllowedHosts: n.opt.AllowedHosts,
	})
	w, err := listen(ctx, n.opt.HTTPListen, n.opt.HTTPSocket, server, n.opt.Logger)
	if err != nil {
		return err
	}
	n.http = w
	n.onStop(w.stop)
	return nil
}

func (n *Node) gauges() {
	m := n.metrics
	m.Gauge("breakers_open", "Breakers that are open.", func() float64 { open, _ := n.board.count(); return float64(open) })
	m.Gauge("breakers_half_open", "Breakers that are half-open.", func() float64 { _, half := n.board.count(); return float64(half) })
	m.Gauge("rings_local", "Keys that only this node rejects.", func() float64 { return float64(n.gate.Counts().Local) })
	m.Counter("view_dropped_total", "Exceptions dropped because the view was full.", func() float64 { return float64(n.board.droppedTotal()) })
	m.Gauge("gate_hosts", "Keys the gate remembers.", func() float64 { return float64(n.gate.Counts().Hosts) })
	m.Gauge("actors_active", "Breaker actors on this node.", func() float64 { return float64(n.cluster.Active()) })
	m.Counter("actor_panics_total", "Panics contained in breaker actors.", func() float64 { return float64(n.board.Panics()) })
	m.Gauge("store_pending", "Changes not written yet.", func() float64 { return float64(n.keeper.Health().Pending) })
	m.Counter("store_dropped_total", "Changes lost because too many were pending.", func() float64 { return float64(n.keeper.Health().Dropped) })
	m.Gauge("store_ok", "1 while the store works.", func() float64 {
		if n.keeper.Health().OK {
			return 1
		}
		return 0
	})
}

// Status is the node's health in one page.
func (n *Node) Status() api.StatusResponse {
	h, c := n.keeper.Health(), n.gate.Counts()
	st := api.StatusResponse{
		Node: n.opt.Name, Version: n.opt.Version, StartedAt: n.started.UTC(), Ready: n.ready.Load(),
		Members:  []api.Member{{ID: n.id, Name: n.opt.Name, State: "alive", Address: n.cluster.Address(), Version: n.opt.Version}},
		Store:    api.StoreHealth{Kind: n.store.Kind(), OK: h.OK, Pending: h.Pending},
		Hosts:    c.Hosts,
		Local:    c.Local,
		Actors:   n.cluster.Active(),
		Problems: []string{},
	}
	st.Open, st.HalfOpen = n.board.count()
	if !h.OK {
		since := h.Since.UTC()
		st.Store.Since, st.Store.Error = &since, h.Err.Error()
		st.Problems = append(st.Problems, fmt.Sprintf("the store fails since %s: %v; %d changes wait", since.Format(time.RFC3339), h.Err, h.Pending))
	}
	if h.Dropped > 0 {
		st.Problems = append(st.Problems, fmt.Sprintf("%d changes were never written because too many waited", h.Dropped))
	}
	if !st.Ready {
		st.Problems = append(st.Problems, "the node is starting or draining")
	}
	return st
}

// Addresses are where the node listens.
type Addresses struct {
	HTTP   string `json:"http"`
	Socket string `json:"socket,omitempty"`
	Actor  string `json:"actor"`
}

// Addresses returns the addresses as bound.
func (n *Node) Addresses() Addresses {
	return Addresses{HTTP: n.http.address(), Socket: n.opt.HTTPSocket, Actor: n.cluster.Address()}
}
