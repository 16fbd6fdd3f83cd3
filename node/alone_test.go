//go:build !race

// Several nodes in one process: see clocks_test.go.

package node_test

import (
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"fleetfuse/cluster"
	"fleetfuse/node"
)

// A node that has peers and reaches none says so, why, and since when; until one
// joins.
func TestANodeSaysThatItIsAlone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free := l.Addr().String()
	l.Close()
	first := func(gossip cluster.Gossip) *node.Node {
		t.Helper()
		n, err := node.Start(t.Context(), node.Options{
			Name: gossip.Listen, Memory: true, HTTPListen: "127.0.0.1:0", Actor: cluster.Actor{Listen: "127.0.0.1:0"}, Version: "test",
			Gossip: gossip, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(n.Stop)
		return n
	}
	n := first(cluster.Gossip{Listen: "127.0.0.1:0", Peers: []string{free}, Label: "alone"})
	problems := func() string { return strings.Join(n.Status().Problems, "; ") }
	if text := problems(); text != "" {
		t.Errorf("at the start: %s", text)
	}
	eventually(t, "it says that it is alone", func() bool { return strings.Contains(problems(), "alone since") })
	for _, want := range []string{"the configured peer is not reached", "--cluster.peer " + free, "connection refused", time.Now().UTC().Format("2006-01-02T")} {
		if !strings.Contains(problems(), want) {
			t.Errorf("%q: want %q", problems(), want)
		}
	}
	eventually(t, "an event says it too", degraded(n, "contact with its peers"))
	first(cluster.Gossip{Listen: free, Label: "alone"})
	eventually(t, "it is not alone any more", func() bool { return problems() == "" })
}
