package main

import (
	"net/http"
	"strings"
	"testing"

	"fleetfuse/api"
)

// wellMembers need nobody's attention: n4 was told to leave.
func wellMembers() []api.Member {
	return []api.Member{
		{ID: "Q7HT2KVN", Name: "n2", State: "alive", Epoch: 3, Address: "10.0.0.2:7142", APIAddress: "10.0.0.2:7140", Version: "0.1.0", ConfigHash: "9f1c04d6a8e3b572", Owned: 2},
		{ID: "B3XWZJ5C", Name: "n1", State: "alive", Epoch: 1, Address: "10.0.0.1:7142", APIAddress: "10.0.0.1:7140", Version: "0.1.0", ConfigHash: "9f1c04d6a8e3b572", Owned: 1, Self: true},
		{ID: "LM4D6FRY", Name: "n4", State: "left", Epoch: 2, Version: "0.1.0", ConfigHash: "aa00d1f2b3c49586", LeftAt: until(-300)},
		{ID: "T9SP8GEA", Name: "n3", State: "alive", Epoch: 1, Address: "10.0.0.3:7142", APIAddress: "10.0.0.3:7140", Version: "0.1.0", ConfigHash: "9f1c04d6a8e3b572"},
	}
}

// sickMembers have everything that a member can have.
func sickMembers() []api.Member {
	m := wellMembers()
	m[0].ConfigHash = "5b20e77f3c91d448"
	m[3].ConfigHash = "5b20e77f3c91d448"
	return append(m,
		api.Member{ID: "C5KU1VNB", Name: "n2", State: "draining", ConfigHash: "9f1c04d6a8e3b572"},
		api.Member{ID: "G8WJ7ZXO", Name: "n5", State: "lost", LostAt: until(-200), Owned: 4},
		api.Member{ID: "H2AE9TRD", Name: "n6", State: "apart"},
		api.Member{ID: "K6YB3QLS", Name: "n7", State: "resting"},
	)
}

func TestClusterMembers(t *testing.T) {
	for name, members := range map[string][]api.Member{"members-well": wellMembers(), "members-sick": sickMembers(), "members-none": {}} {
		term := newTerminal(t, node{"GET /v1/cluster": api.ClusterResponse{Node: "n1", Members: members}})
		term.types("cluster", "members")
		if name == "members-well" {
			term.types("cluster", "members", "--color", "always")
			term.types("cluster", "members", "-o", "json")
		}
		term.golden(name)
	}
}

func TestMisfits(t *testing.T) {
	m := func(name, state, hash string) api.Member {
		return api.Member{ID: "id-" + name, Name: name, State: state, ConfigHash: hash}
	}
	self := m("n1", "alive", "aa")
	self.Self = true
	for _, x := range []struct {
		what    string
		members []api.Member
		want    string
	}{
		{"nobody", nil, ""},
		{"alike", []api.Member{self, m("n2", "alive", "aa")}, ""},
		{"one differs", []api.Member{m("n0", "alive", "bb"), self}, "config mismatch: n0 runs another configuration than n1"},
		{"the node asked differs", []api.Member{m("n0", "alive", "bb"), self, m("n2", "draining", "bb")},
			"config mismatch: n0 and n2 run another configuration than n1"},
		{"one does not tell", []api.Member{self, m("n2", "alive", "")}, ""},
		{"the node asked does not tell", []api.Member{m("n2", "alive", "aa"), {Name: "n1", Self: true}, m("n3", "alive", "bb")},
			"config mismatch: n3 runs another configuration than n2"},
		{"one that is gone differs", []api.Member{self, m("n2", "lost", "bb"), m("n3", "left", "cc")}, ""},
		{"twins", []api.Member{self, {ID: "id-x", Name: "n1", State: "apart"}}, "2 members are called n1 (ids id-n1 and id-x); give each its own --node.name"},
		{"one that came back with a new id", []api.Member{self, {ID: "id-x", Name: "n1", State: "lost"}}, ""},
	} {
		if got := strings.Join(misfits(x.members), "; "); got != x.want {
			t.Errorf("%s: got %q, want %q", x.what, got, x.want)
		}
	}
}

func TestClusterOwner(t *testing.T) {
	mine := api.OwnerResponse{Key: "host:arxiv.org", Owner: "n1", OwnerID: "B3XWZJ5C", Address: "10.0.0.1:7142", APIAddress: "10.0.0.1:7140", Self: true}
	theirs := api.OwnerResponse{Key: "resolver:unpaywall", Owner: "n2", OwnerID: "Q7HT2KVN", Address: "10.0.0.2:7142", APIAddress: "10.0.0.2:7140"}
	term := newTerminal(t, node{
		"GET /v1/cluster/owner?key=host%3Aarxiv.org":         mine,
		"GET /v1/cluster/owner?key=resolver%3Aunpaywall":     theirs,
		"GET /v1/cluster/owner?key=host%3Anobody.org":        api.OwnerResponse{Key: "host:nobody.org"},
		"GET /v1/cluster/owner?key=host%3A2001%3Adb8%3A%3A1": api.OwnerResponse{Key: "host:2001:db8::1", Owner: "n2", OwnerID: "Q7HT2KVN"},
	})
	term.types("cluster", "owner", "arxiv.org", "resolver:unpaywall")
	term.types("cluster", "owner", "[2001:db8::1]", "unknown.org")
	term.types("cluster", "owner", "nobody.org", "arxiv.org")
	term.types("cluster", "owner", "arxiv.org", "-o", "json")
	term.golden("owner")
}

func TestClusterLeave(t *testing.T) {
	rest := wellMembers()
	rest[1].Self = false
	for name, r := range map[string]api.LeaveResponse{
		"leave-some": {Node: "n3", Owned: 3, Remaining: rest[:2]},
		"leave-one":  {Node: "n3", Owned: 1, Remaining: rest[:1]},
		"leave-idle": {Node: "n3", Remaining: rest[:2]},
		"leave-last": {Node: "n1", Owned: 2, Remaining: []api.Member{}},
	} {
		term := newTerminal(t, node{"POST /v1/cluster/leave": r})
		term.types("cluster", "leave")
		if name == "leave-some" {
			term.types("cluster", "leave", "-o", "json")
		}
		term.golden(name)
	}
}

// A node that accepted may be gone before it has said so.
func TestLeaveWithoutAnAnswer(t *testing.T) {
	term := newTerminal(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	_, stderr, code := term.run(t.Context(), "cluster", "leave")
	if code != exitNoAnswer || !strings.Contains(stderr, "unknown") || !strings.Contains(stderr, "cluster members") {
		t.Errorf("got %d, %q", code, stderr)
	}
}
