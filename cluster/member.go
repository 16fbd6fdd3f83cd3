package cluster

import (
	"fmt"
	"strconv"
	"strings"

	"fleetfuse/cluster/placement"
	"fleetfuse/wire"
)

// protocol is the version of the messages in wire that this node speaks.
const protocol = 1

// A Member is a live member of the cluster.
type Member struct {
	ID            string // node id
	Epoch         uint64
	Name          string // for people; need not be unique
	ActorAddress  string // host:port
	APIAddress    string // host:port, for people; "" while not known
	GossipAddress string // ip:port
	Version       string
	ConfigHash    uint64
	Draining      bool // leaves: owns nothing
	Apart         bool // its clock is days off: owns nothing
	Self          bool
}

// memberOf reads what a member tells about itself.
func memberOf(m *wire.Meta, gossipAddress string) Member {
	return Member{
		ID: m.GetId(), Epoch: m.GetEpoch(), Name: m.GetName(), ActorAddress: m.GetActorAddress(),
		APIAddress: m.GetApiAddress(), GossipAddress: gossipAddress, Version: m.GetVersion(),
		ConfigHash: m.GetConfigHash(), Draining: m.GetDraining(), Apart: m.GetApart(),
	}
}

// owns says that the member takes part in the ring.
func (m Member) owns() bool { return !m.Draining && !m.Apart }

// memberID is a node id with an epoch: what is given up and told so.
func memberID(id string, epoch uint64) string { return fmt.Sprintf("%s#%d", id, epoch) }

func splitMemberID(s string) (id string, epoch uint64, ok bool) {
	id, digits, ok := strings.Cut(s, "#")
	if !ok || id == "" {
		return "", 0, false
	}
	epoch, err := strconv.ParseUint(digits, 10, 64)
	return id, epoch, err == nil
}

// A picture is what this node believes about the members at one moment. It
// never changes.
type picture struct {
	members []Member // sorted by id
	byID    map[string]Member
	ring    placement.Ring
}

func newPicture(members []Member) *picture {
	p := &picture{members: members, byID: make(map[string]Member, len(members))}
	var ids []string
	for _, m := range members {
		if p.byID[m.ID] = m; m.owns() {
			ids = append(ids, m.ID)
		}
	}
	p.ring = placement.New(ids)
	return p
}
