package rollup_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetfuse/breaker"
	"fleetfuse/telemetry/rollup"
)

// logOf is a log of outcomes.
func logOf(outcomes []breaker.Outcome) *rollup.Log {
	var log rollup.Log
	for _, o := range outcomes {
		log.Add(o)
	}
	return &log
}

// moved are outcomes as another clock shows them.
func moved(outcomes []breaker.Outcome, by time.Duration) []breaker.Outcome {
	list := slices.Clone(outcomes)
	for i := range list {
		list[i].Began, list[i].Ended = list[i].Began.Add(by), list[i].Ended.Add(by)
	}
	return list
}

func TestLogOnTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		outcomes := drawOutcomes(t)
		for range rapid.IntRange(0, 4).Draw(t, "repeats") { // so that some logs are full
			by := outcomes[len(outcomes)-1].Ended.Sub(outcomes[0].Ended) + time.Second
			outcomes = append(outcomes, moved(outcomes, by)...)
		}
		log := logOf(outcomes)
		now := outcomes[len(outcomes)-1].Ended.Add(time.Duration(rapid.IntRange(0, 100_000).Draw(t, "ago")) * time.Millisecond)
		there := breaker.Instant(rapid.Int64Range(-1000, 1_000_000).Draw(t, "there")) * breaker.Instant(time.Millisecond)
		b := log.Append([]byte("before"), now)
		got, rest, err := rollup.DecodeLog(append(b, "behind"...)[len("before"):], there)
		if err != nil || string(rest) != "behind" {
			t.Fatalf("%d bytes: rest %q, %v", len(b), rest, err)
		}
		list, want := got.Outcomes(node), moved(log.Outcomes(node), there.Sub(now))
		if full := len(b) > 3000; full { // a record that was pending pushed out the oldest
			want = want[min(max(0, len(want)-len(list)), 10):]
		}
		for i := range want {
			if len(list) != len(want) || list[i] != want[i] {
				t.Fatalf("%d outcomes of %d; the first that differs is %d, want %v", len(list), len(want), i, want[i])
			}
		}
		next := moved(outcomes[:1], there.Sub(outcomes[0].Ended)+time.Hour)[0]
		got.Add(next)
		if list = got.Outcomes(node); list[len(list)-1].Ended != next.Ended || got.Bytes() > 4096 {
			t.Fatalf("it goes on with %v in %d B; want the end at %v in at most 4096 B", list[len(list)-1], got.Bytes(), next.Ended)
		}
	})
}

func TestBadLogs(t *testing.T) {
	at := breaker.Instant(time.Hour)
	good := logOf([]breaker.Outcome{
		{Kind: breaker.Failure, Role: "landing", Began: at, Ended: at, Evidence: breaker.Evidence{Status: 429, RetryAfter: "9"}},
		{Kind: breaker.Failure, Began: at, Ended: at, Evidence: breaker.Evidence{Error: "tls"}},
	}).Append(nil, at)
	for n := range good {
		if _, _, err := rollup.DecodeLog(good[:n], at); err == nil {
			t.Errorf("the first %d bytes of %d are a log", n, len(good))
		}
	}
	for name, b := range map[string][]byte{
		"a later format":        append([]byte{9}, good[1:]...),
		"nine roles":            {1, 0, 9},
		"a role without a name": {1, 0, 1, 0, 0},
		"a role that is long":   append([]byte{1, 0, 1, 65}, bytes.Repeat([]byte("x"), 70)...),
		"the same role twice":   {1, 0, 2, 1, 'x', 1, 'x', 0},
		"an unknown kind":       {1, 0, 0, 5, 3, 0, 0, 0, 1},
		"a role that is none":   {1, 0, 0, 5, 1, 1, 0, 0, 1},
		"no call":               {1, 0, 0, 5, 1, 0, 0, 0, 0},
		"an age out of bounds":  {1, 255, 255, 255, 255, 255, 255, 255, 255, 127, 0, 0},
	} {
		if _, _, err := rollup.DecodeLog(b, at); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	later := []byte{1, 0, 0, 6, 1 | 1<<6, 0, 0, 0, 1, 99}
	if log, _, err := rollup.DecodeLog(later, at); err != nil || log.Outcomes("")[0].Error != "other" {
		t.Errorf("an error class of a later version: %v; want it to be other", err)
	}
}

func FuzzDecodeLog(f *testing.F) {
	at := breaker.Instant(time.Hour)
	f.Add(logOf([]breaker.Outcome{
		{Kind: breaker.Failure, Role: "landing", Began: at, Ended: at, Evidence: breaker.Evidence{Status: 429, RetryAfter: "9"}},
		{Kind: breaker.Success, Count: 7, Began: at, Ended: at, Permit: 3},
	}).Append(nil, at), int64(at))
	f.Fuzz(func(t *testing.T, b []byte, now int64) {
		log, rest, err := rollup.DecodeLog(b, breaker.Instant(now))
		if err != nil {
			return
		}
		if !bytes.HasSuffix(b, rest) {
			t.Fatalf("the rest %q is none of %q", rest, b)
		}
		if n := log.Bytes(); n > 4096 {
			t.Fatalf("it takes %d B", n)
		}
		again, rest, err := rollup.DecodeLog(log.Append(nil, breaker.Instant(now)), breaker.Instant(now))
		if err != nil || len(rest) > 0 || fmt.Sprint(again.Outcomes("")) != fmt.Sprint(log.Outcomes("")) {
			t.Fatalf("written and read again: %v, %d bytes left", err, len(rest))
		}
	})
}
