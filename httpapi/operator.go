package httpapi

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"fleetfuse/actors"
	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/hostname"
)

// keyOf reads {scope} and {name}. It answers the request itself on an error.
func keyOf(w http.ResponseWriter, r *http.Request) (breaker.Key, bool) {
	name, err := r.PathValue("name"), error(nil)
	switch scope := r.PathValue("scope"); scope {
	case breaker.ScopeHost:
		if name, err = hostname.Normalize(name); err == nil {
			return breaker.HostKey(name), true
		}
	case breaker.ScopeResolver:
		if name, err = hostname.Resolver(name); err == nil {
			return breaker.ResolverKey(name), true
		}
	default:
		err = fmt.Errorf("the scope %q is neither host nor resolver", scope)
	}
	fail(w, http.StatusBadRequest, err.Error(), "/v1/breakers/host/api.example.org")
	return "", false
}

// states are the values of ?state=.
var states = []string{"", "all", "open", "half_open", "closed"}

func (s *Server) breakers(w http.ResponseWriter, r *http.Request) {
	want := r.URL.Query().Get("state")
	if !slices.Contains(states, want) {
		fail(w, http.StatusBadRequest, fmt.Sprintf("state=%q is not one of %q", want, states[1:]), "?state=open")
		return
	}
	now := s.opt.Clock.Now()
	seen := map[breaker.Key]bool{}
	resp := api.BreakersResponse{Node: s.opt.Node, Breakers: []api.Breaker{}}
	notClosed := 0
	add := func(b api.Breaker) {
		if b.State != breaker.Closed.String() {
			notClosed++
		}
		if want == "all" || want == b.State || want == "" && b.State != breaker.Closed.String() {
			resp.Breakers = append(resp.Breakers, b)
		}
	}
	s.opt.Board.Each(func(k breaker.Key, snap breaker.Snapshot) bool {
		seen[k] = true
		add(s.listed(k, snap, now))
		return true
	})
	for _, ring := range s.opt.Gate.OpenRings() {
		if seen[ring.Key] && s.state(ring.Key, now) != breaker.Closed {
			continue
		}
		seen[ring.Key] = true
		add(s.localRing(ring.Key, ring.Status, now))
	}
	if want == "all" || want == "closed" {
		for _, k := range s.opt.Named() {
			if !seen[k] {
				add(s.listed(k, breaker.Snapshot{}, now))
			}
		}
	}
	resp.Closed = max(0, s.opt.Gate.Counts().Hosts-notClosed)
	slices.SortFunc(resp.Breakers, func(a, b api.Breaker) int { return strings.Compare(a.Key, b.Key) })
	write(w, http.StatusOK, resp)
}

func (s *Server) state(k breaker.Key, now breaker.Instant) breaker.State {
	snap := s.opt.Board.Of(k)
	return snap.At(now).State
}

// listed is a breaker as the view knows it.
func (s *Server) listed(k breaker.Key, snap breaker.Snapshot, now breaker.Instant) api.Breaker {
	st := snap.At(now)
	b := api.Breaker{
		Key: string(k), Scope: k.Scope(), Name: k.Name(), State: st.State.String(), Reason: string(st.Reason),
		Detail: st.Detail, Author: st.Author, Owner: s.opt.Node, Mode: string(s.opt.Policy(k).Mode),
		Durable: s.opt.Durable(k), Opens: snap.Circuit.Opens,
	}
	if st.State == breaker.Open {
		b.RemainingMS = ceilMS(st.Until.Sub(now))
		until := s.opt.Clock.Wall(st.Until).UTC()
		b.Until = &until
	}
	for _, c := range snap.Cooldowns {
		b.Cooldowns = append(b.Cooldowns, api.Cooldown{
			Reason: string(c.Reason), Detail: c.Detail, Author: c.Author, RemainingMS: max(ceilMS(c.Until.Sub(now)), 0),
			LengthMS: c.Length.Milliseconds(), SetBy: c.Setter, SetAt: c.Stamp.Wall().UTC(),
		})
	}
	return b
}

func (s *Server) localRing(k breaker.Key, st breaker.Status, now breaker.Instant) api.Breaker {
	b := s.listed(k, breaker.Snapshot{}, now)
	b.State, b.Reason, b.Detail, b.Local = st.State.String(), string(breaker.ReasonLocalEvidence), string(st.Reason), true
	if st.State == breaker.Open {
		b.RemainingMS = ceilMS(st.Until.Sub(now))
	}
	return b
}

// inspectLimit bounds the question to the owner.
const inspectLimit = 2 * time.Second

// breaker shows one key; a host nobody complained about is closed.
func (s *Server) breaker(w http.ResponseWriter, r *http.Request) {
	k, ok := keyOf(w, r)
	if !ok {
		return
	}
	now := s.opt.Clock.Now()
	b := s.listed(k, s.opt.Board.Of(k), now)
	ctx, cancel := context.WithTimeout(r.Context(), inspectLimit)
	defer cancel()
	in, err := s.opt.Breakers.Inspect(ctx, k)
	if err != nil {
		fail(w, http.StatusServiceUnavailable, err.Error(), "fleetfuse-ctl status")
		return
	}
	s.detail(&b, k, &in)
	if b.State == breaker.Closed.String() {
		for _, ring := range s.opt.Gate.OpenRings() {
			if ring.Key == k {
				local := s.localRing(k, ring.Status, now)
				b.State, b.Reason, b.Detail, b.Local, b.RemainingMS = local.State, local.Reason, local.Detail, true, local.RemainingMS
			}
		}
	}
	write(w, http.StatusOK, b)
}

// detail adds what only the owner knows.
func (s *Server) detail(b *api.Breaker, k breaker.Key, in *breaker.Inspection) {
	p := s.opt.Policy(k)
	shown := policyOf(p)
	b.Policy = &shown
	for _, r := range in.Runs {
		rp := p.ForRole(r.Role)
		b.Roles = append(b.Roles, api.Role{
			Role: r.Role, Failures: r.Failures, FailMax: rp.FailMax, ProbeSuccesses: r.ProbeSuccesses, SuccessThreshold: rp.SuccessThreshold,
		})
	}
	if len(b.Roles) == 0 {
		b.Roles = []api.Role{{FailMax: p.FailMax, SuccessThreshold: p.SuccessThreshold}}
	}
	if p.Rolling.Enabled {
		b.Rolling = &api.Window{WindowMS: p.Rolling.Window.Milliseconds(), Failures: in.Burst, Threshold: float64(p.Rolling.ThresholdFailures)}
	}
	if p.FailureRate.Enabled {
		b.Rate = &api.Window{WindowMS: p.FailureRate.Window.Milliseconds(), Calls: in.Calls, Failures: in.Failures, Threshold: p.FailureRate.Ratio, MinCalls: p.FailureRate.MinCalls}
	}
	for _, x := range in.Permits {
		b.Permits = append(b.Permits, api.Permit{Role: x.Role, Node: x.Node, ExpiresInMS: ceilMS(x.ExpiresIn)})
	}
	if t := in.LastTransition; t != nil {
		b.Last = s.transition(t)
	}
	if f := in.LastFailure; f != nil {
		b.LastFailure = &api.Failure{
			At: s.opt.Clock.Wall(f.At).UTC(), Node: f.Node, Role: f.Role, Status: f.Status, Error: f.Error, RetryAfter: f.RetryAfter,
		}
	}
}

func (s *Server) transition(t *breaker.Transition) *api.Transition {
	return &api.Transition{
		At: s.opt.Clock.Wall(t.At).UTC(), From: t.From.String(), To: t.To.String(), Reason: string(t.Reason), Role: t.Role,
		Author: t.Author, Detail: t.Detail, Failures: t.Failures, Nodes: t.Nodes,
		Status: t.Evidence.Status, Error: t.Evidence.Error, RetryAfter: t.Evidence.RetryAfter,
	}
}

func (s *Server) open(w http.ResponseWriter, r *http.Request) {
	k, ok := keyOf(w, r)
	var req api.OpenRequest
	if !ok || !read(w, r, &req) {
		return
	}
	d, err := openLength(req)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error(), `{"for":"10m","reason":"maintenance"}`)
		return
	}
	result, err := s.opt.Breakers.Open(r.Context(), k, d, req.Author, req.Reason)
	s.answer(w, k, result, err)
}

func openLength(req api.OpenRequest) (time.Duration, error) {
	var d time.Duration
	var err error
	switch {
	case (req.For == "") == (req.Seconds == 0):
		return 0, fmt.Errorf("give either for or seconds")
	case req.For != "":
		if d, err = time.ParseDuration(req.For); err != nil {
			return 0, fmt.Errorf("for %q is no length of time such as 10m", req.For)
		}
	case math.Abs(req.Seconds) > breaker.MaxOpen.Seconds():
		return 0, fmt.Errorf("%g seconds; at most 30 days", req.Seconds)
	default:
		d = time.Duration(req.Seconds * float64(time.Second))
	}
	if d <= 0 || d > breaker.MaxOpen {
		return 0, fmt.Errorf("an open lasts more than nothing and at most 30 days")
	}
	return d, nil
}

func (s *Server) close(w http.ResponseWriter, r *http.Request) {
	k, ok := keyOf(w, r)
	var req api.CloseRequest
	if !ok || !read(w, r, &req) {
		return
	}
	result, err := s.opt.Breakers.Close(r.Context(), k, req.Author, req.Reason)
	s.answer(w, k, result, err)
}

func (s *Server) answer(w http.ResponseWriter, k breaker.Key, result actors.OperatorResult, err error) {
	if err != nil {
		fail(w, http.StatusServiceUnavailable, err.Error(), "fleetfuse-ctl status")
		return
	}
	resp := api.OperatorResponse{
		Key: string(k), Before: result.Before.State.String(), State: result.After.State.String(),
		Durable: result.Durable, Copies: result.Copies,
	}
	if result.After.State == breaker.Open {
		until := s.opt.Clock.Wall(result.After.Until).UTC()
		resp.Until = &until
	}
	write(w, http.StatusOK, resp)
}
