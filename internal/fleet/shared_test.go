package fleet_test

import (
	"strings"
	"testing"
	"time"

	"fleetfuse/api"
)

// TestTwoClustersAndAThirdProgramShareARedis: none knows of another.
func TestTwoClustersAndAThirdProgramShareARedis(t *testing.T) {
	r := startRedis(t)
	a, b := startCluster(t, 3, storeAt(r.Address)...), startCluster(t, 2, storeAt(r.Address)...)
	all := append(a[:3:3], b...)

	report(t, a[2], retryAfter("cooled.example.org", "300"))
	took := awaitAll(t, "a's Retry-After", "cooled.example.org", rejectedFor("retry-after"), b...)
	t.Logf("the other cluster rejects %v after the report", took)
	awaitInRedis(t, a[0], r, "cooled.example.org", func(d documented) bool {
		return d.Reason == "retry-after" && d.UntilWall > epoch(250*time.Second) && d.UntilWall < epoch(301*time.Second)
	})
	open(t, b[1], "opened.example.org")
	awaitAll(t, "b's operator's open", "opened.example.org", rejectedFor("cli-open"), a...)

	value := thirdSets(t, r, "third.example.org", 5*time.Minute)
	awaitAll(t, "the third program's cooldown", "third.example.org", rejectedFor("store"), all...)

	for _, host := range []string{"cooled.example.org", "third.example.org"} {
		must(b[0].Close(t.Context(), host))(t)
		awaitAll(t, "b's operator's close", host, closed, all...)
		awaitInRedis(t, b[0], r, host, cleared)
	}
	redisDo(t, r, "SET", keyPrefix+"third.example.org", value) // repeating itself does not help the third program
	awaitInRedis(t, b[0], r, "third.example.org", cleared)
	awaitAll(t, "what b's operator closed", "third.example.org", closed, all...)
	thirdSets(t, r, "third.example.org", 4*time.Minute)
	awaitAll(t, "a later word of it", "third.example.org", rejectedFor("store"), all...)
}

func TestCircuitsAreNotShared(t *testing.T) {
	r := startRedis(t)
	a, b := startCluster(t, 2, storeAt(r.Address)...), startCluster(t, 2, storeAt(r.Address)...)
	tripAll(t, "sick.example.org", a...)
	report(t, a[0], retryAfter("mark.example.org", "60")) // what was shared before this has arrived with it
	awaitAll(t, "a's Retry-After", "mark.example.org", rejected, b...)
	for _, n := range b {
		if got := must(n.Allow(t.Context(), "sick.example.org"))(t); !closed(got) {
			t.Errorf("%s: %+v; want closed: the other cluster's circuit is its own", n.Name, got)
		}
	}
	if _, there := inRedis(t, r, "sick.example.org"); there {
		t.Error("a circuit is in Redis")
	}
}

// TestTheNextOwnerShares: the owner dies with what it could not share.
func TestTheNextOwnerShares(t *testing.T) {
	r := startRedis(t)
	p := startProxy(t, r.Address)
	nodes := startCluster(t, 3, storeAt(p.Address)...)
	host := must(nodes[0].OwnHost(t.Context(), "orphan"))(t)
	p.Refuse()
	awaitShared(t, "degraded", nodes[0], degraded)
	report(t, nodes[1], retryAfter(host, "600"))
	awaitAll(t, "the cooldown", host, rejected, nodes...)
	nodes[0].Kill()
	succeed(t, p.Pass())
	awaitInRedis(t, nodes[1], r, host, runs)
}

func TestARedisThatMayEvictIsNamed(t *testing.T) {
	r := startRedis(t, "--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru")
	n := startCluster(t, 1, storeAt(r.Address)...)[0]
	awaitShared(t, "a warning", n, func(h api.SharedHealth) bool {
		return h.OK && len(h.Warnings) == 1 && strings.Contains(h.Warnings[0], "may evict") && strings.Contains(h.Warnings[0], "--cooldown-store")
	})
	awaitMetric(t, n, "fleetfuse_shared_warnings", 1)
	var st api.StatusResponse
	must(n.Call(t.Context(), "GET", "/readyz?verbose", nil, &st))(t)
	if st.Shared == nil || len(st.Shared.Warnings) != 1 || len(st.Problems) != 0 {
		t.Errorf("readyz?verbose: %+v; want the warning, and no problem", st.Shared)
	}
	succeed(t, r.Config(t.Context(), "maxmemory-policy", "noeviction"))
	awaitMetric(t, n, "fleetfuse_shared_warnings", 0)
}

func TestAWrongPasswordIsSaidAndNotShown(t *testing.T) {
	r := startRedis(t, "--requirepass", "right")
	n := startCluster(t, 1, "--cooldown-store", "redis://fleet:hush-hush@"+r.Address)[0]
	awaitProblem(t, n, "--cooldown-store")
	awaitShared(t, "degraded", n, degraded)
	st := must(n.Status(t.Context()))(t)
	for _, text := range append(st.Problems, st.Shared.Where, st.Shared.Error, n.Log()) {
		if strings.Contains(text, "hush-hush") {
			t.Errorf("a password is shown: %s", text)
		}
	}
	report(t, n, retryAfter("busy.example.org", "60"))
	awaitAll(t, "a cooldown", "busy.example.org", rejected, n)
}

// TestAUserWithoutChannels: what others change arrives all the same, later.
func TestAUserWithoutChannels(t *testing.T) {
	r := startRedis(t)
	redisDo(t, r, "ACL", "SETUSER", "deaf", "on", ">pw", "~breaker:cooldown:*", "+@all", "resetchannels")
	n := startCluster(t, 1, "--cooldown-store", "redis://deaf:pw@"+r.Address)[0]
	awaitShared(t, "a warning", n, func(h api.SharedHealth) bool {
		return h.OK && len(h.Warnings) == 1 && strings.Contains(h.Warnings[0], "next listing only") && strings.Contains(h.Warnings[0], "+@pubsub")
	})
	thirdSets(t, r, "third.example.org", 5*time.Minute)
	awaitAll(t, "the third program's cooldown", "third.example.org", rejectedFor("store"), n)
	report(t, n, retryAfter("ours.example.org", "60"))
	awaitInRedis(t, n, r, "ours.example.org", runs)
}
