package node

import (
	"context"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/view"
	"fleetfuse/cooldownstore"
	rules "fleetfuse/cooldownstore/sharing"
)

// run reads the place, whenever the reader says so, until ctx ends.
func (s *sharing) run(ctx context.Context) {
	for ctx.Err() == nil {
		began := time.Now()
		what, keys, until := s.next(began)
		switch what {
		case rules.Everything:
			err := s.list(ctx)
			now := time.Now()
			s.tell(func(r *rules.Reader) { r.Listed(now, now.Sub(began), err) })
		case rules.Hinted:
			err := s.load(ctx, keys)
			s.tell(func(r *rules.Reader) { r.Loaded(err) })
		default:
			s.idle(ctx, until)
		}
	}
}

// next is what is to be read now.
func (s *sharing) next(now time.Time) (what rules.Reading, keys []breaker.Key, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what, until = s.reader.Next(now)
	if what == rules.Hinted {
		keys = s.reader.TakeHints()
	}
	return what, keys, until
}

// idle waits until a time, or until the reader was told something.
func (s *sharing) idle(ctx context.Context, until time.Time) {
	due := time.NewTimer(time.Until(until))
	defer due.Stop()
	select {
	case <-ctx.Done():
	case <-s.rang:
	case <-due.C:
	}
}

// load reads the keys that were hinted at.
func (s *sharing) load(ctx context.Context, keys []breaker.Key) error {
	words := s.ear(ctx, false)
	err := s.place.LoadAll(ctx, keys, words.add)
	words.flush()
	return err
}

// list reads everything, and has written what is missing there. Where the place
// does not take anything, what can be read of it is obeyed all the same.
func (s *sharing) list(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, rules.ListLimit)
	defer cancel()
	warnings, sick := s.place.Check(ctx)
	seen := map[breaker.Key]struct{}{}
	words := s.ear(ctx, true)
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

// hearAtOnce is how many words are heard in one hold of the board's lock.
const hearAtOnce = 128

// An ear hears words some at a time, and none when the node stops.
type ear struct {
	ctx   context.Context
	hear  func([]cooldownstore.SharedWord)
	words []cooldownstore.SharedWord
}

// ear hears some keys, or the whole listing.
func (s *sharing) ear(ctx context.Context, whole bool) *ear {
	return &ear{ctx: ctx, hear: func(words []cooldownstore.SharedWord) { s.hear(words, whole) }}
}

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
// it lacks. Whole is after a listing.
func (s *sharing) hear(words []cooldownstore.SharedWord, whole bool) {
	s.words.Add(int64(len(words)))
	now, wall := s.board.clock.Both()
	heard := rules.Hear(words, now, wall, s.board.owns, s.board.clock.Observe)
	s.board.share(heard.Entries, s.keep)
	for _, x := range heard.Answer(now, whole, s.board.Of) {
		s.put(x.Key, x.Snapshot)
	}
}

// keep has written what is new here. The first listing is kept when it is over:
// it may be very much, and a node is starting.
func (s *sharing) keep(key breaker.Key, snap breaker.Snapshot) {
	select {
	case <-s.listed:
		s.board.write(key, snap)
	default:
		s.unkept = append(s.unkept, key)
	}
}

// refill has written what a listing lacks.
func (s *sharing) refill(seen map[breaker.Key]struct{}) {
	now := s.board.clock.Now()
	for bucket := range view.Buckets { // a bucket at a time: nobody waits for long
		for _, x := range rules.Missing(seen, s.board.ownIn(bucket), now) {
			s.put(x.Key, x.Snapshot)
		}
	}
}
