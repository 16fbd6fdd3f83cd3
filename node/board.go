package node

import (
	"log/slog"
	"sync"
	"time"

	"fleetfuse/actors"
	"fleetfuse/breaker"
	"fleetfuse/cluster/view"
	"fleetfuse/cooldownstore"
	"fleetfuse/gate"
	"fleetfuse/httpapi"
	"fleetfuse/internal/clock"
	"fleetfuse/telemetry"
)

// board holds the node's view and tells everybody who must know of a change:
// the gate at once, the streams, the metrics, the log. It is the Announcer of
// the actors and, by the door it embeds, the Owner of the gate.
type board struct {
	*actors.Breakers
	clock   *clock.Clock
	keeper  *cooldownstore.Behind
	metrics *telemetry.Metrics
	logger  *slog.Logger
	gate    *gate.Gate

	mu       sync.Mutex
	view     *view.View
	watchers map[*watcher]struct{}
	dropped  uint64 // of the view's, those already logged

	stop chan struct{}
	done chan struct{}
}

// forgetEvery is how often the board looks for what is due to be forgotten.
const forgetEvery = time.Second

func newBoard(c *clock.Clock, keeper *cooldownstore.Behind, m *telemetry.Metrics, l *slog.Logger) *board {
	return &board{
		clock: c, keeper: keeper, metrics: m, logger: l, view: view.New(view.MaxExceptions),
		watchers: map[*watcher]struct{}{}, stop: make(chan struct{}), done: make(chan struct{}),
	}
}

// run forgets what is due until the board is closed.
func (b *board) run() {
	defer close(b.done)
	t := time.NewTicker(forgetEvery)
	defer t.Stop()
	for {
		select {
		case <-b.stop:
			return
		case <-t.C:
			b.forget()
		}
	}
}

// forget drops what is due and says once a second what the limit cost.
func (b *board) forget() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, k := range b.view.Forget(b.clock.Now()) {
		left := b.view.Of(k)
		b.changed(k, left)
		b.keeper.Put(k, left) // an actor may be gone by now, and its record would stay
	}
	if n := b.view.Dropped(); n > b.dropped {
		b.logger.Warn("the view is full; the exceptions that end soonest were dropped", slog.Uint64("dropped", n-b.dropped))
		b.dropped = n
	}
}

func (b *board) close() {
	close(b.stop)
	<-b.done
}

// merge joins a snapshot into the view.
func (b *board) merge(key breaker.Key, s breaker.Snapshot) {
	b.mu.Lock()
	defer b.mu.Unlock()
	merged, changed, evicted := b.view.Merge(key, s)
	if evicted != "" {
		b.changed(evicted, breaker.Snapshot{})
		b.keeper.Put(evicted, breaker.Snapshot{})
		b.Drop(evicted)
	}
	if changed {
		b.changed(key, merged)
	}
}

// changed tells the gate and the streams. The board is locked, so that they
// hear of changes in the order in which the view took them.
func (b *board) changed(key breaker.Key, s breaker.Snapshot) {
	b.gate.Apply(key, s)
	for w := range b.watchers {
		w.add(key)
	}
}

// Announce implements actors.Announcer.
func (b *board) Announce(key breaker.Key, a breaker.Announcement) {
	b.merge(key, a.Snapshot)
	for _, t := range a.Transitions {
		b.metrics.Moved(t)
		b.logger.Info("breaker", slog.String("key", string(key)), slog.String("from", t.From.String()), slog.String("to", t.To.String()),
			slog.String("reason", string(t.Reason)), slog.String("role", t.Role), slog.String("author", t.Author), slog.String("detail", t.Detail))
	}
}

// Of implements httpapi.Board.
func (b *board) Of(key breaker.Key) breaker.Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.view.Of(key)
}

// Each implements httpapi.Board. It works on a copy, so that a slow reader
// holds nobody up.
func (b *board) Each(yield func(breaker.Key, breaker.Snapshot) bool) {
	type entry struct {
		key  breaker.Key
		snap breaker.Snapshot
	}
	b.mu.Lock()
	list := make([]entry, 0, b.view.Len())
	b.view.Each(func(k breaker.Key, s breaker.Snapshot) bool {
		list = append(list, entry{k, s})
		return true
	})
	b.mu.Unlock()
	for _, e := range list {
		if !yield(e.key, e.snap) {
			return
		}
	}
}

// count says how many breakers are open and half-open.
func (b *board) count() (open, half int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.view.Tally(b.clock.Now())
}

// droppedTotal counts the exceptions the view's limit has cost.
func (b *board) droppedTotal() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.view.Dropped()
}

// Watch implements httpapi.Board.
func (b *board) Watch() httpapi.Subscription {
	w := &watcher{board: b, ready: make(chan struct{}, 1), keys: map[breaker.Key]struct{}{}}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watchers[w] = struct{}{}
	return w
}

// watcher collects changed keys for one stream. A slow stream costs no more
// than one entry for each key.
type watcher struct {
	board *board
	ready chan struct{}
	mu    sync.Mutex
	keys  map[breaker.Key]struct{}
}

func (w *watcher) add(k breaker.Key) {
	w.mu.Lock()
	w.keys[k] = struct{}{}
	w.mu.Unlock()
	select {
	case w.ready <- struct{}{}:
	default:
	}
}

func (w *watcher) Ready() <-chan struct{} { return w.ready }

func (w *watcher) Changed() []breaker.Key {
	w.mu.Lock()
	defer w.mu.Unlock()
	keys := make([]breaker.Key, 0, len(w.keys))
	for k := range w.keys {
		keys = append(keys, k)
	}
	clear(w.keys)
	return keys
}

func (w *watcher) Close() {
	w.board.mu.Lock()
	defer w.board.mu.Unlock()
	delete(w.board.watchers, w)
}
