package fleet_test

import (
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// TestSummaryIsOfTheWholeFleet calls on three nodes: each sums up what all saw, a
// node that was killed is missing, and what a node saw outlives its restart.
func TestSummaryIsOfTheWholeFleet(t *testing.T) {
	nodes := startCluster(t, 3)
	const host, good = "summary.example", "good.example"
	for _, n := range nodes {
		report(t, n, api.Outcome{Host: good, Status: 200, Count: 100, Role: "metadata"})
	}
	fail(t, nodes[0], host, 3)
	fail(t, nodes[1], host, 3)
	awaitAll(t, "a trip", host, rejectedFor("consecutive-failures"), nodes...)
	for range 5 {
		allow(t, nodes[2], host)
	}
	for _, n := range nodes {
		awaitSummary(t, n, "all calls", func(r api.SummaryResponse) bool {
			bad, ok := summaryOf(r, host), summaryOf(r, good)
			return len(r.Nodes) == 3 && bad.Failures == 6 && bad.ByClass["5xx"] == 6 && bad.Opens == 1 &&
				bad.OpenReasons["consecutive-failures"] == 1 && bad.Circuit >= 5 && ok.Successes == 300 && r.Breakers[0].Key == "host:"+host
		})
	}
	nodes[1].Kill()
	awaitSummary(t, nodes[0], "a missing node", func(r api.SummaryResponse) bool {
		return len(r.Missing) == 1 && r.Missing[0] == nodes[1].Name && summaryOf(r, good).Successes == 200
	})
}

func summaryOf(r api.SummaryResponse, host string) api.BreakerSummary {
	for _, b := range r.Breakers {
		if b.Key == "host:"+host {
			return b
		}
	}
	return api.BreakerSummary{}
}

func awaitSummary(t *testing.T, n *fleet.Node, what string, want func(api.SummaryResponse) bool) {
	t.Helper()
	client := must(n.Admin())(t)
	await(t, what+" in the summary of "+n.Name, n, func() (bool, error) {
		r, err := client.Summary(t.Context(), time.Hour)
		return err == nil && want(r), err
	})
}
