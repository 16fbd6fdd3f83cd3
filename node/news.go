package node

import (
	"context"
	"log/slog"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/view"
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

// What is taken at once is bounded, so that the board is not held for long.
const (
	newsAtOnce = 1000
	newsLooks  = view.MaxExceptions / newsAtOnce // in a row
)

// readNews announces what other programs wrote, whoever owns the keys: their
// owners cannot read this node's file. What is not news to the view is
// overwritten by what the view holds.
func (n *Node) readNews(ctx context.Context) error {
	for range newsLooks {
		var entries []spread.Shared
		now, wall := n.clock.Both()
		err := n.store.News(ctx, func(r cooldownstore.Record) bool {
			if n.clock.Observe(r.Snapshot.MaxStamp()) == nil {
				entries = append(entries, spread.Shared{Entry: spread.Entry{Key: r.Key, Snapshot: r.ToSnapshot(now, wall)}})
			}
			return len(entries) < newsAtOnce
		})
		if err != nil || len(entries) == 0 {
			return err
		}
		n.takeNews(entries)
		if len(entries) < newsAtOnce {
			return nil
		}
		// There may be more, which shows when these are written.
		if err := n.keeper.Flush(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) takeNews(entries []spread.Shared) {
	stamp := n.clock.Stamp()
	n.board.do(func(s *spread.Node, now breaker.Instant) spread.Effects { return s.Share(now, stamp, entries) })
	var keys []breaker.Key
	for _, x := range entries {
		if s := n.board.Of(x.Key); !s.Empty() {
			keys = append(keys, x.Key)
		}
	}
	n.board.keepAll(keys)
	n.opt.Logger.Debug("read what other programs wrote", slog.Int("cooldowns", len(entries)))
}
