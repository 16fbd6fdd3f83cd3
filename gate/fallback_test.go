package gate

import (
	"context"
	"testing"
	"time"

	"fleetfuse/breaker"
)

// TestFallBackNeverLetsAllThrough: while no owner answers, a ring whose probes
// succeed does not close the breaker that the view says is half-open: calls go
// on one at a time.
func TestFallBackNeverLetsAllThrough(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, func(p *breaker.Policy, _ *Options) { p.ResetTimeout = time.Second })
		const key = breaker.Key("host:a.example")
		w.hear(key, breaker.Snapshot{Circuit: breaker.Circuit{
			State: breaker.Open, Stamp: w.clock.Stamp(), Until: w.clock.Now().Add(time.Second), FirstTrip: w.clock.Now(), Opens: 1, Reason: breaker.ReasonConsecutive,
		}})
		w.mu.Lock()
		w.down = true
		w.mu.Unlock()
		pass(1500 * time.Millisecond)
		for i := range 20 {
			d := w.g.Allow(context.Background(), Call{Host: "a.example"})
			if !d.Allowed() || !d.Probe() {
				t.Fatalf("call %d: allowed %v, as a probe %v; want one probe after the other", i, d.Allowed(), d.Probe())
			}
			if second := w.g.Allow(context.Background(), Call{Host: "a.example"}); second.Allowed() {
				t.Fatalf("call %d: another one beside it was allowed", i)
			}
			d.Success()
			pass(time.Millisecond)
		}
	})
}

// TestTheRingLetsGoWithTheView: what a ring continued from, while no owner
// answered, is over when the view lets it go, also where no close is announced.
func TestTheRingLetsGoWithTheView(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		const key = breaker.Key("host:a.example")
		w.hear(key, breaker.Snapshot{Cooldowns: []breaker.Cooldown{{
			Setter: "n2", Stamp: w.clock.Stamp(), Until: w.clock.Now().Add(time.Second), Reason: breaker.ReasonRetryAfter,
		}}})
		w.mu.Lock()
		w.down = true
		w.mu.Unlock()
		pass(1500 * time.Millisecond)
		if d := w.g.Allow(context.Background(), Call{Host: "a.example"}); !d.Probe() {
			t.Fatal("the first call after it ran out is no probe")
		}
		w.g.Apply(key, breaker.Snapshot{}) // an owner that answers says that it is closed
		for range 3 {
			wantAllowed(t, w.g.Allow(context.Background(), Call{Host: "a.example"}))
		}
	})
}

// TestTheRingLetsGoOfWhatItBeganAgainFrom: a machine that slept takes a
// Retry-After to have run out after the recovery. A ring that began again from it
// when it had heard of the recovery lets go of it all the same.
func TestTheRingLetsGoOfWhatItBeganAgainFrom(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		const key = breaker.Key("host:a.example")
		now := w.clock.Now()
		asked := breaker.Snapshot{Cooldowns: []breaker.Cooldown{{
			Setter: "n2", Stamp: w.clock.Stamp(), Until: now.Add(time.Second), Reason: breaker.ReasonRetryAfter,
		}}}
		w.g.Apply(key, asked)
		w.mu.Lock()
		w.down = true
		w.mu.Unlock()
		probe := func() {
			t.Helper()
			if d := w.g.Allow(context.Background(), Call{Host: "a.example"}); !d.Probe() {
				t.Fatal("no probe where no owner answers")
			}
		}
		pass(1500 * time.Millisecond)
		probe()
		recovered := breaker.Snapshot{Circuit: breaker.Circuit{Stamp: w.clock.Stamp(), Keep: now.Add(10 * time.Minute), Recovered: now.Add(500 * time.Millisecond)}}
		both := recovered.Clone()
		both.Cooldowns = asked.Cooldowns
		w.g.Apply(key, both)
		probe() // the ring begins again
		w.g.Apply(key, recovered)
		for range 3 {
			wantAllowed(t, w.g.Allow(context.Background(), Call{Host: "a.example"}))
		}
	})
}
