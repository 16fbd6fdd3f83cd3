package gate

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetfuse/breaker"
)

// asWitness is what the gate answers for a span.
func (w *world) asWitness(from, to breaker.Instant) breaker.Instant {
	return w.g.Witness(hostKey, breaker.WitnessQuestion{Round: 7, From: from, To: to}).Success
}

// TestWitnessAgainstAList marks begins in any order and compares with the list
// of all of them.
func TestWitnessAgainstAList(t *testing.T) {
	const base = breaker.Instant(time.Hour)
	rapid.Check(t, func(t *rapid.T) {
		at := func(label string) breaker.Instant {
			span := rapid.SampledFrom([]int{50, 700, 3_000, 70_000, 200_000}).Draw(t, "span")
			return base + breaker.Instant(rapid.IntRange(0, span*1000).Draw(t, label))*breaker.Instant(time.Microsecond)
		}
		var e entry
		var list []breaker.Instant
		for range rapid.IntRange(0, 30).Draw(t, "calls") {
			began := at("began")
			e.succeeded(began, 1, plainSeat)
			list = append(list, began)
			from, to := at("from"), at("to")
			if got, want := e.begun.latest(from, to), naive(list, from, to); got != want {
				t.Fatalf("the latest in (%v, %v) of %v: %v, want %v", from, to, list, got, want)
			}
		}
		if got := e.total(); got != uint64(len(list)) {
			t.Fatalf("%d counted", got)
		}
	})
}

// naive reads the rule off a list: the latest tick strictly inside, of the 64
// up to the latest of all; else the latest second, of as many.
func naive(list []breaker.Instant, from, to breaker.Instant) breaker.Instant {
	for _, unit := range []breaker.Instant{breaker.Instant(tickLength), breaker.Instant(time.Second)} {
		var last, best breaker.Instant
		for _, at := range list {
			last = max(last, at/unit)
		}
		for _, at := range list {
			if n := at / unit; n > last-64 && n > from/unit && n < to/unit {
				best = max(best, n)
			}
		}
		if best != 0 {
			return best * unit
		}
	}
	return 0
}

// What is answered lies strictly inside the span and is not later than the
// call that is meant.
func TestWitnessAnswersInsideTheSpan(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200_000 {
		var e entry
		began := breaker.Instant(time.Hour) + breaker.Instant(r.Int64N(int64(5*time.Second)))
		e.succeeded(began, 1, plainSeat)
		e.succeeded(began+breaker.Instant(r.Int64N(int64(2*time.Second))), 1, plainSeat)
		from := began - breaker.Instant(r.Int64N(int64(3*time.Second)))
		to := began + breaker.Instant(r.Int64N(int64(30*time.Millisecond)))
		if got := e.begun.latest(from, to); got != 0 && (got <= from || got >= to) {
			t.Fatalf("%d is not between %d and %d", got, from, to)
		}
	}
}

// Every way to report a success is seen, also the late report of an old one.
func TestWitnessSeesEverySuccess(t *testing.T) {
	for name, report := range map[string]func(*testing.T, *world, *Decision){
		"quiet":         func(_ *testing.T, _ *world, d *Decision) { d.Success() },
		"quiet, detail": func(_ *testing.T, _ *world, d *Decision) { d.Report(failed(200)) },
		"over HTTP": func(_ *testing.T, w *world, _ *Decision) {
			w.g.ReportCall(Call{Host: host}, "", Result{Evidence: breaker.Evidence{Status: 200}, Latency: time.Second})
		},
		"a key that failed": func(_ *testing.T, w *world, d *Decision) {
			fails := w.allow(host)
			fails.Report(failed(500))
			d.Success()
		},
		"a key that failed, detail": func(_ *testing.T, w *world, d *Decision) {
			fails := w.allow(host)
			fails.Report(failed(500))
			d.Report(failed(200))
		},
		"another role's": func(t *testing.T, w *world, d *Decision) {
			fails := w.g.Allow(t.Context(), Call{Host: host, Role: breaker.RoleLanding})
			fails.Report(failed(500))
			other := w.g.Allow(t.Context(), Call{Host: host, Role: breaker.RoleLanding})
			other.Report(Result{Evidence: breaker.Evidence{Status: 200}, Latency: 2 * time.Second})
			d.Success()
		},
		"slow": func(_ *testing.T, w *world, d *Decision) {
			slow := *w.policy
			slow.SlowCall = breaker.SlowCall{Enabled: true, Duration: time.Millisecond}
			w.policy = &slow
			w.g.Replace()
			d.Report(failed(200))
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := newWorld(t)
				pass(200 * time.Millisecond)
				d := w.allow(host)
				began := w.clock.Now()
				pass(time.Second)
				report(t, w, &d)
				from, to := began.Add(-30*time.Millisecond), began.Add(30*time.Millisecond)
				if got := w.asWitness(from, to); got <= from || got >= to {
					t.Errorf("latest success %v, want one between %v and %v", got, from, to)
				}
			})
		})
	}
}

func TestWitnessSeesAProbe(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, func(p *breaker.Policy, _ *Options) { p.SuccessThreshold = 2 })
		w.halfOpen(t, host)
		d := w.allow(host)
		wantProbe(t, d)
		began := w.clock.Now()
		pass(time.Second)
		d.Success()
		equal(t, "owner's state", w.state(hostKey), breaker.HalfOpen)
		from, to := began.Add(-30*time.Millisecond), w.clock.Now()
		if got := w.asWitness(from, to); got <= from || got > began {
			t.Errorf("latest success %v, want %v to the tick", got, began)
		}
		a := w.g.Witness(hostKey, breaker.WitnessQuestion{From: from, To: to, Window: from})
		equal(t, "a probe's success is not of the rate", a.Successes, 0)
	})
}

func TestWitnessOfAnUnknownKey(t *testing.T) {
	w := newWorld(t)
	q := breaker.WitnessQuestion{Round: 9, To: w.clock.Now(), Window: 1}
	for _, key := range []breaker.Key{"host:never.example.org", "resolver:never"} {
		equal(t, "answer", w.g.Witness(key, q), breaker.WitnessAnswer{Round: 9, Node: "n1"})
	}
	equal(t, "keys", w.g.Counts().Hosts, 0)
}

// The totals are what no report has brought yet: every success is counted once,
// by the owner or in the answer. After a while without a failure nothing is
// reported any more, though the view holds a close.
func TestWitnessCountsWhatNoReportBrought(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, func(p *breaker.Policy, _ *Options) { p.FailureRate.Enabled, p.FailMax = true, 10_000 })
		r := rand.New(rand.NewPCG(5, 6))
		sent := 0
		check := func() {
			t.Helper()
			brought := 0
			for _, o := range w.got[hostKey] {
				if o.Kind == breaker.Success {
					brought += max(o.Count, 1)
				}
			}
			a := w.g.Witness(hostKey, breaker.WitnessQuestion{From: 1, To: 2, Window: 1})
			equal(t, "reported and not", brought+a.Successes, sent)
			equal(t, "without a window", w.g.Witness(hostKey, breaker.WitnessQuestion{From: 1, To: 2}).Successes, 0)
		}
		for i := range 1000 {
			switch i {
			case 50:
				w.close(hostKey)
			case 500:
				pass(w.policy.MemoryOf("") + time.Second)
			}
			d := w.g.Allow(t.Context(), Call{Host: host, Role: []string{"", breaker.RoleLanding}[r.IntN(2)]})
			switch n := r.IntN(20); {
			case n == 0 && i > 100:
				d.Report(failed(500))
			case n < 5:
				d.Report(Result{Evidence: breaker.Evidence{Status: 200}, Count: 3})
				sent += 3
			default:
				d.Success()
				sent++
			}
			check()
			if r.IntN(10) == 0 {
				pass(time.Duration(r.IntN(80)) * time.Millisecond)
				check()
			}
		}
	})
}

func TestWitnessDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	w := newWorld(t)
	d := w.allow(host)
	d.Success()
	q := breaker.WitnessQuestion{Round: 7, From: 1, To: w.clock.Now(), Window: 1}
	equal(t, "allocations", testing.AllocsPerRun(100, func() { w.g.Witness(hostKey, q) }), 0)
}
