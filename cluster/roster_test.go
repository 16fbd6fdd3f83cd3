package cluster

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// seenAs is a process that memberlist sees: id#start, perhaps with a later epoch,
// perhaps draining: "a#1", "a#1@3", "a#1 drains".
func seenAs(s string) sighting {
	process, drains := strings.CutSuffix(s, " drains")
	process, later, _ := strings.Cut(process, "@")
	id, epoch, _ := splitMemberID(process)
	if later != "" {
		_, epoch, _ = splitMemberID("x#" + later)
	}
	return sighting{Member: Member{ID: id, Epoch: epoch, Draining: drains}, process: process}
}

// A rosterStep is one update of a roster and what it finds.
type rosterStep struct {
	seen     string // "; "-separated processes
	leaves   string // a member id, said before
	doubtful bool
	want     string // live; returned; left; lost
}

var rosterCases = map[string][]rosterStep{
	"a member that vanishes is lost, and told when it returns": {
		{seen: "a#1; b#1", want: "[a#1 b#1 me#1] [] [] []"},
		{seen: "a#1", want: "[a#1 me#1] [] [] [b]"},
		{seen: "a#1; b#1", want: "[a#1 me#1] [b#1] [] []"},
		{seen: "a#1; b#1@2", want: "[a#1 b#2 me#1] [] [] []"},
	},
	"one that said so has left": {
		{seen: "a#1", want: "[a#1 me#1] [] [] []"},
		{leaves: "a#1", want: "[me#1] [] [a] []"},
		{seen: "a#2", want: "[a#2 me#1] [] [] []"},
		{want: "[me#1] [] [] [a]"},
	},
	"its word may come late": {
		{seen: "a#1", want: "[a#1 me#1] [] [] []"},
		{want: "[me#1] [] [] [a]"},
		{leaves: "a#1", want: "[me#1] [] [a] []"},
		{seen: "a#1", want: "[a#1 me#1] [] [] []"},
	},
	"the word of another epoch does not count": {
		{seen: "a#2", leaves: "a#1", want: "[a#2 me#1] [] [] []"},
		{want: "[me#1] [] [] [a]"},
	},
	"one that drained has left": {
		{seen: "a#1 drains", want: "[a#1 me#1] [] [] []"},
		{want: "[me#1] [] [a] []"},
	},
	"the later of two processes counts": {
		{seen: "a#1; a#2", want: "[a#2 me#1] [] [] []"},
		{seen: "a#2", want: "[a#2 me#1] [] [] []"},
	},
	"the earlier one does not take over": {
		{seen: "a#1; a#2", want: "[a#2 me#1] [] [] []"},
		{seen: "a#1", want: "[me#1] [] [] [a]"},
		{seen: "a#1", want: "[me#1] [a#1] [] []"},
	},
	"while doubtful nobody is given up": {
		{seen: "a#1", want: "[a#1 me#1] [] [] []"},
		{doubtful: true, want: "[me#1] [] [] [a]"},
		{seen: "a#1", want: "[a#1 me#1] [] [] []"},
	},
	"nobody takes this node's place": {
		{seen: "me#1; me#7", want: "[me#1] [] [] []"},
	},
}

func TestRoster(t *testing.T) {
	for name, steps := range rosterCases {
		r := newRoster()
		r.update(Member{ID: "me", Epoch: 1}, nil, false)
		for i, s := range steps {
			if id, epoch, ok := splitMemberID(s.leaves); ok {
				r.leaves(id, epoch)
			}
			var seen []sighting
			for _, p := range strings.Split(s.seen, "; ") {
				if p != "" {
					seen = append(seen, seenAs(p))
				}
			}
			if got := describe(r.update(Member{ID: "me", Epoch: 1}, seen, s.doubtful)); got != s.want {
				t.Errorf("%s, step %d:\n got %s\nwant %s", name, i, got, s.want)
			}
		}
	}
}

func describe(c change) string {
	live, returned := []string{}, []string{}
	for _, m := range c.live {
		live = append(live, memberID(m.ID, m.Epoch))
	}
	for _, s := range c.returned {
		returned = append(returned, memberID(s.ID, s.Epoch))
	}
	return fmt.Sprint(live, returned, c.left, c.lost)
}

func TestWhoOwnsNothing(t *testing.T) {
	p := newPicture([]Member{{ID: "a", Draining: true}, {ID: "b", Apart: true}, {ID: "c"}})
	if got := p.ring.Members(); !slices.Equal(got, []string{"c"}) || len(p.byID) != 3 {
		t.Errorf("the ring is %v, want c alone of %v", got, p.members)
	}
	if got := newPicture([]Member{{ID: "a", Draining: true}}).ring.Owner("host:x"); got != "" {
		t.Errorf("the owner is %q, want none", got)
	}
}

func TestTwin(t *testing.T) {
	r := newRoster()
	for process, want := range map[string]string{"me#3": "me#3", "me#1": ""} {
		if c := r.update(Member{ID: "me", Epoch: 2}, []sighting{seenAs("me#2"), seenAs(process)}, false); c.twin != want {
			t.Errorf("beside %s the twin is %q, want %q", process, c.twin, want)
		}
	}
}

func TestGivenUpIsBounded(t *testing.T) {
	r := newRoster()
	for i := range 2 * maxGivenUp {
		r.giveUp(fmt.Sprint(i), 1)
	}
	if len(r.givenUp) != maxGivenUp {
		t.Errorf("%d epochs are remembered, want %d", len(r.givenUp), maxGivenUp)
	}
}

func TestSeeds(t *testing.T) {
	s := newSeeds([]string{"peer:1"}, []string{"old:1", "bad", "old:1"})
	live := []Member{{ID: "me", GossipAddress: "me:1", Self: true}, {ID: "a", GossipAddress: "a:1"}}
	if !s.saw(live) || s.saw(live) {
		t.Error("a member that was not seen is news, once")
	}
	if got, want := s.round(map[string]bool{"a:1": true}), []string{"peer:1", "old:1"}; !slices.Equal(got, want) {
		t.Errorf("joins %v, want %v", got, want)
	}
	live[1].GossipAddress = "a:2" // it moved
	if !s.saw(live) || !slices.Equal(s.known, []string{"old:1", "a:2"}) {
		t.Errorf("known are %v, want the new address instead of the old", s.known)
	}
	if !s.forget("a") || s.forget("a") || !slices.Equal(s.known, []string{"old:1"}) {
		t.Errorf("known are %v, want the one of who left gone", s.known)
	}
}

func TestSeedsAreBoundedAndTakeTurns(t *testing.T) {
	s := newSeeds(nil, nil)
	for i := range 2 * maxSeeds {
		s.saw([]Member{{ID: fmt.Sprint(i), GossipAddress: fmt.Sprint("10.0.0.1:", i+1)}, {ID: "first", GossipAddress: "10.0.0.2:1"}})
	}
	if len(s.known) != maxSeeds || !slices.Contains(s.known, "10.0.0.2:1") {
		t.Errorf("%d addresses are known, want %d and the live one among them", len(s.known), maxSeeds)
	}
	tried := map[string]bool{}
	for range maxSeeds/seedsPerRound + 1 {
		round := s.round(nil)
		if len(round) != seedsPerRound {
			t.Fatalf("a round joins %d, want %d", len(round), seedsPerRound)
		}
		for _, addr := range round {
			tried[addr] = true
		}
	}
	if len(tried) != maxSeeds {
		t.Errorf("%d addresses were tried, want all %d", len(tried), maxSeeds)
	}
}

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		listen, advertise, want string
		loopback                bool
	}{
		{"", "", "127.0.0.1:5", true},
		{"localhost:7141", "", "127.0.0.1:5", true},
		{"[::1]:7141", "", "[::1]:5", true},
		{"127.0.0.1:7141", "localhost:99", "localhost:99", true},
		{"127.0.0.1:7141", "192.0.2.1", "192.0.2.1:5", false},
		{"0.0.0.0:7141", "host.example.org", "host.example.org:5", false},
		{":7141", "[2001:db8::1]:9", "[2001:db8::1]:9", false},
		{"192.0.2.1:7141", "2001:db8::1", "[2001:db8::1]:5", false},
	} {
		p, err := parsePlace("cluster", c.listen, c.advertise)
		if err != nil || p.address(5) != c.want || p.loopback() != c.loopback {
			t.Errorf("%q %q: told as %q, loopback %t, %v; want %q, %t", c.listen, c.advertise, p.address(5), p.loopback(), err, c.want, c.loopback)
		}
	}
}
