package gate

import (
	"testing"
	"time"

	"fleetfuse/breaker"
)

func TestTokenIsGoodOnce(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, func(p *breaker.Policy, _ *Options) { p.SuccessThreshold = 2 })
		w.halfOpen(t, host)
		d, token := w.g.AllowHTTP(t.Context(), Call{Host: host})
		wantProbe(t, d)
		w.g.ReportCall(Call{Host: host}, token, failed(200))
		w.g.ReportCall(Call{Host: host}, token, failed(200))
		equal(t, "owner's state", w.state(hostKey), breaker.HalfOpen)
	})
}

func TestBadTokenIsNeutral(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.halfOpen(t, host)
		w.halfOpen(t, "other.example.org")
		_, token := w.g.AllowHTTP(t.Context(), Call{Host: host})
		other := breaker.HostKey("other.example.org")
		for _, bad := range []string{"forged", token} {
			w.g.ReportCall(Call{Host: "other.example.org"}, bad, failed(503))
			w.g.ReportCall(Call{Host: "other.example.org"}, bad, failed(200))
			equal(t, "owner's state", w.state(other), breaker.HalfOpen)
		}
		w.g.ReportCall(Call{Host: host}, token, failed(200))
		equal(t, "the token's own host", w.state(hostKey), breaker.Closed)
	})
}

func TestBadTokensRetryAfterCounts(t *testing.T) {
	w := newWorld(t)
	r := Result{Evidence: breaker.Evidence{Status: 503, RetryAfter: "30"}}
	w.g.ReportCall(Call{Host: host}, "forged", r)
	wantRejected(t, w.allow(host), breaker.Open, breaker.ReasonRetryAfter)
}

func TestReportWithoutTokenUsesTheOldestPermit(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.halfOpen(t, host)
		d, _ := w.g.AllowHTTP(t.Context(), Call{Host: host})
		wantProbe(t, d)
		pass(time.Second)
		// This call began before the permit was handed out.
		w.g.ReportCall(Call{Host: host}, "", Result{Evidence: breaker.Evidence{Status: 200}, Latency: 2 * time.Second})
		equal(t, "owner's state", w.state(hostKey), breaker.HalfOpen)
		w.g.ReportCall(Call{Host: host, Role: breaker.RoleLanding}, "", failed(200))
		equal(t, "after another role's report", w.state(hostKey), breaker.HalfOpen)
		w.g.ReportCall(Call{Host: host}, "", Result{Evidence: breaker.Evidence{Status: 200}, Latency: time.Second / 2})
		equal(t, "owner's state", w.state(hostKey), breaker.Closed)
	})
}

func TestLedgerForgetsExpiredPermits(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.halfOpen(t, host)
		_, token := w.g.AllowHTTP(t.Context(), Call{Host: host})
		pass(w.policy.PermitTimeout + time.Second)
		w.g.ReportCall(Call{Host: host}, token, failed(200))
		equal(t, "owner's state", w.state(hostKey), breaker.HalfOpen)
		equal(t, "handed out", len(w.g.ledger.order), 0)
	})
}
