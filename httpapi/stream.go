package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// heartbeatEvery is how often a silent stream says that it lives; ringsEvery
// how often the node's open rings are looked at.
const (
	heartbeatEvery = 5 * time.Second
	ringsEvery     = 100 * time.Millisecond
	writeLimit     = 10 * time.Second
)

// maxStreams bounds the view's streams: worker processes of one machine.
const maxStreams = 4096

// stream is one subscriber of the view.
type stream struct {
	s      *Server
	out    eventWriter
	cursor uint64
	told   map[breaker.Key]*breaker.Policy // of keys with overlays, what was sent last
	rings  map[breaker.Key]breaker.Instant
}

// view streams everything, then changes; without the event-stream type it
// answers with everything once. A cursor of an earlier stream is not resumed:
// everything comes again.
func (s *Server) view(w http.ResponseWriter, r *http.Request) {
	st := &stream{s: s, out: newEventWriter(w), rings: map[breaker.Key]breaker.Instant{}, told: map[breaker.Key]*breaker.Policy{}}
	if !strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		write(w, http.StatusOK, st.everything())
		return
	}
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		fail(w, http.StatusServiceUnavailable, fmt.Sprintf("%d streams are open, which is the most", cap(s.streams)),
			"one client in each process is enough; or ask with POST /v1/allow; or run another node")
		return
	}
	sub := s.opt.Board.Watch()
	defer sub.Close()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	if !st.send("snapshot", st.everything()) {
		return
	}
	st.follow(r.Context().Done(), sub)
}

func (st *stream) follow(done <-chan struct{}, sub Subscription) {
	heartbeat := time.NewTicker(heartbeatEvery)
	defer heartbeat.Stop()
	rings := time.NewTicker(ringsEvery)
	defer rings.Stop()
	for {
		ok := true
		select {
		case <-done:
			return
		case <-st.s.stop:
			return
		case <-heartbeat.C:
			ok = st.send("heartbeat", api.ViewEvent{})
		case <-sub.Ready():
			ok = st.sendChanges(sub.Changed())
		case <-rings.C:
			if e := st.ringChanges(); len(e.Exceptions) > 0 {
				ok = st.send("change", e)
			}
		}
		if !ok {
			return
		}
	}
}

// sendChanges sends what keys are now: everything, if any policy may be another
// one (key "").
func (st *stream) sendChanges(keys []breaker.Key) bool {
	if slices.Contains(keys, "") {
		return st.send("snapshot", st.everything())
	}
	var e api.ViewEvent
	for _, k := range keys {
		snap := st.s.opt.Board.Of(k)
		if p := st.s.opt.Policy(k); len(snap.Overlays) > 0 && st.told[k] != p {
			if e.Policies == nil {
				e.Policies = map[string]api.Policy{}
			}
			e.Policies[string(k)], st.told[k] = policyOf(p), p
		}
		e.Exceptions = append(e.Exceptions, st.exception(k, snap))
	}
	return len(keys) == 0 || st.send("change", e)
}

func (st *stream) everything() api.ViewEvent {
	o := &st.s.opt
	e := api.ViewEvent{Full: true, Policies: map[string]api.Policy{"": policyOf(o.Policy(""))}}
	clear(st.told) // what follows may be another policy again
	for _, k := range o.Named() {
		e.Policies[string(k)] = policyOf(o.Policy(k))
	}
	for pattern, p := range o.Wildcards() {
		e.Policies[string(breaker.HostKey(pattern))] = policyOf(p)
	}
	o.Board.Each(func(k breaker.Key, snap breaker.Snapshot) bool {
		if snap.Overlays = nil; !snap.Empty() { // an overlay is no exception
			e.Exceptions = append(e.Exceptions, st.exception(k, snap))
		}
		return true
	})
	st.rings = map[breaker.Key]breaker.Instant{}
	e.Exceptions = append(e.Exceptions, st.ringChanges().Exceptions...)
	return e
}

func (st *stream) exception(k breaker.Key, snap breaker.Snapshot) api.Exception {
	o := &st.s.opt
	now := o.Clock.Now()
	snap.Overlays = nil // the stamp orders words about the state
	status := snap.At(now)
	x := api.Exception{
		Key: string(k), State: status.State.String(), Reason: string(status.Reason), Detail: status.Detail,
		Stamp: uint64(snap.MaxStamp()), Mode: string(o.Policy(k).Mode),
	}
	if status.State == breaker.Open {
		x.RemainingMS = ceilMS(status.Until.Sub(now))
	}
	return x
}

// ringChanges lists rings that opened or closed since the last look.
func (st *stream) ringChanges() api.ViewEvent {
	var e api.ViewEvent
	now := st.s.opt.Clock.Now()
	open := map[breaker.Key]breaker.Instant{}
	for _, ring := range st.s.opt.Gate.OpenRings() {
		if ring.Status.State != breaker.Open {
			continue
		}
		open[ring.Key] = ring.Status.Until
		if st.rings[ring.Key] != ring.Status.Until {
			e.Exceptions = append(e.Exceptions, api.Exception{
				Key: string(ring.Key), State: breaker.Open.String(), Reason: string(breaker.ReasonLocalEvidence), Local: true,
				Detail: string(ring.Status.Reason), RemainingMS: ceilMS(ring.Status.Until.Sub(now)), Stamp: uint64(st.s.opt.Clock.Stamp()),
			})
		}
	}
	for k := range st.rings {
		if _, still := open[k]; !still {
			x := st.exception(k, st.s.opt.Board.Of(k))
			x.Local = true
			x.Stamp = uint64(st.s.opt.Clock.Stamp())
			e.Exceptions = append(e.Exceptions, x)
		}
	}
	st.rings = open
	return e
}

// send writes one event and reports whether the subscriber took it in time.
func (st *stream) send(event string, e api.ViewEvent) bool {
	st.cursor++
	e.Cursor = fmt.Sprintf("%s-%d", st.s.opt.Node, st.cursor)
	data, err := json.Marshal(e)
	if err != nil {
		return false
	}
	return st.out.write(fmt.Sprintf("event: %s\nid: %s\ndata: %s\n\n", event, e.Cursor, data)) == nil
}

// policyOf is what a worker's gate needs of a policy.
func policyOf(p *breaker.Policy) api.Policy {
	a := api.Policy{
		Mode: string(p.Mode), FailMax: p.FailMax, ResetTimeoutMS: p.ResetTimeout.Milliseconds(),
		RetryAfterCapMS: p.RetryAfterCap.Milliseconds(), RetryAfterStatuses: p.RetryAfterStatuses,
		FailureStatuses: p.Classify.FailureStatuses, NeutralStatuses: p.Classify.NeutralStatuses, RateMultiplier: p.RateMultiplier,
		SuccessThreshold: p.SuccessThreshold, TrialCalls: p.TrialCalls, PermitTimeoutMS: p.PermitTimeout.Milliseconds(), Witnesses: p.Witnesses,
	}
	if p.SlowCall.Enabled {
		a.SlowCallMS = p.SlowCall.Duration.Milliseconds()
	}
	for name := range p.Roles {
		if a.Roles == nil {
			a.Roles = map[string]api.RolePolicy{}
		}
		r := p.ForRole(name)
		a.Roles[name] = api.RolePolicy{
			FailMax: r.FailMax, ResetTimeoutMS: r.ResetTimeout.Milliseconds(), SuccessThreshold: r.SuccessThreshold, TrialCalls: r.TrialCalls,
			RateMultiplier: r.RateMultiplier,
		}
	}
	return a
}
