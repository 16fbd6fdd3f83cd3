package node

import (
	"context"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/view"
	"fleetfuse/cooldownstore"
)

// run reads the place until ctx ends: what was hinted at, and everything now and
// then. The first listing waits a moment for the hints to begin, which ask for
// one anyway.
func (s *sharing) run(ctx context.Context) {
	backoff := retryFirst
	var soonest time.Time // of the next listing
	due := time.NewTimer(retryFirst)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.heard:
			if s.load(ctx) != nil {
				due.Reset(time.Until(soonest))
			}
			continue
		case <-s.again:
			due.Reset(time.Until(soonest))
			continue
		case <-due.C:
		}
		began := time.Now()
		if s.list(ctx) != nil {
			due.Reset(backoff)
			soonest = time.Now().Add(backoff)
			backoff = min(2*backoff, retryMost)
			continue
		}
		pause := listShare * time.Since(began)
		backoff, soonest = retryFirst, time.Now().Add(pause)
		due.Reset(max(listEvery, pause))
	}
}

// load reads the keys that were hinted at.
func (s *sharing) load(ctx context.Context) error {
	words := s.ear(ctx)
	err := s.place.LoadAll(ctx, s.takeHints(), words.add)
	words.flush()
	return err
}

// list reads everything, and has written what is missing there. Where the place
// does not take anything, what can be read of it is obeyed all the same.
func (s *sharing) list(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, listLimit)
	defer cancel()
	warnings, sick := s.place.Check(ctx)
	seen := map[breaker.Key]struct{}{}
	words := s.ear(ctx)
	err := s.place.Each(ctx, func(w cooldownstore.SharedWord) bool {
		seen[w.Key] = struct{}{}
		words.add(w)
		return true
	})
	words.flush()
	s.keepSightings()
	if err == nil {
		s.refill(seen)
	}
	if sick != nil {
		err = sick
	}
	s.read(err, warnings, len(seen))
	select {
	case <-s.listed:
	default:
		close(s.listed)
		s.board.keepAll(s.unkept)
		s.unkept = nil
	}
	return err
}

// An ear hears words some at a time, and none when the node stops.
type ear struct {
	ctx   context.Context
	hear  func([]cooldownstore.SharedWord)
	words []cooldownstore.SharedWord
}

func (s *sharing) ear(ctx context.Context) *ear { return &ear{ctx: ctx, hear: s.hear} }

func (e *ear) add(w cooldownstore.SharedWord) {
	if e.words = append(e.words, w); len(e.words) >= hearAtOnce {
		e.flush()
	}
}

func (e *ear) flush() {
	if e.ctx.Err() == nil {
		e.hear(e.words)
	}
	e.words = e.words[:0]
}

// hear obeys what the place holds of keys of this node, and answers with what
// it lacks. A word of a clock that is days ahead is passed over.
func (s *sharing) hear(words []cooldownstore.SharedWord) {
	var entries []spread.Shared
	outdated := map[breaker.Key]bool{}
	s.words.Add(int64(len(words)))
	now, wall := s.board.clock.Both()
	for _, w := range words {
		if s.board.owns(w.Key) && s.board.clock.Observe(w.Snapshot.MaxStamp()) == nil {
			entries = append(entries, spread.Shared{
				Entry: spread.Entry{Key: w.Key, Snapshot: w.ToSnapshot(now, wall)}, Covered: w.CoveredAt(now, wall),
			})
			outdated[w.Key] = w.Outdated
		}
	}
	s.board.share(entries, s.keep)
	for _, x := range entries {
		own := s.board.Of(x.Key)
		if cooldownstore.Lacks(x.Snapshot, own, now) || outdated[x.Key] {
			s.put(x.Key, own)
		}
	}
}

// keep has written what is new here. The first listing is kept when it is over:
// it may be very much, and a node is starting.
func (s *sharing) keep(key breaker.Key, snap breaker.Snapshot) {
	select {
	case <-s.listed:
		s.board.keeper.Put(key, snap)
	default:
		s.unkept = append(s.unkept, key)
	}
}

// refill has written what this node's keys hold and the place said nothing of:
// it was flushed, or was away when it should have been told, or the key is
// this node's only now.
func (s *sharing) refill(seen map[breaker.Key]struct{}) {
	now := s.board.clock.Now()
	for bucket := range view.Buckets { // a bucket at a time: nobody waits for long
		for _, x := range s.board.ownIn(bucket) {
			if _, ok := seen[x.Key]; !ok && cooldownstore.Lacks(breaker.Snapshot{}, x.Snapshot, now) {
				s.put(x.Key, x.Snapshot)
			}
		}
	}
}
