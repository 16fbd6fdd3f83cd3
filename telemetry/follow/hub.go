package follow

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"fleetfuse/api"
)

// A Member can be asked for its log, if it is live.
type Member struct {
	ID   string
	Name string // for people
	Live bool
}

// A Source reads the logs of members.
type Source interface {
	// Members are those known: this node, the live ones, and those lost not long
	// ago.
	Members() []Member
	// Read asks a member for events of its log. With WaitMS it may take as much
	// longer.
	Read(ctx context.Context, member string, q api.EventQuery) (api.EventPage, error)
}

// Options of a Hub. Zero fields stand for the defaults.
type Options struct {
	Followers int           // at once; default DefaultFollowers
	Held      int           // events in the ring; default 8,192
	Wait      time.Duration // how long a question to a member waits for an event; default 2 s
	Look      time.Duration // how often to look for new members; default 250 ms
}

// DefaultFollowers is how many may follow on one node.
const DefaultFollowers = 2000

// Limits of questions and their answers. A crowd that comes back at once must not
// take all the room that members have for questions of this node.
const (
	asksAtOnce = 16
	pageEvents = 500
	readLimit  = 3 * time.Second // beside its wait
	retryAfter = 500 * time.Millisecond
)

// ErrTooMany is returned to a follower beyond Options.Followers.
var ErrTooMany = errors.New("too many follow the events on this node: end some, or ask another node")

// A Hub tells the events of all members to those who follow. It asks nobody while
// nobody does.
type Hub struct {
	source Source
	opt    Options
	asking chan struct{} // a token for each page that is read for a stream

	mu        sync.Mutex
	followers int
	stop      context.CancelFunc // of the readers; nil: nobody follows
	readers   sync.WaitGroup
	life      int             // of the readers: those of an earlier one add nothing
	reached   Position        // up to where each member's log is in the ring
	members   []Member        // as last looked at
	silent    map[string]bool // members that did not answer last
	missing   []string        // names of those lost or silent; replaced, not changed
	ring      ring
}

// NewHub returns a hub of a source.
func NewHub(s Source, opt Options) *Hub {
	if opt.Followers <= 0 {
		opt.Followers = DefaultFollowers
	}
	if opt.Held <= 0 {
		opt.Held = 8192
	}
	if opt.Wait <= 0 {
		opt.Wait = 2 * time.Second
	}
	if opt.Look <= 0 {
		opt.Look = 250 * time.Millisecond
	}
	return &Hub{source: s, opt: opt, asking: make(chan struct{}, asksAtOnce), ring: newRing(opt.Held)}
}

// join counts a follower and returns where the ring is, and up to where each
// member's log is in it.
func (h *Hub) join() (cursor uint64, reached Position, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.followers >= h.opt.Followers {
		return 0, nil, ErrTooMany
	}
	if h.followers++; h.followers == 1 {
		ctx, stop := context.WithCancel(context.Background())
		h.stop, h.reached, h.silent = stop, Position{}, map[string]bool{}
		h.life++
		life := h.life
		h.look(h.source.Members())
		h.readers.Go(func() { h.run(ctx, life) })
	}
	return h.ring.next, maps.Clone(h.reached), nil
}

// leave takes a follower off. With the last one the readers end.
func (h *Hub) leave() {
	h.mu.Lock()
	if h.followers--; h.followers == 0 {
		h.stop()
		h.stop = nil
	}
	h.mu.Unlock()
}

// Followers is how many follow.
func (h *Hub) Followers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.followers
}

// Close waits for the readers to end; every stream is closed by then.
func (h *Hub) Close() { h.readers.Wait() }

// run has a reader for each live member.
func (h *Hub) run(ctx context.Context, life int) {
	look := time.NewTicker(h.opt.Look)
	defer look.Stop()
	reading := map[string]context.CancelFunc{}
	var all sync.WaitGroup
	defer all.Wait()
	for {
		live, members := map[string]bool{}, h.source.Members()
		h.mu.Lock()
		if life == h.life {
			h.look(members)
		}
		h.mu.Unlock()
		for _, m := range members {
			if live[m.ID] = m.Live; m.Live && reading[m.ID] == nil {
				one, end := context.WithCancel(ctx)
				reading[m.ID] = end
				all.Go(func() { h.read(one, life, m.ID) })
			}
		}
		for id, end := range reading {
			if !live[id] {
				end()
				delete(reading, id)
			}
		}
		select {
		case <-ctx.Done():
			for _, end := range reading {
				end()
			}
			return
		case <-look.C:
		}
	}
}

// read puts what a member logs into the ring.
func (h *Hub) read(ctx context.Context, life int, member string) {
	for ctx.Err() == nil {
		at, known := h.reachedOf(member)
		q := api.EventQuery{After: at, Limit: pageEvents, WaitMS: h.opt.Wait.Milliseconds(), Last: !known}
		page, err := h.ask(ctx, member, q)
		if ctx.Err() != nil {
			return
		}
		h.take(life, member, known, page, err)
		if err != nil {
			rest(ctx, retryAfter)
		}
	}
}

func (h *Hub) reachedOf(member string) (uint64, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at, known := h.reached[member]
	return at, known
}

// ask reads a page within its time.
func (h *Hub) ask(ctx context.Context, member string, q api.EventQuery) (api.EventPage, error) {
	ctx, cancel := context.WithTimeout(ctx, readLimit+time.Duration(q.WaitMS)*time.Millisecond)
	defer cancel()
	return h.source.Read(ctx, member, q)
}

// errSilent says that a member is not asked because it did not answer last.
var errSilent = errors.New("it did not answer the last question")

// askFor is ask for one of those who ask this node; they take turns. Whether a
// member that did not answer does again its reader alone finds out.
func (h *Hub) askFor(ctx context.Context, member string, q api.EventQuery) (api.EventPage, error) {
	h.mu.Lock()
	silent := h.stop != nil && h.silent[member]
	h.mu.Unlock()
	if silent {
		return api.EventPage{}, errSilent
	}
	select {
	case h.asking <- struct{}{}:
	case <-ctx.Done():
		return api.EventPage{}, ctx.Err()
	}
	defer func() { <-h.asking }()
	return h.ask(ctx, member, q)
}

// take puts a page into the ring. With the first one of a member each stream
// learns from where on the ring has its events.
func (h *Hub) take(life int, member string, known bool, page api.EventPage, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if life != h.life || h.stop == nil {
		return
	}
	if silent := err != nil; silent != h.silent[member] {
		h.silent[member] = silent
		h.look(h.members)
		h.ring.wake()
	}
	if err != nil {
		return
	}
	if !known {
		h.ring.add(item{member: member, at: page.Through, begins: true})
	}
	for _, g := range page.Gaps {
		h.ring.add(item{member: member, at: g.Last, gap: &g})
	}
	for i := range page.Events {
		h.ring.add(item{member: member, at: page.Events[i].Seq, event: &page.Events[i]})
	}
	h.reached[member] = page.Through
	if !known || len(page.Gaps)+len(page.Events) > 0 {
		h.ring.wake()
	}
}

// look takes the members and tells the streams if others are missing than before.
// It must be called with mu held.
func (h *Hub) look(members []Member) {
	var missing []string
	for _, m := range members {
		if !m.Live || h.silent[m.ID] {
			missing = append(missing, m.Name)
		}
	}
	slices.Sort(missing)
	if h.members = members; !slices.Equal(missing, h.missing) {
		h.missing = missing
		h.ring.wake()
	}
}

// settled reports whether every live member has said where its log is, or did not
// answer.
func (h *Hub) settled() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.members {
		if _, known := h.reached[m.ID]; m.Live && !known && !h.silent[m.ID] {
			return false
		}
	}
	return true
}

// nameOf is the display name of a member.
func (h *Hub) nameOf(member string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.members {
		if m.ID == member {
			return m.Name
		}
	}
	return member
}

func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
