package breaker_test

import (
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"fleetfuse/breaker"
)

func TestParseKey(t *testing.T) {
	long := strings.Repeat("x", breaker.MaxNameBytes)
	for _, s := range []string{"host:a", "resolver:crossref", "host:::1", "host:" + long} {
		k, err := breaker.ParseKey(s)
		if err != nil || string(k) != s || k.Scope()+":"+k.Name() != s {
			t.Errorf("%q: %q, %v", s, k, err)
		}
	}
	for _, s := range []string{"", "a", "host:", ":a", "Host:a", "worker:a", "host:" + long + "x"} {
		if k, err := breaker.ParseKey(s); !errors.Is(err, breaker.ErrBadKey) || k != "" {
			t.Errorf("%q: %q, %v", s, k, err)
		}
	}
	if breaker.HostKey("a") != "host:a" || breaker.ResolverKey("a") != "resolver:a" {
		t.Error("keys of host and resolver a")
	}
}

func TestStampsAreMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var c breaker.StampClock
		wall := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		var last breaker.Stamp
		for range rapid.IntRange(1, 30).Draw(t, "readings") {
			wall = wall.Add(time.Duration(rapid.IntRange(-5000, 5000).Draw(t, "step")) * time.Millisecond)
			if rapid.Bool().Draw(t, "observe") {
				heard := breaker.StampAt(wall.Add(time.Duration(rapid.IntRange(-48, 48).Draw(t, "hours")) * time.Hour))
				err := c.Observe(heard, wall)
				if ahead := heard > breaker.StampAt(wall.Add(breaker.MaxStampLead)); ahead != errors.Is(err, breaker.ErrStampAhead) {
					t.Fatalf("heard %v at %v: %v", heard.Wall(), wall, err)
				}
				if err == nil {
					last = max(last, heard)
				}
			}
			next := c.Next(wall)
			if next <= last || next < breaker.StampAt(wall) || c.Last() != next {
				t.Fatalf("%d after %d", next, last)
			}
			last = next
		}
	})
}

// A process whose wall clock is behind its stamps is killed: the next must not
// issue again what the last issued and did not write.
func TestStampsAfterAKillAreOthers(t *testing.T) {
	wall := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	heard := breaker.StampAt(wall.Add(time.Hour)) // from a machine that is ahead
	start := func(written breaker.Stamp) *breaker.StampClock {
		c := new(breaker.StampClock)
		if err := c.Observe(written, wall); err != nil {
			t.Fatal(err)
		}
		c.Resume()
		return c
	}
	killed := start(heard)
	written := killed.Next(wall)
	for range 100_000 {
		killed.Next(wall)
	}
	if next, last := start(written).Next(wall), killed.Last(); next <= last {
		t.Errorf("the next process issues %d, the killed one had issued up to %d and written %d", next, last, written)
	}
}

func TestStampWall(t *testing.T) {
	wall := time.Date(2026, 3, 4, 5, 6, 7, 891e6, time.UTC)
	if got := breaker.StampAt(wall).Wall(); !got.Equal(wall) {
		t.Errorf("got %v, want %v", got, wall)
	}
	// A wall clock before 1970 must not make the highest stamp there is.
	if s := breaker.StampAt(time.Time{}); s != 0 {
		t.Errorf("the year 1 has stamp %d", s)
	}
	var c breaker.StampClock
	if err := c.Observe(breaker.StampAt(wall.Add(breaker.MaxStampLead)), wall); err != nil {
		t.Errorf("24 h ahead is the limit, not beyond it: %v", err)
	}
	if err := c.Observe(breaker.StampAt(wall.Add(breaker.MaxStampLead+time.Millisecond)), wall); !errors.Is(err, breaker.ErrStampAhead) {
		t.Errorf("beyond 24 h: %v", err)
	}
}

func TestCut(t *testing.T) {
	for in, want := range map[string]int{
		"":                                0,
		strings.Repeat("a", 128):          128,
		strings.Repeat("a", 129):          128,
		"a" + strings.Repeat("é", 100):    127,
		strings.Repeat("日", 50):           126,
		strings.Repeat("a", 125) + "🚒🚒":   125,
		strings.Repeat("\x80", 200):       124, // not text at all: at most one rune less
		strings.Repeat("a", 124) + "🚒abc": 128,
	} {
		if got := breaker.Cut(in); len(got) != want || !strings.HasPrefix(in, got) || utf8.ValidString(in) && !utf8.ValidString(got) {
			t.Errorf("%q was cut to %d bytes, want %d", in, len(got), want)
		}
	}
}

func TestBackoffDoesNotOverflow(t *testing.T) {
	p := breaker.DefaultPolicy()
	p.FailMax, p.HalfOpenJitter = 1, 0
	p.ResetTimeout, p.Backoff = 24*time.Hour, breaker.Backoff{Multiplier: 10, Max: time.Second}
	if err := p.Validate(); err != nil {
		t.Fatal(err)
	}
	m := breaker.New(&p)
	mo := breaker.Moment{Now: origin}
	step := func() breaker.Moment { mo.Now++; mo.Stamp++; mo.Rand++; return mo }
	m.Report(step(), breaker.Outcome{Kind: breaker.Failure, Began: mo.Now, Ended: mo.Now})
	for i := range 400 { // 10^400 is beyond a float64
		snap := m.Snapshot()
		if open := snap.Circuit.Until.Sub(mo.Now); snap.Circuit.State != breaker.Open || open != 24*time.Hour {
			t.Fatalf("open %d lasts %v", i+1, open)
		}
		mo.Now = snap.Circuit.Until
		a, _ := m.Ask(step(), breaker.Question{ID: uint64(i)})
		m.Report(step(), breaker.Outcome{Kind: breaker.Failure, Permit: a.Permit})
	}
}

func TestRateIsAQuotient(t *testing.T) {
	p := breaker.DefaultPolicy()
	p.FailMax = 100
	p.FailureRate = breaker.FailureRate{Enabled: true, Ratio: 0.07, Window: time.Minute, MinCalls: 100}
	m := breaker.New(&p)
	m.Report(breaker.Moment{Now: origin, Stamp: 1}, breaker.Outcome{Count: 93, Began: origin, Ended: origin})
	m.Report(breaker.Moment{Now: origin + 1, Stamp: 2}, breaker.Outcome{Kind: breaker.Failure, Count: 7, Began: origin, Ended: origin})
	if st := m.Inspect(origin + 1).Status; st.State != breaker.Open { // 0.07*100 > 7 in floating point
		t.Errorf("7 of 100 calls failed, the ratio is 0.07: %v", st.State)
	}
}
