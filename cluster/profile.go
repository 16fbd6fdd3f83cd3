package cluster

import (
	"fmt"
	"time"

	"github.com/hashicorp/memberlist"
)

// maxTCPTimeout bounds how long a join of a dead address hangs.
const maxTCPTimeout = 3 * time.Second

// profile is the configuration of memberlist that a --cluster.gossip-profile
// stands for.
func profile(name string) (*memberlist.Config, error) {
	var c *memberlist.Config
	switch name {
	case "lan":
		c = memberlist.DefaultLANConfig()
	case "local":
		c = memberlist.DefaultLocalConfig()
	case "wan":
		c = memberlist.DefaultWANConfig()
	case "tuned", "":
		c = tuned()
	default:
		return nil, fmt.Errorf("--cluster.gossip-profile %q: want lan, local, wan or tuned", name)
	}
	c.TCPTimeout = min(c.TCPTimeout, maxTCPTimeout)
	return c, nil
}

// tuned finds a process that was killed in a good second and forgives a network
// that loses every twentieth packet; see TestDetection and TestNoFalseDeparture for
// what was measured.
func tuned() *memberlist.Config {
	c := memberlist.DefaultLANConfig()
	c.ProbeInterval = 200 * time.Millisecond
	c.ProbeTimeout = 100 * time.Millisecond
	c.SuspicionMult = 4           // 800 ms up to ten members, 1.7 s at 128
	c.SuspicionMaxTimeoutMult = 3 // until others confirm it
	c.AwarenessMaxMultiplier = 4
	c.RetransmitMult = 8 // with 4, every node may pass one by with a word that a suspect lives
	c.GossipInterval = 50 * time.Millisecond
	c.GossipToTheDeadTime = 15 * time.Second
	c.PushPullInterval = 5 * time.Second
	c.TCPTimeout = time.Second
	return c
}
