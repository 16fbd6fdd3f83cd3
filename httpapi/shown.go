package httpapi

import (
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// listed is a breaker as the view knows it.
func (s *Server) listed(k breaker.Key, snap breaker.Snapshot, now breaker.Instant) api.Breaker {
	st := snap.At(now)
	b := api.Breaker{
		Key: string(k), Scope: k.Scope(), Name: k.Name(), State: st.State.String(), Reason: string(st.Reason),
		Detail: st.Detail, Author: st.Author, Mode: string(s.opt.Policy(k).Mode),
		Durable: s.opt.Durable(k), Opens: snap.Circuit.Opens,
	}
	if owner, ok := s.opt.Fleet.Owner(k); ok {
		b.Owner = owner.Name
	}
	s.addDeadline(&b, st, now)
	s.addSince(&b, &snap)
	for _, c := range snap.Cooldowns {
		b.Cooldowns = append(b.Cooldowns, api.Cooldown{
			Reason: string(c.Reason), Detail: c.Detail, Author: c.Author, RemainingMS: max(ceilMS(c.Until.Sub(now)), 0),
			LengthMS: c.Length.Milliseconds(), SetBy: s.opt.Fleet.Name(c.Setter), SetAt: c.Stamp.Wall().UTC(),
		})
	}
	return b
}

// addDeadline says how long it stays open.
func (s *Server) addDeadline(b *api.Breaker, st breaker.Status, now breaker.Instant) {
	if st.State == breaker.Open {
		b.RemainingMS = max(ceilMS(st.Until.Sub(now)), 0)
		until := s.opt.Clock.Wall(st.Until).UTC()
		b.Until = &until
	}
}

// addSince says when it stopped being closed: at the first of what holds it open
// or half-open.
func (s *Server) addSince(b *api.Breaker, snap *breaker.Snapshot) {
	if b.State == breaker.Closed.String() {
		return
	}
	var since time.Time
	first := func(at time.Time) {
		if since.IsZero() || at.Before(since) {
			since = at.UTC()
		}
	}
	for _, c := range snap.Cooldowns {
		first(c.Stamp.Wall())
	}
	switch c := &snap.Circuit; {
	case c.State == breaker.Closed:
	case c.FirstTrip != 0:
		first(s.opt.Clock.Wall(c.FirstTrip))
	default:
		first(c.Stamp.Wall())
	}
	if !since.IsZero() {
		b.Since = &since
	}
}

// addInspection adds what only the owner knows.
func (s *Server) addInspection(b *api.Breaker, p *breaker.Policy, in *breaker.Inspection) {
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
		b.Permits = append(b.Permits, api.Permit{Role: x.Role, Node: s.opt.Fleet.Name(x.Node), ExpiresInMS: ceilMS(x.ExpiresIn)})
	}
	if t := in.LastTransition; t != nil {
		b.Last = s.transition(t)
	}
	if t := in.LastOpen; t != nil {
		b.LastOpen = s.transition(t)
	}
	if f := in.LastFailure; f != nil {
		b.LastFailure = &api.Failure{
			At: s.opt.Clock.Wall(f.At).UTC(), Node: s.opt.Fleet.Name(f.Node), Role: f.Role, Status: f.Status, Error: f.Error, RetryAfter: f.RetryAfter,
		}
	}
}

func (s *Server) transition(t *breaker.Transition) *api.Transition {
	shown := &api.Transition{
		At: s.opt.Clock.Wall(t.At).UTC(), From: t.From.String(), To: t.To.String(), Reason: string(t.Reason), Role: t.Role,
		Author: t.Author, Detail: t.Detail, Failures: t.Failures, Nodes: s.names(t.Nodes),
		Status: t.Evidence.Status, Error: t.Evidence.Error, RetryAfter: t.Evidence.RetryAfter,
	}
	for _, c := range t.Counted {
		shown.Counted = append(shown.Counted, api.Counted{At: s.opt.Clock.Wall(c.At).UTC(), Node: s.opt.Fleet.Name(c.Node), Count: c.Count})
	}
	return shown
}

// names are the display names of node ids.
func (s *Server) names(ids []string) []string {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = s.opt.Fleet.Name(id)
	}
	return names
}
