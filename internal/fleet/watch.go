package fleet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"fleetfuse/api"
)

// watchEvery is how often a watch asks each node.
const watchEvery = 2 * time.Millisecond

// maxSeen bounds the wrong answers that a watch keeps.
const maxSeen = 10

// A Watch asks nodes all the time whether a host may be called, and keeps what
// they must not answer.
type Watch struct {
	stop context.CancelFunc
	done sync.WaitGroup

	mu      sync.Mutex
	began   time.Time
	answers map[string]int // by node
	wrong   []string
	slowest time.Duration
}

// StartWatch watches until Stop. An answer for which wrong holds is kept; a
// question that fails, because the node is gone, says nothing.
func StartWatch(ctx context.Context, host string, wrong func(api.AllowResponse) bool, nodes ...*Node) *Watch {
	ctx, stop := context.WithCancel(ctx)
	w := &Watch{stop: stop, began: time.Now(), answers: map[string]int{}}
	for _, n := range nodes {
		w.done.Go(func() {
			t := time.NewTicker(watchEvery)
			defer t.Stop()
			for ctx.Err() == nil {
				asked := time.Now()
				if a, err := n.Allow(ctx, host); err == nil {
					w.heard(n.Name, asked, a, wrong(a))
				}
				select {
				case <-t.C:
				case <-ctx.Done():
				}
			}
		})
	}
	return w
}

func (w *Watch) heard(node string, asked time.Time, a api.AllowResponse, wrong bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.answers[node]++
	w.slowest = max(w.slowest, time.Since(asked))
	if wrong && len(w.wrong) < maxSeen {
		w.wrong = append(w.wrong, fmt.Sprintf("after %v %s: %+v", asked.Sub(w.began).Round(time.Millisecond), node, a))
	}
}

// Stop ends the watch.
func (w *Watch) Stop() {
	w.stop()
	w.done.Wait()
}

// Wrong are the first answers that must not have been. Answers is how many
// there were of a node, Slowest the longest it took to get one.
func (w *Watch) Wrong() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.wrong
}
func (w *Watch) Answers(node *Node) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.answers[node.Name]
}
func (w *Watch) Slowest() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.slowest
}
