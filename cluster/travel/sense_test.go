package travel_test

import (
	"math"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/travel"
	"fleetfuse/wire"
)

// snapshotOf is one whose parts have a stamp.
func snapshotOf(part string, stamp breaker.Stamp) breaker.Snapshot {
	until := arrival.Add(time.Minute)
	switch part {
	case "cooldown":
		return breaker.Snapshot{Cooldowns: []breaker.Cooldown{
			{Setter: "n2", Stamp: 1, Until: until}, {Setter: "n3", Stamp: stamp, Until: until},
		}}
	case "circuit":
		return breaker.Snapshot{Circuit: breaker.Circuit{State: breaker.Open, Stamp: stamp, Until: until}}
	}
	if part == "overlay" {
		return breaker.Snapshot{Overlays: []breaker.Overlay{{Stamp: stamp, Fields: "fail_max:3"}}}
	}
	return breaker.Snapshot{Clear: stamp, ClearKept: until}
}

// TestStampsBeyondTheSendersClock: a node hears of no stamp without moving its
// clock, so such a stamp would get past the check of clocks that are days off.
func TestStampsBeyondTheSendersClock(t *testing.T) {
	const clock = breaker.Stamp(100)
	send := func(m spread.Message) (spread.Message, error) {
		f, err := travel.Depart(m, arrival)
		if err != nil {
			t.Fatal(err)
		}
		f.Stamp = uint64(clock)
		return arrive(t, f)
	}
	for _, part := range []string{"cooldown", "circuit", "clear", "overlay"} {
		good, bad := snapshotOf(part, clock), snapshotOf(part, clock+1)
		m, _ := send(spread.Push{Entries: []spread.Entry{{Key: "host:a", Snapshot: bad}, {Key: "host:b", Snapshot: good}}})
		if entries := m.(spread.Push).Entries; len(entries) != 1 || entries[0].Key != "host:b" {
			t.Errorf("%s: pushed %+v, want host:b alone", part, entries)
		}
		m, err := send(spread.Request{Key: "host:a", Body: spread.Ask{Question: breaker.Question{ID: 7}, Entry: bad}})
		if ask, ok := m.(spread.Request).Body.(spread.Ask); err != nil || !ok || ask.Question.ID != 7 || !ask.Entry.Empty() {
			t.Errorf("%s: asked %+v, %v; want the question without the entry", part, m, err)
		}
		m, _ = send(spread.Request{Key: "host:a", Body: spread.Ask{Entry: good}})
		if ask := m.(spread.Request).Body.(spread.Ask); ask.Entry.MaxStamp() != clock {
			t.Errorf("%s: asked %+v, want with the entry", part, ask)
		}
		if m, err := send(spread.Request{Key: "host:a", Body: spread.Hold{Snapshot: bad}}); err == nil {
			t.Errorf("%s: to hold %+v, want a refusal: half of it would be acknowledged", part, m)
		}
		if _, err := send(spread.Request{Key: "host:a", Body: spread.Hold{Snapshot: good}}); err != nil {
			t.Errorf("%s: to hold what is good: %v", part, err)
		}
		m, _ = send(spread.Reply{Body: spread.OperatorResult{Copies: 2, Entry: bad}})
		if r := m.(spread.Reply).Body.(spread.OperatorResult); !r.Entry.Empty() || r.Copies != 2 {
			t.Errorf("%s: a result with %+v, want it without the entry", part, r.Entry)
		}
	}
}

func TestWordsOfALaterVersion(t *testing.T) {
	f := &wire.Frame{Stamp: math.MaxUint64, Body: &wire.Frame_Batch{Batch: &wire.Batch{Reports: []*wire.Report{
		{Key: "host:a", Outcomes: []*wire.Outcome{{Kind: 9}, {Kind: -1}}},
	}}}}
	m, _ := arrive(t, f)
	for _, o := range m.(spread.Batch).Reports[0].Outcomes {
		if o.Kind != breaker.Neutral || o.Count != 1 {
			t.Errorf("an unknown kind is read as %+v, want one neutral", o)
		}
	}
	for _, state := range []wire.State{-1, 3, 9} {
		f = &wire.Frame{Body: &wire.Frame_Reply{Reply: &wire.Reply{Body: &wire.Reply_Ask{Ask: &wire.AskReply{State: state}}}}}
		m, _ = arrive(t, f)
		if a := m.(spread.Reply).Body.(breaker.Answer); a.State != breaker.Open {
			t.Errorf("state %d is read as %v, want the most severe", state, a.State)
		}
	}
}

// TestTheOriginIsNotNever sends an instant that is the origin of the other
// clock, and one that is before it.
func TestTheOriginIsNotNever(t *testing.T) {
	c := clocks{here: breaker.Instant(50 * time.Hour), there: breaker.Instant(time.Hour)}
	for sent, want := range map[breaker.Instant]breaker.Instant{0: 0, c.here: c.there, c.here - c.there: 1, c.here - c.there - 5: -5} {
		m, err := c.travel(spread.Reply{Body: breaker.Answer{Expires: sent}})
		if err != nil {
			t.Fatal(err)
		}
		if got := m.(spread.Reply).Body.(breaker.Answer).Expires; got != want {
			t.Errorf("%d arrived as %d, want %d", sent, got, want)
		}
	}
}

func TestNegativeLengthIsNoClose(t *testing.T) {
	word := &wire.Request{Key: "host:a", Body: &wire.Request_Word{Word: &wire.Word{Length: -1}}}
	if m, err := arrive(t, &wire.Frame{Body: &wire.Frame_Request{Request: word}}); err == nil {
		t.Errorf("an open for -1ns arrived as %+v, want an error: zero is a close", m)
	}
}

func TestManyCooldownsAreCut(t *testing.T) {
	var s breaker.Snapshot
	for i := range 10_000 {
		s.Cooldowns = append(s.Cooldowns, breaker.Cooldown{Setter: "n2", Stamp: breaker.Stamp(i), Until: arrival + 1})
	}
	f, err := travel.Depart(spread.Push{Entries: []spread.Entry{{Key: "host:a", Snapshot: s}}}, arrival)
	if err != nil {
		t.Fatal(err)
	}
	f.Stamp = math.MaxUint64
	m, _ := arrive(t, f)
	if n := len(m.(spread.Push).Entries[0].Snapshot.Cooldowns); n > 64 {
		t.Errorf("%d cooldowns of one key arrived, want at most 64", n)
	}
}
