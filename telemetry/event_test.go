package telemetry_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/telemetry"
)

var at = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// What two owners write of one thing has one ID; what differs has two.
func TestID(t *testing.T) {
	e := telemetry.Event{
		Time: at, Kind: telemetry.KindTransition, Key: "host:h", Node: "a", From: "closed", To: "open", Stamp: 77, Owner: "a", Seq: 5,
	}
	other := func(change func(*telemetry.Event)) bool {
		o := e
		change(&o)
		return o.ID() != e.ID()
	}
	for name, change := range map[string]func(*telemetry.Event){
		"owner": func(o *telemetry.Event) { o.Owner, o.Node, o.Seq = "b", "b", 9 },
		"time":  func(o *telemetry.Event) { o.Time = at.Add(time.Second) },
		"from":  func(o *telemetry.Event) { o.From, o.Detail = "half_open", "x" },
	} {
		if other(change) {
			t.Errorf("another %s makes another ID", name)
		}
	}
	for name, change := range map[string]func(*telemetry.Event){
		"key":   func(o *telemetry.Event) { o.Key = "host:i" },
		"stamp": func(o *telemetry.Event) { o.Stamp++ },
		"state": func(o *telemetry.Event) { o.To = "half_open" },
		"kind":  func(o *telemetry.Event) { o.Kind = telemetry.KindOperator },
	} {
		if !other(change) {
			t.Errorf("another %s makes no other ID", name)
		}
	}
	if got, want := e.ID().String(), "000000000000004d-transition-open-host:h"; got != want {
		t.Errorf("the ID is %q, want %q", got, want)
	}
}

// What happens to two nodes at one time is two events.
func TestIDOfNodes(t *testing.T) {
	e := telemetry.Event{Time: at, Kind: telemetry.KindMember, Node: "a", From: "alive", To: "lost"}
	o := e
	o.Node = "b"
	if e.ID() == o.ID() {
		t.Errorf("two members that were lost are one event")
	}
	o = e
	o.Time = at.Add(time.Millisecond)
	if e.ID() == o.ID() {
		t.Errorf("what has no stamp is one event at two times")
	}
}

func TestParseKind(t *testing.T) {
	kinds := []telemetry.Kind{
		telemetry.KindTransition, telemetry.KindLocal, telemetry.KindCooldown, telemetry.KindOperator, telemetry.KindPolicy, telemetry.KindProbe,
		telemetry.KindAdvice, telemetry.KindMember, telemetry.KindDegraded, telemetry.KindRecovered,
	}
	if len(kinds) != len(api.EventKinds) {
		t.Errorf("the API has %d kinds, want %d", len(api.EventKinds), len(kinds))
	}
	for _, k := range kinds {
		if got, err := telemetry.ParseKind(string(k)); got != k || err != nil {
			t.Errorf("%q is read as %q, %v", k, got, err)
		}
	}
	if _, err := telemetry.ParseKind("transitions"); err == nil || !strings.Contains(err.Error(), "cooldown") {
		t.Errorf("a kind that is none: %v", err)
	}
}

// A trimmed event is the same after JSON, and trimming it again changes nothing.
func TestEventThroughJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringN(0, 400, 600), rapid.Just("\xff\x00<&>\u2028"))
		e := telemetry.Event{
			Seq: rapid.Uint64().Draw(t, "seq"), Time: time.Unix(rapid.Int64().Draw(t, "s"), rapid.Int64Range(0, 1e9-1).Draw(t, "ns")),
			Kind: telemetry.Kind(text.Draw(t, "kind")), Key: breaker.Key(text.Draw(t, "key")), Node: text.Draw(t, "node"),
			Role: text.Draw(t, "role"), From: text.Draw(t, "from"), To: text.Draw(t, "to"), Reason: breaker.Reason(text.Draw(t, "reason")),
			Detail: text.Draw(t, "detail"), Author: text.Draw(t, "author"), Length: time.Duration(rapid.Int64().Draw(t, "length")),
			Evidence: telemetry.Evidence{
				Failures: rapid.Int().Draw(t, "failures"), Status: rapid.Int().Draw(t, "status"), RetryAfter: text.Draw(t, "retry-after"),
				Witnesses: rapid.SliceOfN(text, 0, 20).Draw(t, "witnesses"),
			},
			PolicyVersion: breaker.Stamp(rapid.Uint64().Draw(t, "version")), Owner: text.Draw(t, "owner"), Stamp: breaker.Stamp(rapid.Uint64().Draw(t, "stamp")),
		}
		e.Trim()
		again := e
		again.Trim()
		if diff := cmp.Diff(e, again); diff != "" {
			t.Fatalf("trimmed -, trimmed twice +\n%s", diff)
		}
		body, err := json.Marshal(e.API())
		if err != nil {
			t.Fatal(err)
		}
		var a api.Event
		if err := json.Unmarshal(body, &a); err != nil {
			t.Fatal(err)
		}
		back, err := telemetry.EventFromAPI(a)
		if diff := cmp.Diff(e, back); diff != "" || err != nil {
			t.Fatalf("%v, before -, after JSON +\n%s", err, diff)
		}
		if len(e.Detail) > 512 || !utf8.ValidString(e.Detail) || len(body) > 20_000 {
			t.Fatalf("a detail of %d bytes, a body of %d", len(e.Detail), len(body))
		}
	})
}

func TestBadStamps(t *testing.T) {
	for _, a := range []api.Event{{ID: "x", Stamp: "-1"}, {ID: "x", PolicyVersion: "two"}} {
		if _, err := telemetry.EventFromAPI(a); err == nil || !strings.Contains(err.Error(), "event x") {
			t.Errorf("%+v: %v", a, err)
		}
	}
}

// A sentence is kept whole; where a longer one is cut is seen.
func TestEventDetail(t *testing.T) {
	for _, x := range []struct{ detail, want string }{
		{strings.Repeat("a sentence, ", 25), strings.Repeat("a sentence, ", 25)},
		{strings.Repeat("é", 256), strings.Repeat("é", 256)},
		{strings.Repeat("é", 257), strings.Repeat("é", 254) + "…"},
	} {
		e := telemetry.Event{Detail: x.detail}
		if e.Trim(); e.Detail != x.want {
			t.Errorf("a detail of %d bytes is kept as %q", len(x.detail), e.Detail)
		}
	}
}
