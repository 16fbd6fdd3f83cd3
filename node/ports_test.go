package node_test

import (
	"log/slog"
	"net"
	"strings"
	"testing"

	"fleetfuse/cluster"
	"fleetfuse/node"
)

// Who starts a node where one runs is told of all its ports at once.
func TestPortsThatAreTaken(t *testing.T) {
	var taken [3]string
	for i := range taken {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		taken[i] = l.Addr().String()
	}
	_, err := node.Start(t.Context(), node.Options{
		Name: "n", Memory: true, Version: "test", Logger: slog.New(slog.DiscardHandler),
		HTTPListen: taken[0], Gossip: cluster.Gossip{Listen: taken[1]}, Actor: cluster.Actor{Listen: taken[2]},
	})
	if err == nil {
		t.Fatal("it started")
	}
	for _, want := range []string{"--http.listen-address " + taken[0], "--cluster.listen-address " + taken[1], "--actor.listen-address " + taken[2]} {
		if !strings.Contains(err.Error(), want+": bind: address already in use; another node may run here") {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}
