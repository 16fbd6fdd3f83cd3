package node

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"fleetfuse/api"
	"fleetfuse/cluster/spread"
	"fleetfuse/telemetry/follow"
)

// observeSound is the name by which the tuner asks members whether they can keep
// what it would change.
const observeSound = "sound"

// soundWait is how long a member may take to say so.
const soundWait = 500 * time.Millisecond

// blocked says why nothing may be enforced now, for people; nil if nothing speaks
// against it. A change that not all members hear, keep and read alike is none that
// could be judged.
func (t *tuning) blocked(ctx context.Context) (reasons []string) {
	n := t.node
	if n.policies.current().Tuner.Mode == api.TunerObserve {
		reasons = append(reasons, "the tuner only observes: set --tuner.mode to suggest, or to enforce")
	}
	answers, silent := askAll(everyone{n}.Members(), func(m follow.Member) ([]string, error) {
		told, err := ofMember(ctx, n, m.ID, observeSound, struct{}{}, soundWait, func() ([]string, error) { return n.unsound(), nil })
		if err != nil && !errors.Is(err, spread.ErrNoOwner) { // it answered, but not that
			return []string{"it cannot say whether it would keep a change: " + err.Error()}, nil
		}
		return told, err
	})
	for _, name := range silent {
		reasons = append(reasons, "member "+name+" does not answer")
	}
	if names := t.unheard(); len(names) > 0 {
		reasons = append(reasons, "the tuner has not heard yet from "+strings.Join(names, ", ")+" what was done before; try again in a few seconds")
	}
	if names := t.heard.partly(everyone{n}.Members()); len(names) > 0 {
		reasons = append(reasons, strings.Join(names, ", ")+" did more in the last month than fits into an answer, so that the tuner cannot know what it may do: lower --tuner.max-changes, and wait")
	}
	for _, a := range answers {
		for _, why := range a.answer {
			reasons = append(reasons, a.Name+": "+why)
		}
	}
	own := n.policies.hash()
	n.board.mu.Lock()
	defer n.board.mu.Unlock()
	for _, m := range n.board.members.live {
		if m.ConfigHash != own {
			reasons = append(reasons, "member "+m.Name+" has another configuration than "+n.opt.Name)
		}
	}
	slices.Sort(reasons)
	return reasons
}

// unheard names the live members that have not told yet what was done before. Where
// none has, the tuner has just come, and its planner refuses by itself.
func (t *tuning) unheard() (names []string) {
	members := everyone{t.node}.Members()
	missing := t.heard.missing(members, false)
	for _, m := range missing {
		if m.Live && len(missing) < len(members) {
			names = append(names, m.Name)
		}
	}
	return names
}

// unsound says why this node could not keep a change.
func (n *Node) unsound() []string {
	reasons := []string{} // and not null
	if h := n.keeper.Health(); !h.OK {
		reasons = append(reasons, "its store fails: "+errorText(h.Err))
	}
	if h := n.tuning.decisions.Status(); h.Trouble != nil {
		reasons = append(reasons, "its tuner.db fails: "+h.Trouble.Error())
	}
	if n.sharing != nil {
		if h := n.sharing.health(); !h.OK {
			reasons = append(reasons, "the shared store fails: "+h.Error)
		}
	}
	if !n.ready.Load() {
		reasons = append(reasons, "it is starting or draining")
	}
	return reasons
}
