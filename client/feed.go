package client

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/internal/clock"
)

// Limits of the stream.
const (
	reconnectMin  = 20 * time.Millisecond
	reconnectMax  = 2 * time.Second
	maxEventBytes = 128 << 20 // 200,000 exceptions of some 600 bytes
)

// feed follows the node's view stream.
type feed struct {
	base      string
	http      *http.Client
	view      *view
	clock     *clock.Clock
	log       *slog.Logger
	heartbeat time.Duration
	onEvent   func(api.ViewEvent)

	cursor string
	once   sync.Once
	ready  chan struct{} // closed by the first snapshot

	complained bool // since the node answered last

	mu    sync.Mutex
	since breaker.Instant // when the node went away last; at first, when the client began
	last  error           // why the last stream ended, or did not begin
}

// errEnded is why a stream ended that the node closed.
var errEnded = errors.New("it closed the stream")

// run reconnects until ctx ends, with backoff and jitter.
func (f *feed) run(ctx context.Context) {
	pause := reconnectMin
	for ctx.Err() == nil {
		heard, err := f.follow(ctx)
		f.away(err)
		if ctx.Err() != nil {
			return
		}
		f.complain(err)
		if heard {
			pause = reconnectMin
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause/2 + rand.N(pause)):
		}
		pause = min(2*pause, reconnectMax)
	}
}

// follow reads one stream until it breaks or is silent for two heartbeats.
func (f *feed) follow(ctx context.Context) (heard bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	silence := time.AfterFunc(2*f.heartbeat, func() { cancel(fmt.Errorf("silent for %v", 2*f.heartbeat)) })
	defer silence.Stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.base+"/v1/view", nil)
	if err != nil {
		return false, err
	}
	req.Header.Set("Accept", "text/event-stream")
	if f.cursor != "" {
		req.Header.Set("Last-Event-ID", f.cursor)
	}
	resp, err := f.http.Do(req)
	if err != nil {
		return false, err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return false, refusal("/v1/view", resp)
	}
	if kind := resp.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		return false, fmt.Errorf("/v1/view is %q, want text/event-stream; is it a node that listens there?", kind)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(make([]byte, 0, 4096), maxEventBytes)
	for lines.Scan() {
		silence.Reset(2 * f.heartbeat)
		data, ok := strings.CutPrefix(lines.Text(), "data:")
		if !ok {
			continue
		}
		var e api.ViewEvent
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return heard, fmt.Errorf("an event is not JSON: %w", err)
		}
		f.event(e)
		heard = true
	}
	if cause := context.Cause(ctx); cause != nil {
		return heard, cause
	}
	return heard, cmp.Or(lines.Err(), errEnded)
}

// event takes one event of a live stream.
func (f *feed) event(e api.ViewEvent) {
	if e.Cursor != "" {
		f.cursor = e.Cursor
	}
	f.view.apply(e)
	if !f.view.fed.Swap(true) {
		f.view.gate.Replace() // rings only count from now on
		f.view.closeRings()
		f.complained = false
		f.log.Info("the node answers", slog.String("node", f.base))
	}
	f.once.Do(func() { close(f.ready) })
	if f.onEvent != nil {
		f.onEvent(e)
	}
}

// away notes that there is no stream: this process's ring decides now. Whoever
// sees that finds since when, or FailClosed would count from an earlier absence.
func (f *feed) away(err error) {
	fed := f.view.fed.Load()
	f.mu.Lock()
	f.last = err
	if fed {
		f.since = f.clock.Now()
	}
	f.mu.Unlock()
	if fed {
		f.view.fed.Store(false)
		f.view.gate.Replace()
	}
}

// complain says once why the node does not answer: a wrong address looks like a
// node that is not there yet.
func (f *feed) complain(err error) {
	if f.complained {
		return
	}
	f.complained = true
	f.log.Warn("the node does not answer; the last known view and this process's own ring carry on",
		slog.String("node", f.base), slog.Any("error", err))
}

// unheard is why Ready gave up: its own reason and the last of the stream's.
func (f *feed) unheard(why error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last == nil {
		return why
	}
	return fmt.Errorf("%w; the last try: %w", why, f.last)
}

// awayFor is how long the node has been away; zero while it answers.
func (f *feed) awayFor() time.Duration {
	if f.view.fed.Load() {
		return 0
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.clock.Now().Sub(f.since)
}
