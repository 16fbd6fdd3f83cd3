package breaker

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// world is what cooldowns and circuits exist: every identity has one living
// deadline; copies from disk may say otherwise.
type world struct {
	cooldowns []Cooldown
	circuits  []Circuit
	overlays  []Overlay
	front     bool // nothing dominates anything: disk deadlines may be any
}

// drawWorld draws at most maxCooldowns identities: Merge is a join below that.
func drawWorld(t *rapid.T) world {
	w := world{front: rapid.Bool().Draw(t, "front")}
	n := rapid.IntRange(0, maxCooldowns).Draw(t, "cooldowns")
	for i := range n {
		c := Cooldown{
			Setter: rapid.SampledFrom([]string{"n1", "n2"}).Draw(t, "setter"),
			Stamp:  Stamp(rapid.IntRange(1, 12).Draw(t, "stamp")),
			Until:  Instant(rapid.IntRange(1, 12).Draw(t, "until")) * 1000,
			Detail: fmt.Sprint(i),
		}
		if w.front { // the later the stamp, the shorter
			c.Until = Instant(100-int(c.Stamp)) * 1000
		}
		if !slices.ContainsFunc(w.cooldowns, c.same) {
			w.cooldowns = append(w.cooldowns, c)
		}
	}
	for i := range rapid.IntRange(0, 5).Draw(t, "circuits") {
		w.circuits = append(w.circuits, Circuit{
			State: rapid.SampledFrom([]State{Closed, Open}).Draw(t, "state"),
			Stamp: Stamp(rapid.IntRange(1, 12).Draw(t, "stamp")),
			Until: Instant(rapid.IntRange(1, 12).Draw(t, "until")),
			Opens: i, // tells two circuits with one stamp apart
		})
	}
	for i := range rapid.IntRange(0, 5).Draw(t, "overlays") {
		o := Overlay{
			Register: Register(rapid.IntRange(0, 1).Draw(t, "register")),
			Stamp:    Stamp(rapid.IntRange(1, 6).Draw(t, "stamp")),
			Fields:   fmt.Sprint(i), // tells two with one stamp apart
		}
		if rapid.Bool().Draw(t, "temporary") {
			o.Temporary, o.Until = "t", Instant(rapid.IntRange(1, 12).Draw(t, "until"))*1000
		}
		w.overlays = append(w.overlays, o)
	}
	return w
}

func (w world) draw(t *rapid.T) Snapshot {
	var s Snapshot
	for _, c := range w.cooldowns {
		switch rapid.IntRange(0, 2).Draw(t, "copy") {
		case 1:
			s.Merge(Snapshot{Cooldowns: []Cooldown{c}})
		case 2:
			c.Disk = true
			later := 0 // a dominated cooldown does not come back from disk later than it was
			if w.front {
				later = 20
			}
			c.Until = max(1, c.Until+Instant(rapid.IntRange(-20, later).Draw(t, "skew"))*1000)
			s.Merge(Snapshot{Cooldowns: []Cooldown{c}})
		}
	}
	if len(w.circuits) > 0 && rapid.Bool().Draw(t, "has circuit") {
		c := rapid.SampledFrom(w.circuits).Draw(t, "circuit")
		if c.Disk = rapid.Bool().Draw(t, "disk"); c.Disk {
			c.Until = max(1, c.Until+Instant(rapid.IntRange(-3, 3).Draw(t, "skew")))
		}
		s.Merge(Snapshot{Circuit: c})
	}
	for _, o := range w.overlays {
		switch rapid.IntRange(0, 2).Draw(t, "copy") {
		case 1:
			s.Merge(Snapshot{Overlays: []Overlay{o}})
		case 2:
			o.Disk = true
			if o.Until != 0 {
				o.Until = max(1, o.Until+Instant(rapid.IntRange(-3, 3).Draw(t, "skew"))*1000)
			}
			s.Merge(Snapshot{Overlays: []Overlay{o}})
		}
	}
	clear := Stamp(max(0, rapid.IntRange(-10, 12).Draw(t, "clear")))
	s.Merge(Snapshot{
		Clear: clear, ClearKept: Instant(clear) * 100,
		Renewed: Instant(rapid.IntRange(0, 3).Draw(t, "renewed")),
	})
	return s
}

func joined(a Snapshot, rest ...Snapshot) Snapshot {
	s := a.Clone()
	for _, r := range rest {
		s.Merge(r)
	}
	return s
}

func sameSnapshot(t *rapid.T, law string, a, b Snapshot) {
	if len(a.Cooldowns) == 0 {
		a.Cooldowns = nil
	}
	if len(b.Cooldowns) == 0 {
		b.Cooldowns = nil
	}
	if d := cmp.Diff(a, b); d != "" {
		t.Fatalf("not %s:\n%s", law, d)
	}
}

func TestMergeIsAJoin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		a, b, c := w.draw(t), w.draw(t), w.draw(t)
		a0, b0 := a.Clone(), b.Clone()
		ab := joined(a, b)
		sameSnapshot(t, "commutative", ab, joined(b, a))
		sameSnapshot(t, "associative", joined(ab, c), joined(a, joined(b, c)))
		sameSnapshot(t, "idempotent", joined(ab, ab), ab)
		sameSnapshot(t, "absorbing", joined(ab, a), ab)
		again := ab.Clone()
		if again.Merge(a) || again.Merge(b) {
			t.Fatal("Merge reports a change where there is none")
		}
		sameSnapshot(t, "free of side effects", a, a0)
		sameSnapshot(t, "free of side effects", b, b0)
	})
}

// A merge never makes a running cooldown shorter unless a clear covers it.
func TestMergeShortensNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		a, b := w.draw(t), w.draw(t)
		ab := joined(a, b)
		for _, c := range append(slices.Clone(a.Cooldowns), b.Cooldowns...) {
			if c.Disk || c.Stamp <= ab.Clear {
				continue
			}
			if !slices.ContainsFunc(ab.Cooldowns, func(k Cooldown) bool { return !k.Disk && k.Until >= c.Until && k.Stamp >= c.Stamp }) {
				t.Fatalf("%+v was lost in %+v", c, ab.Cooldowns)
			}
		}
	})
}

func TestMergeBoundsCooldowns(t *testing.T) {
	var s Snapshot
	for i := range 3 * maxCooldowns {
		s.Merge(Snapshot{Cooldowns: []Cooldown{{Setter: "n1", Stamp: Stamp(i + 1), Until: Instant(1000 - i)}}})
	}
	if len(s.Cooldowns) != maxCooldowns || s.Cooldowns[0].Until != 1000 {
		t.Fatalf("kept %d, the longest until %d", len(s.Cooldowns), s.Cooldowns[0].Until)
	}
}

func TestALivingDeadlineReplacesOneFromDisk(t *testing.T) {
	disk := Cooldown{Setter: "n1", Stamp: 5, Until: 900, Disk: true}
	living := Cooldown{Setter: "n1", Stamp: 5, Until: 300}
	other := Cooldown{Setter: "n2", Stamp: 4, Until: 600}
	a := joined(Snapshot{}, Snapshot{Cooldowns: []Cooldown{other}}, Snapshot{Cooldowns: []Cooldown{disk}})
	if len(a.Cooldowns) != 2 {
		t.Fatalf("a deadline from disk made a living one redundant: %+v", a.Cooldowns)
	}
	a.Merge(Snapshot{Cooldowns: []Cooldown{living}})
	if want := []Cooldown{other, living}; !slices.Equal(a.Cooldowns, want) {
		t.Fatalf("got %+v, want %+v", a.Cooldowns, want)
	}
	moved := living
	moved.Until += 50 // hearing an identity again never moves its deadline
	if a.Merge(Snapshot{Cooldowns: []Cooldown{moved}}) {
		t.Fatalf("moved: %+v", a.Cooldowns)
	}
}

func TestALivingCircuitReplacesOneFromDisk(t *testing.T) {
	disk := Snapshot{Circuit: Circuit{Stamp: 9, Recovered: 100, Keep: 700, Disk: true}}
	living := Snapshot{Circuit: Circuit{Stamp: 9, Recovered: 50, Keep: 650}}
	if got := joined(disk, living).Circuit; got != living.Circuit {
		t.Errorf("got %+v, want the living %+v", got, living.Circuit)
	}
	later := disk
	later.Circuit.Keep += 50
	if got := joined(disk, later).Circuit; got != later.Circuit {
		t.Errorf("got %+v, want the later of two from disk", got)
	}
}

// Nodes of an older version do not say when a circuit recovered.
func TestRecoveryOfAnOlderNodeEndsCooldowns(t *testing.T) {
	s := Snapshot{
		Cooldowns: []Cooldown{{Setter: "n1", Stamp: 5, Until: 100}},
		Circuit:   Circuit{Stamp: 9, Keep: Instant(200).Add(keepAfterDeadline)},
	}
	if st := s.At(300); st.State != Closed {
		t.Errorf("a cooldown that ran out before the recovery: %v", st)
	}
}

func TestRecoveryEndsCooldownsThatRanOut(t *testing.T) {
	const now = Instant(time.Hour)
	cooled := Snapshot{Cooldowns: []Cooldown{{Setter: "n1", Stamp: 5, Until: now}}}
	closed := Snapshot{Circuit: Circuit{Stamp: 9, Recovered: now.Add(time.Second), Keep: now.Add(10*time.Minute + keepAfterDeadline)}}
	both := joined(cooled, closed)
	later := now.Add(2 * time.Second)
	if st := cooled.At(later); st.State != HalfOpen {
		t.Fatalf("ran out: %v", st)
	}
	if st := both.At(later); st.State != Closed {
		t.Fatalf("a node that held the cooldown did not hear of the recovery: %v", st)
	}
	// One that the recovering owner had not heard of still needs its probe.
	longer := joined(both, Snapshot{Cooldowns: []Cooldown{{Setter: "n2", Stamp: 8, Until: now.Add(time.Minute)}}})
	if st := longer.At(later); st.State != Open {
		t.Fatalf("running: %v", st)
	}
	if st := longer.At(now.Add(2 * time.Minute)); st.State != HalfOpen {
		t.Fatalf("ran out after the recovery: %v", st)
	}
}

// As in a merge, a deadline from disk makes no living one redundant: a living
// copy of it may turn out to be shorter.
func TestADeadlineFromDiskCoversNothing(t *testing.T) {
	long := Cooldown{Setter: "n1", Stamp: 1, Until: 900, Reason: ReasonRetryAfter}
	living := Cooldown{Setter: "n2", Stamp: 2, Until: 600, Reason: ReasonRetryAfter}
	s := Snapshot{Cooldowns: []Cooldown{long}}
	if !s.Covers(living) {
		t.Error("a longer Retry-After does not cover a shorter one")
	}
	s.Cooldowns[0].Disk = true
	if s.Covers(living) {
		t.Error("a deadline from disk covers a living Retry-After")
	}
}
