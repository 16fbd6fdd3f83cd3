package cluster

import (
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/hashicorp/memberlist"

	"fleetfuse/wire"
)

const (
	wordLead  = 20 * time.Millisecond  // of the word that this node goes before memberlist's own
	tellEvery = time.Second            // the same process that it was evicted
	goneLimit = 500 * time.Millisecond // for the word that this node leaves
)

// look compares what memberlist sees with the members, and tells what changed.
func (m *membership) look() {
	if m.stale.Swap(false) {
		_ = m.list.UpdateNode(time.Millisecond) // spreads on its own afterwards
		// memberlist loses it if it refutes an accusation at this very moment,
		// which a node does that was paused: the others would go on seeing the
		// epoch they gave up.
		if !m.toldOf(m.self()) {
			m.stale.Store(true)
		}
	}
	m.mu.Lock()
	seen := slices.Collect(maps.Values(m.sightings))
	m.mu.Unlock()
	now := time.Now()
	c := m.roster.update(m.self(), seen, now.Before(m.doubtful))
	m.note(c)
	for _, s := range c.returned {
		m.tellEvicted(s, now)
	}
	news := m.seeds.saw(c.live)
	for _, id := range c.left {
		news = m.seeds.forget(id) || news
	}
	if news {
		m.hooks.seeds(slices.Clone(m.seeds.known))
	}
	if c.any {
		m.hooks.changed(c.live, c.left)
	}
}

// toldOf reports whether memberlist tells of this node what owners and epochs
// depend on.
func (m *membership) toldOf(self Member) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.sightings[m.process]
	return s.Epoch == self.Epoch && s.Draining == self.Draining && s.Apart == self.Apart
}

// note logs a change; the node says it to people, by name.
func (m *membership) note(c change) {
	for _, id := range c.joined {
		if id != m.nodeID {
			mem := m.roster.live[id]
			m.log.Debug("a member joined", "node", id, "name", mem.Name, "epoch", mem.Epoch, "gossip", mem.GossipAddress)
		}
	}
	for _, id := range c.left {
		m.log.Debug("a member left", "node", id)
	}
	for _, id := range c.lost {
		m.log.Debug("a member is lost", "node", id)
	}
	if c.twin != "" {
		m.sayTwin(c.twin)
	}
}

// sayTwin says that a node id is used twice.
func (m *membership) sayTwin(process string) {
	m.said.say(m.log, slog.LevelError, "twin",
		"two processes run with one node id, and others count only one of them: was a data directory copied? "+
			"Stop one and remove its node id", "process", process)
}

// tellEvicted tells a process that returned with an epoch that was given up.
func (m *membership) tellEvicted(s sighting, now time.Time) {
	if now.Sub(m.told[s.process]) < tellEvery {
		return
	}
	if len(m.told) > maxGivenUp {
		clear(m.told)
	}
	m.told[s.process] = now
	gone := memberID(s.ID, m.roster.givenUp[s.ID])
	m.log.Info("a node returned after it was given up and is told so", "node", s.ID, "epoch", s.Epoch)
	to := &memberlist.Node{Name: s.process, Addr: s.addr, Port: s.port}
	m.tasks.Go(func() {
		if err := m.list.SendReliable(to, []byte(wordEvicted+gone)); err != nil && m.ctx.Err() == nil {
			m.log.Debug("a node was not told that it was evicted; it will be again", "node", s.ID, "err", err)
		}
	})
}

// evictedAs handles the word that others gave this node up with an epoch.
func (m *membership) evictedAs(gone uint64) {
	if gone < m.epoch.Load() {
		return // that was before
	}
	epoch := gone + 1
	m.log.Warn("others had given this node up: it drops its actors and returns with a new epoch", "epoch", epoch)
	m.counts.evictions.Add(1)
	m.epoch.Store(epoch)
	m.mu.Lock()
	m.meta.Epoch = epoch
	m.mu.Unlock()
	m.hooks.evicted(epoch) // persisted before anybody hears of it
	m.stale.Store(true)
	m.look()
}

// notePause acts on a pause of this process: others may have given it up.
func (m *membership) notePause(now time.Time) {
	pause := now.Sub(m.lastTurn)
	if pause <= pauseLimit {
		return
	}
	m.log.Warn("this process was paused; others may have given it up", "for", pause.Round(time.Millisecond))
	m.doubtful = now.Add(doubtFor)
	m.hooks.evicted(m.epoch.Load()) // what its actors counted may be long over, and nobody answers their questions
	m.rejoinAt = now
	m.askMembers()
}

// beat looks again, and joins seeds that are not live.
func (m *membership) beat(now time.Time) {
	m.look() // also tells those again who were not reached
	if now.Before(m.rejoinAt) {
		return
	}
	m.rejoinAt = now.Add(rejoinEvery)
	if r := m.nextRound(); len(r.targets) > 0 {
		select {
		case m.rounds <- r:
		default: // the last one is not over
		}
	}
}

// askMembers exchanges state with some members, to hear at once what they
// believe of this node, and have them hear of it.
func (m *membership) askMembers() {
	const some = 3
	asked := 0
	for _, other := range m.roster.live {
		if other.Self || asked == some {
			continue
		}
		asked++
		m.tasks.Go(func() {
			_, _ = m.list.Join([]string{other.GossipAddress})
			m.kick()
		})
	}
}

// stop leaves the cluster and ends all goroutines.
func (m *membership) stop() {
	if m.list != nil {
		m.sayGone()
	}
	m.cancel()
	m.tasks.Wait()
	if m.list == nil {
		return
	}
	_ = m.list.Leave(goneLimit)
	_ = m.list.Shutdown()
}

// sayGone tells every member that this node goes deliberately: memberlist tells
// those who it was that is gone, not whether it left or died.
func (m *membership) sayGone() {
	m.mu.Lock()
	others := maps.Clone(m.sightings)
	m.mu.Unlock()
	delete(others, m.process)
	word := []byte(wordLeft + memberID(m.nodeID, m.epoch.Load()))
	for name, s := range others {
		to := &memberlist.Node{Name: name, Addr: s.addr, Port: s.port, PMax: memberlist.ProtocolVersionMax}
		_ = m.list.SendBestEffort(to, word)
	}
	if len(others) > 0 {
		time.Sleep(wordLead)
	}
}

// drain tells the members that this node will be gone, without waiting.
func (m *membership) drain() { m.tell(func(meta *wire.Meta) { meta.Draining = true }) }
