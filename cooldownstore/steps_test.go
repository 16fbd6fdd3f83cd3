package cooldownstore_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/memory"
	"fleetfuse/internal/clock"
)

// What a step of the wall clock may do to a deadline (DESIGN 2, Deadlines).
//
// Nothing while the process runs, nor before the deadline is set: there is no
// wall time in it. Only the wall clock knows how long a process was away, so
// of the steps between a save and a load
//
//   - one forward by S looks like more time away: up to S too short;
//   - one back by S looks like less: up to S too long, and never longer than
//     what was left when it was saved, so never by more than the time away.
//
// Two steps that cancel out do nothing, and without a step every cycle of save
// and load is exact to the nanosecond.

// A machine has a wall clock that can be stepped, and a process whose clock
// never steps and has an origin of that process's own.
type machine struct {
	passed time.Duration // true time since the test began
	ahead  time.Duration // the sum of all steps
	origin breaker.Instant
}

func (m *machine) now() breaker.Instant { return m.origin.Add(m.passed) }
func (m *machine) wall() time.Time      { return wall.Add(m.passed + m.ahead) }

func (m *machine) pass(t *rapid.T, most time.Duration) {
	m.passed += time.Duration(rapid.Int64Range(0, int64(most)).Draw(t, "pass"))
}

func (m *machine) step(t *rapid.T) {
	m.ahead += rapid.OneOf(
		rapid.SampledFrom([]time.Duration{0, 1, -1, time.Hour, -time.Hour, 72 * time.Hour, -72 * time.Hour}),
		rapid.Map(rapid.Int64Range(-int64(time.Hour), int64(time.Hour)), func(n int64) time.Duration { return time.Duration(n) }),
	).Draw(t, "step")
}

func (m *machine) restart(t *rapid.T) {
	m.origin = breaker.Instant(rapid.Int64Range(int64(time.Hour), int64(1000*time.Hour)).Draw(t, "origin"))
}

func drawMachine(t *rapid.T) *machine {
	m := new(machine)
	m.restart(t)
	m.step(t) // before anything is set
	return m
}

// A part is one of the deadlines in a snapshot.
type part struct {
	name   string
	until  func(breaker.Snapshot) (breaker.Instant, bool) // false if it is gone
	forget time.Duration                                  // how long it outlives its deadline
}

var parts = []part{
	{"cooldown", func(s breaker.Snapshot) (breaker.Instant, bool) {
		if len(s.Cooldowns) == 0 {
			return 0, false
		}
		return s.Cooldowns[0].Until, true
	}, 10 * time.Minute},
	{"circuit", func(s breaker.Snapshot) (breaker.Instant, bool) {
		return s.Circuit.Until, s.Circuit.State == breaker.Open
	}, 10 * time.Minute},
	{"close", func(s breaker.Snapshot) (breaker.Instant, bool) {
		return s.Circuit.Keep, s.Circuit.State == breaker.Closed && s.Circuit.Stamp != 0
	}, 0},
	{"clear", func(s breaker.Snapshot) (breaker.Instant, bool) { return s.ClearKept, s.Clear != 0 }, 0},
}

// A life is that of one breaker on one machine.
type life struct {
	*machine
	store  *memory.Store
	set    time.Duration // true time
	length time.Duration // of the cooldown
	extra  time.Duration // what steps back may have added
	live   breaker.Snapshot
	saved  breaker.Snapshot
	before time.Duration // extra when it was saved
	at     machine       // when it was saved
}

func drawLife(t *rapid.T) *life {
	l := &life{machine: drawMachine(t), store: memory.New()}
	l.set = l.passed
	l.length = time.Duration(rapid.Int64Range(1, int64(24*time.Hour)).Draw(t, "length"))
	now, until := l.now(), l.now().Add(l.length)
	l.live = breaker.Snapshot{
		Cooldowns: []breaker.Cooldown{{Setter: "n", Stamp: 2, Until: until, Length: l.length}},
		Circuit:   breaker.Circuit{State: breaker.Open, Stamp: 3, Until: now.Add(l.length / 2), FirstTrip: now},
		Clear:     1, ClearKept: now.Add(breaker.KeepClear),
	}
	if rapid.Bool().Draw(t, "closed") {
		l.live.Circuit = breaker.Circuit{Stamp: 3, Keep: until.Add(10 * time.Minute)}
	}
	return l
}

func (l *life) save(t *rapid.T) {
	before := l.live.Clone()
	r := cooldownstore.FromSnapshot("host:a", l.live, l.now(), l.wall())
	if err := l.store.Save(t.Context(), []cooldownstore.Record{r}, cooldownstore.SurvivesKill); err != nil {
		t.Fatal(err)
	}
	l.saved, l.before, l.at = before, l.extra, *l.machine
	l.moved(t, "a save", before)
}

// load reads what was saved last and holds every deadline in it to what a step
// may do.
func (l *life) load(t *rapid.T) breaker.Snapshot {
	r, _, err := l.store.Load(t.Context(), "host:a")
	if err != nil {
		t.Fatal(err)
	}
	got := r.ToSnapshot(l.now(), l.wall())
	away, step := l.passed-l.at.passed, l.ahead-l.at.ahead
	for _, p := range parts {
		then, was := p.until(l.saved)
		until, is := p.until(got)
		left, truth := until.Sub(l.now()), then.Sub(l.at.now())-away
		least, most := truth-max(step, 0), truth+min(max(-step, 0), away)
		switch {
		case is && !was:
			t.Fatalf("%s is there, but was not saved", p.name)
		case was && !is && least > -p.forget:
			t.Fatalf("%s is gone, want at least %v left", p.name, least)
		case is && (left < least || left > most || left <= -p.forget):
			t.Fatalf("%s has %v left after %v away and a step of %v, want %v to %v", p.name, left, away, step, least, most)
		}
	}
	if c := got.Circuit; c.FirstTrip > l.now() {
		t.Fatalf("the first trip is %v ahead", c.FirstTrip.Sub(l.now()))
	}
	return got
}

// restart is a crash, time away with steps, and a load in another process.
func (l *life) restart(t *rapid.T) {
	l.pass(t, time.Hour)
	l.step(t)
	l.pass(t, time.Hour)
	l.machine.restart(t)
	l.live = l.load(t)
	l.extra = l.before + min(max(l.at.ahead-l.ahead, 0), l.passed-l.at.passed)
}

// again reads beside the running process, which has the deadlines already.
func (l *life) again(t *rapid.T) {
	before, got := l.live.Clone(), l.load(t)
	if len(before.Cooldowns) > 0 && !before.Cooldowns[0].Disk {
		l.live.Merge(got)
		l.moved(t, "hearing the stored copy", before)
	}
}

func (l *life) moved(t *rapid.T, what string, before breaker.Snapshot) {
	for _, p := range parts {
		then, was := p.until(before)
		if until, is := p.until(l.live); was && (!is || until != then) {
			t.Fatalf("%s moved the running %s by %v", what, p.name, until.Sub(then))
		}
	}
}

// bounded holds the whole life to what its steps allow together.
func (l *life) bounded(t *rapid.T) {
	if until, is := parts[0].until(l.live); is {
		if left := until.Sub(l.now()); left > l.length {
			t.Fatalf("%v left of a cooldown of %v", left, l.length)
		}
		if late := l.passed + until.Sub(l.now()) - l.set - l.length; late > l.extra {
			t.Fatalf("it ends %v late, the steps back allow %v", late, l.extra)
		}
	}
}

// TestStepsInALife steps the wall clock at every point of a cooldown's life:
// before it is set, between set and save, save and load, two loads, after it
// ended, with the process running or away.
func TestStepsInALife(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLife(t)
		if rapid.Bool().Draw(t, "step after it is set") {
			l.step(t)
		}
		l.save(t)
		t.Repeat(map[string]func(*rapid.T){
			"pass":    func(t *rapid.T) { l.pass(t, time.Hour) },
			"step":    func(t *rapid.T) { l.step(t) },
			"save":    func(t *rapid.T) { l.save(t) },
			"again":   func(t *rapid.T) { l.again(t) },
			"restart": func(t *rapid.T) { l.restart(t) },
			"":        func(t *rapid.T) { l.bounded(t) },
		})
	})
}

// Ended when it was saved is ended for good, however far the clock is set back.
func TestPastIsNotRevived(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := drawLife(t)
		l.passed += l.length + time.Duration(rapid.Int64Range(0, int64(9*time.Minute)).Draw(t, "past"))
		for range 5 {
			l.save(t)
			l.restart(t)
			if at := l.live.At(l.now()); at.State == breaker.Open {
				t.Fatalf("it rejects for %v more", at.Until.Sub(l.now()))
			}
		}
	})
}

// Ten thousand cycles of save, restart and load do not move a deadline, nor do
// steps that happen while the process runs.
func TestCyclesDoNotCreep(t *testing.T) {
	m := &machine{origin: now}
	const length = breaker.MaxOpen
	s := breaker.Snapshot{Cooldowns: []breaker.Cooldown{{Setter: "n", Stamp: 2, Until: now.Add(length), Length: length}}}
	for i := range 10_000 {
		m.passed += time.Minute
		r := cooldownstore.FromSnapshot("host:a", s, m.now(), m.wall())
		m.passed += time.Duration(i)
		m.origin += 17 * breaker.Instant(time.Hour)
		s = r.ToSnapshot(m.now(), m.wall())
		if end := m.passed + s.Cooldowns[0].Until.Sub(m.now()); end != length {
			t.Fatalf("after %d cycles the deadline is off by %v", i+1, end-length)
		}
		m.ahead += time.Hour * time.Duration(1-2*(i%2)) // while the process runs
	}
}

// TestClocksAcrossRestart goes through the clocks that a node reads: one
// process after the other, whose wall clocks are wrong in different ways.
func TestClocksAcrossRestart(t *testing.T) {
	const length = 3 * time.Hour
	wrong := []time.Duration{0, time.Hour, -time.Hour, time.Minute, 72 * time.Hour, -72 * time.Hour}
	for _, before := range wrong {
		for _, after := range wrong {
			synctest.Test(t, func(t *testing.T) {
				c := clock.Skewed(before)
				c.Stop()
				now, wall := c.Both()
				s := breaker.Snapshot{Cooldowns: []breaker.Cooldown{{Setter: "n", Stamp: c.Stamp(), Until: now.Add(length), Length: length}}}
				r := cooldownstore.FromSnapshot("host:a", s, now, wall)
				time.Sleep(time.Hour)
				c = clock.Skewed(after)
				c.Stop()
				time.Sleep(time.Minute) // so that the origins differ
				now, wall = c.Both()
				got, want := r.ToSnapshot(now, wall), length-max(time.Hour+time.Minute+after-before, 0)
				if gone := len(got.Cooldowns) == 0; gone != (want <= -10*time.Minute) || !gone && got.Cooldowns[0].Until.Sub(now) != want {
					t.Errorf("clocks %v and then %v ahead: %+v at %v, want %v left", before, after, got.Cooldowns, now, want)
				}
				err := c.Observe(s.MaxStamp())
				if refused := before-after > breaker.MaxStampLead; (err != nil) != refused || !refused && c.Stamp() <= s.MaxStamp() {
					t.Errorf("clocks %v and then %v ahead: a stamp from before the restart: %v; want later ones, or it refused: %v", before, after, err, refused)
				}
			})
		}
	}
}

// Instants of the longest and of no length stay in range at every clock.
func TestExtremesOfLength(t *testing.T) {
	for _, length := range []time.Duration{0, 1, breaker.MaxOpen, math.MaxInt64 / 4} {
		for _, ahead := range []time.Duration{-1 << 60, -72 * time.Hour, 0, 72 * time.Hour, 1 << 60} {
			s := breaker.Snapshot{Cooldowns: []breaker.Cooldown{{Setter: "n", Stamp: 2, Until: now.Add(length), Length: length}}}
			got := cooldownstore.FromSnapshot("host:a", s, now, wall).ToSnapshot(now, wall.Add(ahead))
			at := got.At(now)
			if left := at.Until.Sub(now); at.State == breaker.Open && left > length || ahead == 0 && left != length {
				t.Errorf("length %v, wall clock %v ahead: %v left", length, ahead, left)
			}
		}
	}
}
