package gate

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"fleetfuse/breaker"
)

// spell writes outcomes as a word of S and F.
func spell(list []breaker.Outcome) string {
	var b strings.Builder
	for _, o := range list {
		letter := "S"
		if o.Kind == breaker.Failure {
			letter = "F"
		}
		b.WriteString(strings.Repeat(letter, max(o.Count, 1)))
	}
	return b.String()
}

func TestRunsAreReportedExactly(t *testing.T) {
	for seed := range uint64(200) {
		inBubble(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			w := newWorld(t, func(p *breaker.Policy, _ *Options) { p.FailMax = 10_000 })
			var sent strings.Builder
			for range 300 {
				d := w.allow(host)
				switch {
				case r.IntN(4) == 0:
					d.Report(failed(500))
					sent.WriteByte('F')
				case r.IntN(2) == 0:
					d.Success()
					sent.WriteByte('S')
				default:
					d.Report(failed(201))
					sent.WriteByte('S')
				}
				if r.IntN(20) == 0 {
					pass(time.Duration(r.IntN(100)) * time.Millisecond)
				}
			}
			pass(time.Second)
			// What succeeded before the first failure concerns no run.
			want := sent.String()
			want = want[strings.IndexByte(want, 'F'):]
			w.mu.Lock()
			defer w.mu.Unlock()
			if got := spell(w.got[hostKey]); got != want {
				t.Errorf("seed %d: owner received\n%s, want\n%s", seed, got, want)
			}
		})
	}
}

func TestRingCountsRunsExactly(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.set(func() { w.members = 2 })
		for range 20 {
			for range 4 {
				d := w.allow(host)
				wantAllowed(t, d)
				d.Report(failed(500))
			}
			pass(time.Millisecond)
			d := w.allow(host)
			wantAllowed(t, d)
			d.Success()
		}
		wantAllowed(t, w.allow(host))
	})
}

func TestRateRuleKnowsTheSuccessesBefore(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, func(p *breaker.Policy, _ *Options) { p.FailureRate.Enabled, p.FailMax = true, 10_000 })
		for range 1000 {
			d := w.allow(host)
			d.Success()
			pass(10 * time.Millisecond)
		}
		for range 30 { // 3 %
			d := w.allow(host)
			wantAllowed(t, d)
			d.Report(failed(500))
		}
		wantAllowed(t, w.allow(host))
	})
}

func TestManyGoroutines(t *testing.T) {
	w := newWorld(t, func(p *breaker.Policy, o *Options) {
		p.ResetTimeout, p.PermitTimeout, p.RetryAfterCap = 5*time.Millisecond, 20*time.Millisecond, 5*time.Millisecond
		o.MaxHosts = 8
	})
	hosts := strings.Fields("a b c d e f g h i j k l")
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() { hammer(w, hosts, rand.New(rand.NewPCG(uint64(i), 2))) })
	}
	all.Go(func() {
		for range 200 {
			w.g.Replace()
			w.g.Counts()
			w.g.OpenRings()
			w.g.Witness("host:a", breaker.WitnessQuestion{From: 1, To: w.clock.Now(), Window: 1})
		}
	})
	all.Wait()
}

func hammer(w *world, hosts []string, r *rand.Rand) {
	for range 2000 {
		c := Call{Host: hosts[r.IntN(len(hosts))]}
		if r.IntN(3) == 0 {
			c.Resolver = "crossref"
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(r.IntN(2000))*time.Microsecond)
		d, token := w.g.AllowHTTP(ctx, c)
		cancel()
		switch {
		case !d.Allowed():
			d.Rejection()
		case r.IntN(4) == 0:
			d.Report(Result{Evidence: breaker.Evidence{Status: 503, RetryAfter: "1"}})
		case r.IntN(4) == 0:
			d.Report(failed(500))
		case token != "":
			w.g.ReportCall(c, token, failed(200))
		default:
			d.Success()
		}
	}
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	w := newWorld(t)
	ctx := t.Context()
	h := w.g.Host("handle.example.org")
	closed := testing.AllocsPerRun(1000, func() {
		d := w.g.Allow(ctx, Call{Host: host})
		d.Success()
		d = h.Allow(ctx, "")
		d.Success()
	})
	equal(t, "allocations, closed", closed, 0)
	w.trip(t, host)
	open := testing.AllocsPerRun(1000, func() {
		d := w.g.Allow(ctx, Call{Host: host})
		if d.Allowed() || d.Rejection().RetryAfter == 0 {
			t.Error("allowed, want rejected")
		}
	})
	equal(t, "allocations, open", open, 0)
	d := h.Allow(ctx, "")
	d.Report(failed(500))
	failing := testing.AllocsPerRun(1000, func() {
		d := h.Allow(ctx, "")
		d.Success()
	})
	equal(t, "allocations, failing key", failing, 0)
}
