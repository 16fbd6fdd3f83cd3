package node

import (
	"context"
	"log/slog"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cooldownstore"
)

// newsEvery is how often state.db is read for what other programs wrote into
// it: they are obeyed within 5 s (DESIGN 6).
const newsEvery = 4 * time.Second

// followNews obeys other programs that write into state.db; stop ends that.
func (n *Node) followNews() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		var said bool
		for ctx.Err() == nil {
			rest(ctx, newsEvery)
			err := n.readNews(ctx)
			if failed := err != nil && ctx.Err() == nil; failed != said {
				said = failed
				n.logFailure("read what other programs wrote", err)
			}
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// readNews announces what other programs wrote, whoever owns the keys: their
// owners cannot read this node's file. What is not news to the view is
// overwritten by what the view holds.
func (n *Node) readNews(ctx context.Context) error {
	var entries []spread.Entry
	now, wall := n.clock.Both()
	err := n.store.News(ctx, func(r cooldownstore.Record) bool {
		if n.clock.Observe(r.Snapshot.MaxStamp()) == nil {
			entries = append(entries, spread.Entry{Key: r.Key, Snapshot: r.ToSnapshot(now, wall)})
		}
		return len(entries) < newsAtOnce
	})
	if len(entries) == 0 {
		return err
	}
	stamp := n.clock.Stamp()
	n.board.do(func(s *spread.Node, now breaker.Instant) spread.Effects { return s.Share(now, stamp, entries) })
	for _, x := range entries {
		if s := n.board.Of(x.Key); !s.Empty() {
			n.keeper.Put(x.Key, s)
		}
	}
	n.opt.Logger.Debug("read what other programs wrote", slog.Int("cooldowns", len(entries)))
	return err
}

// newsAtOnce bounds what is taken at once, so that the board is not held for
// long; the rest comes with the next look.
const newsAtOnce = 1000
