package gate

import (
	"testing"
	"time"

	"fleetfuse/breaker"
)

// succeed makes calls that succeed for a while, each reported in another way,
// and returns how many.
func (w *world) succeed(t *testing.T, d time.Duration) (n int) {
	t.Helper()
	for end := w.clock.Now().Add(d); w.clock.Now() < end; n += 3 {
		for _, report := range []func(*Decision){
			func(d *Decision) { d.Success() },
			func(d *Decision) { d.Report(failed(200)) },
			func(*Decision) { w.g.ReportCall(Call{Host: host, Role: breaker.RoleLanding}, "", failed(200)) },
		} {
			d := w.allow(host)
			wantAllowed(t, d)
			report(&d)
		}
		pass(100 * time.Millisecond)
	}
	return n
}

// A close is remembered for 30 days, a recovery for 10 minutes; neither makes
// successes worth a message.
func TestSuccessesAfterACloseSendNothing(t *testing.T) {
	for name, circumstance := range map[string]func(*testing.T, *world){
		"closed by hand": func(_ *testing.T, w *world) { w.close(hostKey) },
		"recovered": func(t *testing.T, w *world) {
			now := w.clock.Now()
			w.hear(hostKey, breaker.Snapshot{Circuit: breaker.Circuit{Stamp: w.clock.Stamp(), Keep: now.Add(time.Hour)}})
		},
		"failed here long ago": func(_ *testing.T, w *world) {
			w.close(hostKey)
			d := w.allow(host)
			d.Report(failed(500))
			pass(w.policy.MemoryOf(""))
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := newWorld(t, func(p *breaker.Policy, _ *Options) { p.FailMax, p.FailureRate.Enabled = 100, true })
				circumstance(t, w)
				w.set(func() { w.messages = 0; w.got = map[breaker.Key][]breaker.Outcome{} })
				n := w.succeed(t, 10*time.Second)
				equal(t, "messages", w.messages, 0)
				q := breaker.WitnessQuestion{From: 1, To: w.clock.Now(), Window: 1}
				equal(t, "successes no report brought", w.g.Witness(hostKey, q).Successes, n)
				equal(t, "success seen", w.g.Witness(hostKey, q).Success > 0, true)

				d := w.allow(host)
				d.Report(failed(500))
				equal(t, "messages, with a failure", w.messages, 1)
				equal(t, "outcomes, with a failure", len(spell(w.got[hostKey])), n+1)
				equal(t, "left to bring", w.g.Witness(hostKey, q).Successes, 0)
				if w.succeed(t, time.Second); w.messages < 2 {
					t.Error("the successes after a failure were not reported")
				}
			})
		})
	}
}

// What is older than the rate window concerns nobody.
func TestSuccessesAfterACloseGoOutOfTheWindow(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, func(p *breaker.Policy, _ *Options) { p.FailureRate.Enabled = true })
		w.close(hostKey)
		w.succeed(t, 10*time.Second)
		pass(2 * w.policy.FailureRate.Window)
		n := w.succeed(t, time.Second)
		q := breaker.WitnessQuestion{From: 1, To: w.clock.Now(), Window: 1}
		equal(t, "recent successes", w.g.Witness(hostKey, q).Successes, n)
		d := w.allow(host)
		d.Report(failed(500))
		equal(t, "outcomes reported", len(spell(w.got[hostKey])), n+1)
	})
}
