package gate

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/telemetry/rollup"
)

// usage adds up what drains hand over.
type usage map[rollup.Series]*rollup.Counts

func (u usage) take(s rollup.Series, c *rollup.Counts) {
	if u[s] == nil {
		u[s] = &rollup.Counts{}
	}
	u[s].Add(c)
}

func (u usage) of(role string) rollup.Counts {
	if c := u[rollup.Series{Key: hostKey, Role: role}]; c != nil {
		return *c
	}
	return rollup.Counts{}
}

func drained(g *Gate) usage {
	u := usage{}
	g.DrainUsage(u.take)
	return u
}

// patient makes a policy under which failures open nothing.
func patient(p *breaker.Policy, _ *Options) { p.FailMax = 10_000 }

func (w *world) call(role string, r Result) {
	d := w.g.Allow(w.context, Call{Host: host, Role: role})
	d.Report(r)
}

func TestUsageSaysHowCallsEnded(t *testing.T) {
	errs := func(class string) Result {
		return Result{Evidence: breaker.Evidence{Error: class}, Latency: time.Second}
	}
	status := func(n int) Result {
		return Result{Evidence: breaker.Evidence{Status: n}, Latency: 100 * time.Millisecond}
	}
	for name, c := range map[string]struct {
		r    Result
		want rollup.Counts
	}{
		"success":            {status(200), rollup.Counts{Successes: 1}},
		"several":            {Result{Evidence: breaker.Evidence{Status: 200}, Count: 7}, rollup.Counts{Successes: 7}},
		"429":                {status(429), rollup.Counts{Failures: [rollup.Classes]uint64{rollup.Status429: 1}, LongestRun: 1}},
		"503":                {status(503), rollup.Counts{Failures: [rollup.Classes]uint64{rollup.Status5xx: 1}, Unavailable: 1, LongestRun: 1}},
		"502":                {status(502), rollup.Counts{Failures: [rollup.Classes]uint64{rollup.Status5xx: 1}, LongestRun: 1}},
		"several 503":        {Result{Evidence: breaker.Evidence{Status: 503}, Count: 4}, rollup.Counts{Failures: [rollup.Classes]uint64{rollup.Status5xx: 4}, Unavailable: 4, LongestRun: 4}},
		"408":                {status(408), rollup.Counts{Failures: [rollup.Classes]uint64{rollup.StatusOther: 1}, LongestRun: 1}},
		"timeout":            {errs("timeout"), rollup.Counts{Failures: [rollup.Classes]uint64{rollup.Timeout: 1}, LongestRun: 1}},
		"tls":                {errs("tls"), rollup.Counts{Failures: [rollup.Classes]uint64{rollup.TLS: 1}, LongestRun: 1}},
		"other":              {errs("other"), rollup.Counts{Failures: [rollup.Classes]uint64{rollup.Other: 1}, LongestRun: 1}},
		"404":                {status(404), rollup.Counts{Neutral: 1}},
		"cancelled":          {errs("cancelled"), rollup.Counts{Neutral: 1}},
		"from cache":         {Result{FromCache: true, Count: 3}, rollup.Counts{FromCache: 3}},
		"Retry-After, a 200": {Result{Evidence: breaker.Evidence{Status: 200, RetryAfter: "7"}}, rollup.Counts{Successes: 1}},
		"Retry-After":        {Result{Evidence: breaker.Evidence{Status: 503, RetryAfter: "86400"}}, rollup.Counts{Failures: [rollup.Classes]uint64{rollup.Status5xx: 1}, Unavailable: 1, LongestRun: 1, RetryAfter: rollup.RetryAfters{{Seconds: 86400, Count: 1}}}},
	} {
		for _, role := range []string{"", breaker.RoleMetadata, "invented"} {
			t.Run(name+"/"+role, func(t *testing.T) {
				w := newWorld(t, patient)
				w.call(role, c.r)
				got := drained(w.g).of(role)
				if known := c.r.Latency > 0 && got.Neutral == 0; known && got.Latency.Count() != 1 {
					t.Errorf("%d latencies, want 1", got.Latency.Count())
				}
				got.Latency = rollup.Histogram{}
				equal(t, "usage", got, c.want)
				equal(t, "handed over again", len(drained(w.g)), 0)
			})
		}
	}
}

func TestUsageOfProbes(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.halfOpen(t, host)
		w.allow(host)
		before := drained(w.g).of("")
		equal(t, "failed", before.Failed(), 5)
		equal(t, "run", before.LongestRun, 5)
		equal(t, "rejected by the circuit", before.Rejected[rollup.ByCircuit], 1)
		pass(w.policy.PermitTimeout + time.Second)
		d := w.allow(host)
		wantProbe(t, d)
		d.Report(failed(429))
		pass(w.policy.ResetTimeout + time.Second)
		d = w.allow(host)
		wantProbe(t, d)
		d.Success()
		c := drained(w.g).of("")
		equal(t, "probes ok", c.ProbesOK, 1)
		equal(t, "probes failed", c.ProbesFailed, 1)
		equal(t, "successes", c.Successes, 1)
		equal(t, "failures", c.Failures[rollup.Status429], 1)
	})
}

func TestUsageOfRejections(t *testing.T) {
	for name, c := range map[string]struct {
		cause rollup.Cause
		open  func(*world)
	}{
		"retry-after": {rollup.ByCooldown, func(w *world) { w.call("", Result{Evidence: breaker.Evidence{Status: 429, RetryAfter: "120"}}) }},
		"circuit":     {rollup.ByCircuit, func(w *world) { w.trip(t, host) }},
		"ring": {rollup.ByRing, func(w *world) {
			w.set(func() { w.members = 2 })
			for range 5 {
				w.call("", failed(500))
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.open(w)
			drained(w.g)
			for range 3 {
				w.allow(host)
				w.g.Host(host).Allow(w.context, breaker.RoleLanding)
				w.g.Allow(w.context, Call{Host: host, Resolver: "crossref", Role: breaker.RoleLanding})
			}
			got := drained(w.g)
			want := rollup.Counts{}
			want.Rejected[c.cause] = 9
			equal(t, "usage", got.of(""), want)
			equal(t, "series", len(got), 1)
		})
	}
}

func TestRunsAreBrokenBySuccessesOfTheirRole(t *testing.T) {
	w := newWorld(t, patient)
	for _, c := range []struct {
		fails, ok int
		role      string
	}{{3, 1, ""}, {2, 0, "metadata"}, {4, 1, "landing"}, {2, 0, "metadata"}, {1, 0, ""}} {
		for range c.fails {
			w.call(c.role, failed(500))
		}
		for range c.ok {
			d := w.g.Allow(w.context, Call{Host: host, Role: c.role})
			d.Success()
		}
	}
	got := drained(w.g)
	for role, want := range map[string]uint64{"": 3, "metadata": 4, "landing": 4} {
		equal(t, "longest run of "+role, got.of(role).LongestRun, want)
	}
	w.call("metadata", failed(500))
	equal(t, "the run goes on in the next drain", drained(w.g).of("metadata").LongestRun, 5)
}

// Callers may invent roles: few are told apart, and none is lost.
func TestInventedRolesAreBounded(t *testing.T) {
	w := newWorld(t)
	const n = 500
	for i := range n {
		d := w.g.Allow(w.context, Call{Host: host, Role: fmt.Sprintf("role-%d", i)})
		d.Success()
		d = w.g.Allow(w.context, Call{Host: fmt.Sprintf("h%d", i), Role: fmt.Sprintf("role-%d", i)})
		d.Success()
	}
	d := w.g.Allow(w.context, Call{Host: "late", Role: breaker.RoleArtifact})
	d.Success()
	all := drained(w.g)
	roles, here, sum := map[string]bool{}, 0, uint64(0)
	for s, c := range all {
		roles[s.Role] = true
		sum += c.Successes
		if s.Key == hostKey {
			here++
		}
	}
	equal(t, "calls", sum, 2*n+1)
	if len(roles) > maxRoles+1 || here > maxSides+2 {
		t.Errorf("%d roles, %d of one host; want at most %d and %d", len(roles), here, maxRoles+1, maxSides+2)
	}
	equal(t, "a role that policies know", roles[breaker.RoleArtifact], true)
}

func TestLatenciesAreSampledFairly(t *testing.T) {
	w := newWorld(t)
	const n = 10_000
	slow := func(i int) bool { return i%10 == 0 } // one in ten
	r := rand.New(rand.NewPCG(1, 1))
	order := r.Perm(n)
	for _, i := range order {
		latency := 20 * time.Millisecond
		if slow(i) {
			latency = 3 * time.Second
		}
		w.call("", Result{Evidence: breaker.Evidence{Status: 200}, Latency: latency})
	}
	c := drained(w.g).of("")
	if got := c.Latency.Count(); got < n*98/100 || got > n*102/100 {
		t.Errorf("the latencies stand for %d calls, want about %d", got, n)
	}
	if got := c.Latency[rollup.LatencyBucket(3*time.Second)]; got < n*6/100 || got > n*14/100 {
		t.Errorf("%d of %d calls were slow, want about a tenth", got, n)
	}
}

func TestAnIdleHostGivesItsRoomBack(t *testing.T) {
	w := newWorld(t)
	w.call("", Result{Evidence: breaker.Evidence{Status: 200}, Latency: time.Second})
	e := w.g.hosts.find(host)
	for range 3 {
		drained(w.g)
	}
	if e.detail != nil {
		t.Error("an idle host keeps its histogram")
	}
	w.call("", Result{Evidence: breaker.Evidence{Status: 200}, Latency: time.Second})
	c := drained(w.g).of("")
	equal(t, "latencies", c.Latency.Count(), 1)
}

// No call is lost or counted twice, whoever drains meanwhile and whatever is
// evicted.
func TestUsageIsExactUnderConcurrency(t *testing.T) {
	for name, maxHosts := range map[string]int{"one host": 1000, "evicting": 40} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, patient, func(_ *breaker.Policy, o *Options) { o.MaxHosts = maxHosts })
			w.g.departed.most = 100_000 // none is let go
			got, draining, over := usage{}, sync.WaitGroup{}, atomic.Bool{}
			draining.Go(func() {
				for !over.Load() {
					w.g.DrainUsage(got.take)
				}
			})
			var workers sync.WaitGroup
			sums := make([]usage, 4)
			for i := range sums {
				sums[i] = usage{}
				workers.Go(func() { w.work(rand.New(rand.NewPCG(uint64(i), 2)), maxHosts < 1000, sums[i]) })
			}
			workers.Wait()
			over.Store(true)
			draining.Wait()
			w.g.DrainUsage(got.take)
			want := usage{}
			for _, u := range sums {
				for s, c := range u {
					want.take(s, c)
				}
			}
			compareUsage(t, got, want)
		})
	}
}

// work makes calls and reports each at once, in all ways there are.
func (w *world) work(r *rand.Rand, manyHosts bool, sum usage) {
	roles := []string{"", breaker.RoleMetadata, breaker.RoleLanding}
	for range 1500 {
		c, n := Call{Host: host, Role: roles[r.IntN(3)]}, uint64(1)
		if manyHosts {
			c.Host = fmt.Sprintf("h%d", r.IntN(80))
		}
		s := rollup.Series{Key: breaker.HostKey(c.Host), Role: c.Role}
		d := w.g.Allow(w.context, c)
		switch r.IntN(6) {
		case 0, 1:
			d.Success()
			sum.take(s, &rollup.Counts{Successes: n})
		case 2, 3:
			n += r.Uint64N(3)
			d.Report(Result{Evidence: breaker.Evidence{Status: 200}, Latency: time.Second, Count: int(n)})
			sum.take(s, &rollup.Counts{Successes: n})
		case 4:
			d.Report(failed(404))
			sum.take(s, &rollup.Counts{Neutral: n})
		case 5:
			d.Report(failed(500))
			sum.take(s, &rollup.Counts{Failures: [rollup.Classes]uint64{rollup.Status5xx: n}})
		}
	}
}

func compareUsage(t *testing.T, got, want usage) {
	t.Helper()
	for _, s := range slices.Collect(maps.Keys(want)) {
		g := rollup.Counts{}
		if got[s] != nil {
			g = *got[s]
		}
		g.Latency, g.LongestRun = rollup.Histogram{}, 0 // sampled; depends on the order
		equal(t, fmt.Sprint(s), g, *want[s])
	}
	equal(t, "series", len(got), len(want))
}

func TestRejectionsAreExactUnderConcurrency(t *testing.T) {
	w := newWorld(t)
	w.call("", Result{Evidence: breaker.Evidence{Status: 429, RetryAfter: "120"}})
	drained(w.g)
	got, over := usage{}, atomic.Bool{}
	var workers, draining sync.WaitGroup
	draining.Go(func() {
		for !over.Load() {
			w.g.DrainUsage(got.take)
		}
	})
	for range 4 {
		workers.Go(func() {
			for range 5000 {
				w.allow(host)
			}
		})
	}
	workers.Wait()
	over.Store(true)
	draining.Wait()
	w.g.DrainUsage(got.take)
	equal(t, "rejected", got.of("").Rejected[rollup.ByCooldown], 20_000)
}

// What is evicted faster than it is drained loses its name, not its calls.
func TestUsageOfAFlood(t *testing.T) {
	w := newWorld(t, func(_ *breaker.Policy, o *Options) { o.MaxHosts = 64 })
	const n = 5000
	for i := range n {
		d := w.g.Allow(w.context, Call{Host: fmt.Sprintf("h%d", i), Role: breaker.RoleLanding})
		d.Success()
	}
	sum, got := uint64(0), drained(w.g)
	for _, c := range got {
		sum += c.Successes
	}
	equal(t, "calls", sum, n)
	other := got[rollup.Series{Key: breaker.HostKey(rollup.OtherName), Role: breaker.RoleLanding}]
	if other == nil || len(got) > 2*1024 {
		t.Errorf("%d series, other %v; want at most 2,048 and the rest as other", len(got), other)
	}
}

func TestUsageSwitchedOff(t *testing.T) {
	w := newWorld(t, func(_ *breaker.Policy, o *Options) { o.Usage = false })
	for _, role := range []string{"", breaker.RoleMetadata, "invented"} {
		w.call(role, failed(200))
		w.call(role, failed(500))
	}
	equal(t, "drained", len(drained(w.g)), 0)
	if e := w.g.hosts.find(host); e.detail != nil || e.sides.Load() != nil {
		t.Error("a gate without usage keeps some")
	}
}
