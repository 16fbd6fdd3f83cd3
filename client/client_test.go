package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/gate"
	"fleetfuse/hostname"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func testPolicy() breaker.Policy {
	p := breaker.DefaultPolicy()
	p.HalfOpenJitter = 0
	return p
}

// newClient returns a client that has the node's first snapshot.
func newClient(t *testing.T, n *fakeNode, opt Options) *Client {
	t.Helper()
	opt.Addr, opt.Worker = n.URL, "w1"
	if opt.Heartbeat == 0 {
		opt.Heartbeat = time.Minute
	}
	if opt.Logger == nil {
		opt.Logger = slog.New(slog.DiscardHandler)
	}
	c, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the node answers", func() bool { return !c.Stale() })
	return c
}

// upstream answers as told.
type upstream struct {
	*httptest.Server
	answer atomic.Pointer[http.HandlerFunc]
	calls  atomic.Int64
}

func newUpstream(t *testing.T, first http.HandlerFunc) *upstream {
	u := &upstream{}
	u.answer.Store(&first)
	u.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u.calls.Add(1)
		(*u.answer.Load())(w, r)
	}))
	t.Cleanup(u.Close)
	return u
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

func (u *upstream) host() string { return strings.TrimPrefix(u.URL, "http://") }

// call makes one call and returns the status, or 0 with the rejection.
func call(t *testing.T, c *Client, u *upstream) (int, *OpenError) {
	t.Helper()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, u.URL, nil)
	resp, err := c.Transport(u.Client().Transport).RoundTrip(req)
	if open, ok := errors.AsType[*OpenError](err); ok {
		return 0, open
	}
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return resp.StatusCode, nil
}

func rejects(t *testing.T, c *Client, u *upstream) func() bool {
	return func() bool { _, open := call(t, c, u); return open != nil }
}

func TestFiveFailuresTrip(t *testing.T) {
	n := newNode(t, testPolicy())
	c := newClient(t, n, Options{})
	u := newUpstream(t, status(503))
	for range 5 {
		if code, open := call(t, c, u); code != 503 {
			t.Fatalf("got %d, %v before the trip", code, open)
		}
	}
	eventually(t, "the view rejects", func() bool { return c.State(u.host()) == breaker.Open })
	_, open := call(t, c, u)
	if open == nil || open.Reason != breaker.ReasonConsecutive || open.Stale || open.RetryAfter <= 0 || string(open.Key) != "host:"+u.host() {
		t.Fatalf("rejection: %+v", open)
	}
	if got := u.calls.Load(); got != 5 {
		t.Errorf("%d calls arrived, want 5", got)
	}
	if left := c.Remaining(u.host()); left <= 0 || left > time.Minute {
		t.Errorf("remaining %v", left)
	}
}

func TestRetryAfterRejectsAtOnce(t *testing.T) {
	n := newNode(t, testPolicy())
	c := newClient(t, n, Options{})
	sent := time.Now().UTC()
	for name, header := range map[string][]string{
		"seconds": {"Retry-After", "20"},
		"date": {
			"Retry-After", sent.Add(20*time.Second - time.Hour).Format(http.TimeFormat), "Date", sent.Add(-time.Hour).Format(http.TimeFormat),
		},
	} {
		t.Run(name, func(t *testing.T) {
			u := newUpstream(t, status(429, header...))
			if code, _ := call(t, c, u); code != 429 {
				t.Fatal(code)
			}
			_, open := call(t, c, u)
			if open == nil || open.Reason != breaker.ReasonRetryAfter || open.RetryAfter < 18*time.Second || open.RetryAfter > 21*time.Second {
				t.Fatalf("rejection: %v", open)
			}
			eventually(t, "the node has it", func() bool {
				d := n.gate.Allow(t.Context(), gate.Call{Host: keyFor(t, u).Name()})
				if d.Allowed() {
					return false
				}
				r := d.Rejection()
				return r.Reason == breaker.ReasonRetryAfter && r.RetryAfter > 18*time.Second && r.RetryAfter < 21*time.Second
			})
		})
	}
}

func keyFor(t *testing.T, u *upstream) breaker.Key {
	t.Helper()
	name, err := hostname.Normalize(u.host())
	if err != nil {
		t.Fatal(err)
	}
	return breaker.HostKey(name)
}

func TestViewChangeRejectsAndCloses(t *testing.T) {
	n := newNode(t, testPolicy())
	c := newClient(t, n, Options{})
	u := newUpstream(t, status(200))
	n.step(keyFor(t, u), func(m *breaker.Machine, mo breaker.Moment) breaker.Effects {
		return m.OpenUntil(mo, "n1", time.Hour, "ann", "")
	})
	eventually(t, "an operator's open rejects", rejects(t, c, u))
	n.step(keyFor(t, u), func(m *breaker.Machine, mo breaker.Moment) breaker.Effects { return m.Close(mo, "ann", "") })
	eventually(t, "a close allows", func() bool { code, _ := call(t, c, u); return code == 200 })
}

func TestHalfOpenOnePermit(t *testing.T) {
	p := testPolicy()
	p.ResetTimeout = 500 * time.Millisecond // a run is forgotten after twice that
	n := newNode(t, p)
	c := newClient(t, n, Options{})
	u := newUpstream(t, status(503))
	for range 5 {
		_, _ = call(t, c, u)
	}
	eventually(t, "half-open", func() bool { return c.State(u.host()) == breaker.HalfOpen })
	var probe *Permit
	eventually(t, "one of fifty gets a permit", func() bool {
		permits := make(chan *Permit, 50)
		for range 50 {
			go func() {
				p, _ := c.Allow(t.Context(), Call{Host: u.host()})
				permits <- p
			}()
		}
		for range 50 {
			if p := <-permits; p != nil && (probe != nil || !p.Probe()) {
				t.Fatalf("a second permit: %+v", p)
			} else if p != nil {
				probe = p
			}
		}
		return probe != nil
	})
	probe.Cancel() // neutral: gives it back
	eventually(t, "the next caller probes", func() bool {
		probe, _ = c.Allow(t.Context(), Call{Host: u.host()})
		return probe != nil
	})
	probe.Success()
	eventually(t, "a success closes", func() bool { return c.State(u.host()) == breaker.Closed })
}

func TestNodeAwayRingGoesOn(t *testing.T) {
	n := newNode(t, testPolicy())
	c := newClient(t, n, Options{})
	u, held := newUpstream(t, status(503)), newUpstream(t, status(200))
	n.step(keyFor(t, held), func(m *breaker.Machine, mo breaker.Moment) breaker.Effects {
		return m.OpenUntil(mo, "n1", time.Hour, "ann", "")
	})
	eventually(t, "the view rejects", rejects(t, c, held))
	n.away(true)
	eventually(t, "stale", c.Stale)
	if _, open := call(t, c, held); open == nil || !open.Stale {
		t.Fatalf("the last known view: %v", open)
	}
	for range 5 {
		if code, open := call(t, c, u); code != 503 {
			t.Fatalf("got %v before the trip", open)
		}
	}
	_, open := call(t, c, u)
	if open == nil || !open.Stale || open.Reason != breaker.ReasonLocalEvidence {
		t.Fatalf("the ring: %v", open)
	}
	u.answer.Store(new(status(200)))
	n.away(false)
	// Failures that waited here may reach the node and trip its breaker: that is
	// the node's word too. This process's ring has none any more.
	eventually(t, "the node's word counts again", func() bool {
		code, open := call(t, c, u)
		return code == 200 || open != nil && !open.Stale && open.Reason != breaker.ReasonLocalEvidence
	})
	if _, open := call(t, c, held); open == nil || open.Stale {
		t.Errorf("after the return: %v", open)
	}
}

func TestRingOnlyCountsWhileTheNodeAnswers(t *testing.T) {
	p := testPolicy()
	n := newNode(t, p)
	c := newClient(t, n, Options{})
	n.mu.Lock()
	n.deaf = true // the stream lives on, reports are lost
	n.mu.Unlock()
	u := newUpstream(t, status(503))
	for range 20 {
		if _, open := call(t, c, u); open != nil {
			t.Fatalf("the ring decided: %v", open)
		}
	}
}

func TestFailClosed(t *testing.T) {
	n := newNode(t, testPolicy())
	c := newClient(t, n, Options{FailMode: FailClosed, Heartbeat: 20 * time.Millisecond})
	u := newUpstream(t, status(200))
	n.away(true)
	eventually(t, "everything is rejected", func() bool {
		_, open := call(t, c, u)
		return open != nil && open.Reason == ReasonNodeAway && open.Stale
	})
}

func TestBodyThatBreaksAddsAFailure(t *testing.T) {
	n := newNode(t, testPolicy())
	c := newClient(t, n, Options{})
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "half")
	})
	_, _ = call(t, c, u)
	eventually(t, "a failure is reported", func() bool {
		return n.reported(func(o api.Outcome) bool { return o.Error == "reset" }) == 1
	})
	if got := n.reported(func(o api.Outcome) bool { return o.Status == 200 }); got != 1 {
		t.Errorf("%d successes reported before it, want 1", got)
	}
}

func TestCancelledCallerIsNeutral(t *testing.T) {
	n := newNode(t, testPolicy())
	c := newClient(t, n, Options{})
	entered := make(chan struct{}, 1)
	u := newUpstream(t, func(_ http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-r.Context().Done()
	})
	for range 6 {
		ctx, cancel := context.WithCancel(t.Context())
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, u.URL, nil)
		go func() { <-entered; cancel() }()
		if _, err := c.Transport(u.Client().Transport).RoundTrip(req); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	_ = c.Close()
	if got := n.reported(func(o api.Outcome) bool { return o.Error != "cancelled" }); got != 0 {
		t.Errorf("%d outcomes are not neutral: %+v", got, n.outcomes)
	}
	if st := c.State(u.host()); st != breaker.Closed {
		t.Errorf("state %v", st)
	}
}

func TestUnspellableHostPasses(t *testing.T) {
	n := newNode(t, testPolicy())
	var log bytes.Buffer
	c := newClient(t, n, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for range 10 {
		p, err := c.Allow(t.Context(), Call{Host: "a b..c"})
		if err != nil {
			t.Fatal(err)
		}
		p.Report(Result{Status: 503})
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(log.String(), "cannot be spelled"); got != 1 {
		t.Errorf("%d log lines, want 1", got)
	}
	if got := n.reported(func(api.Outcome) bool { return true }); got != 0 {
		t.Errorf("%d outcomes reported", got)
	}
}

func TestSuccessesAreReportedWithCounts(t *testing.T) {
	n := newNode(t, testPolicy())
	c := newClient(t, n, Options{})
	u := newUpstream(t, status(200))
	for range 100 {
		_, _ = call(t, c, u)
	}
	_ = c.Close()
	if got := n.reported(func(o api.Outcome) bool { return o.Status == 200 }); got != 100 {
		t.Errorf("%d successes reported, want 100", got)
	}
}
