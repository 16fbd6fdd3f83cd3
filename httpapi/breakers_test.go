package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/httpapi"
)

// cooled is an entry with one cooldown, set by a node.
func (r *rig) cooled(setter string, d time.Duration) breaker.Snapshot {
	return breaker.Snapshot{Cooldowns: []breaker.Cooldown{{
		Setter: setter, Stamp: r.clock.Stamp(), Until: r.in(d), Length: d, Reason: breaker.ReasonRetryAfter,
	}}}
}

// ring is an open ring of a node.
func (r *rig) ring(node, host string, d time.Duration, why breaker.Reason) httpapi.Ring {
	return httpapi.Ring{Node: node, Key: breaker.HostKey(host), Status: breaker.Status{State: breaker.Open, Until: r.in(d), Reason: why}}
}

// line is what matters of a listed breaker.
func line(b api.Breaker) string {
	s := fmt.Sprintf("%s %s %s of %s", b.Name, b.State, b.Reason, b.Owner)
	if b.Local {
		s += " local"
	}
	if len(b.LocalNodes) > 0 {
		s += " on " + strings.Join(b.LocalNodes, ",")
	}
	return s
}

func TestListingCoversTheCluster(t *testing.T) {
	r := newRig(t)
	r.board["host:both.example"] = r.cooled("id1", time.Minute)
	r.board["host:ended.example"] = breaker.Snapshot{Circuit: breaker.Circuit{Stamp: r.clock.Stamp(), Keep: r.in(time.Minute)}}
	r.board["host:open.example"] = r.cooled("id2", time.Minute)
	r.board["host:probed.example"] = r.cooled("id2", -time.Second)
	r.named = []breaker.Key{"host:named.example", "host:open.example", "host:ring.example"}
	r.fleet.rings = []httpapi.Ring{
		r.ring("n2", "ring.example", time.Second, breaker.ReasonConsecutive),
		r.ring("n1", "ring.example", time.Minute, breaker.ReasonConsecutive),
		r.ring("n2", "both.example", time.Minute, breaker.ReasonConsecutive),
		r.ring("n2", "ended.example", time.Minute, breaker.ReasonRetryAfter),
		{Node: "n2", Key: "host:shut.example"}, // a member that is confused
	}
	r.fleet.silent = []string{"n4", "n3"}
	const (
		both   = "both.example open retry-after of n2 on n2"
		ended  = "ended.example open retry-after of n2 local on n2"
		named  = "named.example closed  of n2"
		open   = "open.example open retry-after of n2"
		probed = "probed.example half_open retry-after of n2"
		ring   = "ring.example open local-evidence of n2 local on n1,n2"
	)
	for query, want := range map[string][]string{
		"":                 {both, ended, open, probed, ring},
		"?state=open":      {both, ended, open, ring},
		"?state=half_open": {probed},
		"?state=closed":    {named},
		"?state=all":       {both, ended, named, open, probed, ring},
	} {
		got := get[api.BreakersResponse](r, "/v1/breakers"+query)
		var lines []string
		for _, b := range got.Breakers {
			lines = append(lines, line(b))
		}
		if d := cmp.Diff(want, lines); d != "" {
			t.Errorf("%q: %s", query, d)
		}
		if d := cmp.Diff([]string{"n3", "n4"}, got.Partial); got.Node != "n1" || d != "" {
			t.Errorf("%q: node %q, partial %s", query, got.Node, d)
		}
	}
}

func TestListingWithoutAnOwner(t *testing.T) {
	r := newRig(t)
	r.board["host:open.example"] = r.cooled("id1", time.Minute)
	r.fleet.owner = ""
	got := get[api.BreakersResponse](r, "/v1/breakers")
	if len(got.Breakers) != 1 || got.Breakers[0].Owner != "" || got.Partial != nil {
		t.Errorf("got %+v", got)
	}
}

// Closed counts what is closed for this node: a ring that is open elsewhere
// changes nothing here.
func TestListingCountsClosedBreakersOfThisNode(t *testing.T) {
	r := newRig(t)
	for _, host := range []string{"calm.example", "there.example", "here.example"} {
		if status, text := r.request("POST", "/v1/allow", `{"host":"`+host+`"}`, asJSON, nil); status != http.StatusOK {
			t.Fatalf("%s: %d %s", host, status, text)
		}
	}
	r.fleet.rings = []httpapi.Ring{
		r.ring("n2", "there.example", time.Minute, breaker.ReasonConsecutive),
		r.ring("n1", "here.example", time.Minute, breaker.ReasonConsecutive),
	}
	if got := get[api.BreakersResponse](r, "/v1/breakers"); got.Closed != 2 || len(got.Breakers) != 2 {
		t.Errorf("%d closed and %d listed, want 2 and 2", got.Closed, len(got.Breakers))
	}
}

func TestLongestRingIsTheState(t *testing.T) {
	r := newRig(t)
	r.fleet.rings = []httpapi.Ring{
		r.ring("n3", "a.example", time.Second, breaker.ReasonRolling),
		{Node: "n1", Key: "host:a.example", Status: breaker.Status{State: breaker.HalfOpen, Until: r.in(time.Hour)}},
		r.ring("n2", "a.example", time.Minute, breaker.ReasonConsecutive),
	}
	b := get[api.Breaker](r, "/v1/breakers/host/a.example")
	if got, want := line(b), "a.example open local-evidence of n2 local on n1,n2,n3"; got != want || b.Detail != "consecutive-failures" {
		t.Errorf("got %q, %q; want %q", got, b.Detail, want)
	}
	if b.Until == nil || b.RemainingMS < 55_000 || b.RemainingMS > 60_000 {
		t.Errorf("remaining %d until %v, want about a minute", b.RemainingMS, b.Until)
	}
}

func TestBreakerFromItsOwner(t *testing.T) {
	r := newRig(t)
	r.owners.in = breaker.Inspection{
		Snapshot:       r.cooled("id3", time.Minute), // this node's view has not heard of it
		Runs:           []breaker.RunSeen{{Role: "metadata", Failures: 3, ProbeSuccesses: 1}},
		Permits:        []breaker.PermitSeen{{Role: "metadata", Node: "id2", ExpiresIn: time.Second}},
		LastTransition: &breaker.Transition{At: r.in(-time.Second), To: breaker.Open, Nodes: []string{"id1", "stranger-of-old"}},
		LastFailure:    &breaker.FailureSeen{At: r.in(-time.Second), Node: "id3"},
	}
	r.fleet.silent = []string{"n3"}
	b := get[api.Breaker](r, "/v1/breakers/host/a.example")
	type seen struct {
		State, Owner, Node, Note, SetBy, Permit, Failure string
		Nodes, Partial                                   []string
		Role                                             api.Role
	}
	got := seen{b.State, b.Owner, b.Node, b.Note, b.Cooldowns[0].SetBy, b.Permits[0].Node, b.LastFailure.Node, b.Last.Nodes, b.Partial, b.Roles[0]}
	want := seen{"open", "n2", "n1", "", "n3", "n2", "n3", []string{"n1", "stranger"}, []string{"n3"},
		api.Role{Role: "metadata", Failures: 3, FailMax: 5, ProbeSuccesses: 1, SuccessThreshold: 1}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestBreakerWithoutAnOwner(t *testing.T) {
	r := newRig(t)
	r.owners.err = errSilent
	r.board["host:open.example"] = r.cooled("id2", time.Minute)
	for host, state := range map[string]string{"open.example": "open", "new.example": "closed"} {
		b := get[api.Breaker](r, "/v1/breakers/host/"+host)
		if b.State != state || b.Owner != "" || b.Policy == nil || b.Roles != nil {
			t.Errorf("%s: got %+v, want %s, no owner, and no counters nobody told", host, b, state)
		}
		if want := "no owner answered (n2 did not answer in time); this is what node n1 believes"; b.Note != want {
			t.Errorf("%s: note %q, want %q", host, b.Note, want)
		}
	}
}

func TestOperator(t *testing.T) {
	closed, open := breaker.Status{}, breaker.Status{State: breaker.Open}
	for _, x := range []struct {
		what   string
		result spread.OperatorResult
		err    error
		status int
		want   api.OperatorResponse
	}{
		{"done", spread.OperatorResult{Before: open, Durable: true, Copies: 2}, nil, 200,
			api.OperatorResponse{Key: "host:a.example", Before: "open", State: "closed", Durable: true, Copies: 2}},
		{"not on disk", spread.OperatorResult{Before: closed, Copies: 1, Err: fmt.Errorf("disk full")}, nil, 200,
			api.OperatorResponse{Key: "host:a.example", Before: "closed", State: "closed", Copies: 1, Detail: "disk full"}},
		{"nobody did it", spread.OperatorResult{}, errSilent, 503, api.OperatorResponse{}},
	} {
		r := newRig(t)
		r.owners.result, r.owners.err = x.result, x.err
		var got api.OperatorResponse
		status, text := r.request("POST", "/v1/breakers/host/a.example/close", `{}`, asJSON, &got)
		if status != x.status || got != x.want {
			t.Errorf("%s: %d %s, want %d %+v", x.what, status, text, x.status, x.want)
		}
		if x.err != nil && !strings.Contains(text, x.err.Error()) {
			t.Errorf("%s: %s does not say why", x.what, text)
		}
	}
}

func TestBadRequests(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/v1/breakers?state=ajar", "/v1/breakers/hosts/a.example", "/v1/breakers/host/a..example", "/v1/breakers/resolver/%20"} {
		if status, text := r.request("GET", path, "", nil, nil); status != http.StatusBadRequest || !strings.Contains(text, `"try":`) {
			t.Errorf("%s: %d %s, want a problem", path, status, text)
		}
	}
}

// What waits for its turn to be written is no word that a restart forgets: it is
// written before an answer says whether it is durable.
func TestWhatWaitsForItsTurnIsDurable(t *testing.T) {
	for _, path := range []string{"/v1/breakers/host/a.example", "/v1/breakers"} {
		r := newRig(t)
		r.board["host:a.example"] = breaker.Snapshot{Cooldowns: []breaker.Cooldown{{
			Setter: "id1", Stamp: r.clock.Stamp(), Until: r.in(time.Minute), Length: time.Minute, Reason: breaker.ReasonCLIOpen,
		}}}
		if status, text := r.request("GET", path, "", nil, nil); status != 200 || !strings.Contains(text, `"durable":true`) {
			t.Errorf("%s: %d %s", path, status, text)
		}
	}
}
