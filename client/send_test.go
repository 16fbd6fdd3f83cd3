package client

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// unsent is a list of failures nobody was told of, with a Retry-After to be
// sent again until it is over.
func unsent(c *Client, hosts ...string) []report {
	now := c.clock.Now()
	list := make([]report, len(hosts))
	for i, h := range hosts {
		list[i] = report{key: breaker.HostKey(h), began: now, ended: now, keepUntil: now.Add(time.Hour)}
		list[i].outcome = api.Outcome{Host: h, Status: 503, Count: 1, RetryAfter: "3600"}
	}
	return list
}

func (n *fakeNode) refuses(refuse func(api.ReportRequest) int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.refuse = refuse
}

// quietClient has a sender that does nothing by itself.
func quietClient(t *testing.T, n *fakeNode, opt Options) *Client {
	c := newClient(t, n, opt)
	c.cancelSend()
	c.sending.Wait()
	return c
}

func TestWhatTheNodeRefusesIsNotSentAgain(t *testing.T) {
	n := newNode(t, testPolicy())
	var log strings.Builder
	c := quietClient(t, n, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for _, code := range []int{400, 403, 413} {
		n.refuses(func(api.ReportRequest) int { return code })
		if !c.node.sendBatch(t.Context(), unsent(c, "a.example")) || len(c.node.reports.waiting) != 0 {
			t.Errorf("%d: %d outcomes wait to be sent again", code, len(c.node.reports.waiting))
		}
	}
	if got := c.Counts().Refused; got != 3 {
		t.Errorf("%d outcomes are counted as refused, want 3", got)
	}
	if got := strings.Count(log.String(), "the node refuses what is reported"); got != 1 {
		t.Errorf("%d log lines, want 1", got)
	}
	n.refuses(func(api.ReportRequest) int { return http.StatusServiceUnavailable })
	if c.node.sendBatch(t.Context(), unsent(c, "a.example")) || len(c.node.reports.waiting) != 1 {
		t.Errorf("a node that is away: %d outcomes wait, want 1", len(c.node.reports.waiting))
	}
}

func TestABatchThatIsTooLongIsSplit(t *testing.T) {
	n := newNode(t, testPolicy())
	c := quietClient(t, n, Options{})
	n.refuses(func(req api.ReportRequest) int {
		for _, o := range req.Outcomes {
			if len(req.Outcomes) > 2 || o.Host == "long.example" {
				return http.StatusRequestEntityTooLarge
			}
		}
		return 0
	})
	if !c.node.sendBatch(t.Context(), unsent(c, "a.example", "b.example", "c.example", "long.example", "d.example")) {
		t.Error("the batch was not taken")
	}
	if got := n.reported(func(api.Outcome) bool { return true }); got != 4 {
		t.Errorf("%d outcomes arrived, want 4", got)
	}
	if got := c.Counts().Refused; got != 1 {
		t.Errorf("%d outcomes are counted as refused, want 1", got)
	}
}

// The half that was not sent waits too if the node goes away in between.
func TestASplitBatchIsKeptWhole(t *testing.T) {
	n := newNode(t, testPolicy())
	c := quietClient(t, n, Options{})
	ctx, cancel := context.WithCancel(t.Context())
	n.refuses(func(api.ReportRequest) int { cancel(); return http.StatusRequestEntityTooLarge })
	list := unsent(c, "a.example", "b.example", "c.example")
	if c.node.sendBatch(ctx, list) || len(c.node.reports.waiting) != 3 {
		t.Errorf("%d outcomes wait, want 3", len(c.node.reports.waiting))
	}
}

func TestOutcomesTheNodeRejectsAreLogged(t *testing.T) {
	n := newNode(t, testPolicy())
	var log strings.Builder
	c := quietClient(t, n, Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	c.node.taken(unsent(c, "a.example", "b.example"), []api.Rejected{{Index: 1, Detail: "give either status or error"}})
	if text := log.String(); !strings.Contains(text, "give either status or error") || c.Counts().Refused != 1 {
		t.Errorf("%d refused; log %s", c.Counts().Refused, text)
	}
}

func TestResultsAreMadeSound(t *testing.T) {
	n := newNode(t, testPolicy())
	c := newClient(t, n, Options{})
	p, err := c.Allow(t.Context(), Call{Host: "a.example"})
	if err != nil {
		t.Fatal(err)
	}
	date := time.Now().UTC().Format(http.TimeFormat)
	for _, x := range []struct{ in, want Result }{
		{Result{Status: 429, RetryAfter: "20", Date: date}, Result{Status: 429, RetryAfter: "20", Date: date}},
		{Result{Status: 429, RetryAfter: "20", Date: strings.Repeat("x", 1<<20)}, Result{Status: 429, RetryAfter: "20"}},
		{Result{Status: 200, Error: "other"}, Result{Error: "other"}},
		{Result{Status: 200, Error: "captcha page"}, Result{Error: "other"}},
		{Result{Error: "cancelled"}, Result{Error: "cancelled"}},
		{Result{Status: 429, Error: "other", RetryAfter: "20"}, Result{Status: 429, RetryAfter: "20"}},
		{Result{Status: 200, Error: "other", RetryAfter: "20"}, Result{Error: "other", RetryAfter: "20"}},
		{Result{Status: 999}, Result{Status: 200}},
		{Result{}, Result{Status: 200}},
	} {
		if got := p.sound(x.in); got != x.want {
			t.Errorf("%.99v: got %+v, want %+v", x.in, got, x.want)
		}
	}
	p.Cancel()
}

// A hook that finds a failure in a 200 is heard, also for a probe.
func TestFailureOfAHookFailsAProbe(t *testing.T) {
	policy := testPolicy()
	policy.FailMax, policy.ResetTimeout = 1, time.Second
	n := newNode(t, policy)
	c := newClient(t, n, Options{})
	u := newUpstream(t, status(503))
	_, _ = call(t, c, u)
	eventually(t, "the trip", func() bool { return c.State(u.host()) != breaker.Closed })
	ok := status(200)
	u.answer.Store(&ok)
	rt := c.Transport(u.Client().Transport, WithClassify(func(_ *http.Request, _ *http.Response, _ error, r *Result) { r.Error = "captcha" }))
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, u.URL, nil)
	eventually(t, "a probe", func() bool {
		resp, err := rt.RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil
	})
	eventually(t, "the probe failed", func() bool {
		return n.reported(func(o api.Outcome) bool { return o.Permit != "" && o.Error == "other" && o.Status == 0 }) == 1
	})
}

// An answer from a cache says nothing about the host, so a probe stays one.
func TestProbeAnsweredFromACacheIsNeutral(t *testing.T) {
	policy := testPolicy()
	policy.FailMax, policy.ResetTimeout = 1, time.Second
	n := newNode(t, policy)
	c := newClient(t, n, Options{})
	u := newUpstream(t, status(503))
	_, _ = call(t, c, u)
	eventually(t, "the trip", func() bool { return c.State(u.host()) != breaker.Closed })
	var p *Permit
	eventually(t, "a probe", func() (ok bool) {
		var err error
		p, err = c.Allow(t.Context(), Call{Host: u.host()})
		return err == nil && p.Probe()
	})
	p.Report(Result{Status: 200, FromCache: true})
	eventually(t, "it is told", func() bool {
		return n.reported(func(o api.Outcome) bool { return o.Permit != "" && o.FromCache }) == 1
	})
	if st := c.State(u.host()); st != breaker.HalfOpen {
		t.Errorf("state %v", st)
	}
}

func TestOutcomesSayWhetherTheyHadAPermit(t *testing.T) {
	n := newNode(t, testPolicy())
	c := newClient(t, n, Options{})
	u := newUpstream(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		_, _ = w.Write([]byte("short"))
	})
	_, _ = call(t, c, u)
	_ = c.Close()
	if got := n.reported(func(o api.Outcome) bool { return o.NoPermit && (o.Error == "reset" || o.Status == 200) }); got != 2 {
		t.Errorf("reported: %+v", n.outcomes)
	}
}
