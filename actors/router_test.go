package actors_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"fleetfuse/cluster"
)

// router is the cluster of one, whose keys become another node's when a test
// says so.
type router struct {
	*cluster.Cluster
	lost      atomic.Bool
	delivered atomic.Int64
}

// Deliver implements actors.Router.
func (r *router) Deliver(kind, identity string, msg any, sender *actor.PID) bool {
	if r.lost.Load() || !r.Cluster.Deliver(kind, identity, msg, sender) {
		return false
	}
	r.delivered.Add(1)
	return true
}

// start starts the cluster.
func (r *rig) start(t testing.TB) {
	t.Helper()
	c, err := cluster.Start(context.Background(), cluster.Options{NodeID: "n1", Epoch: 1, Logger: r.opt.Logger}, r.Kinds())
	if err != nil {
		t.Fatal(err)
	}
	r.cluster, r.router = c, &router{Cluster: c}
}
