package follow

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"fleetfuse/api"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fleet is a Source of logs in memory.
type fleet struct {
	mu      sync.Mutex
	members []Member
	logs    map[string][]api.Event
	down    map[string]bool
	reads   int
	lagging bool
	changed chan struct{}
}

func newFleet(ids ...string) *fleet {
	f := &fleet{logs: map[string][]api.Event{}, down: map[string]bool{}, changed: make(chan struct{})}
	for _, id := range ids {
		f.members = append(f.members, Member{ID: id, Name: "node-" + id, Live: true})
	}
	return f
}

// lag is how much later than it was an event is said to have been: deadlines that
// ran out are noticed later, and clocks are set.
func (f *fleet) lag(seq uint64) time.Duration {
	if !f.lagging {
		return 0
	}
	return time.Duration(seq*7919%13) * time.Minute
}

// log has a member log an event.
func (f *fleet) log(member string, e api.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	e.Seq = uint64(len(f.logs[member]) + 1)
	if e.ID == "" {
		e.ID = fmt.Sprintf("%s-%d", member, e.Seq)
	}
	e.Time = time.Now().Add(f.lag(e.Seq))
	f.logs[member] = append(f.logs[member], e)
	close(f.changed)
	f.changed = make(chan struct{})
}

func (f *fleet) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fleet) Members() []Member {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.members)
}

func (f *fleet) Read(ctx context.Context, member string, q api.EventQuery) (api.EventPage, error) {
	limit := time.After(time.Duration(q.WaitMS) * time.Millisecond)
	for {
		p, down, changed := f.page(member, q)
		if down {
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
			return api.EventPage{}, errors.New("it does not answer")
		}
		if len(p.Events) > 0 || q.WaitMS == 0 || q.Last {
			return p, nil
		}
		select {
		case <-ctx.Done():
			return api.EventPage{}, ctx.Err()
		case <-limit:
			return p, nil
		case <-changed:
		}
	}
}

func (f *fleet) page(member string, q api.EventQuery) (p api.EventPage, down bool, changed chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	log := f.logs[member]
	p.Through = uint64(len(log))
	if q.Last {
		return p, f.down[member], f.changed
	}
	for _, e := range log {
		if e.Seq <= q.After || !q.Since.IsZero() && e.Time.Before(q.Since) || q.Key != "" && e.Key != q.Key {
			continue
		}
		if len(p.Events) == q.Limit && !q.Newest {
			p.More, p.Through = true, p.Events[len(p.Events)-1].Seq
			break
		}
		p.Events = append(p.Events, e)
	}
	if n := len(p.Events); q.Newest && n > q.Limit {
		p.Events, p.More = p.Events[n-q.Limit:], true
	}
	return p, f.down[member], f.changed
}

// collect reads a stream until ctx ends.
func collect(ctx context.Context, s *Stream, got func(api.EventsResponse)) {
	for {
		r, err := s.Next(ctx)
		if err != nil {
			return
		}
		got(r)
	}
}

func TestAStreamTellsWhatAllMembersLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet("a", "b")
		f.log("a", api.Event{})
		h := NewHub(f, Options{})
		defer h.Close()
		s, err := h.Follow(nil, Filter{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		var ids []string
		var all sync.WaitGroup
		all.Go(func() {
			collect(ctx, s, func(r api.EventsResponse) {
				for _, e := range r.Events {
					ids = append(ids, e.ID)
				}
			})
		})
		time.Sleep(time.Second)
		f.log("b", api.Event{})
		f.log("a", api.Event{})
		f.log("a", api.Event{ID: "twice"})
		f.log("b", api.Event{ID: "twice"})
		synctest.Wait()
		cancel()
		all.Wait()
		slices.Sort(ids)
		if want := []string{"a-2", "b-1", "twice"}; !slices.Equal(ids, want) {
			t.Errorf("told %v, want %v: what comes from now on, each once", ids, want)
		}
	})
}

func TestNobodyIsAskedWhileNobodyFollows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet("a")
		h := NewHub(f, Options{})
		s, _ := h.Follow(nil, Filter{})
		time.Sleep(3 * time.Second)
		s.Close()
		h.Close()
		f.mu.Lock()
		before := f.reads
		f.mu.Unlock()
		time.Sleep(time.Minute)
		f.set(func() {
			if f.reads != before || before == 0 {
				t.Errorf("%d questions while somebody followed, %d after that", before, f.reads-before)
			}
		})
	})
}

func TestTooManyFollowers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub(newFleet("a"), Options{Followers: 1})
		defer h.Close()
		s, _ := h.Follow(nil, Filter{})
		defer s.Close()
		if _, err := h.Follow(nil, Filter{}); !errors.Is(err, ErrTooMany) {
			t.Errorf("got %v, want ErrTooMany", err)
		}
	})
}

// A member's events that are not in the order of their time, more than a page of
// them, hold up no stream.
func TestAStreamOfAMemberWhoseClockIsSetBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet("a", "b")
		f.log("a", api.Event{})
		time.Sleep(time.Hour)
		for range 1700 {
			f.log("a", api.Event{})
		}
		f.set(func() { // the last of each page is the earliest
			for _, i := range []int{500, 1000, 1500} {
				f.logs["a"][i-1].Time = f.logs["a"][0].Time.Add(time.Minute)
			}
		})
		f.log("b", api.Event{})
		h := NewHub(f, Options{})
		defer h.Close()
		s, _ := h.Follow(nil, Filter{Since: time.Now().Add(-2 * time.Hour)})
		defer s.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		told := 0
		collect(ctx, s, func(r api.EventsResponse) { told += len(r.Events) })
		if told != 1702 {
			t.Errorf("told %d events, want 1,702", told)
		}
	})
}

// A member that forgot its log, and its clock, begins a new one: that is said, and
// what it logs then is told.
func TestAStreamOfAMemberThatForgot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet("a")
		h := NewHub(f, Options{})
		defer h.Close()
		s, _ := h.Follow(Position{"a": 900}, Filter{})
		defer s.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		go func() {
			time.Sleep(time.Second)
			f.log("a", api.Event{})
		}()
		var events, gaps int
		collect(ctx, s, func(r api.EventsResponse) { events, gaps = events+len(r.Events), gaps+len(r.Gaps) })
		if events != 1 || gaps != 1 {
			t.Errorf("told %d events and %d gaps, want 1 and 1", events, gaps)
		}
	})
}

// A stream may have been told more by another node than this one has read yet:
// that is no new log.
func TestAStreamThatIsAheadOfTheRing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet("a")
		h := NewHub(f, Options{})
		defer h.Close()
		other, _ := h.Follow(nil, Filter{})
		defer other.Close()
		time.Sleep(time.Second)
		f.set(func() { f.down["a"] = true })
		for range 5 {
			f.log("a", api.Event{})
		}
		time.Sleep(time.Second) // the question from before has not got them
		s, _ := h.Follow(Position{"a": 5}, Filter{})
		defer s.Close()
		go func() {
			time.Sleep(time.Second)
			f.set(func() { f.down["a"] = false })
			time.Sleep(time.Second)
			f.log("a", api.Event{})
		}()
		var ids []string
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		collect(ctx, s, func(r api.EventsResponse) {
			for _, e := range r.Events {
				ids = append(ids, e.ID)
			}
			if len(r.Gaps) > 0 {
				t.Errorf("told of gaps %+v", r.Gaps)
			}
		})
		if want := []string{"a-6"}; !slices.Equal(ids, want) {
			t.Errorf("told %v, want %v", ids, want)
		}
	})
}

// A stream that begins anew where an earlier one ended tells what it missed, also
// of a member that did not answer for a while, and says who does not answer.
func TestAStreamResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet("a", "b")
		h := NewHub(f, Options{})
		defer h.Close()
		first, _ := h.Follow(nil, Filter{})
		time.Sleep(time.Second)
		r, err := first.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		first.Close()
		for range 1200 { // more than a page
			f.log("a", api.Event{})
		}
		f.log("b", api.Event{})
		f.set(func() { f.down["b"] = true })
		after, err := ParsePosition(r.Position)
		if err != nil {
			t.Fatal(err)
		}
		second, _ := h.Follow(after, Filter{})
		defer second.Close()
		told := map[string]int{}
		var missing []string
		count := func(r api.EventsResponse) {
			missing = r.Missing
			for _, e := range r.Events {
				told[e.ID]++
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		collect(ctx, second, count)
		if len(told) != 1200 || !slices.Equal(missing, []string{"node-b"}) {
			t.Errorf("told %d events, missing %v; want 1,200 and node-b", len(told), missing)
		}
		f.set(func() { f.down["b"] = false })
		ctx, cancel = context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		collect(ctx, second, count)
		if len(told) != 1201 || told["b-1"] != 1 || len(missing) != 0 {
			t.Errorf("told %d events, b's %d times, missing %v; want all", len(told), told["b-1"], missing)
		}
	})
}

// A member that joins while somebody follows, or while he is cut off, is told from
// its first event on.
func TestAMemberThatJoinsIsToldFromTheBeginning(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet("a", "b")
		h := NewHub(f, Options{})
		defer h.Close()
		s, _ := h.Follow(nil, Filter{})
		r, err := s.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		join := func(id string) {
			f.set(func() { f.members = append(f.members, Member{ID: id, Name: id, Live: true}) })
			f.log(id, api.Event{}) // before anybody here knows of it
		}
		join("c")
		if r, err = s.Next(t.Context()); err != nil || len(r.Events) != 1 || r.Events[0].ID != "c-1" {
			t.Errorf("told %+v, %v; want c-1", r.Events, err)
		}
		s.Close()
		join("d")
		after, _ := ParsePosition(r.Position)
		s, _ = h.Follow(after, Filter{})
		defer s.Close()
		for len(r.Events) != 1 || r.Events[0].ID != "d-1" {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			r, err = s.Next(ctx)
			cancel()
			if err != nil {
				t.Fatalf("d-1 was not told: %v", err)
			}
		}
	})
}

// A life is one stream of a follower, and what the fleet does meanwhile.
type life struct {
	slow, rest bool
	acts       []act
}

// act is one thing that the fleet does.
type act struct {
	what   int
	member string
	n      int
}

func drawLife(rt *rapid.T) life {
	l := life{slow: rapid.Bool().Draw(rt, "slow"), rest: rapid.Bool().Draw(rt, "rest")}
	for range rapid.IntRange(0, 30).Draw(rt, "acts") {
		l.acts = append(l.acts, act{
			what: rapid.IntRange(0, 9).Draw(rt, "what"), member: rapid.SampledFrom([]string{"a", "b", "c"}).Draw(rt, "member"),
			n: rapid.IntRange(1, 60).Draw(rt, "n"),
		})
	}
	return l
}

// Whatever members do and wherever a stream begins, it tells every event once and
// those of one member in their order.
func TestStreamsTellEverythingOnce(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { // what is drawn is drawn outside of the bubble: shrinking ends a draw by a panic
		held := rapid.IntRange(2, 40).Draw(rt, "held")
		lives := rapid.SliceOfN(rapid.Custom(drawLife), 1, 5).Draw(rt, "lives")
		fresh := rapid.Bool().Draw(rt, "fresh")
		synctest.Test(t, func(t *testing.T) {
			if wrong := play(t, held, lives, fresh); wrong != "" {
				rt.Error(wrong)
			}
		})
	})
}

// play returns what a follower was told wrongly. A fresh one asks for what happens
// from now on, others for what happened since now.
func play(t *testing.T, held int, lives []life, fresh bool) (wrong string) {
	f := newFleet("a", "b")
	f.lagging = true
	h := NewHub(f, Options{Held: held})
	defer h.Close()
	var position Position
	told, filter := map[string]uint64{}, Filter{Since: time.Now()}
	if fresh {
		filter.Since = time.Time{}
	}
	follow := func(slow bool, meanwhile func()) {
		s, err := h.Follow(position, filter)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		ctx, cancel := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() {
			collect(ctx, s, func(r api.EventsResponse) {
				for _, e := range r.Events {
					if told[e.Owner]++; e.Seq != told[e.Owner] && wrong == "" {
						wrong = fmt.Sprintf("event %d of %s came after %d", e.Seq, e.Owner, told[e.Owner]-1)
					}
				}
				position, _ = ParsePosition(r.Position)
				if slow {
					time.Sleep(300 * time.Millisecond)
				}
			})
		})
		time.Sleep(time.Millisecond) // the first batch
		meanwhile()
		cancel()
		all.Wait()
	}
	for _, l := range lives {
		follow(l.slow, func() {
			for _, a := range l.acts {
				f.act(a)
			}
			if l.rest {
				f.set(func() { clear(f.down) })
				time.Sleep(time.Minute)
			}
		})
	}
	f.set(func() { clear(f.down) })
	follow(false, func() { time.Sleep(time.Minute) })
	for id, log := range f.logs {
		if told[id] != uint64(len(log)) && wrong == "" {
			wrong = fmt.Sprintf("%d of %d events of %s were told", told[id], len(log), id)
		}
	}
	return wrong
}

func (f *fleet) act(a act) {
	switch a.what {
	case 0:
		f.set(func() { f.down[a.member] = !f.down[a.member] })
	case 1:
		f.set(func() {
			if len(f.members) == 2 {
				f.members = append(f.members, Member{ID: "c", Name: "node-c", Live: true})
			}
		})
	case 2:
		time.Sleep(time.Duration(a.n) * 50 * time.Millisecond)
	default:
		if a.member == "c" && len(f.Members()) == 2 {
			return // it is no member yet
		}
		for range a.n {
			f.log(a.member, api.Event{Owner: a.member})
		}
	}
}
