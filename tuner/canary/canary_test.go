package canary_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"fleetfuse/tuner/canary"
)

// repeat is n intervals that cost these in turn.
func repeat(n int, costs ...float64) (list []canary.Interval) {
	for i := range n {
		list = append(list, interval(costs[i%len(costs)], costs[(i+1)%len(costs)]))
	}
	return list
}

func begin(t *testing.T, before []canary.Interval, a canary.Against) canary.State {
	t.Helper()
	s, err := canary.Begin(before, a, canary.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run feeds intervals and says after how many it ended.
func run(s canary.State, intervals []canary.Interval) (canary.State, int) {
	for n, i := range intervals {
		if s = s.Update(i); s.Verdict != canary.Continue {
			return s, n + 1
		}
	}
	return s, len(intervals)
}

func TestVerdicts(t *testing.T) {
	nan := math.NaN()
	idle := canary.Interval{Length: five, Treated: 1e9, Control: 0, Idle: true}
	for _, c := range []struct {
		name    string
		before  []canary.Interval
		against canary.Against
		since   []canary.Interval
		want    canary.Reason
		most    int // intervals until then
	}{
		{"no variance, the same", repeat(288, 5), canary.Own, repeat(288, 5), canary.NotWorse, 30},
		{"no variance, double", repeat(288, 5), canary.Own, repeat(288, 10), canary.Worse, 30},
		{"no variance, half", repeat(288, 5), canary.Own, repeat(288, 2.5), canary.NotWorse, 30},
		{"no difference ever, none now", repeat(288, 5), canary.Others, repeat(288, 5), canary.NotWorse, 30},
		{"saw teeth, the same", repeat(288, 4, 6, 5), canary.Own, repeat(288, 4, 6, 5), canary.NotWorse, 30},
		{"saw teeth, double", repeat(288, 4, 6, 5), canary.Own, repeat(288, 8, 12, 10), canary.Worse, 30},
		{"not numbers", repeat(288, 5), canary.Own, repeat(288, nan), canary.Undecided, 288},
		{"infinite", repeat(288, 5), canary.Own, repeat(288, math.Inf(1)), canary.Undecided, 288},
		{"every second without control", repeat(288, 5), canary.Others, holes(288), canary.Worse, 30},
		{"never a control", repeat(288, 5), canary.Others, repeat(288, nan), canary.Undecided, 288},
		{"idle", repeat(288, 5), canary.Own, []canary.Interval{idle, idle}, "", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, n := run(begin(t, c.before, c.against), c.since)
			if s.Why != c.want || n > c.most {
				t.Errorf("%s %q after %d intervals: %+v", s.Verdict, s.Why, n, s)
			}
		})
	}
}

// holes are intervals in which the treated cost three times the control, if
// that is known.
func holes(n int) (list []canary.Interval) {
	for i := range n {
		list = append(list, interval(15, []float64{5, math.NaN()}[i%2]))
	}
	return list
}

// One interval decides nothing, however absurd.
func TestOneAbsurdIntervalDecidesNothing(t *testing.T) {
	for _, a := range []canary.Against{canary.Own, canary.Others} {
		s := begin(t, repeat(2016, 4, 6, 5, 3, 7), a)
		s = s.Update(interval(1e300, 5))
		if s.Verdict != canary.Continue {
			t.Errorf("%s: %s", a, s.Verdict)
		}
		if s, _ = run(s, repeat(288, 4, 6, 5, 3, 7)); s.Why != canary.NotWorse {
			t.Errorf("%s: then %s %s", a, s.Verdict, s.Why)
		}
	}
}

// Against others, an interval that cost neither side anything is no draw: it
// says nothing. Against the own past it says that nothing happened.
func TestWhatCostsNeitherSideSaysNothing(t *testing.T) {
	for a, want := range map[canary.Against]int{canary.Others: 0, canary.Own: 3} {
		if s, _ := run(begin(t, repeat(288, 4, 6, 5), a), repeat(3, 0)); s.Seen != want {
			t.Errorf("%s: %d of 3 said something", a, s.Seen)
		}
	}
}

func TestNoPromotionTooEarly(t *testing.T) {
	minute := func(cost float64, opens int) canary.Interval {
		return canary.Interval{Length: time.Minute, Treated: cost, Opens: opens}
	}
	// quiet is a past without opens, busy one with an open in each 10 minutes.
	var quiet, busy []canary.Interval
	for i := range 300 {
		quiet, busy = append(quiet, minute(5, 0)), append(busy, minute(5, map[bool]int{true: 1}[i%10 == 0]))
	}
	for _, c := range []struct {
		name   string
		before []canary.Interval
		opens  []int // minutes with one
		want   int   // minutes
	}{
		{"enough opens at once: 30 minutes", quiet, []int{1, 2, 3}, 30},
		{"the third open in minute 45", quiet, []int{1, 2, 45}, 45},
		{"none, where there used to be one in 10 minutes", busy, nil, 30},
		{"two opens are not enough", quiet, []int{1, 2}, 1440},
		{"none, as before", quiet, nil, 1440},
	} {
		s, n := begin(t, c.before, canary.Own), 0
		for s.Verdict == canary.Continue {
			n++
			opens := 0
			if slices.Contains(c.opens, n) {
				opens = 1
			}
			s = s.Update(minute(5, opens))
		}
		if n != c.want || (s.Why == canary.NotWorse) != (c.want < 1440) {
			t.Errorf("%s: %s %s after %d minutes", c.name, s.Verdict, s.Why, n)
		}
	}
}

func TestTooShortAPast(t *testing.T) {
	for name, c := range map[string]struct {
		before  []canary.Interval
		against canary.Against
		ok      bool
	}{
		"29 intervals":              {repeat(29, 5), canary.Own, false},
		"30 intervals":              {repeat(30, 5), canary.Own, true},
		"nothing ever cost a thing": {repeat(1000, 0), canary.Own, false},
		"nothing, on both sides":    {repeat(1000, 0), canary.Others, false},
		"four costly intervals":     {repeat(400, append(make([]float64, 99), 5)...), canary.Own, false},
		"five costly intervals":     {repeat(500, append(make([]float64, 99), 5)...), canary.Own, true},
		"no numbers":                {repeat(1000, math.NaN()), canary.Own, false},
	} {
		_, err := canary.Begin(c.before, c.against, canary.Defaults())
		if (err == nil) != c.ok || err != nil && !errors.Is(err, canary.ErrShortPast) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A trial goes on elsewhere from its JSON form as if nothing had happened, and
// stays as it is once it ended.
func TestMovesAndEnds(t *testing.T) {
	before, since := repeat(2016, 4, 6, 5, 3, 7.123456789), repeat(400, 6, 9, 8, 7.000001, 10)
	stay, _ := run(begin(t, before, canary.Own), since)
	moved := begin(t, before, canary.Own)
	for _, i := range since {
		text, err := json.Marshal(moved)
		if err != nil || len(text) > canary.MaxStateBytes {
			t.Fatalf("%d bytes, %v: %s", len(text), err, text)
		}
		var next canary.State
		if err := json.Unmarshal(text, &next); err != nil {
			t.Fatal(err)
		}
		moved = next.Update(i)
	}
	if moved != stay || stay.Verdict != canary.Rollback {
		t.Errorf("moved\n%+v\nstayed\n%+v", moved, stay)
	}
	if after := stay.Update(interval(0, 0)); after != stay {
		t.Errorf("went on after its end: %+v", after)
	}
}

func TestDamagedStatesAreRolledBack(t *testing.T) {
	for i, spoil := range []func(s *canary.State){
		func(s *canary.State) { *s = canary.State{} },
		func(s *canary.State) { s.Verdict = "maybe" },
		func(s *canary.State) { s.Cap = math.NaN() },
		func(s *canary.State) { s.IsWorse[2] = math.Inf(1) },
		func(s *canary.State) { s.IsFine[0] = math.NaN() },
		func(s *canary.State) { s.Block = 0 },
		func(s *canary.State) { s.Slow = -1 },
		func(s *canary.State) { s.Count = -5 },
		func(s *canary.State) { s.Low = s.High },
		func(s *canary.State) { s.NeedFine = 0 },
		func(s *canary.State) { s.LimitSeconds = 1e9 },
		func(s *canary.State) { s.Sum = 1e300 },
	} {
		s := begin(t, repeat(100, 5), canary.Own)
		spoil(&s)
		if s = s.Update(interval(5, 5)); s.Verdict != canary.Rollback || s.Why != canary.Unreadable {
			t.Errorf("%d: %+v", i, s)
		}
	}
}

// Settings that make no sense count as the nearest that do, and every trial ends.
func TestHostileSettings(t *testing.T) {
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 0, -1, 1e300, 1e-300} {
		n := time.Duration(max(-1e18, min(1e18, x)))
		if x != x {
			n = 0
		}
		s, err := canary.Begin(repeat(100, 5), canary.Own, canary.Settings{Alpha: x, Beta: x, Tolerance: x, Least: n, Opens: int(n), Limit: n})
		if err != nil {
			t.Fatal(err)
		}
		s, _ = run(s, repeat(40*288, 5))
		if s.Verdict == canary.Continue || s.Why == canary.Worse || s.Why == canary.Unreadable {
			t.Errorf("%v: %s %s", x, s.Verdict, s.Why)
		}
	}
}

func ExampleState_Update() {
	s, _ := canary.Begin(repeat(2016, 4, 6, 5), canary.Own, canary.Defaults())
	for s.Verdict == canary.Continue {
		s = s.Update(canary.Interval{Length: 5 * time.Minute, Treated: 12, Opens: 1})
	}
	fmt.Println(s.Verdict, s.Why, time.Duration(s.Seconds)*time.Second)
	// Output: rollback worse 15m0s
}
