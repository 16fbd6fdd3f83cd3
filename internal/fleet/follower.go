package fleet

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"fleetfuse/api"
)

// A Follower reads the events of the whole fleet at one node, as a program without
// the SDK does, until it is closed or the node ends the stream.
type Follower struct {
	cancel context.CancelFunc
	ended  chan struct{}

	mu      sync.Mutex
	told    Told
	changed chan struct{} // closed when there is more
}

// Told is what a follower was told.
type Told struct {
	Events   []api.Event
	At       []time.Time // when each arrived
	Gaps     []api.MemberGap
	Missing  []string
	Position string // the last id, "" before the first batch
	Err      error  // how the stream ended, nil while it goes on
}

// A Refused is an answer that is no stream.
type Refused struct {
	Status int
	Body   string
}

func (r *Refused) Error() string { return fmt.Sprintf("no stream of events: %d %s", r.Status, r.Body) }

// FollowEvents follows the events at a base URL: query is a query of GET /v1/events,
// lastID the id where an earlier stream ended, or "".
func FollowEvents(ctx context.Context, client *http.Client, base, query, lastID string) (*Follower, error) {
	ctx, cancel := context.WithCancel(ctx)
	req, err := http.NewRequestWithContext(ctx, "GET", base+"/v1/events?"+query, nil)
	if err != nil {
		cancel()
		return nil, err
	}
	req.Header.Set("Accept", "text/event-stream")
	if lastID != "" {
		req.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := client.Do(req)
	if err == nil && resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		resp.Body.Close()
		err = &Refused{resp.StatusCode, string(text)}
	}
	if err != nil {
		cancel()
		return nil, err
	}
	f := &Follower{cancel: cancel, ended: make(chan struct{}), changed: make(chan struct{})}
	go func() {
		defer close(f.ended)
		defer resp.Body.Close()
		f.read(resp.Body)
	}()
	return f, nil
}

// Follow follows the events at the node.
func (n *Node) Follow(ctx context.Context, query, lastID string) (*Follower, error) {
	return FollowEvents(ctx, n.client, n.HTTP, query, lastID)
}

// read takes the stream to its end.
func (f *Follower) read(stream io.Reader) {
	const longest = 16 << 20
	lines := bufio.NewScanner(stream)
	lines.Buffer(nil, longest)
	var id string
	for lines.Scan() {
		line := lines.Text()
		if text, ok := strings.CutPrefix(line, "id: "); ok {
			id = text
		}
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var r api.EventsResponse
		if err := json.Unmarshal([]byte(data), &r); err != nil {
			f.change(func(t *Told) { t.Err = err })
			return
		}
		at := time.Now()
		f.change(func(t *Told) {
			t.Events, t.Gaps, t.Missing, t.Position = append(t.Events, r.Events...), append(t.Gaps, r.Gaps...), r.Missing, id
			for range r.Events {
				t.At = append(t.At, at)
			}
		})
	}
	err := lines.Err()
	if err == nil {
		err = io.EOF
	}
	f.change(func(t *Told) { t.Err = err })
}

func (f *Follower) change(how func(*Told)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how(&f.told)
	close(f.changed)
	f.changed = make(chan struct{})
}

// Told is what it was told so far; its lists only grow.
func (f *Follower) Told() Told {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.told
}

// Await waits until what was told is as wanted. That the stream ended is an error,
// unless it is wanted.
func (f *Follower) Await(ctx context.Context, what string, holds func(Told) bool) error {
	for {
		f.mu.Lock()
		told, changed := f.told, f.changed
		f.mu.Unlock()
		if holds(told) {
			return nil
		}
		if told.Err != nil {
			return fmt.Errorf("the stream of events ended while %s was awaited: %w", what, told.Err)
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("%s was not told; told were %d events, %d gaps, missing %v", what, len(told.Events), len(told.Gaps), told.Missing), ctx.Err())
		}
	}
}

// Close ends the stream and returns all that was told.
func (f *Follower) Close() Told {
	f.cancel()
	<-f.ended
	return f.Told()
}
