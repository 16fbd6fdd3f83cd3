package rollup_test

import (
	"fmt"
	"testing"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	"fleetfuse/breaker"
	"fleetfuse/telemetry/rollup"
)

const node = "n1"

// drawOutcomes draws calls of one node as a gate tells them, in whole
// milliseconds: what is finer the log does not keep.
func drawOutcomes(t *rapid.T) (list []breaker.Outcome) {
	now := breaker.Instant(time.Hour)
	for range rapid.IntRange(1, 150).Draw(t, "outcomes") {
		now = now.Add(time.Duration(rapid.OneOf(rapid.IntRange(0, 40), rapid.IntRange(0, 20_000)).Draw(t, "pause")) * time.Millisecond)
		o := breaker.Outcome{
			Node: node, Ended: now, Count: 1, Role: rapid.SampledFrom([]string{"", "metadata", "landing"}).Draw(t, "role"),
			Kind:  rapid.SampledFrom([]breaker.Kind{breaker.Success, breaker.Failure, breaker.Failure, breaker.Neutral}).Draw(t, "kind"),
			Began: now.Add(-time.Duration(rapid.IntRange(0, 3000).Draw(t, "latency")) * time.Millisecond),
		}
		switch o.Kind {
		case breaker.Failure:
			o.Evidence = rapid.SampledFrom([]breaker.Evidence{{Status: 503}, {Status: 429, RetryAfter: "120"}, {Error: "timeout"}}).Draw(t, "evidence")
			o.Strict = o.Status == 429
		case breaker.Success:
			o.Status, o.Count = 200, rapid.IntRange(1, 50).Draw(t, "count")
		default:
			o.Status = 404
		}
		if rapid.IntRange(0, 9).Draw(t, "probe") == 0 {
			o.Permit, o.Count = 77, 1
		}
		list = append(list, o)
	}
	return list
}

// opened is a time at which a machine changed its state, and why.
type opened struct {
	at  breaker.Instant
	to  breaker.State
	why breaker.Reason
}

// replayed feeds outcomes to a machine, asking for permits where they were
// probes, and lists what it did.
func replayed(p *breaker.Policy, outcomes []breaker.Outcome) (list []opened) {
	m, stamp := breaker.New(p), breaker.Stamp(1)
	take := func(e breaker.Effects) {
		if e.Announce != nil {
			for _, t := range e.Announce.Transitions {
				list = append(list, opened{t.At, t.To, t.Reason})
			}
		}
	}
	for i, o := range outcomes {
		stamp++
		mo := breaker.Moment{Now: o.Ended, Stamp: stamp, Members: 1}
		if o.Permit != 0 {
			a, eff := m.Ask(mo, breaker.Question{ID: uint64(i + 1), Node: o.Node, Role: o.Role})
			take(eff)
			o.Permit = a.Permit
		}
		take(m.Report(mo, o))
	}
	return list
}

func TestReplayTripsAsTheOriginalDid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := breaker.DefaultPolicy()
		p.FailMax = rapid.IntRange(1, 8).Draw(t, "fail_max")
		p.ResetTimeout = time.Duration(rapid.IntRange(1, 30).Draw(t, "reset_timeout")) * time.Second
		p.SuccessThreshold = rapid.IntRange(1, 2).Draw(t, "success_threshold")
		p.Rolling.Enabled = rapid.Bool().Draw(t, "rolling")
		outcomes := drawOutcomes(t)
		var log rollup.Log
		for _, o := range outcomes {
			log.Add(o)
		}
		back := log.Outcomes(node)
		want, got := replayed(&p, outcomes), replayed(&p, back)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%d outcomes moved the machine %v; replayed as %d: %v", len(outcomes), want, len(back), got)
		}
	})
}

// Under the failure-rate rule a success counts where its record ends, so calls
// must be further apart than a record spans.
func TestReplayOfRates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := breaker.DefaultPolicy()
		p.FailMax, p.FailureRate.Enabled = 10_000, true
		p.FailureRate.MinCalls = rapid.IntRange(1, 30).Draw(t, "min_calls")
		p.FailureRate.Ratio = rapid.Float64Range(0.1, 0.9).Draw(t, "ratio")
		outcomes := drawOutcomes(t)
		var log rollup.Log
		for i := range outcomes {
			later := time.Duration(i) * 101 * time.Millisecond
			outcomes[i].Began, outcomes[i].Ended = outcomes[i].Began.Add(later), outcomes[i].Ended.Add(later)
			log.Add(outcomes[i])
		}
		want, got := replayed(&p, outcomes), replayed(&p, log.Outcomes(node))
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("the machine moved %v; replayed %v", want, got)
		}
	})
}

func TestLogKeepsWhatItSays(t *testing.T) {
	at := func(ms int) breaker.Instant {
		return breaker.Instant(time.Hour).Add(time.Duration(ms) * time.Millisecond)
	}
	var log rollup.Log
	for _, o := range []breaker.Outcome{
		{Kind: breaker.Success, Began: at(0), Ended: at(5), Evidence: breaker.Evidence{Status: 200}},
		{Kind: breaker.Success, Began: at(3), Ended: at(40), Count: 4, Evidence: breaker.Evidence{Status: 200}},
		{Kind: breaker.Failure, Began: at(20), Ended: at(50), Role: "landing", Strict: true, Evidence: breaker.Evidence{Status: 429, RetryAfter: "120"}},
		{Kind: breaker.Failure, Began: at(50), Ended: at(60), Evidence: breaker.Evidence{Error: "tls"}},
		{Kind: breaker.Failure, Began: at(50), Ended: at(60) + 7, Evidence: breaker.Evidence{Error: "tls"}},
		{Kind: breaker.Success, Slow: true, Permit: 9, Began: at(50), Ended: at(30), Evidence: breaker.Evidence{Status: 204}},
	} {
		log.Add(o)
	}
	want := []breaker.Outcome{
		{Node: node, Kind: breaker.Success, Count: 5, Began: at(3), Ended: at(40), Evidence: breaker.Evidence{Status: 200}},
		{Node: node, Kind: breaker.Failure, Count: 1, Began: at(20), Ended: at(50), Role: "landing", Strict: true, Evidence: breaker.Evidence{Status: 429, RetryAfter: "120"}},
		{Node: node, Kind: breaker.Failure, Count: 2, Began: at(50), Ended: at(60), Evidence: breaker.Evidence{Error: "tls"}},
		{Node: node, Kind: breaker.Success, Count: 1, Slow: true, Permit: rollup.Replayed, Began: at(30), Ended: at(30), Evidence: breaker.Evidence{Status: 204}},
	}
	if got := log.Outcomes(node); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestLogIsARing(t *testing.T) {
	if n := unsafe.Sizeof(rollup.Log{}); n > 232 {
		t.Errorf("the fixed part of a log takes %d B, want at most 232", n)
	}
	rapid.Check(t, func(t *rapid.T) {
		var log rollup.Log
		outcomes := drawOutcomes(t)
		var last breaker.Outcome
		for round := range 30 {
			for _, o := range outcomes {
				shift := time.Duration(round) * time.Hour
				o.Began, o.Ended = o.Began.Add(shift), o.Ended.Add(shift)
				o.Role = fmt.Sprint(o.Role, round%12)
				log.Add(o)
				last = o
			}
		}
		list := log.Outcomes(node)
		if got := list[len(list)-1]; got.Ended != last.Ended || got.Kind != last.Kind || got.Evidence != last.Evidence {
			t.Fatalf("the latest is %v, want %v", got, last)
		}
		for i := 1; i < len(list); i++ {
			if list[i].Ended < list[i-1].Ended {
				t.Fatalf("outcome %d is older than the one before", i)
			}
		}
		if n := log.Bytes(); n > 4096 {
			t.Fatalf("the log takes %d B, want at most 4096", n)
		}
	})
}

func TestLogsOfKeysThatFailed(t *testing.T) {
	logs := rollup.NewLogs(3)
	one := func(kind breaker.Kind, at int) []breaker.Outcome {
		return []breaker.Outcome{{Kind: kind, Ended: breaker.Instant(at) * breaker.Instant(time.Second)}}
	}
	logs.Add(host(0), one(breaker.Success, 1))
	for i := range 5 {
		logs.Add(host(i), one(breaker.Failure, 10+i))
		logs.Add(host(1), one(breaker.Failure, 11+i))
	}
	if logs.Len() != 3 || logs.Of(host(0)) != nil || logs.Of(host(1)) == nil || logs.Of(host(4)) == nil {
		t.Errorf("%d logs; want those of the three keys that failed last", logs.Len())
	}
	logs.Forget(breaker.Instant(14500 * time.Millisecond))
	if logs.Len() != 1 || logs.Of(host(1)) == nil {
		t.Errorf("%d logs left, want that of the key that failed since", logs.Len())
	}
}
