package gate

import (
	"context"
	"sync"
	"testing"
	"time"

	"fleetfuse/breaker"
)

func TestOneOfFiftyGetsThePermit(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.halfOpen(t, host)
		asks := w.asks
		decisions := make([]Decision, 50)
		var all sync.WaitGroup
		for i := range decisions {
			all.Go(func() { decisions[i] = w.allow(host) })
		}
		all.Wait()
		probes := 0
		for _, d := range decisions {
			if d.Allowed() {
				wantProbe(t, d)
				probes++
				continue
			}
			wantRejected(t, d, breaker.HalfOpen, breaker.ReasonProbePending)
			if r := d.Rejection().RetryAfter; r < 100*time.Millisecond {
				t.Errorf("retry after %v, want at least 100ms", r)
			}
		}
		equal(t, "probes", probes, 1)
		if n := w.asks - asks; n > 2 {
			t.Errorf("%d questions, want at most 2: one answered, one refused", n)
		}
	})
}

func TestNeutralGivesThePermitBack(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		for _, r := range []Result{failed(404), {Returned: true}, {Evidence: breaker.Evidence{Error: "cancelled"}}} {
			w := newWorld(t)
			w.halfOpen(t, host)
			d := w.allow(host)
			wantProbe(t, d)
			d.Report(r)
			d = w.allow(host)
			wantProbe(t, d)
		}
	})
}

func TestProbeSuccessCloses(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.halfOpen(t, host)
		d := w.allow(host)
		wantProbe(t, d)
		equal(t, "state", d.State(), breaker.HalfOpen)
		d.Success()
		equal(t, "owner's state", w.state(hostKey), breaker.Closed)
		d = w.allow(host)
		wantAllowed(t, d)
		equal(t, "probe", d.Probe(), false)
	})
}

func TestProbeFailureReopens(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.halfOpen(t, host)
		d := w.allow(host)
		d.Report(failed(503))
		wantRejected(t, w.allow(host), breaker.Open, breaker.ReasonProbeFailed)
	})
}

func TestSecondKeyRefusesAndTheFirstPermitGoesBack(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		both := Call{Host: host, Resolver: "crossref"}
		for range 5 {
			d := w.g.Allow(t.Context(), both)
			d.Report(failed(503))
		}
		pass(w.policy.ResetTimeout + time.Millisecond)
		taken := w.g.Allow(t.Context(), Call{Resolver: "crossref"})
		wantProbe(t, taken)
		d := w.g.Allow(t.Context(), both)
		wantRejected(t, d, breaker.HalfOpen, breaker.ReasonProbePending)
		equal(t, "key", d.Rejection().Key, breaker.ResolverKey("crossref"))
		equal(t, "permits returned", len(w.returnedNow()), 1)
		wantProbe(t, w.allow(host))
	})
}

func TestOneReportServesBothKeys(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		both := Call{Host: host, Resolver: "crossref"}
		for range 5 {
			d := w.g.Allow(t.Context(), both)
			d.Report(failed(503))
		}
		pass(w.policy.ResetTimeout + time.Millisecond)
		d, token := w.g.AllowHTTP(t.Context(), both)
		wantProbe(t, d)
		w.g.ReportCall(both, token, failed(200))
		equal(t, "host", w.state(hostKey), breaker.Closed)
		equal(t, "resolver", w.state(breaker.ResolverKey("crossref")), breaker.Closed)
	})
}

// leave makes a caller ask for a permit and go before the answer comes.
func leave(t *testing.T, w *world) {
	t.Helper()
	hang := make(chan struct{})
	w.set(func() { w.hang = hang })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan Decision)
	go func() { done <- w.g.Allow(ctx, Call{Host: host}) }()
	pass(time.Millisecond)
	cancel()
	wantRejected(t, <-done, breaker.HalfOpen, breaker.ReasonProbePending)
	w.set(func() { w.hang = nil })
	close(hang)
	pass(time.Millisecond)
}

func TestPermitWhoseCallerLeftServesTheNext(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.halfOpen(t, host)
		leave(t, w)
		asks := w.asks
		pass(900 * time.Millisecond)
		d := w.allow(host)
		wantProbe(t, d)
		equal(t, "more questions", w.asks-asks, 0)
		d.Success()
		equal(t, "owner's state", w.state(hostKey), breaker.Closed)
	})
}

func TestPermitWhoseCallerLeftIsReturned(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.halfOpen(t, host)
		leave(t, w)
		pass(900 * time.Millisecond)
		equal(t, "returned early", len(w.returnedNow()), 0)
		pass(200 * time.Millisecond)
		equal(t, "returned", len(w.returnedNow()), 1)
		wantProbe(t, w.allow(host))
	})
}

func TestPermitIsReturnedWhenTheViewRejects(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.halfOpen(t, host)
		leave(t, w)
		w.step(hostKey, func(m *breaker.Machine, mo breaker.Moment) breaker.Effects {
			return m.OpenUntil(mo, "n1", time.Hour, "ann", "")
		})
		pass(100 * time.Millisecond)
		equal(t, "returned", len(w.returnedNow()), 1)
		wantRejected(t, w.allow(host), breaker.Open, breaker.ReasonCLIOpen)
	})
}

func TestNoOwnerLeavesTheRingsPermits(t *testing.T) {
	for _, trials := range []int{1, 3} {
		inBubble(t, func(t *testing.T) {
			w := newWorld(t, func(p *breaker.Policy, _ *Options) { p.TrialCalls = trials })
			w.halfOpen(t, host)
			w.set(func() { w.down = true })
			var probes []Decision
			for range 50 {
				if d := w.allow(host); d.Allowed() {
					probes = append(probes, d)
				}
			}
			equal(t, "probes", len(probes), trials)
			probes[0].Report(failed(503))
			wantRejected(t, w.allow(host), breaker.Open, breaker.ReasonLocalEvidence)
		})
	}
}

func TestNoOwnerRingRecovers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.halfOpen(t, host)
		w.set(func() { w.down = true })
		d := w.allow(host)
		wantProbe(t, d)
		d.Success()
		wantAllowed(t, w.allow(host))
		equal(t, "messages", w.asks, 1)
		w.set(func() { w.down = false })
		pass(2 * time.Second)
		wantProbe(t, w.allow(host)) // the owner is asked again
	})
}

func TestHungOwnerCostsOneLimit(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		hang := make(chan struct{})
		w := newWorld(t)
		w.halfOpen(t, host)
		w.set(func() { w.hang = hang })
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		wantRejected(t, w.g.Allow(ctx, Call{Host: host}), breaker.HalfOpen, breaker.ReasonProbePending)
		wantRejected(t, w.allow(host), breaker.HalfOpen, breaker.ReasonProbePending)
		close(hang)
		pass(time.Millisecond)
	})
}
