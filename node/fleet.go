package node

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/cluster"
	"fleetfuse/cluster/spread"
	"fleetfuse/httpapi"
)

// membership is what a node knows of the members, for people.
type membership struct {
	live  []cluster.Member
	names map[string]string // display names by id, also of members that are gone
	gone  map[string]departed
}

// name remembers what a member is called.
func (m *membership) name(x cluster.Member, live []cluster.Member) {
	if _, known := m.names[x.ID]; !known && len(m.names) >= maxNames {
		maps.DeleteFunc(m.names, func(id, _ string) bool {
			_, gone := m.gone[id]
			return !gone && !slices.ContainsFunc(live, func(l cluster.Member) bool { return l.ID == id })
		})
	}
	m.names[x.ID] = x.Name
}

// departed is a member that is not live any more.
type departed struct {
	cluster.Member
	at   time.Time
	left bool // it told so
}

// rememberGone is how long a member that is gone is listed, as long as a lost
// one counts as known. Beyond maxNames only the names of members that are live or
// listed so are remembered.
const (
	rememberGone = 10 * time.Minute
	maxNames     = 10_000
)

// news is that a member joined, left or was lost.
type news struct {
	name     string
	epoch    uint64
	from, to string // its states; joining it comes from nowhere
}

// changed takes the live members and returns what is new.
func (m *membership) changed(live []cluster.Member, left []string, now time.Time) (told []news) {
	before := map[string]cluster.Member{}
	for _, x := range m.live {
		before[x.ID] = x
	}
	for _, x := range live {
		switch was, is := before[x.ID]; {
		case x.Self:
		case !is:
			told = append(told, news{x.Name, x.Epoch, "", api.MemberAlive})
		case x.Draining && !was.Draining:
			told = append(told, news{x.Name, x.Epoch, api.MemberAlive, api.MemberDraining})
		}
		delete(before, x.ID)
		delete(m.gone, x.ID)
		m.name(x, live)
	}
	for _, x := range before {
		m.gone[x.ID] = departed{Member: x, at: now}
	}
	for _, id := range left {
		if d, ok := m.gone[id]; ok {
			d.left = true
			m.gone[id] = d
		}
	}
	for id, x := range before {
		how := api.MemberLost
		if m.gone[id].left {
			how = api.MemberLeft
		}
		from := api.MemberAlive
		if x.Draining {
			from = api.MemberDraining
		}
		told = append(told, news{x.Name, x.Epoch, from, how})
	}
	for id, d := range m.gone {
		if now.Sub(d.at) > rememberGone {
			delete(m.gone, id)
		}
	}
	m.live = live
	return told
}

// Members implements cluster.Events.
func (b *board) Members(live []cluster.Member, left []string) {
	members := make([]spread.Member, len(live))
	for i, m := range live {
		members[i] = spread.Member{ID: m.ID, Epoch: m.Epoch, Aloof: m.Draining || m.Apart}
	}
	var told []news
	b.do(func(n *spread.Node, now breaker.Instant) spread.Effects {
		_, wall := b.clock.Both()
		told = b.members.changed(live, left, wall)
		if b.cluster == nil { // it is about to join
			b.early, b.earlyLeft = members, append(b.earlyLeft, left...)
			return spread.Effects{}
		}
		return n.SetMembers(now, members, left)
	})
	if b.sharing != nil && b.joined() {
		b.sharing.relist() // keys that are this node's only now
	}
	for _, x := range told {
		b.logger.Info("member "+x.name+" is "+x.to, slog.Int("members", len(live)))
		b.events.member(x.name, x.epoch, x.from, x.to)
	}
	b.look()
}

// epochWait is how long a new epoch is kept from the members while it is written. One
// that was not written is told by them once more.
const epochWait = 200 * time.Millisecond

// SeedsChanged implements cluster.Events.
func (b *board) SeedsChanged(seeds []string) { b.notes.put(metaSeeds, strings.Join(seeds, "\n")) }

// Evicted implements cluster.Events: others had given this node up, or may
// have, so its actors are gone. Those it still owns start over. What it missed
// it asks for, as a node that starts does, until a member that knows it again
// answers.
func (b *board) Evicted(epoch uint64) {
	if epoch != b.epoch { // the loop of the cluster calls, one at a time
		b.epoch = epoch
		b.notes.putNow(metaEpoch, strconv.FormatUint(epoch, 10), epochWait)
	}
	if !read(b, (*spread.Node).Started) {
		return // its start claims them: before it, what this node remembers may be long over
	}
	b.logger.Warn("the other members had given this node up, or may have; its breakers start over", slog.Uint64("epoch", epoch))
	b.do((*spread.Node).ClaimAll)
	b.do(func(n *spread.Node, now breaker.Instant) spread.Effects {
		_, e := n.Sync(now, now.Add(returnLimit)) // nobody waits for it
		return e
	})
}

// returnLimit is how long a node that came back asks for what it missed.
const returnLimit = 5 * time.Second

// tellApart acts on what the members' clocks say of this node's.
func (b *board) tellApart() {
	b.telling.Lock() // another change may be under way: the last one told is how it is
	defer b.telling.Unlock()
	apart := read(b, func(n *spread.Node) bool {
		_, apart := n.Skews()
		return apart
	})
	b.part(partClock, !apart, "it differs by more than a day from those of most members")
	if apart {
		b.logger.Error("most members' clocks differ from this node's by more than a day: it owns no breaker and decides by its own ring; set its clock and restart it")
	} else {
		b.logger.Info("this node's clock agrees with the members' again")
	}
	b.cluster.SetApart(apart)
}

// rings lists this node's open rings, of one key or of all ("").
func (b *board) rings(key breaker.Key) spread.Rings {
	list := spread.Rings{}
	for _, r := range b.gate.OpenRings() {
		if (key == "" || r.Key == key) && len(list) < maxRings {
			list = append(list, spread.Ring{Key: r.Key, Status: r.Status})
		}
	}
	return list
}

// maxRings bounds the rings in one answer.
const maxRings = 20_000

// fleet is the cluster as the API shows it (httpapi.Fleet).
type fleet struct {
	*board
	leave func()
}

// Leave implements httpapi.Fleet.
func (f fleet) Leave() { f.leave() }

// Name implements httpapi.Fleet.
func (f fleet) Name(id string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if name, ok := f.members.names[id]; ok {
		return name
	}
	return id[:min(len(id), 8)]
}

// Owner implements httpapi.Fleet.
func (f fleet) Owner(key breaker.Key) (api.Member, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	owner := f.spread.Owner(key)
	for _, m := range f.members.live {
		if m.ID == owner {
			return shown(m), true
		}
	}
	return api.Member{}, false
}

// Members implements httpapi.Fleet.
func (f fleet) Members() []api.Member {
	owned, owners := map[string]int{}, read(f.board, (*spread.Node).Owners)
	f.notClosed(func(k breaker.Key, _ breaker.Status) { owned[owners.Owner(string(k))]++ })
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]api.Member, 0, len(f.members.live)+len(f.members.gone))
	for _, m := range f.members.live {
		x := shown(m)
		x.Owned = owned[m.ID]
		list = append(list, x)
	}
	_, wall := f.clock.Both()
	for _, d := range f.members.gone {
		if wall.Sub(d.at) > rememberGone {
			continue
		}
		x, at := shown(d.Member), d.at.UTC()
		if x.State, x.LostAt = api.MemberLost, &at; d.left {
			x.State, x.LeftAt, x.LostAt = api.MemberLeft, &at, nil
		}
		list = append(list, x)
	}
	return list
}

// shown is a member as the API shows it.
func shown(m cluster.Member) api.Member {
	x := api.Member{
		ID: m.ID, Name: m.Name, State: api.MemberAlive, Epoch: m.Epoch, Address: m.ActorAddress, APIAddress: m.APIAddress,
		Version: m.Version, ConfigHash: fmt.Sprintf("%016x", m.ConfigHash), Self: m.Self,
	}
	switch {
	case m.Draining:
		x.State = api.MemberDraining
	case m.Apart:
		x.State = api.MemberApart
	}
	return x
}

// Rings implements httpapi.Fleet: all members are asked at once.
func (f fleet) Rings(ctx context.Context, key breaker.Key) (rings []httpapi.Ring, silent []string) {
	var mu sync.Mutex
	var asked sync.WaitGroup
	add := func(id string, list spread.Rings) {
		name := f.Name(id)
		mu.Lock()
		defer mu.Unlock()
		for _, r := range list {
			rings = append(rings, httpapi.Ring{Node: name, Key: r.Key, Status: r.Status})
		}
	}
	add(f.id, f.rings(key))
	for _, id := range read(f.board, (*spread.Node).Members) {
		asked.Go(func() {
			list, err := request[spread.Rings](ctx, f.board, func(n *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
				return n.RequestFrom(now, id, key, spread.ListRings{}, ringsLimit)
			})
			if err == nil {
				add(id, list)
				return
			}
			name := f.Name(id)
			mu.Lock()
			defer mu.Unlock()
			silent = append(silent, name)
		})
	}
	asked.Wait()
	return rings, silent
}
