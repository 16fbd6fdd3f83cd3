package node

import (
	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/view"
	"fleetfuse/cooldownstore"
	"fleetfuse/telemetry"
)

// sample tells what is to be known of the node at a scrape. Each part is asked
// once, and none of them holds up a decision.
func (n *Node) sample(s *telemetry.Sample) {
	s.Truth("ready", n.ready.Load())
	g := n.gate.Counts()
	s.Set("gate_hosts", float64(g.Hosts))
	s.Set("gate_failing", float64(g.Failing))
	s.Set("rings_local", float64(g.Local))
	n.board.sampleBreakers(s)
	n.board.sampleTraffic(s)
	n.sampleCluster(s)
	n.sampleStore(s)
	if n.sharing != nil {
		n.sharing.sample(s)
	}
	n.samplePolicies(s)
	n.sampleEvents(s)
	n.sampleTuner(s)
}

// notClosed calls yield with every entry of the view that is not closed. The
// board is locked for one bucket at a time, and not while yield runs.
func (b *board) notClosed(yield func(breaker.Key, breaker.Status)) {
	type one struct {
		key breaker.Key
		breaker.Status
	}
	var some []one
	for bucket := range view.Buckets {
		b.mu.Lock()
		b.spread.View().Statuses(bucket, b.clock.Now(), func(k breaker.Key, st breaker.Status) { some = append(some, one{k, st}) })
		b.mu.Unlock()
		for _, x := range some {
			yield(x.key, x.Status)
		}
		some = some[:0]
	}
}

// count says how many breakers are open and half-open.
func (b *board) count() (open, half int) {
	b.notClosed(func(_ breaker.Key, st breaker.Status) {
		if st.State == breaker.Open {
			open++
			return
		}
		half++
	})
	return open, half
}

// sampleBreakers tells about breakers, those of this node one by one.
func (b *board) sampleBreakers(s *telemetry.Sample) {
	owners := read(b, (*spread.Node).Owners)
	owned := func(k breaker.Key) bool { return owners.Owner(string(k)) == b.id }
	now, wall := b.clock.Both()
	open, half, own := 0, 0, []telemetry.Standing(nil)
	b.notClosed(func(k breaker.Key, st breaker.Status) {
		if st.State == breaker.Open {
			open++
		} else {
			half++
		}
		if owned(k) {
			own = append(own, telemetry.Standing{Key: k, State: st.State, Until: wall.Add(st.Until.Sub(now))})
		}
	})
	s.Set("breakers_open", float64(open))
	s.Set("breakers_half_open", float64(half))
	s.Set("breakers_owned", float64(len(own)))
	b.metrics.Keys.Sample(s, own, owned)
}

// sampleTraffic tells about what goes on between breakers and nodes.
func (b *board) sampleTraffic(s *telemetry.Sample) {
	var refused, dropped uint64
	var entries int
	c := read(b, func(n *spread.Node) spread.Counts {
		refused, dropped, entries = b.refused, n.View().Dropped(), n.View().Len()
		return n.Counts()
	})
	a := b.breakers.Counts()
	s.Set("view_entries", float64(entries))
	s.Count("view_dropped_total", dropped)
	s.Count("frames_refused_total", refused)
	s.Count("outcomes_lost_total", c.Dropped+a.Dropped)
	s.Count("actors_refused_total", a.Refused)
	s.Count("ownership_moves_total", c.Claimed)
	s.Count("batches_total", c.BatchesSent, "sent")
	s.Count("batches_total", c.BatchesAcked, "acked")
	s.Count("batches_total", c.BatchesLost, "lost")
	s.Count("actor_panics_total", a.Panics)
	s.Count("permits_total", a.PermitsGranted, "granted")
	s.Count("permits_total", a.PermitsRefused, "refused")
	s.Count("probes_total", a.ProbesSucceeded, "success")
	s.Count("probes_total", a.ProbesFailed, "failure")
	s.Count("probes_total", a.ProbesReturned, "returned")
	s.Count("witness_results_total", a.RoundsTripped, "tripped")
	s.Count("witness_results_total", a.RoundsRefused, "refused")
	s.Count("witness_results_total", a.RoundsVoid, "void")
	b.wakeMu.Lock()
	asleep := len(b.asleep)
	b.wakeMu.Unlock()
	for queue, n := range map[string]int{
		"outcomes": c.Outcomes, "pushes": c.Pushes, "settles": c.Settles, "requests": c.Requests, "mailboxes": a.Waiting, "activations": asleep,
	} {
		s.Set("queue_length", float64(n), queue)
	}
}

// sampleCluster tells about the other members.
func (n *Node) sampleCluster(s *telemetry.Sample) {
	members, own, differ := n.cluster.Members(), n.policies.hash(), 0
	for _, x := range members {
		if x.ConfigHash != own {
			differ++
		}
	}
	s.Set("cluster_members", float64(len(members)))
	s.Set("cluster_members_known", float64(n.board.known()))
	s.Set("cluster_config_mismatch", float64(differ))
	_, apart := n.skews()
	s.Truth("cluster_apart", apart)
	s.Set("actors_active", float64(n.cluster.Active()))
	c := n.cluster.Counts()
	s.Count("cluster_evictions_total", c.Evictions)
	s.Count("cluster_rejoins_total", c.Rejoins)
	s.Count("frames_dropped_total", c.DroppedSends)
	s.Count("frames_strangers_total", c.Strangers)
	s.Count("frames_unknown_total", c.UnknownBodies)
	s.Count("frames_malformed_total", c.Malformed)
	s.Count("gossip_refused_label_total", c.RefusedLabel)
	s.Count("gossip_refused_key_total", c.RefusedKey)
	s.Count("gossip_refused_version_total", c.RefusedProtocol)
	s.Count("gossip_malformed_total", c.RefusedMalformed)
}

func (n *Node) sampleStore(s *telemetry.Sample) {
	h := n.keeper.Health()
	since := 0.0
	if !h.OK {
		since = cooldownstore.EpochSeconds(h.Since)
	}
	s.Truth("store_ok", h.OK)
	s.Set("store_degraded_since_seconds", since)
	s.Set("store_pending", float64(h.Pending))
	s.Count("store_dropped_total", h.Dropped)
}

func (n *Node) sampleEvents(s *telemetry.Sample) {
	h := n.events.log.Health()
	s.Truth("events_ok", h.OK)
	s.Count("events_appended_total", h.Appended)
	s.Count("events_duplicates_total", h.Duplicates)
	s.Count("events_dropped_total", h.Dropped)
	s.Set("events_pending", float64(h.Pending))
	s.Set("events_bytes", float64(h.Bytes))
	u := n.usage.health()
	s.Truth("rollups_ok", u.Trouble == nil)
	s.Set("rollups_pending", float64(u.Waiting))
	s.Count("rollups_dropped_total", u.Dropped)
	s.Set("event_followers", float64(n.hub.Followers()))
}

func (n *Node) sampleTuner(s *telemetry.Sample) {
	hosts := n.tuning.hosts()
	s.Truth("tuner_host", hosts)
	suggestions := 0.0
	if hosts {
		suggestions = float64(n.tuning.suggestions.Load())
	}
	s.Set("tuner_suggestions", suggestions)
	d := n.tuning.decisions.Status()
	s.Truth("tuner_records_ok", d.Trouble == nil)
	s.Set("tuner_records_pending", float64(d.Waiting))
	s.Count("tuner_records_dropped_total", d.Dropped)
	s.Count("tuner_enforced_total", n.tuning.enforced.Load())
	s.Count("tuner_rolled_back_total", n.tuning.undone.Load())
}
