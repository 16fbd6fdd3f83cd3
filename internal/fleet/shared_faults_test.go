package fleet_test

import (
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// A sickness is something that happens to a Redis.
type sickness struct {
	name string
	// begin makes the Redis behind the proxy sick, and heal well.
	begin, heal func(t *testing.T, r *fleet.Redis, p *fleet.Proxy)
	degrades    bool // the node says so
	works       bool // what is to be shared arrives nevertheless
	forgets     bool // what was there is gone afterwards
}

var sicknesses = []sickness{
	{
		name: "slow", works: true,
		begin: func(t *testing.T, _ *fleet.Redis, p *fleet.Proxy) { succeed(t, p.Slow(2*time.Second)) },
		heal:  func(t *testing.T, _ *fleet.Redis, p *fleet.Proxy) { succeed(t, p.Pass()) },
	}, {
		name: "refusing", degrades: true,
		begin: func(_ *testing.T, _ *fleet.Redis, p *fleet.Proxy) { p.Refuse() },
		heal:  func(t *testing.T, _ *fleet.Redis, p *fleet.Proxy) { succeed(t, p.Pass()) },
	}, {
		name: "hanging", degrades: true,
		begin: func(t *testing.T, _ *fleet.Redis, p *fleet.Proxy) { succeed(t, p.Hang()) },
		heal:  func(t *testing.T, _ *fleet.Redis, p *fleet.Proxy) { succeed(t, p.Pass()) },
	}, {
		name: "read-only", degrades: true,
		begin: func(t *testing.T, r *fleet.Redis, _ *fleet.Proxy) {
			primary := startRedis(t)
			succeed(t, r.Follow(t.Context(), primary.Address))
		},
		heal: func(t *testing.T, r *fleet.Redis, _ *fleet.Proxy) { succeed(t, r.Promote(t.Context())) }, forgets: true,
	}, {
		name: "stopped", degrades: true,
		begin: func(t *testing.T, r *fleet.Redis, _ *fleet.Proxy) { succeed(t, r.Pause()) },
		heal:  func(t *testing.T, r *fleet.Redis, _ *fleet.Proxy) { succeed(t, r.Resume()) },
	}, {
		name: "killed", degrades: true,
		begin: func(_ *testing.T, r *fleet.Redis, _ *fleet.Proxy) { r.Kill() },
		heal:  func(t *testing.T, r *fleet.Redis, _ *fleet.Proxy) { succeed(t, r.RestartEmpty(t.Context())) }, forgets: true,
	}, {
		name:  "flushed",
		begin: func(t *testing.T, r *fleet.Redis, _ *fleet.Proxy) { succeed(t, r.Flush(t.Context())) },
		heal:  func(*testing.T, *fleet.Redis, *fleet.Proxy) {}, forgets: true,
	},
}

// TestARedisAwayAndBack: decisions go on, nothing is lost, the operator knows.
func TestARedisAwayAndBack(t *testing.T) {
	for _, s := range sicknesses {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			awayAndBack(t, s)
		})
	}
}

func awayAndBack(t *testing.T, s sickness) {
	r := startRedis(t)
	p := startProxy(t, r.Address)
	dir := t.TempDir()
	n := startNode(t, dir, "n1", storeAt(p.Address)...)
	report(t, n, retryAfter("before.example.org", "600"))
	awaitInRedis(t, n, r, "before.example.org", runs)

	s.begin(t, r, p)
	report(t, n, retryAfter("during.example.org", "600"))
	awaitAll(t, "a cooldown seen meanwhile", "during.example.org", rejected, n)
	must(n.Open(t.Context(), "opened.example.org", 10*time.Minute))(t)
	stop := watch(t, "decisions while Redis is sick", "before.example.org", allowed, n)
	if s.degrades {
		awaitShared(t, "degraded, and since when", n, degraded)
		awaitProblem(t, n, "degraded: the shared store fails since")
		awaitMetric(t, n, "fleetfuse_shared_ok", 0)
		awaitListed(t, "durable", n, "during.example.org", func(b api.Breaker) bool { return b.Durable })
		stop()
		n.Kill() // what waits outlives the node
		n = startNode(t, dir, "n1", storeAt(p.Address)...)
		awaitAll(t, "a cooldown from before the kill", "during.example.org", rejected, n)
		stop = watch(t, "decisions while Redis is sick", "before.example.org", allowed, n)
	}
	if s.works {
		awaitInRedis(t, n, r, "during.example.org", runs)
	}
	s.heal(t, r, p)

	for _, host := range []string{"before.example.org", "during.example.org", "opened.example.org"} {
		awaitInRedis(t, n, r, host, runs)
	}
	awaitShared(t, "well again", n, well)
	awaitMetric(t, n, "fleetfuse_shared_ok", 1)
	stop()
}

// TestAFailover: a replica that lags takes over; what it missed is written.
func TestAFailover(t *testing.T) {
	old, next := startRedis(t), startRedis(t)
	p := startProxy(t, old.Address)
	n := startCluster(t, 1, storeAt(p.Address)...)[0]
	succeed(t, next.Follow(t.Context(), old.Address))
	report(t, n, retryAfter("replicated.example.org", "600"))
	awaitInRedis(t, n, next, "replicated.example.org", runs)
	succeed(t, next.Promote(t.Context())) // from here on it hears nothing of the old one
	report(t, n, retryAfter("lost.example.org", "600"))
	awaitInRedis(t, n, old, "lost.example.org", runs)
	old.Kill()
	p.Turn(next.Address)
	p.Cut()
	awaitInRedis(t, n, next, "lost.example.org", runs)
	awaitShared(t, "well again", n, well)
}
