package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/client/admin"
)

// sse writes one batch of a stream.
func sse(w http.ResponseWriter, position string, ids ...string) {
	w.Header().Set("Content-Type", "text/event-stream")
	r := api.EventsResponse{Position: position}
	for _, id := range ids {
		r.Events = append(r.Events, api.Event{ID: id})
	}
	data, _ := json.Marshal(r)
	fmt.Fprintf(w, "event: events\nid: %s\ndata: %s\n\n", position, data)
	_ = http.NewResponseController(w).Flush()
}

// follow follows until got returns an error, or ctx ends.
func follow(ctx context.Context, c *admin.Client, q admin.EventsQuery, until string) (told []string, lost []error, err error) {
	enough := errors.New("enough")
	err = c.FollowEvents(ctx, q, func(r api.EventsResponse) error {
		for _, e := range r.Events {
			told = append(told, e.ID)
			if e.ID == until {
				return enough
			}
		}
		return nil
	}, func(err error) { lost = append(lost, err) })
	if errors.Is(err, enough) {
		err = nil
	}
	return told, lost, err
}

// TestFollowEventsGoesOn: after the stream ended it asks for what follows, from
// the same time on, and drops what another node tells again.
func TestFollowEventsGoesOn(t *testing.T) {
	var asked []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query().Get("after")+" "+r.URL.Query().Get("since"))
		switch len(asked) {
		case 1:
			sse(w, "x:1", "a", "b")
		case 2:
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(503)
			fmt.Fprint(w, `{"status":503,"detail":"it drains"}`)
		default:
			sse(w, "x:2", "b", "c")
		}
	})
	began := time.Now()
	told, lost, err := follow(t.Context(), c, admin.EventsQuery{Since: "1h"}, "c")
	if err != nil || !slices.Equal(told, []string{"a", "b", "c"}) {
		t.Errorf("told %v, %v", told, err)
	}
	if len(lost) != 2 || !strings.Contains(lost[0].Error(), "ended the stream") || !strings.Contains(lost[1].Error(), "it drains") {
		t.Errorf("lost says %v", lost)
	}
	since, err := time.Parse(time.RFC3339Nano, strings.TrimPrefix(asked[0], " "))
	if err != nil || since.Sub(began.Add(-time.Hour)).Abs() > time.Minute {
		t.Errorf("it asked for %q, %v; want an hour ago", asked[0], err)
	}
	for _, q := range asked[1:] {
		if q != "x:1"+asked[0] {
			t.Errorf("then it asked for %q; want what follows x:1, since the same time", q)
		}
	}
}

// TestFollowEventsGivesUp where trying again is of no use.
func TestFollowEventsGivesUp(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(400)
		fmt.Fprint(w, `{"status":400,"detail":"no such kind","errors":["one","two"]}`)
	})
	_, lost, err := follow(t.Context(), c, admin.EventsQuery{Kinds: []string{"x"}}, "")
	var p *api.Problem
	if !errors.As(err, &p) || len(p.Errors) != 2 || len(lost) > 0 {
		t.Errorf("got %v, lost %v; want the problem", err, lost)
	}
	c = serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "<html>") })
	if _, _, err := follow(t.Context(), c, admin.EventsQuery{}, ""); err == nil || !strings.Contains(err.Error(), "stream of events") {
		t.Errorf("a page that is no stream: %v", err)
	}
	var un *admin.UnreachableError
	if _, _, err := follow(t.Context(), dial(t, "127.0.0.1:1"), admin.EventsQuery{}, ""); !errors.As(err, &un) {
		t.Errorf("nobody there: %v", err)
	}
	c = serve(t, func(w http.ResponseWriter, r *http.Request) {
		sse(w, "x:1", "a")
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	err = c.FollowEvents(ctx, admin.EventsQuery{}, func(api.EventsResponse) error { cancel(); return nil }, func(error) {})
	if err != nil {
		t.Errorf("at Ctrl-C: %v", err)
	}
}

// TestFollowEventsNoticesSilence: a node that gives no sign of life is asked anew.
func TestFollowEventsNoticesSilence(t *testing.T) {
	if testing.Short() {
		t.Skip("it waits for 15 s")
	}
	t.Parallel()
	asked := 0
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked == 1 {
			sse(w, "x:1", "a")
			<-r.Context().Done()
			return
		}
		sse(w, "x:2", "b")
	})
	told, lost, err := follow(t.Context(), c, admin.EventsQuery{}, "b")
	if err != nil || !slices.Equal(told, []string{"a", "b"}) || len(lost) != 1 || !strings.Contains(lost[0].Error(), "no sign of life") {
		t.Errorf("told %v, lost %v, %v", told, lost, err)
	}
}
