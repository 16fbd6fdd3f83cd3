package fleet_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// every does something on each tick until the returned function is called.
func every(t *testing.T, d time.Duration, do func(ctx context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() {
		tick := time.NewTicker(d)
		defer tick.Stop()
		for ctx.Err() == nil {
			select {
			case <-tick.C:
				do(ctx)
			case <-ctx.Done():
			}
		}
	})
	stop = func() {
		cancel()
		done.Wait()
	}
	t.Cleanup(stop)
	return stop
}

// TestSickMachineOpensNothingForOthers has n1 report nothing but failures and
// the others nothing but successes: hosts of every owner stay open to the
// others all the time, and n1's own ring protects n1.
func TestSickMachineOpensNothingForOthers(t *testing.T) {
	nodes := startCluster(t, 3)
	sick, well := nodes[0], nodes[1:]
	var stops []func()
	var hosts []string
	for _, owner := range nodes {
		host := must(owner.OwnHost(t.Context(), "sick"))(t)
		hosts = append(hosts, host)
		for _, n := range nodes {
			status := 200
			if n == sick {
				status = 503
			}
			stops = append(stops, every(t, 7*time.Millisecond, func(ctx context.Context) {
				_ = n.Report(ctx, api.Outcome{Host: host, Status: status})
			}))
		}
		stops = append(stops, watch(t, "one sick machine closed a host to another", host, rejected, well...))
	}
	began := time.Now()
	await(t, "five seconds of failures", sick, func() (bool, error) { return time.Since(began) > 5*time.Second, nil })
	for _, host := range hosts {
		expect(t, "the sick machine's own ring", sick, host, rejectedFor("local-evidence"))
		for _, n := range nodes {
			if b := must(n.Breaker(t.Context(), host))(t); !b.Local || !slices.Equal(b.LocalNodes, []string{"n1"}) {
				t.Errorf("%s shows %+v; want it local to n1", n.Name, b)
			}
		}
	}
	for _, stop := range stops {
		stop()
	}
}

// prober makes calls whenever it may, and they end as the machine is.
type prober struct {
	calls atomic.Int64
	stop  func()
}

func startProber(t *testing.T, n *fleet.Node, host string, status int) *prober {
	p := &prober{}
	p.stop = every(t, 5*time.Millisecond, func(ctx context.Context) {
		if a, err := n.Allow(ctx, host); err == nil && a.Allowed {
			p.calls.Add(1)
			_ = n.Report(ctx, api.Outcome{Host: host, Status: status, Permit: a.Permit})
		}
	})
	return p
}

// TestSickMachineKeepsNoHostClosed opens a host that is down for all. It
// recovers, but n1 cannot reach it and asks for a probe whenever it may: the
// others get through all the same, and stay through.
func TestSickMachineKeepsNoHostClosed(t *testing.T) {
	nodes := startCluster(t, 3, "--breaker-defaults", "reset:1,half_open.jitter:0")
	sick, well := nodes[0], nodes[1:]
	var hosts []string
	var probers []*prober
	for _, owner := range nodes {
		host := must(owner.OwnHost(t.Context(), "recovers"))(t)
		tripAll(t, host, nodes...)
		hosts = append(hosts, host)
		probers = append(probers, startProber(t, sick, host, 503))
	}
	for _, p := range probers { // it had the permit, and lost it, and had it again
		await(t, "two failed probes", sick, func() (bool, error) { return p.calls.Load() >= 2, nil })
	}
	began := time.Now()
	var others []*prober
	for _, host := range hosts {
		for _, n := range well {
			others = append(others, startProber(t, n, host, 200))
		}
	}
	for _, host := range hosts {
		for _, n := range well { // listed: a question of ours would take a permit
			awaitListed(t, "the recovery", n, host, func(b api.Breaker) bool { return b.State == "closed" || b.Local })
		}
	}
	took := time.Since(began)
	t.Logf("others got through %v after they began to ask; n1 failed %d, %d and %d probes", took,
		probers[0].calls.Load(), probers[1].calls.Load(), probers[2].calls.Load())
	if took > 15*time.Second {
		t.Errorf("it took more than 15 seconds")
	}
	var stops []func()
	for _, host := range hosts {
		stops = append(stops, watch(t, "a sick machine closed a recovered host again", host, rejected, well...))
	}
	recovered := time.Now()
	await(t, "two seconds more", sick, func() (bool, error) { return time.Since(recovered) > 2*time.Second, nil })
	for _, stop := range stops {
		stop()
	}
	for _, p := range slices.Concat(probers, others) {
		p.stop()
	}
}
