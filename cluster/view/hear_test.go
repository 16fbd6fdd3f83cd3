package view_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/breaker"
	"fleetfuse/cluster/view"
)

const now = breaker.Instant(time.Hour)

func cooldown(setter string, stamp breaker.Stamp, until breaker.Instant) breaker.Snapshot {
	return breaker.Snapshot{Cooldowns: []breaker.Cooldown{{Setter: setter, Stamp: stamp, Until: until}}}
}

func hear(v *view.View, at breaker.Instant, s breaker.Snapshot) bool {
	_, changed, _ := v.Merge("host:a", v.Hear(at, "host:a", s))
	return changed
}

// A cooldown that another made redundant went. Who still holds it, because to
// them it was the longer one, cannot bring it back with a later deadline.
func TestARedundantCooldownStaysRedundant(t *testing.T) {
	for _, order := range []string{"older first", "newer first"} {
		v := view.New(1)
		older, newer := cooldown("n1", 1, now.Add(100*time.Second)), cooldown("n2", 2, now.Add(101*time.Second))
		if order == "newer first" {
			older, newer = newer, older
		}
		hear(v, now, older)
		hear(v, now, newer)
		late := cooldown("n1", 1, now.Add(130*time.Second))
		if hear(v, now.Add(time.Second), late) {
			t.Errorf("%s: adopted again: %+v", order, v.Of("host:a"))
		}
		// From disk it is not a living deadline, so it makes nothing past.
		other := view.New(1)
		disk := cooldown("n1", 1, now.Add(100*time.Second))
		disk.Cooldowns[0].Disk = true
		hear(other, now, disk)
		hear(other, now, cooldown("n2", 2, now.Add(101*time.Second)))
		if !hear(other, now, late) {
			t.Error("a living copy of a cooldown from disk was not adopted")
		}
	}
}

func TestPastIsBoundedAndForgotten(t *testing.T) {
	v := view.New(1)
	v.Merge("host:a", breaker.Snapshot{Clear: 1, ClearKept: now.Add(breaker.KeepClear)})
	const n = 100
	for i := range breaker.Stamp(n) {
		hear(v, now, cooldown("n1", i+2, now.Add(time.Minute).Add(time.Duration(i)*time.Millisecond)))
	}
	again := func(stamp breaker.Stamp) bool { return hear(v, now, cooldown("n1", stamp, now.Add(time.Hour))) }
	if again(n) {
		t.Error("the longest of the past ones was adopted again")
	}
	if !again(2) {
		t.Error("the shortest of a hundred is remembered: no bound")
	}
	forget(v, now.Add(3*time.Hour))
	if s := v.Of("host:a"); len(s.Cooldowns) != 0 || s.Clear != 1 {
		t.Fatalf("after three hours: %+v", s)
	}
	if !hear(v, now, cooldown("n1", n, now.Add(time.Hour))) {
		t.Error("remembered for good")
	}
}

// What is new here must last a while: else it may be new because this machine
// has forgotten it already. What is held anyway may be said to the last.
func TestHearAdoptsNothingThatIsAboutToGo(t *testing.T) {
	ranOut := func(ago time.Duration) breaker.Snapshot {
		s := cooldown("n1", 1, now.Add(-ago))
		s.Circuit = breaker.Circuit{State: breaker.Open, Stamp: 2, Until: now.Add(-ago)}
		s.Clear, s.ClearKept = 0, 0
		return s
	}
	fresh := view.New(1)
	if got := fresh.Hear(now, "host:a", ranOut(8*time.Minute)); !got.Empty() {
		t.Errorf("8 minutes past its deadline: %+v", got)
	}
	young := ranOut(6 * time.Minute)
	if d := cmp.Diff(young, fresh.Hear(now, "host:a", young)); d != "" {
		t.Errorf("6 minutes past its deadline a host is half-open for who joins:\n%s", d)
	}
	renewed := ranOut(8 * time.Minute)
	renewed.Renewed = now.Add(-time.Minute)
	if got := fresh.Hear(now, "host:a", renewed); got.Empty() {
		t.Error("renewed a minute ago, and not adopted")
	}
	holds := view.New(1)
	holds.Merge("host:a", ranOut(6*time.Minute))
	old := ranOut(8 * time.Minute)
	if d := cmp.Diff(old, holds.Hear(now, "host:a", old)); d != "" {
		t.Errorf("held anyway:\n%s", d)
	}
	if len(old.Cooldowns) != 1 {
		t.Error("Hear changed its argument")
	}
}

// Two machines that read a deadline from their disks tell each other again and
// again, each time a little late: it must not creep.
func TestADeadlineFromDiskDoesNotCreep(t *testing.T) {
	a, b := view.New(1), view.New(1)
	disk := cooldown("n1", 1, now.Add(100*time.Second))
	disk.Cooldowns[0].Disk = true
	hear(a, now, disk)
	hear(b, now, disk)
	for range 100 {
		for _, way := range [2][2]*view.View{{a, b}, {b, a}} {
			s := way[0].Of("host:a")
			s.Cooldowns[0].Until = s.Cooldowns[0].Until.Add(350 * time.Millisecond) // what remained, on arrival
			if hear(way[1], now, s) {
				t.Fatalf("the deadline moved to %v", way[1].Of("host:a").Cooldowns[0].Until.Sub(now))
			}
		}
	}
	disk.Cooldowns[0].Until = now.Add(10 * time.Minute) // from a machine whose clock is right
	if !hear(a, now, disk) || a.Of("host:a").Cooldowns[0].Until != now.Add(10*time.Minute) {
		t.Error("a much later deadline from disk was not taken: nobody may undercut it")
	}
}

// The same for a recovery, whose memory a wrong wall clock may have cut short.
func TestARecoveryFromDiskDoesNotCreep(t *testing.T) {
	v := view.New(1)
	known := breaker.Snapshot{Circuit: breaker.Circuit{Stamp: 1, Keep: now.Add(10 * time.Minute), Recovered: now, Disk: true}}
	hear(v, now, known)
	echo := known
	echo.Circuit.Keep = echo.Circuit.Keep.Add(350 * time.Millisecond)
	if hear(v, now, echo) {
		t.Errorf("an echo moved it to %v", v.Of("host:a").Circuit.Keep.Sub(now))
	}
	living := known
	living.Circuit.Disk, living.Circuit.Keep = false, now.Add(9*time.Minute)
	if !hear(v, now, living) || v.Of("host:a").Circuit != living.Circuit {
		t.Errorf("a living copy was not taken: %+v", v.Of("host:a").Circuit)
	}
}
