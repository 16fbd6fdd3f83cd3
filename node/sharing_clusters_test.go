//go:build !race

// Several nodes in one process: see clocks_test.go.

package node_test

import (
	"strings"
	"testing"
	"time"

	"fleetfuse/cooldownstore/memory"
	"fleetfuse/node"
)

func TestClustersShareCooldownsAndOpensBothWays(t *testing.T) {
	place := memory.NewPlace()
	a, b := lone(t, "a", t.TempDir(), place.Open()), lone(t, "b", t.TempDir(), place.Open())
	cool(t, a, "cooled.example", "120")
	eventually(t, "b obeys a's Retry-After", isState(t, b, "cooled.example", "open"))
	if got := believed(t, b, "cooled.example"); got.Reason != "retry-after" || got.RemainingMS > 120_000 || got.RemainingMS < 100_000 {
		t.Errorf("b believes %+v; want a Retry-After of 120 s", got)
	}
	post(t, b, "/v1/breakers/host/opened.example/open", `{"for":"10m","reason":"r","author":"o"}`)
	eventually(t, "a obeys b's operator", isState(t, a, "opened.example", "open"))
	if got := believed(t, a, "opened.example"); got.Reason != "cli-open" || got.Author != "o" {
		t.Errorf("a believes %+v; want b's operator's open", got)
	}
	post(t, a, "/v1/breakers/host/opened.example/close", `{"reason":"r","author":"o"}`)
	eventually(t, "b obeys a's clear", isState(t, b, "opened.example", "closed"))
}

func TestCircuitsStayInTheirCluster(t *testing.T) {
	place := memory.NewPlace()
	a, b := lone(t, "a", t.TempDir(), place.Open()), lone(t, "b", t.TempDir(), place.Open())
	trip := func(n *node.Node) {
		post(t, n, "/v1/report", `{"outcomes":[{"host":"h.example","status":500,"count":5}]}`)
		eventually(t, "the circuit opens", isState(t, n, "h.example", "open"))
	}
	trip(a)
	cool(t, a, "h.example", "300")
	eventually(t, "b obeys the cooldown", func() bool { return believed(t, b, "h.example").Reason == "retry-after" })
	trip(b)
	post(t, b, "/v1/breakers/host/h.example/close", `{"author":"o"}`)
	eventually(t, "the clear ends the cooldown in a, and leaves a's circuit open", func() bool {
		got := believed(t, a, "h.example")
		return got.State == "open" && got.Reason == "consecutive-failures"
	})
	if got := believed(t, b, "h.example"); got.State != "closed" {
		t.Errorf("b believes %+v; want closed: its own operator closed it", got)
	}
}

func TestAnotherProgramIsObeyedAndCleared(t *testing.T) {
	place := memory.NewPlace()
	value := `{"until_wall": ` + epoch(10*time.Minute) + `, "reason": "too many"}`
	place.Set("foreign.example", value, 0)
	a, b := lone(t, "a", t.TempDir(), place.Open()), lone(t, "b", t.TempDir(), place.Open())
	for _, n := range []*node.Node{a, b} {
		eventually(t, "the other program is obeyed", func() bool {
			got := believed(t, n, "foreign.example")
			return got.State == "open" && got.Reason == "store" && got.Detail == "too many"
		})
	}
	post(t, a, "/v1/breakers/host/foreign.example/close", `{"author":"o"}`)
	for _, n := range []*node.Node{a, b} {
		eventually(t, "an operator's close ends it", isState(t, n, "foreign.example", "closed"))
	}
	eventually(t, "the place says so", func() bool { v, _, _ := place.Value("foreign.example"); return strings.Contains(v, `"until_wall":0`) })
	place.Set("foreign.example", value, 0) // it says it again: that is no news
	eventually(t, "the place says so again", func() bool { v, _, _ := place.Value("foreign.example"); return strings.Contains(v, `"until_wall":0`) })
	c := lone(t, "c", t.TempDir(), place.Open()) // who comes later learns it from there
	for _, n := range []*node.Node{a, b, c} {
		if got := believed(t, n, "foreign.example"); got.State != "closed" {
			t.Errorf("%s believes %+v; want closed: what a clear covered is never adopted again", n.Status().Node, got)
		}
	}
}
