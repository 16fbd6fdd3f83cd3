package cluster

import (
	"net"
	"strconv"
	"sync"

	proto "github.com/asynkron/protoactor-go/cluster"
)

// provider is the ClusterProvider: it tells when the shell is up and hands the
// topology to it. Nothing of ours reads it there.
type provider struct {
	up    chan struct{} // closed when the shell is up
	once  sync.Once
	shell *proto.Cluster
}

// StartMember is called by the shell when everything else is up; the shell
// sleeps a second afterwards.
func (p *provider) StartMember(c *proto.Cluster) error {
	p.shell = c
	p.once.Do(func() { close(p.up) })
	return nil
}

// StartClient is part of proto.ClusterProvider; a node is always a member.
func (p *provider) StartClient(*proto.Cluster) error { return nil }

// Shutdown is part of proto.ClusterProvider; the cluster stops in its own order.
func (p *provider) Shutdown(bool) error { return nil }

// publish is called by the loop only: the shell's list of members is not safe
// for more.
func (p *provider) publish(members []Member) {
	kinds := p.shell.GetClusterKinds()
	var all proto.Members
	for _, m := range members {
		host, digits, err := net.SplitHostPort(m.ActorAddress)
		port, err2 := strconv.ParseUint(digits, 10, 16)
		if err != nil || err2 != nil {
			continue // a stranger cannot get here: the delegate checked it
		}
		all = append(all, &proto.Member{Id: memberID(m.ID, m.Epoch), Host: host, Port: int32(port), Kinds: kinds})
	}
	p.shell.MemberList.UpdateClusterTopology(all)
}
