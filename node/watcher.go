package node

import (
	"sync"

	"fleetfuse/breaker"
	"fleetfuse/httpapi"
)

// Watch implements httpapi.Board.
func (b *board) Watch() httpapi.Subscription {
	w := &watcher{board: b, ready: make(chan struct{}, 1), keys: map[breaker.Key]struct{}{}}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.watchers[w] = struct{}{}
	return w
}

// tellWatchers tells the streams. The board is locked.
func (b *board) tellWatchers(key breaker.Key) {
	for w := range b.watchers {
		w.add(key)
	}
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
