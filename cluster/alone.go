package cluster

import (
	"sync"

	proto "github.com/asynkron/protoactor-go/cluster"
)

// alone is the ClusterProvider of a cluster of one. The fleet issue puts
// memberlist in its place.
type alone struct {
	id   string
	up   chan struct{} // closed when the shell has a topology
	once sync.Once
}

// StartMember publishes the one member. The shell calls it when everything
// else is up, and sleeps a second afterwards.
func (a *alone) StartMember(c *proto.Cluster) error {
	host, port, err := c.ActorSystem.GetHostPort()
	if err != nil {
		return err
	}
	c.MemberList.UpdateClusterTopology(proto.Members{
		{Host: host, Port: int32(port), Id: a.id + "#0", Kinds: c.GetClusterKinds()},
	})
	a.once.Do(func() { close(a.up) })
	return nil
}

// StartClient is part of proto.ClusterProvider; a node is always a member.
func (a *alone) StartClient(*proto.Cluster) error { return nil }

// Shutdown is part of proto.ClusterProvider; there is nobody to tell.
func (a *alone) Shutdown(bool) error { return nil }
