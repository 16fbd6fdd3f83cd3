package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// inspectLimit bounds the question to the owner, ringsLimit the one to all
// members about their rings.
const (
	inspectLimit = 2 * time.Second
	ringsLimit   = 500 * time.Millisecond
)

// states are the values of ?state=.
var states = []string{"", "all", "open", "half_open", "closed"}

func (s *Server) breakers(w http.ResponseWriter, r *http.Request) {
	values, ok := query(w, r, "state")
	if !ok {
		return
	}
	want := values.Get("state")
	if !slices.Contains(states, want) {
		fail(w, http.StatusBadRequest, fmt.Sprintf("state=%s is not one of %q", quoted(want), states[1:]), "?state=open")
		return
	}
	write(w, http.StatusOK, s.list(r.Context(), want))
}

// list is the whole cluster's breakers of a state, whichever node is asked: what
// this node's view holds, and the open rings of all members.
func (s *Server) list(ctx context.Context, want string) api.BreakersResponse {
	rings, silent := s.rings(ctx, "")
	s.opt.Settle(ctx)
	now := s.opt.Clock.Now()
	resp := api.BreakersResponse{Node: s.opt.Node, Breakers: []api.Breaker{}, Partial: silent}
	notClosed := 0 // for this node's gate
	seen := map[breaker.Key]bool{}
	add := func(k breaker.Key, snap breaker.Snapshot) {
		seen[k] = true
		b := s.listed(k, snap, now)
		s.addRings(&b, rings[k], now)
		closed := b.State == breaker.Closed.String()
		if !closed && (!b.Local || slices.Contains(b.LocalNodes, s.opt.Node)) {
			notClosed++
		}
		if want == "all" || want == b.State || want == "" && !closed {
			resp.Breakers = append(resp.Breakers, b)
		}
	}
	s.opt.Board.Each(func(k breaker.Key, snap breaker.Snapshot) bool {
		add(k, snap)
		return true
	})
	others := s.opt.Named()
	for k := range rings {
		others = append(others, k)
	}
	for _, k := range others {
		if !seen[k] {
			add(k, breaker.Snapshot{})
		}
	}
	resp.Closed = max(0, s.opt.Gate.Counts().Hosts-notClosed)
	slices.SortFunc(resp.Breakers, func(a, b api.Breaker) int { return strings.Compare(a.Key, b.Key) })
	return resp
}

// breaker shows one key; a host nobody complained about is closed.
func (s *Server) breaker(w http.ResponseWriter, r *http.Request) {
	k, ok := keyOf(w, r)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), inspectLimit)
	in, err := s.opt.Breakers.Inspect(ctx, k)
	cancel()
	rings, silent := s.rings(r.Context(), k)
	s.opt.Settle(r.Context())
	now := s.opt.Clock.Now()
	snap := s.opt.Board.Of(k)
	if err == nil {
		snap.Merge(in.Snapshot) // an owner's word may not have arrived here yet
	}
	b := s.listed(k, snap, now)
	s.addRings(&b, rings[k], now)
	p := s.opt.Policy(k)
	shown := policyOf(p)
	b.Policy, b.Node, b.Partial = &shown, s.opt.Node, silent
	if err == nil {
		s.addInspection(&b, p, &in)
	} else {
		b.Owner = ""
		b.Note = fmt.Sprintf("no owner answered (%v); this is what node %s believes", err, s.opt.Node)
	}
	write(w, http.StatusOK, b)
}

// rings asks all members for their open rings, by key.
func (s *Server) rings(ctx context.Context, k breaker.Key) (map[breaker.Key][]Ring, []string) {
	ctx, cancel := context.WithTimeout(ctx, ringsLimit)
	defer cancel()
	list, silent := s.opt.Fleet.Rings(ctx, k)
	rings := map[breaker.Key][]Ring{}
	for _, ring := range list {
		if ring.Status.State != breaker.Closed {
			rings[ring.Key] = append(rings[ring.Key], ring)
		}
	}
	slices.Sort(silent)
	return rings, silent
}

// addRings tells whose rings are open. Where they alone reject, the longest
// one is the breaker's state.
func (s *Server) addRings(b *api.Breaker, rings []Ring, now breaker.Instant) {
	if len(rings) == 0 {
		return
	}
	longest := rings[0].Status
	for _, ring := range rings {
		if st := ring.Status; st.State > longest.State || st.State == longest.State && st.Until > longest.Until {
			longest = st
		}
		b.LocalNodes = append(b.LocalNodes, ring.Node)
	}
	slices.Sort(b.LocalNodes)
	if b.State != breaker.Closed.String() {
		return
	}
	b.Local, b.State, b.Reason, b.Detail = true, longest.State.String(), string(longest.Reason), longest.Detail
	if longest.Reason != breaker.ReasonRetryAfter { // with retry_after_scope node it is still the host's word
		b.Reason, b.Detail = string(breaker.ReasonLocalEvidence), string(longest.Reason)
	}
	s.addDeadline(b, longest, now)
}
