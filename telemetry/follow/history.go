package follow

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"fleetfuse/api"
)

// catchUp reads what is owed from the members' logs: a page of each at once, told
// in the order of time up to where all have answered. A member that does not
// answer holds up nobody; it is asked again.
func (s *Stream) catchUp(ctx context.Context, r *api.EventsResponse) {
	pages := s.pages(ctx)
	var until time.Time // what is later may have something of a member's next page before it
	for _, p := range pages {
		if at := latest(p.Events); p.err == nil && p.More && (until.IsZero() || at.Before(until)) {
			until = at
		}
	}
	var lists [][]api.Event
	for _, id := range slices.Sorted(maps.Keys(pages)) {
		if p := pages[id]; p.err == nil {
			lists = append(lists, s.takePage(id, p.EventPage, until, r))
		}
	}
	for _, e := range merge(lists) {
		if s.filter.matches(&e) && s.seen.add(e.ID) {
			r.Events = append(r.Events, e)
		}
	}
	s.retryAt = time.Time{}
	for id := range s.owed {
		if pages[id].err != nil {
			s.retryAt = time.Now().Add(retryAfter)
		}
	}
}

// latest is the latest time of events, which are in the order of their log:
// clocks are set, and a deadline that ran out is noticed later.
func latest(events []api.Event) (at time.Time) {
	for i := range events {
		if events[i].Time.After(at) {
			at = events[i].Time
		}
	}
	return at
}

// merge makes one list of those of members by time. Events of one member keep
// their order, also where its clock was set back.
func merge(lists [][]api.Event) []api.Event {
	var merged []api.Event
	for {
		next := -1
		for i, l := range lists {
			if len(l) > 0 && (next < 0 || l[0].Time.Before(lists[next][0].Time)) {
				next = i
			}
		}
		if next < 0 {
			return merged
		}
		merged = append(merged, lists[next][0])
		lists[next] = lists[next][1:]
	}
}

// takePage takes what a member answered, up to a time.
func (s *Stream) takePage(member string, p api.EventPage, until time.Time, r *api.EventsResponse) []api.Event {
	if s.doubted(member) {
		s.resolve(member, p.Through, r)
		return nil
	}
	at, events := p.Through, p.Events
	for i := range events {
		if !until.IsZero() && events[i].Time.After(until) {
			at, events = events[i].Seq-1, events[:i] // the rest comes with the next page
			break
		}
	}
	for _, g := range p.Gaps {
		if g.First <= at {
			r.Gaps = append(r.Gaps, api.MemberGap{Node: s.hub.nameOf(member), EventGap: g})
		}
	}
	s.position[member] = max(s.position[member], at)
	if at == p.Through && !p.More || at >= s.owed[member] {
		delete(s.owed, member)
	}
	return events
}

// doubted reports whether a member has told more than the ring knew of its log.
func (s *Stream) doubted(member string) bool { return s.owed[member] < s.position[member] }

// resolve takes where the log of a doubted member ends. If that is before what was
// told, it is another log, of which nothing was told.
func (s *Stream) resolve(member string, end uint64, r *api.EventsResponse) {
	told := s.position[member]
	if end >= told {
		delete(s.owed, member)
		return
	}
	s.position[member], s.owed[member] = 0, end
	r.Gaps = append(r.Gaps, api.MemberGap{
		Node: s.hub.nameOf(member), EventGap: api.EventGap{First: end + 1, Last: told, Reason: "unknown"},
	})
}

// answer is a page, or why there is none.
type answer struct {
	api.EventPage
	err error
}

// pages asks all members whose log is owed for a page.
func (s *Stream) pages(ctx context.Context) map[string]answer {
	var mu sync.Mutex
	var all sync.WaitGroup
	pages := map[string]answer{}
	for id := range s.owed {
		all.Go(func() {
			q := api.EventQuery{After: s.position[id], Key: s.filter.Key, Kinds: s.filter.Kinds, Since: s.filter.Since, Limit: pageEvents}
			if _, known := s.position[id]; !known && q.Since.IsZero() {
				q.Since = s.began
			}
			q.Last = s.doubted(id)
			page, err := s.hub.askFor(ctx, id, q)
			mu.Lock()
			pages[id] = answer{page, err}
			mu.Unlock()
		})
	}
	all.Wait()
	return pages
}

// A Question asks all members at once.
type Question struct {
	Filter
	After Position
	Limit int // the newest so many; zero is 100, 10,000 the most
}

// Query asks all members for the newest events that match.
func (h *Hub) Query(ctx context.Context, q Question) api.EventsResponse {
	limit := min(max(q.Limit, 0), 10_000)
	if limit == 0 {
		limit = 100
	}
	position := Position{timeOf: uint64(max(time.Now().UnixMicro(), 0))}
	members := h.source.Members()
	answers := make([]answer, len(members))
	var all sync.WaitGroup
	for i, m := range members {
		if !m.Live {
			answers[i].err = context.Canceled
			continue
		}
		all.Go(func() {
			query := api.EventQuery{After: q.After[m.ID], Key: q.Key, Kinds: q.Kinds, Since: q.Since, Limit: limit, Newest: true}
			page, err := h.askFor(ctx, m.ID, query)
			answers[i] = answer{page, err}
		})
	}
	all.Wait()
	return gather(position, members, answers, limit)
}

// gather makes one answer of those of all members.
func gather(position Position, members []Member, answers []answer, limit int) api.EventsResponse {
	r := api.EventsResponse{Events: []api.Event{}}
	lists := make([][]api.Event, len(members))
	for i, m := range members {
		a := answers[i]
		if a.err != nil {
			r.Missing = append(r.Missing, m.Name)
			continue
		}
		position[m.ID], r.More = a.Through, r.More || a.More
		for _, g := range a.Gaps {
			r.Gaps = append(r.Gaps, api.MemberGap{Node: m.Name, EventGap: g})
		}
		lists[i] = a.Events
	}
	seen := map[string]bool{}
	for _, e := range merge(lists) {
		if !seen[e.ID] {
			seen[e.ID] = true
			r.Events = append(r.Events, e)
		}
	}
	if n := len(r.Events); n > limit {
		r.Events, r.More = r.Events[n-limit:], true
	}
	slices.Sort(r.Missing)
	r.Position = position.String()
	return r
}
