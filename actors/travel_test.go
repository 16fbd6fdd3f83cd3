package actors

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"fleetfuse/breaker"
	"fleetfuse/wire"
)

// here and there are the same moment on the clocks of two nodes.
const (
	here  = breaker.Instant(time.Hour)
	there = breaker.Instant(50 * time.Hour)
)

// shifted is an instant of here as it must arrive there.
func shifted(i breaker.Instant) breaker.Instant {
	if i == 0 {
		return 0
	}
	return i - here + there
}

// travel sends a message from here to there.
func travel(t interface{ Fatalf(string, ...any) }, msg any) any {
	out := departing(msg, "host:a", here)
	if out == nil {
		t.Fatalf("%T has no wire form", msg)
	}
	bytes, err := proto.Marshal(out)
	if err != nil {
		t.Fatalf("marshal %T: %v", out, err)
	}
	in := out.ProtoReflect().New().Interface()
	if err := proto.Unmarshal(bytes, in); err != nil {
		t.Fatalf("unmarshal %T: %v", out, err)
	}
	got, ok := arriving(in, there)
	if !ok {
		t.Fatalf("%T is not read", in)
	}
	return got
}

func drawInstant(t *rapid.T, name string) breaker.Instant {
	if rapid.Bool().Draw(t, name+" is never") {
		return 0
	}
	return breaker.Instant(rapid.Int64Range(1, int64(100*time.Hour)).Draw(t, name))
}

func drawState(t *rapid.T, name string) breaker.State {
	return rapid.SampledFrom([]breaker.State{breaker.Closed, breaker.HalfOpen, breaker.Open}).Draw(t, name)
}

func drawEvidence(t *rapid.T) breaker.Evidence {
	return breaker.Evidence{
		Status: rapid.IntRange(0, 599).Draw(t, "status"), Error: rapid.SampledFrom(breaker.TransportErrors).Draw(t, "error"),
		RetryAfter: rapid.StringN(0, 10, 20).Draw(t, "retry-after"),
	}
}

func drawSnapshot(t *rapid.T) (sent, want breaker.Snapshot) {
	sent = breaker.Snapshot{
		Clear: breaker.Stamp(rapid.Uint64().Draw(t, "clear")), ClearKept: drawInstant(t, "kept"), Renewed: drawInstant(t, "renewed"),
		Circuit: breaker.Circuit{
			State: drawState(t, "circuit"), Stamp: breaker.Stamp(rapid.Uint64().Draw(t, "stamp")), Until: drawInstant(t, "until"),
			FirstTrip: drawInstant(t, "first"), Opens: rapid.IntRange(0, 99).Draw(t, "opens"), Reason: breaker.ReasonRolling,
			Role: "artifact", ByRole: rapid.Bool().Draw(t, "by role"), Detail: "d", Keep: drawInstant(t, "keep"),
		},
	}
	for range rapid.IntRange(0, 3).Draw(t, "cooldowns") {
		sent.Cooldowns = append(sent.Cooldowns, breaker.Cooldown{
			Setter: "n2", Stamp: breaker.Stamp(rapid.Uint64().Draw(t, "cooldown stamp")), Until: drawInstant(t, "cooldown"),
			Length: time.Duration(rapid.Int64().Draw(t, "length")), Reason: breaker.ReasonStore, Author: "a", Detail: "e",
			Disk: rapid.Bool().Draw(t, "disk"),
		})
	}
	want = sent.Clone()
	for _, i := range []*breaker.Instant{
		&want.ClearKept, &want.Renewed, &want.Circuit.Until, &want.Circuit.FirstTrip, &want.Circuit.Keep,
	} {
		*i = shifted(*i)
	}
	for i := range want.Cooldowns {
		want.Cooldowns[i].Until = shifted(want.Cooldowns[i].Until)
	}
	return sent, want
}

func TestInspectionTravels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		snap, wantSnap := drawSnapshot(t)
		at, until := drawInstant(t, "at"), drawInstant(t, "status until")
		sent := breaker.Inspection{
			Status:  breaker.Status{State: drawState(t, "state"), Until: until, Reason: breaker.ReasonCLIOpen, Author: "a", Detail: "d"},
			Changed: at, Snapshot: snap, Burst: 1, Calls: 2, Failures: 3,
			Runs:           []breaker.RunSeen{{Role: "landing", Failures: 4, Nodes: []string{"n1", "n2"}, ProbeSuccesses: 1}},
			Permits:        []breaker.PermitSeen{{Role: "metadata", Node: "n1", ExpiresIn: 5}},
			LastTransition: &breaker.Transition{At: at, Stamp: 9, From: breaker.Open, To: breaker.HalfOpen, Nodes: []string{"n3"}, Failures: 7, Evidence: drawEvidence(t)},
			LastFailure:    &breaker.FailureSeen{At: at, Node: "n1", Role: "r", Evidence: drawEvidence(t)},
		}
		want := sent
		want.Status.Until, want.Changed, want.Snapshot = shifted(until), shifted(at), wantSnap
		transition, failure := *sent.LastTransition, *sent.LastFailure
		transition.At, failure.At = shifted(at), shifted(at)
		want.LastTransition, want.LastFailure = &transition, &failure
		if diff := cmp.Diff(want, travel(t, sent)); diff != "" {
			t.Fatalf("arrived otherwise (-want +got):\n%s", diff)
		}
	})
}

func TestReportTravels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sent := &report{node: "n1", gap: rapid.Bool().Draw(t, "gap"), outcomes: []breaker.Outcome{}}
		want := &report{node: "n1", gap: sent.gap, outcomes: []breaker.Outcome{}}
		for range rapid.IntRange(0, 4).Draw(t, "outcomes") {
			o := breaker.Outcome{
				Node: "n1", Role: "metadata", Kind: breaker.Kind(rapid.IntRange(0, 2).Draw(t, "kind")), Slow: rapid.Bool().Draw(t, "slow"),
				Count: rapid.IntRange(0, 1000).Draw(t, "count"), Began: drawInstant(t, "began"), Ended: drawInstant(t, "ended"),
				Permit: breaker.PermitID(rapid.Uint64().Draw(t, "permit")), Strict: rapid.Bool().Draw(t, "strict"), Evidence: drawEvidence(t),
			}
			sent.outcomes = append(sent.outcomes, o)
			o.Began, o.Ended = shifted(o.Began), shifted(o.Ended)
			want.outcomes = append(want.outcomes, o)
		}
		if diff := cmp.Diff(want, travel(t, sent), cmp.AllowUnexported(report{})); diff != "" {
			t.Fatalf("arrived otherwise (-want +got):\n%s", diff)
		}
	})
}

func TestMessagesTravel(t *testing.T) {
	disk := errors.New("disk full")
	for _, c := range []struct{ sent, want any }{
		{&ask{breaker.Question{ID: 7, Node: "n1", Role: "r"}}, &ask{breaker.Question{ID: 7, Node: "n1", Role: "r"}}},
		{&giveBack{8}, &giveBack{8}},
		{&cool{breaker.Cooldown{Setter: "n1", Stamp: 3, Until: here + 5}}, &cool{breaker.Cooldown{Setter: "n1", Stamp: 3, Until: there + 5}}},
		{&openUntil{time.Hour, "a", "d"}, &openUntil{time.Hour, "a", "d"}},
		{&closeNow{"a", "d"}, &closeNow{"a", "d"}},
		{&inspect{}, &inspect{}},
		{&replace{&breaker.Policy{}}, &replace{}}, // the owner reads its own copy
		{breaker.Answer{State: breaker.HalfOpen, Permit: 5, Expires: here + 9, Delay: 1, RetryIn: 2, Reason: "x"},
			breaker.Answer{State: breaker.HalfOpen, Permit: 5, Expires: there + 9, Delay: 1, RetryIn: 2, Reason: "x"}},
		{OperatorResult{After: breaker.Status{State: breaker.Open, Until: here + 4}, Durable: true, Copies: 2},
			OperatorResult{After: breaker.Status{State: breaker.Open, Until: there + 4}, Durable: true, Copies: 2}},
		{&cool{breaker.Cooldown{Until: here - there}}, &cool{breaker.Cooldown{Until: 1}}}, // the origin there is not never
	} {
		opt := cmp.AllowUnexported(ask{}, giveBack{}, cool{}, openUntil{}, closeNow{}, inspect{}, replace{})
		if diff := cmp.Diff(c.want, travel(t, c.sent), opt); diff != "" {
			t.Errorf("%T arrived otherwise (-want +got):\n%s", c.sent, diff)
		}
	}
	if got := travel(t, OperatorResult{Err: disk}).(OperatorResult); got.Err == nil || got.Err.Error() != disk.Error() {
		t.Errorf("the error arrived as %v, want %v", got.Err, disk)
	}
	if got := travel(t, error(ErrPanicked)).(error); !errors.Is(got, ErrPanicked) {
		t.Errorf("a panic arrived as %v, want %v", got, ErrPanicked)
	}
}

func TestWordsOfALaterVersion(t *testing.T) {
	got, _ := arriving(&wire.Report{Outcomes: []*wire.Outcome{{Kind: 9}}}, there)
	if k := got.(*report).outcomes[0].Kind; k != breaker.Neutral {
		t.Errorf("an unknown kind is read as %v, want neutral", k)
	}
	answer, _ := arriving(&wire.AskReply{State: 9}, there)
	if s := answer.(breaker.Answer).State; s != breaker.Open {
		t.Errorf("an unknown state is read as %v, want open", s)
	}
	for _, empty := range []proto.Message{&wire.Cool{}, &wire.OperatorReply{}, &wire.InspectReply{}, &wire.Report{Outcomes: []*wire.Outcome{{}}}} {
		if _, ok := arriving(empty, there); !ok {
			t.Errorf("%T without fields is not read", empty)
		}
	}
}
