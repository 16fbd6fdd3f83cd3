package httpapi_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// believes is the belief of a member, open for 30 s by default.
func believes(n string, change func(*api.Belief)) api.Belief {
	b := api.Belief{Node: "n" + n, ID: "id" + n, State: "open", RemainingMS: 30_000, Stamp: "7", PolicyVersion: "0", ConfigHash: "c", OwnerID: "id2"}
	if change != nil {
		change(&b)
	}
	return b
}

// TestBeliefsSayWhereTheyDiffer compares members with the owner, n2.
func TestBeliefsSayWhereTheyDiffer(t *testing.T) {
	closed := func(b *api.Belief) { b.State, b.RemainingMS, b.Stamp = "closed", 0, "0" }
	for _, x := range []struct {
		what   string
		owner  func(*api.Belief)
		member func(*api.Belief)
		want   []string
	}{
		{"alike", nil, nil, nil},
		{"asked a little later", nil, func(b *api.Belief) { b.RemainingMS = 29_000 }, nil},
		{"ran out meanwhile", func(b *api.Belief) { b.RemainingMS = 500 }, func(b *api.Belief) { b.State, b.RemainingMS = "half_open", 0 }, nil},
		{"has not heard of it", nil, closed, []string{"state"}},
		{"another deadline", nil, func(b *api.Belief) { b.RemainingMS, b.Stamp = 600_000, "9" }, []string{"deadline", "stamp"}},
		{"another policy", nil, func(b *api.Belief) { b.PolicyVersion = "12" }, []string{"policy"}},
		{"another file and owner", nil, func(b *api.Belief) { b.ConfigHash, b.OwnerID = "d", "id1" }, []string{"config", "owner"}},
		{"its own ring", closed, func(b *api.Belief) { closed(b); b.Ring = &api.Ring{State: "open"} }, []string{"ring"}},
	} {
		r := newRig(t)
		r.beliefs = []api.Belief{believes("3", x.member), believes("2", x.owner)}
		r.fleet.silent = []string{"n5", "n4"}
		got := get[api.BeliefsResponse](r, "/v1/breakers/host/A.example./beliefs")
		if got.Key != "host:a.example" || got.Node != "n1" || got.Reference != "n2" || len(got.Beliefs) != 2 || got.Beliefs[0].Node != "n2" {
			t.Fatalf("%s: got %+v", x.what, got)
		}
		if d := cmp.Diff(x.want, got.Beliefs[1].Differs); d != "" || got.Beliefs[0].Differs != nil {
			t.Errorf("%s: %s, and the owner differs from itself by %q", x.what, d, got.Beliefs[0].Differs)
		}
		if d := cmp.Diff([]string{"n4", "n5"}, got.Missing); d != "" {
			t.Errorf("%s: missing %s", x.what, d)
		}
	}
}

// TestBeliefsWithoutAnOwner compares with the node that answers.
func TestBeliefsWithoutAnOwner(t *testing.T) {
	r := newRig(t)
	r.beliefs = []api.Belief{believes("3", nil), believes("1", func(b *api.Belief) { b.State = "closed" })}
	got := get[api.BeliefsResponse](r, "/v1/breakers/resolver/crossref/beliefs")
	if got.Reference != "n1" || !cmp.Equal(got.Beliefs[1].Differs, []string{"state"}) {
		t.Errorf("got %+v", got)
	}
	if status, text := r.request("GET", "/v1/breakers/host/a..b/beliefs", "", nil, nil); status != http.StatusBadRequest {
		t.Errorf("got %d %s", status, text)
	}
}

// TestBreakerSaysWhatOpenedIt shows what the owner remembers of the trip, also
// when the breaker has moved on, and since when it has not been closed.
func TestBreakerSaysWhatOpenedIt(t *testing.T) {
	r := newRig(t)
	at := r.in(-time.Minute)
	r.owners.in = breaker.Inspection{
		Snapshot:       breaker.Snapshot{Circuit: breaker.Circuit{State: breaker.Open, Stamp: 9, FirstTrip: at, Until: r.in(-time.Second), Reason: breaker.ReasonConsecutive}},
		LastTransition: &breaker.Transition{At: r.in(-time.Second), From: breaker.Open, To: breaker.HalfOpen},
		LastOpen:       &breaker.Transition{At: at, To: breaker.Open, Counted: []breaker.Counted{{Node: "id3", At: at, Count: 2}}},
	}
	b := get[api.Breaker](r, "/v1/breakers/host/a.example")
	want := r.clock.Wall(at)
	near := func(t time.Time) bool { return t.Sub(want).Abs() < time.Millisecond } // the wall clock is read again
	if b.LastOpen == nil || len(b.LastOpen.Counted) != 1 || !near(b.LastOpen.Counted[0].At) {
		t.Fatalf("got %+v, want a failure at %v", b.LastOpen, want)
	}
	if c := b.LastOpen.Counted[0]; c.Node != "n3" || c.Count != 2 {
		t.Errorf("got %+v, want 2 of n3", c)
	}
	if b.Since == nil || !near(*b.Since) {
		t.Errorf("since %v, want %v", b.Since, want)
	}
}
