package node

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"
)

// notes has values of the node's own written to its store, the latest of each name.
// Who puts one need not wait for the disk: membership must not stand still while
// that hangs.
type notes struct {
	set    func(ctx context.Context, name, value string) error
	logger *slog.Logger

	mu     sync.Mutex
	latest map[string]note
	wake   chan struct{} // something was put
	stop   chan struct{}
	done   chan struct{} // everything was tried
}

type note struct {
	value   string
	written chan struct{} // closed when it, or a later one, was tried
}

func newNotes(set func(context.Context, string, string) error, logger *slog.Logger) *notes {
	n := &notes{set: set, logger: logger, latest: map[string]note{}, wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	go n.run()
	return n
}

// put has a value written soon. The channel is closed when that was tried.
func (n *notes) put(name, value string) (written <-chan struct{}) {
	n.mu.Lock()
	defer n.mu.Unlock()
	x, ok := n.latest[name]
	if !ok {
		x.written = make(chan struct{})
	}
	x.value = value
	n.latest[name] = x
	poke(n.wake)
	return x.written
}

// putNow is put, and waits a moment for the disk.
func (n *notes) putNow(name, value string, wait time.Duration) {
	select {
	case <-n.put(name, value):
	case <-time.After(wait):
	}
}

func (n *notes) run() {
	defer close(n.done)
	for {
		select {
		case <-n.wake:
			n.writeAll()
		case <-n.stop:
			n.writeAll()
			return
		}
	}
}

func (n *notes) writeAll() {
	n.mu.Lock()
	list := n.latest
	n.latest = map[string]note{}
	n.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(list)) {
		ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
		if err := n.set(ctx, name, list[name].value); err != nil {
			n.logger.Error("keep "+name, slog.Any("err", err))
		}
		cancel()
		close(list[name].written)
	}
}

// close writes what was put. What is put afterwards is not written.
func (n *notes) close() {
	close(n.stop)
	<-n.done
}
