package gate

import (
	"testing"

	"fleetfuse/breaker"
)

// A caller that keeps its permits apart never uses up another's.
func TestReportOfACallThatHadNoPermitUsesNone(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.halfOpen(t, host)
		d, token := w.g.AllowHTTP(t.Context(), Call{Host: host})
		wantProbe(t, d)
		w.g.ReportCall(Call{Host: host}, "", Result{Evidence: breaker.Evidence{Error: "reset"}, NoPermit: true})
		equal(t, "handed out", len(w.g.ledger.order), 1)
		w.g.ReportCall(Call{Host: host}, token, failed(200))
		equal(t, "owner's state", w.state(hostKey), breaker.Closed)
	})
}
