package cooldownstore_test

import (
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// TestOverlayClocks: a wall clock that was set back stretches neither the fields
// for a while nor a reset, and one that went on ends them.
func TestOverlayClocks(t *testing.T) {
	const at = breaker.Instant(time.Hour)
	noon := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	mo := breaker.Moment{Now: at, Stamp: 7}
	o := breaker.NewOverlay(mo, breaker.RegisterOperator, 0, "", "mode:off", at.Add(time.Hour), time.Hour)
	r := cooldownstore.FromSnapshot("host:a", breaker.Snapshot{Overlays: []breaker.Overlay{o}}, at, noon)
	for _, x := range []struct {
		step time.Duration // of the wall clock since
		left time.Duration // of the fields; 0: they ended
	}{
		{0, time.Hour}, {20 * time.Minute, 40 * time.Minute}, {-5 * time.Hour, time.Hour}, {time.Hour, 0}, {10 * 24 * time.Hour, 0},
	} {
		s := r.ToSnapshot(at, noon.Add(x.step))
		if len(s.Overlays) != 1 || !s.Overlays[0].Disk {
			t.Fatalf("after %v it is %+v, want the overlay, from a disk", x.step, s)
		}
		got := s.Overlays[0]
		left := max(got.Until.Sub(at), 0)
		if left != x.left || (got.Temporarily(at) == "") != (x.left == 0) {
			t.Errorf("after %v there is %v left, want %v", x.step, left, x.left)
		}
		if kept := got.Kept.Sub(at); kept > time.Hour+breaker.KeepReset {
			t.Errorf("after %v it is kept %v, longer than it was to be", x.step, kept)
		}
	}
	if s := r.ToSnapshot(at, noon.Add(32*24*time.Hour)); !s.Empty() {
		t.Errorf("after 32 days it is %+v, want nothing", s)
	}
}

// TestSharedPartHasNoOverlays: other clusters have policies of their own.
func TestSharedPartHasNoOverlays(t *testing.T) {
	s := cooldownstore.SharedPart(breaker.Snapshot{Overlays: []breaker.Overlay{{Stamp: 1, Fields: "fail_max:3"}}})
	if !s.Empty() {
		t.Errorf("shared is %+v, want nothing", s)
	}
}
