package node

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"fleetfuse/api"
	"fleetfuse/cluster/spread"
)

// Status is the node's health in one page.
func (n *Node) Status() api.StatusResponse {
	h, c := n.keeper.Health(), n.gate.Counts()
	st := api.StatusResponse{
		Node: n.opt.Name, Version: n.opt.Version, StartedAt: n.started.UTC(), Ready: n.ready.Load(),
		Members:  n.fleet().Members(),
		Store:    api.StoreHealth{Kind: n.store.Kind(), OK: h.OK, Pending: h.Pending, Warnings: n.warnings},
		Hosts:    c.Hosts,
		Local:    c.Local,
		Actors:   n.cluster.Active(),
		Problems: []string{}, NeedsRestart: n.needsRestart(),
	}
	st.Open, st.HalfOpen = n.board.count()
	problem := func(format string, args ...any) { st.Problems = append(st.Problems, fmt.Sprintf(format, args...)) }
	if !h.OK {
		since := h.Since.UTC()
		st.Store.Since, st.Store.Error = &since, h.Err.Error()
		problem("the store fails since %s: %v; %s", since.Format(time.RFC3339), h.Err, waiting(h.Pending, "change"))
	}
	if h.Dropped > 0 {
		problem("%s never written because too many waited", counted(h.Dropped, "change was", "changes were"))
	}
	if n.setAside != "" {
		problem("state.db was damaged when this node started at %s, and a fresh one was made: open breakers, operators' words and policies that no other member "+
			"had are gone; look at breaker show and policy show and give again what is missing; the old file is %s; a restart ends this problem",
			n.started.UTC().Format(time.RFC3339), n.setAside)
	}
	n.eventProblems(problem)
	n.sharingProblems(&st, problem)
	if !st.Ready {
		problem("the node is starting or draining")
	}
	n.policyProblems(problem)
	n.memberProblems(st.Members, problem)
	if text := n.alone(); text != "" {
		problem("%s", text)
	}
	return st
}

// counted is "1 change was" or "2 changes were".
func counted[N int | uint64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func waiting[N int | uint64](n N, what string) string {
	return counted(n, what+" waits", what+"s wait")
}

// eventProblems says what is not normal about the event log.
func (n *Node) eventProblems(problem func(string, ...any)) {
	if h := n.usage.health(); h.Trouble != nil {
		problem("the counts of callers are not written since %s: %v; %s in memory, decisions go on", h.Since.UTC().Format(time.RFC3339), h.Trouble, waiting(h.Waiting, "minute"))
	}
	if h := n.tuning.decisions.Status(); h.Trouble != nil {
		problem("what the tuner did is not written since %s: %v; %s in memory", h.Since.UTC().Format(time.RFC3339), h.Trouble, waiting(h.Waiting, "record"))
	}
	if h := n.events.log.Health(); !h.OK {
		problem("the event log is not written since %s: %v; %s in memory, decisions go on", h.Since.UTC().Format(time.RFC3339), h.Err, waiting(h.Pending, "event"))
	}
}

// sharingProblems says what is not normal about sharing cooldowns. A warning is
// no problem: it is about what may happen.
func (n *Node) sharingProblems(st *api.StatusResponse, problem func(string, ...any)) {
	if n.sharing == nil {
		return
	}
	h := n.sharing.health()
	st.Shared = &h
	if !h.OK {
		problem("degraded: the shared store fails since %s: %s; %s to be shared, decisions go on",
			h.Since.Format(time.RFC3339), h.Error, waiting(h.Pending, "cooldown"))
	}
}

// memberProblems says what is not normal about the members.
func (n *Node) memberProblems(members []api.Member, problem func(string, ...any)) {
	var own api.Member
	var others []string // of another configuration
	names := map[string]int{}
	for _, m := range members {
		if m.Self {
			own = m
		}
		if m.State != api.MemberLeft && m.State != api.MemberLost {
			names[m.Name]++
		}
	}
	for _, m := range members {
		switch {
		case m.State == api.MemberLost:
			problem("member %s was lost at %s", m.Name, m.LostAt.Format(time.RFC3339))
		case m.State == api.MemberDraining && !m.Self:
			problem("member %s is draining: it is about to leave", m.Name)
		case m.State == api.MemberApart && !m.Self:
			problem("member %s is apart: its clock is days off; set it and restart the member", m.Name)
		case m.State != api.MemberLeft && m.ConfigHash != own.ConfigHash:
			others = append(others, m.Name)
		}
	}
	if len(others) > 0 {
		slices.Sort(others)
		problem("config mismatch: %s: another configuration than %s", strings.Join(others, ", "), own.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if names[name] > 1 {
			problem("%d members are called %s: give each its own --node.name", names[name], name)
		}
	}
	mute := read(n.board, func(s *spread.Node) []string { return s.Mute(n.clock.Now(), muteLimit) })
	for _, id := range mute {
		problem("member %s lives but its actor port does not answer: the breakers it owns do not trip for the fleet; is %s open, are its certificates good?",
			n.fleet().Name(id), addressOf(members, id))
	}
	n.clockProblems(problem)
}

// muteLimit is how long a member may owe an acknowledgement.
const muteLimit = 5 * time.Second

func addressOf(members []api.Member, id string) string {
	for _, m := range members {
		if m.ID == id {
			return m.Address
		}
	}
	return "it"
}

// clockProblems says whose clock is days off.
func (n *Node) clockProblems(problem func(string, ...any)) {
	skews, apart := n.skews()
	for _, name := range slices.Sorted(maps.Keys(skews)) {
		switch ahead := skews[name]; {
		case apart && ahead > 0:
			problem("this node's clock is %s behind that of %s: it owns nothing; set it and restart", ahead.Round(time.Hour), name)
		case apart:
			problem("this node's clock is %s ahead of that of %s: it owns nothing; set it and restart", -ahead.Round(time.Hour), name)
		case ahead > 0:
			problem("the clock of %s is %s ahead", name, ahead.Round(time.Hour))
		default:
			problem("the clock of %s is %s behind", name, -ahead.Round(time.Hour))
		}
	}
}

// skews lists the members, by name, whose clocks are days off.
func (n *Node) skews() (map[string]time.Duration, bool) {
	type found struct {
		skews map[string]time.Duration
		apart bool
	}
	f := read(n.board, func(s *spread.Node) found {
		skews, apart := s.Skews()
		return found{skews, apart}
	})
	byName := map[string]time.Duration{}
	for id, ahead := range f.skews {
		byName[n.fleet().Name(id)] = ahead
	}
	return byName, f.apart
}
