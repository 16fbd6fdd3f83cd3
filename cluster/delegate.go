package cluster

import (
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"

	"github.com/hashicorp/memberlist"
	"google.golang.org/protobuf/proto"

	"fleetfuse/wire"
)

// The words that members send each other over the gossip port, each followed by
// a member id.
const (
	wordEvicted = "EVICTED " // you were given up; raise your epoch
	wordLeft    = "LEFT "    // the sender goes deliberately
)

// maxStateBytes bounds the frame that goes along with memberlist's state.
const maxStateBytes = 1 << 20

// maxEpoch is beyond what any node counts to: a later one is not believed.
const maxEpoch = 1 << 63

// delegate is what memberlist calls, often under its lock: it only takes notes.
type delegate struct{ m *membership }

// NodeMeta is part of memberlist.Delegate. It never exceeds the limit, because
// memberlist panics then: what is only for people goes first.
func (d delegate) NodeMeta(limit int) []byte {
	d.m.mu.Lock()
	meta := proto.CloneOf(d.m.meta)
	d.m.mu.Unlock()
	for _, drop := range []func(){func() { meta.ApiAddress = "" }, func() { meta.Version = "" }, func() { meta.Name = "" }} {
		if proto.Size(meta) <= limit {
			break
		}
		drop()
	}
	b, err := proto.Marshal(meta)
	if err != nil || len(b) > limit {
		return nil // checkMeta and validate leave no way here
	}
	return b
}

// NotifyMsg is part of memberlist.Delegate.
func (d delegate) NotifyMsg(b []byte) {
	word := string(b)
	verb, member, _ := strings.Cut(word, " ")
	id, epoch, ok := splitMemberID(member)
	switch ok = ok && epoch < maxEpoch; {
	case ok && verb+" " == wordEvicted && id == d.m.nodeID:
		d.m.post(func() { d.m.evictedAs(epoch) })
	case ok && verb+" " == wordLeft:
		d.m.post(func() { d.m.roster.leaves(id, epoch); d.m.look() })
	default:
		d.m.counts.refusedMalformed.Add(1)
	}
}

// GetBroadcasts is part of memberlist.Delegate; nothing is broadcast.
func (d delegate) GetBroadcasts(int, int) [][]byte { return nil }

// LocalState is part of memberlist.Delegate.
func (d delegate) LocalState(bool) []byte {
	d.m.stateMu.Lock()
	f := d.m.hooks.state()
	d.m.stateMu.Unlock()
	if f == nil {
		return nil
	}
	b, err := proto.Marshal(&wire.Frame{From: d.m.nodeID, Epoch: d.m.epoch.Load(), Stamp: f.Stamp, Body: f.Body})
	if err != nil || len(b) > maxStateBytes {
		d.m.counts.droppedSends.Add(1)
		return nil
	}
	return b
}

// MergeRemoteState is part of memberlist.Delegate. Its sender was just merged,
// so the loop looks before it hands the frame on.
func (d delegate) MergeRemoteState(b []byte, _ bool) {
	f := new(wire.Frame)
	if len(b) > maxStateBytes || proto.Unmarshal(b, f) != nil {
		d.m.counts.refusedMalformed.Add(1)
		return
	}
	d.m.post(func() { d.m.look(); d.m.hooks.merged(f) })
}

// NotifyJoin is part of memberlist.EventDelegate.
func (d delegate) NotifyJoin(n *memberlist.Node) { d.NotifyUpdate(n) }

// NotifyUpdate is part of memberlist.EventDelegate.
func (d delegate) NotifyUpdate(n *memberlist.Node) {
	s, err := sight(n)
	if err != nil {
		return // NotifyAlive refused it before
	}
	d.m.mu.Lock()
	d.m.sightings[n.Name] = s
	d.m.mu.Unlock()
	d.m.kick()
}

// NotifyLeave is part of memberlist.EventDelegate. Whether the node left or
// died is not in the Node: memberlist keeps its State elsewhere.
func (d delegate) NotifyLeave(n *memberlist.Node) {
	d.m.mu.Lock()
	delete(d.m.sightings, n.Name)
	d.m.mu.Unlock()
	d.m.kick()
}

// NotifyConflict is part of memberlist.ConflictDelegate: two processes have this
// name, so they run with one node id and one epoch.
func (d delegate) NotifyConflict(have, other *memberlist.Node) {
	d.m.sayTwin(fmt.Sprintf("%s at %s and %s", have.Name, have.Address(), other.Address()))
}

// NotifyAlive is part of memberlist.AliveDelegate: an error keeps the node out.
func (d delegate) NotifyAlive(n *memberlist.Node) error {
	meta, err := readMeta(n)
	if err != nil {
		d.m.counts.refusedMalformed.Add(1)
		return err
	}
	return d.m.speaks(meta)
}

// NotifyMerge is part of memberlist.MergeDelegate: an error ends a join that
// would bring nobody.
func (d delegate) NotifyMerge(peers []*memberlist.Node) error {
	var refused error
	for _, n := range peers {
		if refused = d.NotifyAlive(n); refused == nil {
			return nil
		}
	}
	return refused
}

// speaks refuses a member that speaks another version of the messages.
func (m *membership) speaks(meta *wire.Meta) error {
	if meta.GetProtocol() == protocol {
		return nil
	}
	m.counts.refusedProtocol.Add(1)
	older := "that node"
	if meta.GetProtocol() > protocol {
		older = "this node"
	}
	err := fmt.Errorf("node %s (%s) speaks protocol %d, this node %d; upgrade %s",
		meta.GetId(), meta.GetName(), meta.GetProtocol(), protocol, older)
	m.said.say(m.log, slog.LevelError, "protocol "+meta.GetId(), "a node is refused: "+err.Error(), "version", meta.GetVersion())
	return err
}

// readMeta checks a node of memberlist's as far as versions share it.
func readMeta(n *memberlist.Node) (*wire.Meta, error) {
	meta := new(wire.Meta)
	if err := proto.Unmarshal(n.Meta, meta); err != nil {
		return nil, fmt.Errorf("its meta cannot be read: %w", err)
	}
	id, start, ok := splitMemberID(n.Name)
	_, port, err := splitHostPort(meta.GetActorAddress())
	switch {
	case !ok || id != meta.GetId() || meta.GetEpoch() < start || meta.GetEpoch() >= maxEpoch:
		return nil, fmt.Errorf("it is named %q and says that it is %s", n.Name, memberID(meta.GetId(), meta.GetEpoch()))
	case err != nil || port == 0:
		return nil, fmt.Errorf("its actor address %q is none", meta.GetActorAddress())
	case len(n.Addr) != net.IPv4len && len(n.Addr) != net.IPv6len || n.Port == 0:
		return nil, fmt.Errorf("its gossip address %v:%d is none", n.Addr, n.Port)
	}
	return meta, nil
}

func sight(n *memberlist.Node) (sighting, error) {
	meta, err := readMeta(n)
	if err != nil {
		return sighting{}, err
	}
	return sighting{Member: memberOf(meta, n.Address()), process: n.Name, addr: slices.Clone(n.Addr), port: n.Port}, nil
}
