package fleet_test

import (
	"testing"
	"time"

	"fleetfuse/api"
)

// TestPausedNodeComesBackAsAMember stops a node for so long that the others
// give it up, closes a breaker and opens others that it owned, and lets it go
// on. It is a member again within five seconds, decides as the others do, and
// its actors of before change nothing.
func TestPausedNodeComesBackAsAMember(t *testing.T) {
	sleep := 20 * time.Second
	if testing.Short() {
		sleep = 8 * time.Second
	}
	nodes := startCluster(t, 3)
	others, paused := nodes[:2], nodes[2]
	ended := must(paused.OwnHost(t.Context(), "ended"))(t)   // open before, closed while it sleeps
	opened := must(paused.OwnHost(t.Context(), "opened"))(t) // opened while it sleeps
	tripped := must(paused.OwnHost(t.Context(), "tripped"))(t)
	open(t, others[0], ended)
	awaitAll(t, "the open", ended, rejected, nodes...)
	if err := paused.Pause(); err != nil {
		t.Fatal(err)
	}
	stopped := time.Now()
	for _, n := range others {
		awaitMember(t, n, paused.Name, api.MemberLost)
	}
	t.Logf("given up %v after SIGSTOP", time.Since(stopped))
	must(others[0].Close(t.Context(), ended))(t)
	open(t, others[1], opened)
	tripAll(t, tripped, others...)
	awaitAll(t, "the close", ended, closed, others...)
	awaitAll(t, "the open", opened, rejected, others...)
	await(t, "the end of the sleep", others[0], func() (bool, error) { return time.Since(stopped) > sleep, nil })

	stops := []func(){
		watch(t, "the sleeper undid a close", ended, rejected, others...),
		watch(t, "the sleeper undid an open", opened, allowed, others...),
		watch(t, "the sleeper undid a trip", tripped, allowed, others...),
	}
	if err := paused.Resume(); err != nil {
		t.Fatal(err)
	}
	resumed := time.Now()
	awaitMembers(t, nodes)
	member := time.Since(resumed)
	awaitAll(t, "the close it missed", ended, closed, paused)
	awaitAll(t, "the open it missed", opened, rejectedFor("cli-open"), paused)
	awaitAll(t, "the trip it missed", tripped, rejectedFor("consecutive-failures"), paused)
	same := time.Since(resumed)
	t.Logf("after SIGCONT: a member for all after %v, of the others' opinion after %v", member, same)
	if member > 5*time.Second || same > 5*time.Second {
		t.Errorf("it took more than five seconds")
	}
	stops = append(stops,
		watch(t, "the sleeper forgot a close", ended, rejected, paused),
		watch(t, "the sleeper forgot an open", opened, allowed, paused),
		watch(t, "the sleeper forgot a trip", tripped, allowed, paused),
	)
	for _, n := range nodes { // it owns its keys again, and all agree on what they are
		awaitListed(t, "its owner", n, opened, func(b api.Breaker) bool { return b.Owner == paused.Name && b.State == "open" })
		awaitListed(t, "its owner", n, ended, func(b api.Breaker) bool { return b.Owner == paused.Name && b.State == "closed" })
	}
	awaited := time.Now()
	await(t, "two rounds of digests", others[0], func() (bool, error) { return time.Since(awaited) > 4*time.Second, nil })
	for _, stop := range stops {
		stop()
	}
}
