package httpapi

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/gate"
	"fleetfuse/hostname"
	"fleetfuse/telemetry"
	"fleetfuse/telemetry/rollup"
)

// callOf gives names their one spelling, as the SDK does: a role that has none
// is nameless, and of host and resolver one that has one is enough.
func callOf(host, resolver, role string) (gate.Call, error) {
	if host == "" && resolver == "" {
		return gate.Call{}, fmt.Errorf("neither host nor resolver is given")
	}
	var c gate.Call
	var bad []error
	var err error
	if host != "" {
		if c.Host, err = hostname.Normalize(host); err != nil {
			bad = append(bad, err)
		}
	}
	if resolver != "" {
		if c.Resolver, err = hostname.Resolver(resolver); err != nil {
			bad = append(bad, err)
		}
	}
	if c.Host == "" && c.Resolver == "" {
		return c, errors.Join(bad...)
	}
	c.Role, _ = hostname.Role(role)
	return c, nil
}

func (s *Server) allow(w http.ResponseWriter, r *http.Request) {
	var req api.AllowRequest
	if !read(w, r, &req) {
		return
	}
	c, err := callOf(req.Host, req.Resolver, req.Role)
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error(), `{"host":"api.example.org","role":"metadata"}`)
		return
	}
	d, token := s.opt.Gate.AllowHTTP(r.Context(), c)
	resp := api.AllowResponse{Allowed: d.Allowed(), State: d.State().String(), Permit: token, DelayMS: d.Delay().Milliseconds()}
	if !d.Allowed() {
		n := d.Rejection()
		resp.RetryAfterMS = ceilMS(n.RetryAfter)
		resp.Reason, resp.Detail, resp.Key = string(n.Reason), n.Detail, string(n.Key)
	}
	resp.Stale = d.Stale()
	if m := s.rateMultiplier(c); m != 1 {
		resp.RateMultiplier = m
	}
	s.decided(&d)
	write(w, http.StatusOK, resp)
}

// rateMultiplier is the lowest of those of a call's host and resolver.
func (s *Server) rateMultiplier(c gate.Call) float64 {
	m := 1.0
	if c.Host != "" {
		m = s.opt.Policy(breaker.HostKey(c.Host)).ForRole(c.Role).RateMultiplier
	}
	if c.Resolver != "" {
		m = min(m, s.opt.Policy(breaker.ResolverKey(c.Resolver)).ForRole(c.Role).RateMultiplier)
	}
	return m
}

// decided counts a decision.
func (s *Server) decided(d *gate.Decision) {
	switch {
	case !d.Allowed():
		s.opt.Metrics.Decided(telemetry.Rejected, d.Rejection().Reason)
	case d.Probe():
		s.opt.Metrics.Decided(telemetry.Probe, "")
	default:
		s.opt.Metrics.Decided(telemetry.Allowed, "")
	}
}

// ceilMS rounds up: a caller that waits so long is not early.
func ceilMS(d time.Duration) int64 { return int64((d + time.Millisecond - 1) / time.Millisecond) }

func (s *Server) report(w http.ResponseWriter, r *http.Request) {
	var req api.ReportRequest
	if !read(w, r, &req) {
		return
	}
	if len(req.Outcomes) > api.MaxOutcomes {
		fail(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("%d outcomes; at most %d in one report", len(req.Outcomes), api.MaxOutcomes),
			"send several smaller reports")
		return
	}
	if err := checkDecisions(req.Decisions); err != nil {
		fail(w, http.StatusBadRequest, err.Error(), "tell what was decided since the last report only")
		return
	}
	resp := api.ReportResponse{Rejected: []api.Rejected{}}
	for i := range req.Outcomes {
		o := &req.Outcomes[i]
		c, result, err := outcomeOf(o)
		if err != nil {
			resp.Rejected = append(resp.Rejected, api.Rejected{Index: i, Detail: err.Error()})
			continue
		}
		s.opt.Gate.ReportCall(c, o.Permit, result)
		s.ended(c, result)
		resp.Accepted++
	}
	s.opt.Metrics.Refused(len(resp.Rejected))
	s.decidedElsewhere(req.Decisions)
	write(w, http.StatusAccepted, resp)
}

// ended counts a call by what it means to its host, or to its resolver.
func (s *Server) ended(c gate.Call, r gate.Result) {
	key := breaker.HostKey(c.Host)
	if c.Host == "" {
		key = breaker.ResolverKey(c.Resolver)
	}
	kind, slow, _ := s.opt.Policy(key).ClassifyCall(r.Evidence, r.Latency, r.FromCache)
	s.opt.Metrics.Ended(r.Count, kind, slow, r.Evidence, r.FromCache)
}

// maxReasons bounds the reasons of one report's decisions; there are fewer.
const maxReasons = 32

// checkDecisions says what is wrong with what a worker says it decided.
func checkDecisions(d *api.Decisions) error {
	if d == nil {
		return nil
	}
	if len(d.Keys) > api.MaxUsedKeys {
		return fmt.Errorf("decisions.keys has %d keys; at most %d", len(d.Keys), api.MaxUsedKeys)
	}
	if len(d.Rejected) > maxReasons {
		return fmt.Errorf("decisions.rejected has %d reasons; at most %d", len(d.Rejected), maxReasons)
	}
	most := max(d.Allowed, d.Probes, d.Stale)
	for _, n := range d.Rejected {
		most = max(most, n)
	}
	for _, k := range d.Keys {
		most = max(most, k.Cooldown, k.Circuit, k.Local, k.Neutral, k.FromCache)
	}
	if most > maxDecisions {
		return fmt.Errorf("decisions counts %d; at most %d of a kind in one report", most, uint64(maxDecisions))
	}
	return nil
}

// decidedElsewhere counts what a worker's own gate decided.
func (s *Server) decidedElsewhere(d *api.Decisions) {
	if d == nil {
		return
	}
	m := s.opt.Metrics
	m.DecidedElsewhere(d.Allowed, telemetry.Allowed, "")
	m.DecidedElsewhere(d.Probes, telemetry.Probe, "")
	for reason, n := range d.Rejected {
		m.DecidedElsewhere(n, telemetry.Rejected, breaker.Reason(reason))
	}
	m.Stale(d.Stale)
	for _, k := range d.Keys {
		key, err := parseKey(k.Key)
		if err != nil {
			continue // no other node could have counted it
		}
		c := rollup.Counts{Neutral: k.Neutral, FromCache: k.FromCache}
		c.Rejected[rollup.ByCooldown], c.Rejected[rollup.ByCircuit], c.Rejected[rollup.ByRing] = k.Cooldown, k.Circuit, k.Local
		s.opt.Usage.Used(rollup.Series{Key: key, Role: breaker.Cut(k.Role)}, &c)
	}
}

// Limits of an outcome's numbers.
const (
	maxCount     = 1_000_000
	maxAge       = 24 * time.Hour
	maxDecisions = 1_000_000_000 // of one kind in one report
)

func outcomeOf(o *api.Outcome) (gate.Call, gate.Result, error) {
	c, err := callOf(o.Host, o.Resolver, o.Role)
	if err != nil {
		return c, gate.Result{}, err
	}
	raw, err := rawRetryAfter(o.RetryAfter)
	switch {
	case err != nil:
	case o.FromCache && o.Status == 0 && o.Error == "":
	case (o.Status == 0) == (o.Error == ""):
		err = fmt.Errorf("give either status or error")
	case o.Error == "" && (o.Status < 100 || o.Status > 599):
		err = fmt.Errorf("status %d is not in 100 to 599", o.Status)
	case o.Error != "" && !slices.Contains(breaker.TransportErrors, o.Error) && !slices.Contains(breaker.OwnErrors, o.Error):
		err = fmt.Errorf("error %s is none of %q or %q", quoted(o.Error), breaker.TransportErrors, breaker.OwnErrors)
	case o.LatencyMS < 0 || o.LatencyMS > maxAge.Milliseconds():
		err = fmt.Errorf("latency_ms %d is not in 0 to %d", o.LatencyMS, maxAge.Milliseconds())
	case o.AgeMS < 0 || o.AgeMS > maxAge.Milliseconds():
		err = fmt.Errorf("age_ms %d is not in 0 to %d", o.AgeMS, maxAge.Milliseconds())
	case o.Count < 0 || o.Count > maxCount:
		err = fmt.Errorf("count %d is not in 0 to %d", o.Count, maxCount)
	}
	return c, gate.Result{
		Evidence: breaker.Evidence{Status: o.Status, Error: o.Error, RetryAfter: raw}, Date: o.Date,
		Latency: time.Duration(o.LatencyMS) * time.Millisecond, Age: time.Duration(o.AgeMS) * time.Millisecond,
		Count: o.Count, FromCache: o.FromCache, NoPermit: o.NoPermit,
	}, err
}

// rawRetryAfter takes the raw header, or a number of seconds (rounded up).
func rawRetryAfter(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return breaker.Cut(v), nil
	case float64:
		if v < 0 || math.IsNaN(v) {
			return "", nil // malformed: ignored, as the header would be
		}
		return strconv.FormatFloat(math.Ceil(min(v, 1e15)), 'f', 0, 64), nil
	}
	return "", fmt.Errorf("retry_after is neither the raw header nor a number")
}

// gate is allow for proxies that understand a status code only. One they do not
// expect is an error of theirs: a deny that is none is 403, which all understand,
// and parameters that nobody knows are let be.
func (s *Server) gate(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	deny, err := strconv.Atoi(q.Get("deny"))
	if err != nil || deny < 400 || deny > 599 {
		deny = http.StatusForbidden
	}
	c, err := callOf(q.Get("host"), q.Get("resolver"), q.Get("role"))
	if err != nil {
		fail(w, http.StatusBadRequest, err.Error(), "GET /v1/gate?host=api.example.org&deny=403")
		return
	}
	d, _ := s.opt.Gate.AllowHTTP(r.Context(), c) // its report names no permit
	s.decided(&d)
	if d.Allowed() {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	n := d.Rejection()
	w.Header().Set("Retry-After", strconv.FormatInt(max(1, int64((n.RetryAfter+time.Second-1)/time.Second)), 10))
	w.Header().Set("X-Fleetfuse-Reason", string(n.Reason))
	fail(w, deny, fmt.Sprintf("%s is %s: %s %s", n.Key, n.State, n.Reason, n.Detail), "wait as long as Retry-After says")
}
