package gate

import (
	"testing"
	"time"

	"fleetfuse/breaker"
)

func TestStaleWhereNoOwnerAnswers(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.halfOpen(t, host)
		d := w.allow(host)
		equal(t, "stale, the owner answers", d.Stale(), false)
		d.Success()
		w.halfOpen(t, host)
		w.mu.Lock()
		w.down = true
		w.mu.Unlock()
		probe, second := w.allow(host), w.allow(host)
		wantProbe(t, probe)
		equal(t, "stale, a probe of the ring", probe.Stale(), true)
		equal(t, "the second is allowed", second.Allowed(), false)
		equal(t, "stale, a rejection by the ring", second.Stale(), true)
	})
}

// A ring decides by right while the view is closed.
func TestALocalRingIsNotStale(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		equal(t, "stale, closed", func() bool { d := w.allow(host); return d.Stale() }(), false)
		w.mu.Lock()
		w.down = true // nobody counts but the ring
		w.mu.Unlock()
		for range w.policy.FailMax {
			d := w.allow(host)
			d.Report(failed(503))
		}
		d := w.allow(host)
		wantRejected(t, d, breaker.Open, breaker.ReasonLocalEvidence)
		equal(t, "stale", d.Stale(), false)
		pass(w.policy.ResetTimeout + time.Second)
		d = w.allow(host)
		wantProbe(t, d)
		equal(t, "stale, a probe", d.Stale(), false)
	})
}
