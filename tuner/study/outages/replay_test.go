package outages

import (
	"math"
	"math/rand/v2"
	"testing"

	"fleetfuse/tuner/outage"
)

func TestReplay(t *testing.T) {
	never := math.Inf(1)
	for _, c := range []struct {
		name string
		down []stretch
		rule rule
		want spent
	}{
		{"over before the first probe", []stretch{{0, 20}}, fixed(60)(), spent{40, 0, 1}},
		{"over with a probe", []stretch{{0, 60}}, fixed(60)(), spent{0, 0, 1}},
		{"over after two", []stretch{{100, 250}}, fixed(60)(), spent{30, 2, 1}},
		{"two outages", []stretch{{0, 20}, {1000, 1070}}, fixed(60)(), spent{40 + 50, 1, 2}},
		{"the next begins while it is open", []stretch{{0, 20}, {50, 70}}, fixed(60)(), spent{30 + 50, 1, 1}},
		{"two of them between probes", []stretch{{0, 10}, {20, 30}, {40, 50}}, fixed(60)(), spent{10 + 10 + 10, 0, 1}},
		{"backoff", []stretch{{0, 100}}, &backoff{first: 15, multiplier: 2, most: 600}, spent{5, 2, 1}},
		{"backoff at its longest", []stretch{{0, 130}}, &backoff{first: 15, multiplier: 2, most: 40}, spent{125 - 130 + 40, 4, 1}},
		{"not over at the end", []stretch{{0, 20}, {100, never}}, fixed(60)(), spent{40, 0, 1}},
	} {
		if got := replay(c.down, c.rule); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestPricing(t *testing.T) {
	s := spent{up: 5, failed: 3, good: 1}
	if got := (pricing{probe: 10}).of(s); got != 45 {
		t.Errorf("%v, want 45", got)
	}
	if got := (pricing{probe: 10, failedOnly: true}).of(s); got != 35 {
		t.Errorf("good probes free: %v, want 35", got)
	}
}

// The seed advisor never comes down to outages shorter than its wait: that is
// why it is not the rule of the tuner.
func TestMedianIsARatchet(t *testing.T) {
	m := &median{}
	r := rand.New(rand.NewPCG(1, 1))
	now, before := 0.0, 0.0
	for range 200 {
		replay([]stretch{{now, now + 45*r.ExpFloat64()}}, m)
		now += 1e6
		if w := m.tripped(); w < before || w < 60 {
			t.Fatalf("the wait fell to %v from %v", w, before)
		}
		before = m.tripped()
	}
}

// Tuned sees what its probes see, in the units of package outage.
func TestTunedLearns(t *testing.T) {
	short, long := tunedWith(outage.Usual(), 10)(), tunedWith(outage.Usual(), 10)()
	var brief, lasting []stretch
	for i := range 30 {
		begin := float64(i) * 1e6
		brief, lasting = append(brief, stretch{begin, begin + 100}), append(lasting, stretch{begin, begin + 9000})
	}
	replay(brief, short)
	replay(lasting, long)
	if a, b := short.tripped(), long.tripped(); a > 90 || b < 350 || b > 500 {
		t.Errorf("after outages of 100 s the wait is %v s, after such of 9,000 s %v s; the law says 45 and 424", a, b)
	}
}

// Looking again during an outage waits longer, and forgets that with its end.
func TestInsideLooksAgain(t *testing.T) {
	r := &inside{tuned: tuned{price: 1, estimate: outage.New(outage.Usual())}}
	first := r.tripped()
	if got := r.failed(hold - 1); got != first {
		t.Errorf("before the hold was over the wait changed from %v to %v", first, got)
	}
	if got := r.failed(10 * 3600); got <= first {
		t.Errorf("after ten hours the wait is %v, at first it was %v", got, first)
	}
	if got := r.tripped(); got != first {
		t.Errorf("the next outage begins with %v, not with %v", got, first)
	}
}

// A policy that is the best fixed one has the ratio 1 and bounds about it; one that costs
// twice as much has 2.
func TestRatios(t *testing.T) {
	one := bill{{{up: 10}, {up: 30}}, {{up: 12}, {up: 28}}}
	twice := bill{{{up: 20}, {up: 60}}, {{up: 24}, {up: 56}}}
	got := ratios([]bill{twice, one}, []bill{one, twice}, pricing{})
	for i, want := range []band{{1, 1, 1}, {2, 2, 2}} {
		if got[i] != want {
			t.Errorf("%v, want %v", got[i], want)
		}
	}
}
