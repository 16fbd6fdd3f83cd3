package node

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"fleetfuse/actors"
	"fleetfuse/breaker"
	"fleetfuse/cluster"
	"fleetfuse/cluster/spread"
	"fleetfuse/cooldownstore"
	"fleetfuse/gate"
)

// Names of the node's own values in its store.
const (
	metaID    = "node_id"
	metaEpoch = "epoch" // of the last start or eviction
	metaSeeds = "seeds" // gossip addresses of members, one a line
)

// identify reads the node's id, or makes one on the first start, and raises
// its epoch.
func (n *Node) identify(ctx context.Context) error {
	id, err := n.store.Meta(ctx, metaID)
	if err != nil {
		return err
	}
	if id == "" {
		id = rand.Text()
		if err := n.store.SetMeta(ctx, metaID, id); err != nil {
			return err
		}
	}
	n.id = id
	text, err := n.store.Meta(ctx, metaEpoch)
	if err != nil {
		return err
	}
	last := uint64(0)
	if text != "" { // else it is the first start
		if last, err = strconv.ParseUint(text, 10, 64); err != nil {
			n.opt.Logger.Error("the epoch in the store is not a number; members that know this node will tell it which one to take", slog.String("epoch", breaker.Cut(text)))
		}
	}
	n.epoch = last + 1
	return n.store.SetMeta(ctx, metaEpoch, strconv.FormatUint(n.epoch, 10))
}

// startBreakers connects view, gate and actors and recalls what the store knows.
func (n *Node) startBreakers(ctx context.Context) error {
	seeds, err := n.store.Meta(ctx, metaSeeds)
	if err != nil {
		return err
	}
	n.board = newBoard(n, seeds != "" || len(n.opt.Gossip.Peers) > 0)
	n.gate = gate.New(gate.Options{Node: n.id, Owner: n.board, Policy: n.policies.of, Clock: n.clock, AskLimit: time.Second, Usage: true, Ring: n.events.ring})
	n.board.gate = n.gate
	n.startUsage(ctx)
	n.tuning = newTuning(ctx, n)
	n.board.tuning = n.tuning
	n.onStop(n.tuning.close)
	if err := n.recall(ctx); err != nil {
		n.gate.Stop()
		return err
	}
	n.cluster, err = cluster.Start(ctx, cluster.Options{
		NodeID: n.id, Epoch: n.epoch, Name: n.opt.Name, Version: n.opt.Version, ConfigHash: n.policies.hash(),
		Gossip: n.opt.Gossip, Actor: n.opt.Actor, TLS: n.opt.TLS, Insecure: n.opt.Insecure,
		Seeds: strings.Fields(seeds), Logger: n.opt.Logger, Events: n.board,
	}, actors.Kinds(n.board.breakers, n.tuning.actor))
	if err != nil {
		n.gate.Stop()
		return err
	}
	n.onStop(n.cluster.Stop)
	n.board.join(n.cluster)
	n.onStop(n.board.close)
	n.onStop(n.drain)
	n.sync(ctx)
	n.board.do((*spread.Node).ClaimAll)
	n.onStop(n.followNews())
	if n.sharing != nil {
		if err := n.recallSightings(ctx); err != nil {
			return err
		}
		n.onStop(n.sharing.start(n.board))
		n.sharing.await(ctx)
	}
	n.onStop(n.tuning.start())
	close(n.board.ready)
	return nil
}

// syncLimit is how long a starting node waits for what others know.
const syncLimit = time.Second

// sync asks one member for everything this node missed while it was off: what
// it remembers may be long over.
func (n *Node) sync(ctx context.Context) {
	if len(read(n.board, (*spread.Node).Members)) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, syncLimit)
	defer cancel()
	_, err := request[spread.Synced](ctx, n.board, func(s *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
		return s.Sync(now, now.Add(syncLimit))
	})
	if err != nil {
		n.opt.Logger.Warn("no member said in time what this node missed; digests will", slog.Any("err", err))
	}
}

// drain leaves the cluster in order: others own the keys first, then what was
// counted here reaches them.
func (n *Node) drain() {
	ctx, cancel := context.WithTimeout(context.Background(), drainLimit)
	defer cancel()
	if err := n.cluster.Leave(ctx); err != nil {
		n.opt.Logger.Warn("leave the cluster", slog.Any("err", err))
	}
	n.gate.Stop()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for !n.board.idle() {
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
		}
	}
}

// drainLimit bounds the hand-over.
const drainLimit = 3 * time.Second

// recallAtOnce is how many records go into the view for one hold of its lock.
const recallAtOnce = 256

// recall reads the store into the view. Later stamps exceed all stored ones. The
// view takes in what was read while more is read: it may be very much.
func (n *Node) recall(ctx context.Context) error {
	batches := make(chan []cooldownstore.Record, 4)
	var taking sync.WaitGroup
	taking.Go(func() {
		for records := range batches {
			n.board.recall(n.remembered(records))
		}
	})
	batch := make([]cooldownstore.Record, 0, recallAtOnce)
	err := n.store.Each(ctx, func(r cooldownstore.Record) bool {
		if batch = append(batch, r); len(batch) == recallAtOnce {
			batches <- batch
			batch = make([]cooldownstore.Record, 0, recallAtOnce)
		}
		return true
	})
	batches <- batch
	close(batches)
	taking.Wait()
	if err != nil {
		return fmt.Errorf("recall breakers: %w", err)
	}
	n.clock.Resume()
	return nil
}

// remembered is what of stored records is still of interest.
func (n *Node) remembered(records []cooldownstore.Record) []spread.Entry {
	entries := make([]spread.Entry, 0, len(records))
	now, wall := n.clock.Both()
	for _, r := range records {
		if err := n.clock.Observe(r.Snapshot.MaxStamp()); err != nil { // also of parts that are forgotten by now
			n.opt.Logger.Warn("a stored breaker is ignored", slog.String("key", string(r.Key)), slog.Any("err", err))
			continue
		}
		if s := r.ToSnapshot(now, wall); !s.Empty() {
			entries = append(entries, spread.Entry{Key: r.Key, Snapshot: s})
		}
	}
	return entries
}
