package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"fleetfuse/api"
)

// fedByHand returns a client whose stream the test plays: its feed has ended.
func fedByHand(t *testing.T, opt Options) *Client {
	c := newClient(t, newNode(t, testPolicy()), opt)
	c.cancelFeed()
	c.feeding.Wait()
	c.feed.event(api.ViewEvent{})
	return c
}

// A client that rejects everything once the node was away for long does not do
// so at the moment it goes or comes back.
func TestANodeThatGoesIsNotAwayForLong(t *testing.T) {
	c := fedByHand(t, Options{FailMode: FailClosed})
	lost := errors.New("the stream broke")
	done := make(chan struct{})
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if away := c.feed.awayFor(); away > time.Minute {
					t.Errorf("the node has been away for %v", away)
					return
				}
				if _, err := c.Allow(t.Context(), Call{Host: "a.example"}); err != nil {
					t.Errorf("rejected: %v", err)
					return
				}
			}
		})
	}
	for range 2000 {
		c.feed.away(lost)
		c.feed.event(api.ViewEvent{})
	}
	close(done)
	asking.Wait()
}

// Tries to reach a node that is away do not begin its absence anew.
func TestAnAbsenceIsCountedFromItsBegin(t *testing.T) {
	c := fedByHand(t, Options{})
	if away := c.feed.awayFor(); away != 0 {
		t.Errorf("a node that answers is away for %v", away)
	}
	c.feed.away(errors.New("the stream broke"))
	began := c.feed.since
	c.feed.away(errors.New("it does not listen"))
	if c.feed.since != began || !c.Stale() {
		t.Errorf("away since %v, want %v; stale: %t", c.feed.since, began, c.Stale())
	}
}

// What answers in a node's place, or does not, is said in the log, once, and to
// whoever waits for the node.
func TestANodeThatNeverAnsweredIsMentioned(t *testing.T) {
	forbidden := func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_ = json.NewEncoder(w).Encode(api.Problem{Status: http.StatusForbidden, Detail: "not for this address"})
	}
	page := func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>hello</html>") }
	for name, tt := range map[string]struct {
		answer http.HandlerFunc // nil: nobody listens
		want   string
	}{
		"nobody":   {nil, "connection refused"},
		"refusal":  {forbidden, "/v1/view: status 403: not for this address"},
		"web page": {page, `/v1/view is "text/html; charset=utf-8", want text/event-stream`},
	} {
		t.Run(name, func(t *testing.T) {
			s := httptest.NewServer(tt.answer)
			defer s.Close()
			if tt.answer == nil {
				s.Close()
			}
			var log bytes.Buffer
			c, err := New(Options{Addr: s.URL, Logger: slog.New(slog.NewTextHandler(&log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			again := func() bool { c.feed.mu.Lock(); defer c.feed.mu.Unlock(); return c.feed.last != nil }
			eventually(t, "it was tried", again)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // some tries more
			defer cancel()
			if err := c.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v; want the deadline and %q", err, tt.want)
			}
			_ = c.Close()
			if text := strings.ReplaceAll(log.String(), `\"`, `"`); strings.Count(text, "does not answer") != 1 || !strings.Contains(text, tt.want) {
				t.Errorf("want one line with %q; log: %s", tt.want, text)
			}
		})
	}
}

// An absence is one line, and the next one another.
func TestEachAbsenceIsMentionedOnce(t *testing.T) {
	n := newNode(t, testPolicy())
	var log bytes.Buffer
	c := newClient(t, n, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for range 2 {
		n.away(true)
		eventually(t, "the node is away", c.Stale)
		n.away(false)
		eventually(t, "the node is back", func() bool { return !c.Stale() })
	}
	_ = c.Close()
	if text := log.String(); strings.Count(text, "does not answer") != 2 || strings.Count(text, "the node answers") != 3 {
		t.Errorf("log: %s", text)
	}
}
