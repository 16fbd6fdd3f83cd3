package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"fleetfuse/api"
	"fleetfuse/telemetry"
	"fleetfuse/telemetry/follow"
)

// Events are what all members wrote down (follow.Hub).
type Events interface {
	Query(ctx context.Context, q follow.Question) api.EventsResponse
	Follow(after follow.Position, f follow.Filter) (*follow.Stream, error)
}

// maxEvents bounds one answer.
const maxEvents = 10_000

// events answers with the newest events that match or, asked for an event stream,
// with what follows.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	q, err := eventQuestion(r, s.now())
	if err != nil {
		refuse(w, api.Problem{
			Status: http.StatusBadRequest, Detail: "events cannot be asked for like this", Errors: limited(each(err)),
			Try: "/v1/events?since=1h&key=api.example.org&kind=transition&limit=100",
		})
		return
	}
	if !strings.Contains(r.Header.Get("Accept"), "text/event-stream") && !r.URL.Query().Has("follow") {
		write(w, http.StatusOK, s.opt.Events.Query(r.Context(), q))
		return
	}
	stream, err := s.opt.Events.Follow(q.After, q.Filter)
	if err != nil {
		fail(w, http.StatusServiceUnavailable, err.Error(), "GET /v1/cluster lists the other nodes")
		return
	}
	defer stream.Close()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	if err := s.tell(r.Context(), newEventWriter(w), stream); errors.Is(err, os.ErrDeadlineExceeded) {
		s.opt.Metrics.FollowerDropped()
	}
}

// now is the wall clock.
func (s *Server) now() time.Time {
	_, wall := s.opt.Clock.Both()
	return wall
}

// tell writes what a stream has until its reader goes, is too slow or the node
// stops. What it missed it gets with its last id, here or from another node.
func (s *Server) tell(ctx context.Context, out eventWriter, stream *follow.Stream) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-ctx.Done():
		case <-s.stop:
			cancel()
		}
	}()
	for err := out.write("retry: 1000\n\n"); ; {
		if err != nil {
			return err
		}
		beat, done := context.WithTimeout(ctx, heartbeatEvery)
		batch, silent := stream.Next(beat)
		done()
		switch {
		case ctx.Err() != nil:
			return nil
		case silent != nil:
			err = out.write(": alive\n\n")
		default:
			err = out.batch(batch)
		}
	}
}

// eventWriter writes an event stream.
type eventWriter struct {
	w   http.ResponseWriter
	out *http.ResponseController
}

func newEventWriter(w http.ResponseWriter) eventWriter {
	return eventWriter{w, http.NewResponseController(w)}
}

// write fails if the reader does not take it in time.
func (e eventWriter) write(text string) error {
	if err := e.out.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return err
	}
	if _, err := io.WriteString(e.w, text); err != nil {
		return err
	}
	return e.out.Flush()
}

func (e eventWriter) batch(b api.EventsResponse) error {
	if b.Events == nil {
		b.Events = []api.Event{}
	}
	data, err := json.Marshal(b)
	if err != nil {
		return err
	}
	return e.write(fmt.Sprintf("event: events\nid: %s\ndata: %s\n\n", b.Position, data))
}

var eventParameters = []string{"key", "kind", "since", "limit", "follow", "after"}

// eventQuestion reads what is asked for. Last-Event-ID is where an earlier stream
// ended; as a parameter too, for those who cannot set a header.
func eventQuestion(r *http.Request, now time.Time) (q follow.Question, err error) {
	p, err := url.ParseQuery(r.URL.RawQuery)
	problems := []error{err}
	for _, name := range slices.Sorted(maps.Keys(p)) {
		switch {
		case !slices.Contains(eventParameters, name):
			problems = append(problems, fmt.Errorf("the parameter %s is none of %s", quoted(name), strings.Join(eventParameters, " ")))
		case len(p[name]) > 1 && name != "kind":
			problems = append(problems, fmt.Errorf("%s is given twice", name))
		}
	}
	if text := p.Get("key"); text != "" {
		key, err := parseKey(text)
		problems = append(problems, err)
		q.Key = string(key)
	}
	for _, text := range p["kind"] {
		kind, err := telemetry.ParseKind(text)
		problems = append(problems, err)
		q.Kinds = append(q.Kinds, string(kind))
	}
	q.Since, err = since(p.Get("since"), now)
	problems = append(problems, err)
	if text := p.Get("limit"); text != "" {
		q.Limit, err = strconv.Atoi(text)
		if err != nil || q.Limit < 1 || q.Limit > maxEvents {
			problems = append(problems, fmt.Errorf("the limit %s is not a number from 1 to %d", quoted(text), maxEvents))
		}
	}
	after := r.Header.Get("Last-Event-ID")
	if after == "" {
		after = p.Get("after")
	}
	q.After, err = follow.ParsePosition(after)
	return q, errors.Join(append(problems, err)...)
}

// since reads how far back: a duration, or a time as RFC 3339 has it.
func since(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	return time.Time{}, fmt.Errorf("since=%s is neither a duration (1h) nor a time (2026-01-02T15:04:05Z)", quoted(text))
}
