package node

import (
	"context"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/view"
	"fleetfuse/cooldownstore"
)

// run reads the place until ctx ends.
func (s *sharing) run(ctx context.Context) {
	backoff := retryFirst
	due := time.NewTimer(0)
	defer due.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.heard:
			if err := s.load(ctx); err == nil {
				continue
			}
		case <-s.again:
		case <-due.C:
		}
		began := time.Now()
		if err := s.list(ctx); err != nil {
			due.Reset(backoff)
			backoff = min(2*backoff, retryMost)
			rest(ctx, retryFirst) // whoever else asks for a listing
			continue
		}
		backoff = retryFirst
		due.Reset(max(listEvery, listShare*time.Since(began)))
	}
}

// load reads the keys that were hinted at.
func (s *sharing) load(ctx context.Context) error {
	var words []cooldownstore.SharedWord
	for key := range s.takeHints() {
		w, ok, err := s.place.Load(ctx, key)
		if err != nil {
			return err
		}
		if ok {
			words = append(words, w)
		}
	}
	s.hear(words)
	return nil
}

// list reads everything, and has written what is missing there.
func (s *sharing) list(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, listLimit)
	defer cancel()
	warnings, err := s.place.Check(ctx)
	seen := map[breaker.Key]struct{}{}
	if err == nil {
		var words []cooldownstore.SharedWord
		err = s.place.Each(ctx, func(w cooldownstore.SharedWord) bool {
			seen[w.Key] = struct{}{}
			if words = append(words, w); len(words) >= hearAtOnce {
				s.hear(words)
				words = words[:0]
			}
			return true
		})
		s.hear(words)
	}
	if err == nil {
		s.refill(seen)
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

// hear obeys what the place holds of keys of this node, and answers with what
// it lacks. A word of a clock that is days ahead is passed over.
func (s *sharing) hear(words []cooldownstore.SharedWord) {
	var entries []spread.Entry
	void := map[breaker.Key]bool{} // keys that show what a clear ended
	s.words.Add(int64(len(words)))
	now, wall := s.board.clock.Both()
	for _, w := range words {
		if s.board.owns(w.Key) && s.board.clock.Observe(w.Snapshot.MaxStamp()) == nil {
			entries = append(entries, spread.Entry{Key: w.Key, Snapshot: w.ToSnapshot(now, wall)})
			if len(w.Covered) > 0 && w.Snapshot.Clear == 0 {
				void[w.Key] = true
			}
		}
	}
	s.board.share(entries, s.keep)
	for _, x := range entries {
		own := s.board.Of(x.Key)
		if cooldownstore.Lacks(x.Snapshot, own, now) || void[x.Key] && own.Clear != 0 {
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
