package node

import (
	"fleetfuse/cluster"
	"fleetfuse/cluster/spread"
	"fleetfuse/cooldownstore"
)

func (n *Node) gauges() {
	m := n.metrics
	m.Gauge("breakers_open", "Breakers that are open.", func() float64 { open, _ := n.board.count(); return float64(open) })
	m.Gauge("breakers_half_open", "Breakers that are half-open.", func() float64 { _, half := n.board.count(); return float64(half) })
	m.Gauge("rings_local", "Keys that only this node rejects.", func() float64 { return float64(n.gate.Counts().Local) })
	m.Counter("view_dropped_total", "Exceptions dropped because the view was full.", func() float64 {
		return float64(read(n.board, func(s *spread.Node) uint64 { return s.View().Dropped() }))
	})
	m.Gauge("gate_hosts", "Keys the gate remembers.", func() float64 { return float64(n.gate.Counts().Hosts) })
	m.Gauge("actors_active", "Breaker actors on this node.", func() float64 { return float64(n.cluster.Active()) })
	m.Counter("actor_panics_total", "Panics contained in breaker actors.", func() float64 { return float64(n.board.breakers.Panics()) })
	m.Gauge("store_pending", "Changes not written yet.", func() float64 { return float64(n.keeper.Health().Pending) })
	m.Counter("store_dropped_total", "Changes lost because too many were pending.", func() float64 { return float64(n.keeper.Health().Dropped) })
	m.Gauge("store_ok", "1 while the store works.", func() float64 { return truth(n.keeper.Health().OK) })
	m.Gauge("store_degraded_since_seconds", "When the store began to fail, in seconds since 1970; 0 while it works.", func() float64 {
		if h := n.keeper.Health(); !h.OK {
			return cooldownstore.EpochSeconds(h.Since)
		}
		return 0
	})
	if n.sharing != nil {
		n.sharing.gauges(m)
	}
	n.clusterGauges()
	n.policyGauges()
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// clusterGauges are about the other members.
func (n *Node) clusterGauges() {
	m := n.metrics
	m.Gauge("cluster_members", "Live members, this node among them.", func() float64 { return float64(len(n.cluster.Members())) })
	m.Gauge("cluster_members_known", "Live members and those lost without leaving in the last 10 minutes.", func() float64 { return float64(n.board.known()) })
	m.Gauge("cluster_config_mismatch", "Live members that run another configuration than this node.", func() float64 {
		own, differ := n.policies.hash(), 0
		for _, x := range n.cluster.Members() {
			if x.ConfigHash != own {
				differ++
			}
		}
		return float64(differ)
	})
	m.Gauge("cluster_apart", "1 while most members' clocks differ from this node's by more than a day.", func() float64 {
		_, apart := n.skews()
		return truth(apart)
	})
	for name, c := range map[string]struct {
		help string
		read func(cluster.Counts) uint64
	}{
		"cluster_evictions_total":      {"Times that the others had given this node up.", func(c cluster.Counts) uint64 { return c.Evictions }},
		"cluster_rejoins_total":        {"Addresses of members that were not live and answered.", func(c cluster.Counts) uint64 { return c.Rejoins }},
		"frames_dropped_total":         {"Frames for members that do not keep up or are gone.", func(c cluster.Counts) uint64 { return c.DroppedSends }},
		"frames_strangers_total":       {"Frames from nobody who is a member.", func(c cluster.Counts) uint64 { return c.Strangers }},
		"frames_unknown_total":         {"Frames of a kind that only a later version knows.", func(c cluster.Counts) uint64 { return c.UnknownBodies }},
		"frames_malformed_total":       {"Messages on the actor port that no node sends.", func(c cluster.Counts) uint64 { return c.Malformed }},
		"gossip_refused_label_total":   {"Gossip of another cluster.", func(c cluster.Counts) uint64 { return c.RefusedLabel }},
		"gossip_refused_key_total":     {"Gossip encrypted with no key of this node's.", func(c cluster.Counts) uint64 { return c.RefusedKey }},
		"gossip_refused_version_total": {"Members that speak another version.", func(c cluster.Counts) uint64 { return c.RefusedProtocol }},
		"gossip_malformed_total":       {"Gossip that makes no sense.", func(c cluster.Counts) uint64 { return c.RefusedMalformed }},
	} {
		m.Counter(name, c.help, func() float64 { return float64(c.read(n.cluster.Counts())) })
	}
	m.Counter("frames_refused_total", "Frames of members that were not taken: a clock days off, or no sense in them.",
		func() float64 { return float64(n.board.refusedTotal()) })
	m.Counter("outcomes_lost_total", "Counted outcomes given up: their owner did not take them, or too many waited.",
		func() float64 {
			return float64(read(n.board, (*spread.Node).Dropped) + n.board.breakers.Dropped())
		})
}
