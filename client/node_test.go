package client

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/gate"
	"fleetfuse/internal/clock"
)

// fakeNode speaks the worker part of the API on a real gate and real machines.
type fakeNode struct {
	*httptest.Server
	clock  *clock.Clock
	gate   *gate.Gate
	policy *breaker.Policy
	stop   chan struct{}

	mu       sync.Mutex
	machines map[breaker.Key]*breaker.Machine
	subs     map[chan api.ViewEvent]bool
	outcomes []api.Outcome
	decided  []api.Decisions
	older    bool                        // it knows nothing of decisions
	deaf     bool                        // answers nothing but 503
	refuse   func(api.ReportRequest) int // the status of the answer to a report that is not taken
}

func newNode(t *testing.T, p breaker.Policy) *fakeNode {
	t.Helper()
	n := &fakeNode{
		clock: clock.New(), policy: &p, stop: make(chan struct{}),
		machines: map[breaker.Key]*breaker.Machine{}, subs: map[chan api.ViewEvent]bool{},
	}
	n.gate = gate.New(gate.Options{Node: "n1", Owner: n, Clock: n.clock, Policy: func(breaker.Key) *breaker.Policy { return n.policy }})
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/allow", n.allow)
	mux.HandleFunc("POST /v1/report", n.report)
	mux.HandleFunc("GET /v1/view", n.stream)
	n.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.mu.Lock()
		deaf := n.deaf
		n.mu.Unlock()
		if deaf {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		close(n.stop)
		n.Close()
		n.gate.Stop()
		n.clock.Stop()
	})
	return n
}

// away makes the node answer nothing, or answer again.
func (n *fakeNode) away(deaf bool) {
	n.mu.Lock()
	n.deaf = deaf
	n.mu.Unlock()
	if deaf {
		n.CloseClientConnections()
	}
}

// step runs a machine and announces what it says.
func (n *fakeNode) step(key breaker.Key, f func(*breaker.Machine, breaker.Moment) breaker.Effects) {
	n.mu.Lock()
	m := n.machines[key]
	if m == nil {
		m = breaker.New(n.policy)
		n.machines[key] = m
	}
	e := f(m, n.clock.Moment(1))
	n.mu.Unlock()
	if e.Announce == nil {
		return
	}
	n.gate.Apply(key, e.Announce.Snapshot)
	n.mu.Lock()
	defer n.mu.Unlock()
	for sub := range n.subs {
		sub <- api.ViewEvent{Exceptions: []api.Exception{n.exception(key, e.Announce.Snapshot)}}
	}
}

func (n *fakeNode) exception(key breaker.Key, s breaker.Snapshot) api.Exception {
	now := n.clock.Now()
	st := s.At(now)
	x := api.Exception{Key: string(key), State: st.State.String(), Reason: string(st.Reason), Stamp: uint64(s.MaxStamp())}
	if st.State == breaker.Open {
		x.RemainingMS = ceilMS(st.Until.Sub(now))
	}
	return x
}

func (n *fakeNode) Ask(key breaker.Key, q breaker.Question, _ time.Duration, answer func(breaker.Answer, error)) {
	var a breaker.Answer
	n.step(key, func(m *breaker.Machine, mo breaker.Moment) (e breaker.Effects) {
		a, e = m.Ask(mo, q)
		return e
	})
	answer(a, nil)
}

func (n *fakeNode) Report(key breaker.Key, list []breaker.Outcome) {
	for _, o := range list {
		n.step(key, func(m *breaker.Machine, mo breaker.Moment) breaker.Effects { return m.Report(mo, o) })
	}
}

func (n *fakeNode) Return(key breaker.Key, id breaker.PermitID) {
	n.step(key, func(m *breaker.Machine, mo breaker.Moment) breaker.Effects { return m.Return(mo, id) })
}

func (n *fakeNode) Cool(key breaker.Key, c breaker.Cooldown) {
	n.step(key, func(m *breaker.Machine, mo breaker.Moment) breaker.Effects { return m.Cool(mo, c) })
}

func (n *fakeNode) allow(w http.ResponseWriter, r *http.Request) {
	var req api.AllowRequest
	_ = json.NewDecoder(r.Body).Decode(&req)
	d, token := n.gate.AllowHTTP(r.Context(), gate.Call{Host: req.Host, Resolver: req.Resolver, Role: req.Role})
	resp := api.AllowResponse{Allowed: d.Allowed(), State: d.State().String(), Permit: token, DelayMS: d.Delay().Milliseconds()}
	if !d.Allowed() {
		r := d.Rejection()
		resp.RetryAfterMS, resp.Reason = ceilMS(r.RetryAfter), string(r.Reason)
	}
	_ = json.NewEncoder(w).Encode(resp)
}

func (n *fakeNode) report(w http.ResponseWriter, r *http.Request) {
	var req api.ReportRequest
	_ = json.NewDecoder(r.Body).Decode(&req)
	n.mu.Lock()
	if n.refuse != nil {
		if code := n.refuse(req); code != 0 {
			n.mu.Unlock()
			w.WriteHeader(code)
			return
		}
	}
	n.outcomes = append(n.outcomes, req.Outcomes...)
	older := n.older && req.Decisions != nil
	if req.Decisions != nil {
		n.decided = append(n.decided, *req.Decisions)
	}
	n.mu.Unlock()
	if older {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusBadRequest)
		_ = json.NewEncoder(w).Encode(api.Problem{Status: http.StatusBadRequest, Detail: "an unknown field"})
		return
	}
	for _, o := range req.Outcomes {
		raw, _ := o.RetryAfter.(string)
		n.gate.ReportCall(gate.Call{Host: o.Host, Resolver: o.Resolver, Role: o.Role}, o.Permit, gate.Result{
			Evidence: breaker.Evidence{Status: o.Status, Error: o.Error, RetryAfter: raw}, Date: o.Date, Count: o.Count,
			Age: milliseconds(o.AgeMS), Latency: milliseconds(o.LatencyMS), FromCache: o.FromCache, NoPermit: o.NoPermit,
		})
	}
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(api.ReportResponse{Accepted: len(req.Outcomes)})
}

func (n *fakeNode) stream(w http.ResponseWriter, r *http.Request) {
	sub := make(chan api.ViewEvent, 1000)
	n.mu.Lock()
	first := api.ViewEvent{Full: true, Policies: map[string]api.Policy{"": {
		FailMax: n.policy.FailMax, ResetTimeoutMS: n.policy.ResetTimeout.Milliseconds(),
	}}}
	for key, m := range n.machines {
		if s := m.Snapshot(); s.At(n.clock.Now()).State != breaker.Closed {
			first.Exceptions = append(first.Exceptions, n.exception(key, s))
		}
	}
	n.subs[sub] = true
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.subs, sub)
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	send(w, "snapshot", first)
	for {
		select {
		case <-n.stop:
			return
		case <-r.Context().Done():
			return
		case e := <-sub:
			send(w, "change", e)
		}
	}
}

func send(w io.Writer, event string, e api.ViewEvent) {
	text, _ := json.Marshal(e)
	_, _ = fmt.Fprintf(w, "event: %s\nid: 1\ndata: %s\n\n", event, text)
	w.(http.Flusher).Flush()
}

// reported counts the outcomes the node was told that satisfy a test.
func (n *fakeNode) reported(ok func(api.Outcome) bool) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	count := 0
	for _, o := range n.outcomes {
		if ok(o) {
			count += o.Count
		}
	}
	return count
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	again := time.NewTicker(time.Millisecond)
	defer again.Stop()
	limit := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-again.C:
		case <-limit:
			t.Fatalf("never: %s", what)
		}
	}
}
