package httpapi

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// A Fleet is the cluster as this node sees it.
type Fleet interface {
	// Members are the members, this node among them, and those that left or
	// were lost lately.
	Members() []api.Member
	// Owner is the member that owns a key; false if none does.
	Owner(key breaker.Key) (api.Member, bool)
	// Rings lists the open rings of all members, this node's among them, of one
	// key or of all (""), and the names of members that did not answer before
	// ctx ended.
	Rings(ctx context.Context, key breaker.Key) (rings []Ring, silent []string)
	// Name is the display name of a node id; of an unknown one its first
	// characters.
	Name(id string) string
	// Leave makes the node drain and end; it returns at once.
	Leave()
}

// A Ring is a key that one node rejects by itself.
type Ring struct {
	Node   string // display name
	Key    breaker.Key
	Status breaker.Status
}

func (s *Server) cluster(w http.ResponseWriter, _ *http.Request) {
	members := append([]api.Member{}, s.opt.Fleet.Members()...) // [] in JSON, not null
	slices.SortFunc(members, byName)
	write(w, http.StatusOK, api.ClusterResponse{Node: s.opt.Node, Members: members})
}

func byName(a, b api.Member) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) }

// owner says who owns a key, without asking the owner anything.
func (s *Server) owner(w http.ResponseWriter, r *http.Request) {
	values, ok := query(w, r, "key")
	if !ok {
		return
	}
	k, err := parseKey(values.Get("key"))
	if err != nil {
		fail(w, http.StatusBadRequest, "key: "+err.Error(), "/v1/cluster/owner?key=api.example.org")
		return
	}
	resp := api.OwnerResponse{Key: string(k)}
	if m, ok := s.opt.Fleet.Owner(k); ok {
		resp.Owner, resp.OwnerID, resp.Address, resp.APIAddress, resp.Self = m.Name, m.ID, m.Address, m.APIAddress, m.Self
	}
	write(w, http.StatusOK, resp)
}

// leave makes this node leave the cluster and end.
func (s *Server) leave(w http.ResponseWriter, r *http.Request) {
	var req api.LeaveRequest
	if !read(w, r, &req) {
		return
	}
	resp := api.LeaveResponse{Node: s.opt.Node, Remaining: []api.Member{}}
	for _, m := range s.opt.Fleet.Members() {
		switch {
		case m.Self:
			resp.Owned = m.Owned
		case m.State == api.MemberAlive:
			resp.Remaining = append(resp.Remaining, m)
		}
	}
	slices.SortFunc(resp.Remaining, byName)
	s.opt.Logger.Info("an operator told this node to leave", slog.String("author", breaker.Cut(req.Author)))
	write(w, http.StatusAccepted, resp)
	s.opt.Fleet.Leave()
}
