package httpapi

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// Beliefs asks every member for what it believes of a key, and names those that
// did not tell.
type Beliefs func(ctx context.Context, key breaker.Key) (beliefs []api.Belief, missing []string)

// beliefsLimit bounds the question to all members.
const beliefsLimit = time.Second

// beliefs answers with what each member believes of one breaker.
func (s *Server) beliefs(w http.ResponseWriter, r *http.Request) {
	k, ok := keyOf(w, r)
	if !ok {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), beliefsLimit)
	defer cancel()
	a := api.BeliefsResponse{Key: string(k), Node: s.opt.Node}
	a.Beliefs, a.Missing = s.opt.Beliefs(ctx, k)
	slices.SortFunc(a.Beliefs, func(x, y api.Belief) int {
		return cmp.Or(cmp.Compare(x.Node, y.Node), cmp.Compare(x.ID, y.ID))
	})
	slices.Sort(a.Missing)
	owner, _ := s.opt.Fleet.Owner(k)
	reference := slices.IndexFunc(a.Beliefs, func(b api.Belief) bool { return b.ID == owner.ID })
	if reference < 0 { // no owner told: what this node believes stands for it
		reference = slices.IndexFunc(a.Beliefs, func(b api.Belief) bool { return b.Node == s.opt.Node })
	}
	if reference >= 0 {
		a.Reference = a.Beliefs[reference].Node
		for i := range a.Beliefs {
			a.Beliefs[i].Differs = differs(a.Beliefs[i], a.Beliefs[reference])
		}
	}
	write(w, http.StatusOK, a)
}

// deadlineSlack is by how much two members' deadlines may differ without a word:
// they were asked one after the other, and each has its clock.
const deadlineSlack = 2 * time.Second

// differs lists how what a member believes differs from what another does.
func differs(b, from api.Belief) (list []string) {
	add := func(what string, is bool) {
		if is {
			list = append(list, what)
		}
	}
	apart := time.Duration(b.RemainingMS-from.RemainingMS) * time.Millisecond
	// The one that was asked later may have seen it run out.
	closed := breaker.Closed.String()
	ranOut := b.Stamp == from.Stamp && apart.Abs() <= deadlineSlack && b.State != closed && from.State != closed
	another := b.State != from.State && !ranOut
	add(api.DiffersState, another)
	add(api.DiffersDeadline, !another && apart.Abs() > deadlineSlack)
	add(api.DiffersStamp, !another && b.Stamp != from.Stamp)
	add(api.DiffersPolicy, b.PolicyVersion != from.PolicyVersion)
	add(api.DiffersConfig, b.ConfigHash != from.ConfigHash)
	add(api.DiffersOwner, b.OwnerID != from.OwnerID)
	add(api.DiffersRing, b.Ring != nil && from.State == closed && from.Ring == nil)
	return list
}
