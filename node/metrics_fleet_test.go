//go:build !race

// Several nodes in one process: see clocks_test.go.

package node_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"fleetfuse/cluster"
	"fleetfuse/node"
)

// TestOneNodeServesAKey: whoever owns a breaker, and nobody else.
func TestOneNodeServesAKey(t *testing.T) {
	nodes := make([]*node.Node, 2)
	var peers []string
	for i := range nodes {
		var err error
		nodes[i], err = node.Start(t.Context(), node.Options{
			Name: fmt.Sprint("n", i), DataDir: t.TempDir(), HTTPListen: "127.0.0.1:0", Version: "test", Logger: slog.New(slog.DiscardHandler),
			Gossip: cluster.Gossip{Listen: "127.0.0.1:0", Peers: peers, Label: "metrics"}, Actor: cluster.Actor{Listen: "127.0.0.1:0"},
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nodes[i].Stop)
		peers = append(peers, nodes[i].Addresses().Gossip)
	}
	for _, n := range nodes {
		eventually(t, "both are members", func() bool { return len(n.Status().Members) == 2 })
	}
	hosts := make([]string, 20)
	for i := range hosts {
		hosts[i] = fmt.Sprintf("h%d.example", i)
		cool(t, nodes[i%2], hosts[i], "600")
	}
	eventually(t, "each node owns some of 20 open breakers, and both together all", func() bool {
		served, alone := map[string]int{}, true
		for _, n := range nodes {
			families, _ := scrape(t, n)
			mine := 0
			for _, m := range families["fleetfuse_breaker_open_until_timestamp_seconds"].GetMetric() {
				served[strings.TrimPrefix(m.Label[0].GetValue(), "host:")]++
				mine++
			}
			alone = alone && mine > 0 && float64(mine) == value(families, "fleetfuse_breakers_owned") && value(families, "fleetfuse_breakers_open") == 20
		}
		for _, h := range hosts {
			alone = alone && served[h] == 1
		}
		return alone && len(served) == len(hosts)
	})
	nodes[0].Stop()
	eventually(t, "who is left owns them all", func() bool {
		families, _ := scrape(t, nodes[1])
		return len(families["fleetfuse_breaker_open_until_timestamp_seconds"].GetMetric()) == len(hosts) && value(families, "fleetfuse_ownership_moves_total") > 0
	})
}
