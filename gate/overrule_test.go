package gate

import (
	"context"
	"testing"
	"time"

	"fleetfuse/breaker"
)

// hold makes questions wait until the returned function lets them go on.
func (w *world) hold() (letGo func()) {
	hang := make(chan struct{})
	w.set(func() { w.hang = hang })
	return func() {
		w.set(func() {
			if w.hang == hang {
				w.hang = nil
			}
		})
		close(hang)
	}
}

// cool makes a Retry-After reach the view but not the owner.
func (w *world) cool(d time.Duration) {
	w.hear(hostKey, breaker.Snapshot{Cooldowns: []breaker.Cooldown{{
		Setter: "n2", Stamp: w.clock.Stamp(), Until: w.clock.Now().Add(d), Length: d, Reason: breaker.ReasonRetryAfter,
	}}})
}

// A permit's answer races the host's own word: whoever asked returns the permit
// and rejects.
func TestPermitThatComesAfterARetryAfterIsReturned(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.halfOpen(t, host)
		letGo := w.hold()
		done := make(chan Decision)
		go func() { done <- w.allow(host) }()
		pass(time.Millisecond)
		w.cool(time.Minute)
		letGo()
		wantRejected(t, <-done, breaker.Open, breaker.ReasonRetryAfter)
		pass(time.Millisecond)
		equal(t, "returned", len(w.returnedNow()), 1)
		wantRejected(t, w.allow(host), breaker.Open, breaker.ReasonRetryAfter)
	})
}

// The owner may also say that it has closed, and not have heard of it.
func TestClosedThatComesAfterARetryAfterRejects(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.halfOpen(t, host)
		letGo := w.hold()
		done := make(chan Decision)
		go func() { done <- w.allow(host) }()
		pass(time.Millisecond)
		w.set(func() { w.machines[hostKey] = breaker.New(w.policy) }) // a new owner that knows nothing
		w.cool(time.Minute)
		letGo()
		wantRejected(t, <-done, breaker.Open, breaker.ReasonRetryAfter)
		pass(time.Millisecond)
	})
}

// The same where the caller left meanwhile: the permit serves nobody.
func TestPermitWhoseCallerLeftIsReturnedAtOnceWhenTheViewRejects(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.halfOpen(t, host)
		letGo := w.hold()
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan Decision)
		go func() { done <- w.g.Allow(ctx, Call{Host: host}) }()
		pass(time.Millisecond)
		cancel()
		wantRejected(t, <-done, breaker.HalfOpen, breaker.ReasonProbePending)
		w.cool(time.Minute)
		letGo()
		pass(time.Millisecond)
		equal(t, "returned", len(w.returnedNow()), 1)
		wantRejected(t, w.allow(host), breaker.Open, breaker.ReasonRetryAfter)
	})
}

// A permit that waits for the next caller is not given to one whom a
// Retry-After must reject, also if it arrives between the look at the view and
// the permit.
func TestWaitingPermitIsReturnedWhenTheViewRejects(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.halfOpen(t, host)
		leave(t, w)
		e := w.g.hosts.find(host)
		w.cool(time.Minute)
		d := Decision{host: e, terms: w.g.roles.of("")}
		// What pass does after it has looked at the view.
		if denied := w.g.askOwner(t.Context(), &d, e, breaker.Status{State: breaker.HalfOpen}); denied != nil {
			t.Fatalf("no permit waited: %+v", denied)
		}
		w.g.recheck(&d)
		wantRejected(t, d, breaker.Open, breaker.ReasonRetryAfter)
		equal(t, "returned", len(w.returnedNow()), 1)
	})
}

// The question about the second key takes time in which the first may begin to
// reject: both permits go back.
func TestFirstKeyRejectsWhileTheSecondIsAsked(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		both := Call{Host: host, Resolver: "crossref"}
		for range 5 {
			d := w.g.Allow(t.Context(), both)
			d.Report(failed(503))
		}
		pass(w.policy.ResetTimeout + time.Millisecond)
		letGo := w.hold()
		done := make(chan Decision)
		go func() { done <- w.g.Allow(t.Context(), both) }()
		pass(time.Millisecond)
		second := w.hold()
		letGo() // the host's question is answered, the resolver's waits
		pass(time.Millisecond)
		w.cool(time.Minute)
		second()
		wantRejected(t, <-done, breaker.Open, breaker.ReasonRetryAfter)
		pass(time.Millisecond)
		equal(t, "returned", len(w.returnedNow()), 2)
	})
}
