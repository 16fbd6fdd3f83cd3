package gate

import (
	"sync"
	"sync/atomic"
	"time"

	"fleetfuse/breaker"
)

// A Decision says whether the call may be made. Exactly one of its report
// methods must be called for an allowed call.
//
// It has four words, which is as much as the compiler keeps in registers.
type Decision struct {
	host     *entry
	resolver *entry
	began    breaker.Instant
	*terms
}

// terms is what few calls need: those of one role share theirs, a rejected
// call has its exception's, a probe its own. Terms never change.
type terms struct {
	g      *Gate
	seat   seat
	role   string
	denied *denial
	probe  *probe
}

// denial says why a call was rejected.
type denial struct {
	status breaker.Status
	key    breaker.Key
	local  bool
	hits   *counter // of the exception that rejects, nil for another rejection
}

// roles hands out the terms of each role.
type roles struct {
	plain terms // of the nameless role
	mu    sync.Mutex
	known atomic.Pointer[[]*terms]
}

// maxRoles bounds the roles whose terms are kept; callers may invent more.
const maxRoles = 32

// of is the terms of a role.
func (r *roles) of(role string) *terms {
	if role == "" {
		return &r.plain
	}
	if known := r.known.Load(); known != nil {
		for _, t := range *known {
			if t.role == role {
				return t
			}
		}
	}
	return r.add(role)
}

func (r *roles) add(role string) *terms {
	r.mu.Lock()
	defer r.mu.Unlock()
	fresh := &terms{g: r.plain.g, role: role, seat: plainSeat}
	var list []*terms
	if known := r.known.Load(); known != nil {
		list = *known
	}
	if len(list) < maxRoles {
		if r.plain.g.opt.Usage {
			fresh.seat = firstSeat + seat(len(list))
		}
		list = append(list[:len(list):len(list)], fresh)
		r.known.Store(&list)
	}
	return fresh
}

// deny makes the decision a rejection.
func (d *Decision) deny(why *denial) {
	d.terms = &terms{g: d.g, seat: d.seat, role: d.role, denied: why}
}

// Allowed reports whether the call may be made.
func (d Decision) Allowed() bool { return d.denied == nil }

// A Rejection says why and for how long.
type Rejection struct {
	Key        breaker.Key
	State      breaker.State
	Reason     breaker.Reason
	Detail     string
	RetryAfter time.Duration // at least; not negative
	Local      bool          // only this node says so
}

// Rejection is valid when Allowed is false.
func (d *Decision) Rejection() Rejection {
	n := d.denied
	st := n.status
	if n.local {
		st = localStatus(st)
	}
	least := time.Duration(0)
	if st.State == breaker.HalfOpen {
		least = breaker.MinRetryIn
	}
	return Rejection{
		Key: n.key, State: st.State, Reason: st.Reason, Detail: st.Detail, Local: n.local,
		RetryAfter: max(st.Until.Sub(d.g.opt.Clock.Now()), least),
	}
}

// State is the state the decision was taken in.
func (d *Decision) State() breaker.State {
	switch {
	case d.denied != nil:
		return d.denied.status.State
	case d.probe != nil:
		return breaker.HalfOpen
	}
	return breaker.Closed
}

// Delay is how long to wait before a probe.
func (d *Decision) Delay() time.Duration {
	if d.probe == nil {
		return 0
	}
	return d.probe.delay
}

// Probe reports whether the call is a probe, which carries a permit.
func (d *Decision) Probe() bool { return d.probe != nil }

// localStatus is a ring's status as callers see it.
func localStatus(st breaker.Status) breaker.Status {
	if st.State != breaker.Closed && st.Reason != breaker.ReasonRetryAfter {
		st.Detail, st.Reason = string(st.Reason), breaker.ReasonLocalEvidence
	}
	return st
}
