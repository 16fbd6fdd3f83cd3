package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fleetfuse/api"
	"fleetfuse/httpapi"
	"fleetfuse/internal/clock"
	"fleetfuse/telemetry"
	"fleetfuse/telemetry/follow"
)

// log is a follow.Source of one member, n1.
type log struct {
	mu     sync.Mutex
	events []api.Event
	more   chan struct{}
}

func (l *log) add(e api.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Seq, e.Time = uint64(len(l.events)+1), time.Now()
	e.ID = fmt.Sprint("e", e.Seq)
	l.events = append(l.events, e)
	close(l.more)
	l.more = make(chan struct{})
}

func (l *log) Members() []follow.Member { return []follow.Member{{ID: "id1", Name: "n1", Live: true}} }

func (l *log) Read(ctx context.Context, _ string, q api.EventQuery) (api.EventPage, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(q.WaitMS)*time.Millisecond)
	defer cancel()
	for {
		l.mu.Lock()
		p, more := api.EventPage{Through: uint64(len(l.events))}, l.more
		for _, e := range l.events {
			if e.Seq > q.After && !q.Last && (q.Key == "" || q.Key == e.Key) {
				p.Events = append(p.Events, e)
			}
		}
		l.mu.Unlock()
		if len(p.Events) > 0 || q.Last || q.WaitMS == 0 {
			return p, nil
		}
		select {
		case <-more:
		case <-ctx.Done():
			return p, nil
		}
	}
}

// A feed is a server of events, and what a stream of it wrote.
type feed struct {
	t      *testing.T
	log    *log
	hub    *follow.Hub
	server *httpapi.Server
	clock  *clock.Clock
	count  *telemetry.Metrics
	stop   sync.Once
}

func newFeed(t *testing.T, followers int) *feed {
	f := &feed{t: t, log: &log{more: make(chan struct{})}, clock: clock.New(), count: telemetry.New("test", 10)}
	f.hub = follow.NewHub(f.log, follow.Options{Followers: followers})
	f.server = httpapi.New(httpapi.Options{Events: f.hub, Clock: f.clock, Metrics: f.count, Node: "n1"})
	return f
}

func (f *feed) close() {
	f.stop.Do(f.server.EndStreams)
	f.hub.Close()
	f.clock.Stop()
}

// reader is a client's end: it takes what is written, or, once stuck, nothing.
type reader struct {
	mu     sync.Mutex
	header http.Header
	status int
	text   strings.Builder
	stuck  bool
	limit  time.Duration // of the last write
}

func (r *reader) Header() http.Header  { return r.header }
func (r *reader) WriteHeader(code int) { r.status = code }
func (r *reader) FlushError() error    { return nil }

func (r *reader) SetWriteDeadline(at time.Time) error {
	r.limit = time.Until(at)
	return nil
}

func (r *reader) Write(b []byte) (int, error) {
	r.mu.Lock()
	stuck := r.stuck
	if !stuck {
		r.text.Write(b)
	}
	r.mu.Unlock()
	if stuck {
		time.Sleep(r.limit)
		return 0, fmt.Errorf("write: %w", os.ErrDeadlineExceeded)
	}
	return len(b), nil
}

// said is what was written since the last call.
func (r *reader) said() string {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	text := r.text.String()
	r.text.Reset()
	return text
}

// get asks for events in a goroutine of its own.
func (f *feed) get(ctx context.Context, query string, header http.Header) (*reader, <-chan struct{}) {
	req := httptest.NewRequestWithContext(ctx, "GET", "/v1/events?"+query, nil)
	req.Host, req.Header = "localhost", header
	w, ended := &reader{header: http.Header{}}, make(chan struct{})
	go func() {
		defer close(ended)
		f.server.Handler().ServeHTTP(w, req)
	}()
	return w, ended
}

func asStream(lastID string) http.Header {
	h := http.Header{"Accept": {"text/event-stream"}}
	if lastID != "" {
		h.Set("Last-Event-ID", lastID)
	}
	return h
}

// message reads the one event that was written.
func message(t *testing.T, text string) (id string, r api.EventsResponse) {
	t.Helper()
	var data string
	if n, err := fmt.Sscanf(text, "event: events\nid: %s\n", &id); n != 1 || err != nil || !strings.HasSuffix(text, "\n\n") || strings.Count(text, "\n\n") != 1 {
		t.Fatalf("%q is not one event with an id", text)
	}
	_, data, _ = strings.Cut(text, "\ndata: ")
	if err := json.Unmarshal([]byte(data), &r); err != nil {
		t.Fatal(err)
	}
	return id, r
}

// A stream says how soon to come back, where it is, what happens, and that it
// lives. It ends with the node; with its last id it goes on, here or as a parameter.
func TestEventStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(t, 10)
		defer f.close()
		w, ended := f.get(t.Context(), "", asStream(""))
		first := w.said()
		rest, ok := strings.CutPrefix(first, "retry: 1000\n\n")
		if id, r := message(t, rest); !ok || r.Events == nil || len(r.Events) != 0 || r.Position != id || !strings.Contains(id, "id1:0") {
			t.Errorf("it began with %q", first)
		}
		if w.header.Get("Content-Type") != "text/event-stream" || w.limit <= 0 || w.limit > 10*time.Second {
			t.Errorf("content type %q, %v for a write", w.header.Get("Content-Type"), w.limit)
		}
		f.log.add(api.Event{Key: "host:a"})
		id, r := message(t, w.said())
		if len(r.Events) != 1 || r.Events[0].ID != "e1" || r.Position != id {
			t.Errorf("told %+v with id %q", r, id)
		}
		time.Sleep(5*time.Second + time.Millisecond)
		if text := w.said(); text != ": alive\n\n" {
			t.Errorf("in 5 s of silence it said %q", text)
		}
		f.stop.Do(f.server.EndStreams)
		<-ended
		if text := w.said(); text != "" {
			t.Errorf("at the end it said %q", text)
		}
	})
}

func TestEventStreamResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(t, 10)
		defer f.close()
		ctx, cancel := context.WithCancel(t.Context())
		w, ended := f.get(ctx, "follow", nil)
		w.said()
		f.log.add(api.Event{Key: "host:a"})
		id, _ := message(t, w.said())
		cancel()
		<-ended
		f.log.add(api.Event{Key: "host:b"})
		f.log.add(api.Event{Key: "host:a"})
		for query, header := range map[string]http.Header{"": asStream(id), "follow&after=" + id: nil, "key=a": asStream(id)} {
			ctx, cancel := context.WithCancel(t.Context())
			w, ended := f.get(ctx, query, header)
			want := []string{"e2", "e3"}
			if query == "key=a" {
				want = want[1:]
			}
			var told []string
			for text := range strings.SplitAfterSeq(strings.TrimPrefix(w.said(), "retry: 1000\n\n"), "\n\n") {
				if text == "" {
					continue
				}
				_, r := message(t, text)
				for _, e := range r.Events {
					told = append(told, e.ID)
				}
			}
			if !slices.Equal(told, want) {
				t.Errorf("%q %v: told %v; want %v", query, header, told, want)
			}
			cancel()
			<-ended
		}
	})
}

// Who does not read is cut off within the write limit, and counted.
func TestAReaderThatIsStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(t, 10)
		defer f.close()
		w, ended := f.get(t.Context(), "", asStream(""))
		w.said()
		w.mu.Lock()
		w.stuck = true
		w.mu.Unlock()
		began := time.Now()
		f.log.add(api.Event{})
		<-ended
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("it was cut off after %v", took)
		}
		if n := f.hub.Followers(); n != 0 {
			t.Errorf("%d follow still", n)
		}
		families, err := f.count.Gatherer().Gather()
		for _, m := range families {
			if m.GetName() == "fleetfuse_event_followers_dropped_total" && m.Metric[0].GetCounter().GetValue() == 1 {
				return
			}
		}
		t.Errorf("it was not counted: %v", err)
	})
}

func TestTooManyFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(t, 1)
		defer f.close()
		w, _ := f.get(t.Context(), "", asStream(""))
		w.said()
		w, ended := f.get(t.Context(), "", asStream(""))
		<-ended
		var p api.Problem
		if err := json.Unmarshal([]byte(w.said()), &p); err != nil || w.status != 503 || !strings.Contains(p.Detail, "another node") || p.Try == "" ||
			w.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%d %+v, %v; want a problem that says what to do", w.status, p, err)
		}
	})
}

// A list is asked for like a stream; what is wrong with a question is all named.
func TestEventQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFeed(t, 1)
		defer f.close()
		f.log.add(api.Event{Key: "host:a"})
		ask := func(query string) (int, string) {
			w, ended := f.get(t.Context(), query, nil)
			<-ended
			return w.status, w.said()
		}
		for _, query := range []string{"", "key=A", "since=1h&limit=10000&kind=transition&kind=local", "since=2026-01-02T15:04:05Z", "after=id1:0"} {
			var r api.EventsResponse
			if code, text := ask(query); code != 200 || json.Unmarshal([]byte(text), &r) != nil || len(r.Events) != 1 || r.Position == "" {
				t.Errorf("%q: %d %s", query, code, text)
			}
		}
		code, text := ask("key=http://x/y&kind=trips&since=yesterday&limit=0&after=x&folow=1")
		var p api.Problem
		if err := errors.Join(json.Unmarshal([]byte(text), &p)); err != nil || code != 400 || len(p.Errors) != 6 || p.Try == "" {
			t.Errorf("%d %+v, %v; want all six named", code, p, err)
		}
	})
}
