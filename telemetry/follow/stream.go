package follow

import (
	"context"
	"slices"
	"time"

	"fleetfuse/api"
)

// A Filter says which events are asked for; its zero value is every one.
type Filter struct {
	Key   string
	Kinds []string
	Since time.Time
}

// matches holds what the ring tells to the filter; logs filter by themselves.
func (f *Filter) matches(e *api.Event) bool {
	return (f.Key == "" || f.Key == e.Key) && (len(f.Kinds) == 0 || slices.Contains(f.Kinds, e.Kind)) &&
		(f.Since.IsZero() || !e.Time.Before(f.Since))
}

// A Stream is one follower. It is for one goroutine; Close it when done.
type Stream struct {
	hub    *Hub
	filter Filter
	// position is up to where each member's log was told, or need not be.
	position Position
	// owed is up to where a member's log must be read before what the ring has of
	// it: it was not there yet, or the member does not answer. Below the position
	// it says that the member must be asked whether its log is the same still.
	owed    map[string]uint64
	began   time.Time // what members log from then on is told, also of those that join
	cursor  uint64    // in the ring
	retryAt time.Time
	seen    seen
	missing []string
	fresh   bool // it began with nothing owed
	said    bool // of the first batch
}

// Follow begins a stream: behind a position, or with what happens since
// Filter.Since, or, if that is zero too, with what happens from now on.
func (h *Hub) Follow(after Position, f Filter) (*Stream, error) {
	// An event of this very microsecond may be one of before.
	began := time.Now().Truncate(time.Microsecond).Add(time.Microsecond)
	if !f.Since.IsZero() {
		began = f.Since
	}
	if at, known := after[timeOf]; known {
		began = time.UnixMicro(int64(min(at, maxMicro)))
	}
	cursor, reached, err := h.join()
	if err != nil {
		return nil, err
	}
	s := &Stream{hub: h, filter: f, began: began, position: Position{}, owed: map[string]uint64{}, cursor: cursor, seen: newSeen()}
	for id, at := range after {
		s.position[id] = at
	}
	s.position[timeOf] = uint64(max(began.UnixMicro(), 0))
	s.fresh = after == nil && f.Since.IsZero()
	for id, at := range reached {
		s.begin(id, at)
	}
	return s, nil
}

// begin notes that the ring has what a member logged behind a position. Of a
// member that is new to the stream its log is owed since the stream began; while
// a fresh stream has told nothing, that is nothing.
func (s *Stream) begin(member string, at uint64) {
	told, known := s.position[member]
	switch {
	case !known && s.fresh && !s.said:
		s.position[member] = at
	case !known || told != at: // told beyond it: it began a new log, or the ring lags behind
		s.owed[member] = at
	}
}

// Close ends the stream.
func (s *Stream) Close() { s.hub.leave() }

// Next waits for what follows, at most until ctx ends, whose error it then
// returns: Next can be called again. The first batch, which may be empty, comes
// when every live member has said where its log is, or did not answer. Missing is
// complete in every batch; one that only says that it changed has no events.
func (s *Stream) Next(ctx context.Context) (api.EventsResponse, error) {
	for {
		bell, missing := s.hub.bell()
		if s.said || s.hub.settled() {
			r := s.pull(ctx)
			if len(r.Events)+len(r.Gaps) > 0 || !s.said || !slices.Equal(missing, s.missing) {
				s.said, s.missing = true, missing
				r.Missing, r.Position = missing, s.position.String()
				return r, nil
			}
		}
		if err := s.wait(ctx, bell); err != nil {
			return api.EventsResponse{}, err
		}
	}
}

// wait returns when there may be something to tell.
func (s *Stream) wait(ctx context.Context, bell <-chan struct{}) error {
	var again <-chan time.Time
	if len(s.owed) > 0 && s.said {
		t := time.NewTimer(max(time.Until(s.retryAt), 0))
		defer t.Stop()
		again = t.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-bell:
	case <-again:
	}
	return nil
}

// pull returns what is there to tell: first what is owed, then the ring.
func (s *Stream) pull(ctx context.Context) (r api.EventsResponse) {
	for len(s.owed) > 0 && !time.Now().Before(s.retryAt) && ctx.Err() == nil { // a page may have nothing to tell
		if s.catchUp(ctx, &r); len(r.Events)+len(r.Gaps) > 0 {
			return r
		}
	}
	list, ok := s.hub.items(s.cursor)
	if !ok { // it lagged behind: the logs have it
		var reached Position
		s.cursor, reached = s.hub.here()
		for id, at := range reached {
			s.begin(id, at)
		}
		return s.pull(ctx)
	}
	s.cursor += uint64(len(list))
	for i := range list {
		s.tell(&list[i], &r)
	}
	return r
}

// tell takes an item of the ring into a batch.
func (s *Stream) tell(x *item, r *api.EventsResponse) {
	if x.begins {
		s.begin(x.member, x.at)
		return
	}
	if owed, behind := s.owed[x.member]; behind {
		s.owed[x.member] = max(owed, x.at)
		return
	}
	if x.at <= s.position[x.member] {
		return
	}
	s.position[x.member] = x.at
	switch {
	case x.gap != nil:
		r.Gaps = append(r.Gaps, api.MemberGap{Node: s.hub.nameOf(x.member), EventGap: *x.gap})
	case s.filter.matches(x.event) && s.seen.add(x.event.ID):
		r.Events = append(r.Events, *x.event)
	}
}

// bell is rung when there is something new, or others are missing than these.
func (h *Hub) bell() (<-chan struct{}, []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ring.bell, h.missing
}

// items are the next of the ring, false if they are gone.
func (h *Hub) items(cursor uint64) ([]item, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ring.from(cursor, pageEvents)
}

// here is where the ring is, and up to where each member's log is in it.
func (h *Hub) here() (uint64, Position) {
	h.mu.Lock()
	defer h.mu.Unlock()
	reached := make(Position, len(h.reached))
	for id, at := range h.reached {
		reached[id] = at
	}
	return h.ring.next, reached
}
