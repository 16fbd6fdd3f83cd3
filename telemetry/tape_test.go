package telemetry_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/telemetry"
	"fleetfuse/telemetry/rollup"
	"fleetfuse/tuner/replay"
)

// logOf is a log of outcomes.
func logOf(outcomes []breaker.Outcome) *rollup.Log {
	var log rollup.Log
	for _, o := range outcomes {
		log.Add(o)
	}
	return &log
}

func TestTapeOfSeveralNodes(t *testing.T) {
	ms := func(n int) breaker.Instant {
		return breaker.Instant(time.Hour).Add(time.Duration(n) * time.Millisecond)
	}
	one := func(kind breaker.Kind, at int) breaker.Outcome {
		return breaker.Outcome{Kind: kind, Count: 1, Began: ms(at), Ended: ms(at)}
	}
	tape := telemetry.Tape([]telemetry.NodeLog{
		{Node: "n2", Log: logOf([]breaker.Outcome{one(breaker.Failure, 10), one(breaker.Failure, 30)})},
		{Node: "n1", Log: logOf([]breaker.Outcome{one(breaker.Success, 10), one(breaker.Failure, 20)})},
		{Node: "n2", Log: logOf([]breaker.Outcome{one(breaker.Failure, 15)})},
		{Node: "n3"},
	})
	var got []string
	for _, o := range tape.Outcomes {
		got = append(got, fmt.Sprint(o.Node, " ", o.Kind, " ", o.Ended.Sub(ms(0)).Milliseconds()))
	}
	want := []string{"n1 success 10", "n2 failure 10", "n1 failure 20", "n2 failure 30"}
	if !slices.Equal(got, want) || tape.Members != 2 {
		t.Errorf("the tape of %d members is %q, want %q of 2", tape.Members, got, want)
	}
}

// What a breaker did is found again on the tape that its nodes' logs make.
func TestTapeOpensAsRecorded(t *testing.T) {
	p := breaker.DefaultPolicy()
	p.ResetTimeout = 20 * time.Second
	m, logs := breaker.New(&p), []rollup.Log{{}, {}}
	var blocked []replay.Gap
	var opens int
	take := func(e breaker.Effects) {
		if e.Announce == nil {
			return
		}
		for _, t := range e.Announce.Transitions {
			if t.To == breaker.Open {
				opens++
				blocked = append(blocked, replay.Gap{From: t.At, To: t.At.Add(p.ResetTimeout)})
			}
		}
	}
	now := breaker.Instant(time.Hour)
	for i := range 900 {
		now = now.Add(time.Duration(400+i%2*30) * time.Millisecond)
		mo := breaker.Moment{Now: now, Stamp: breaker.Stamp(3*i + 1), Members: len(logs), Rand: uint64(i)}
		n := i / 2 % len(logs)
		a, e := m.Ask(mo, breaker.Question{ID: uint64(i + 1), Node: fmt.Sprint("n", n)})
		take(e)
		if a.State != breaker.Closed && a.Permit == 0 {
			if a.State == breaker.Open {
				blocked[len(blocked)-1].Calls++
			}
			continue
		}
		o := breaker.Outcome{Node: fmt.Sprint("n", n), Count: 1 + i%3, Began: now.Add(-time.Millisecond), Ended: now, Permit: a.Permit}
		if i/100%3 == 1 {
			o.Kind, o.Count, o.Began = breaker.Failure, 1, now
		} else if a.Permit != 0 {
			o.Count, o.Began = 1, now
		}
		logs[n].Add(o)
		e = m.Report(mo, o)
		take(e)
		if q := e.AskWitnesses; q != nil {
			mo.Stamp++
			take(m.EndRound(mo, q.Round))
		}
	}
	there := breaker.Instant(5 * time.Hour)
	var told []telemetry.NodeLog
	for n := range logs {
		log, _, err := rollup.DecodeLog(logs[n].Append(nil, now), there)
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, telemetry.NodeLog{Node: fmt.Sprint("n", n), Log: log})
	}
	tape := telemetry.Tape(told)
	for _, g := range blocked {
		tape.Blocked = append(tape.Blocked, replay.Gap{From: g.From.Add(there.Sub(now)), To: g.To.Add(there.Sub(now)), Calls: g.Calls})
	}
	got := replay.Compare(&replay.Case{Tape: tape, Old: p, Proposed: p, Seed: 1})
	for i, d := range got.By {
		if opens < 5 || d.Old.Opens != float64(opens) {
			t.Errorf("it opened %d times; replayed, %v: %+v", opens, replay.Imputation(i), d.Old)
		}
	}
}
