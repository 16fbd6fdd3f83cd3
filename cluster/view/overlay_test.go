package view_test

import (
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/view"
)

func overlay(stamp breaker.Stamp, fields string, kept breaker.Instant) breaker.Snapshot {
	return breaker.Snapshot{Overlays: []breaker.Overlay{{Register: breaker.RegisterOperator, Stamp: stamp, Fields: fields, Kept: kept}}}
}

// TestAnOldOverlayDoesNotComeBack: a node that was off brings its overlay; the
// reset that this one remembers is later.
func TestAnOldOverlayDoesNotComeBack(t *testing.T) {
	v := view.New(10)
	hear(v, now, overlay(2, "", now.Add(breaker.KeepReset)))
	if hear(v, now, overlay(1, "fail_max:3", 0)) {
		t.Errorf("the overlay before the reset was adopted: %+v", v.Of("host:a"))
	}
	if !hear(v, now, overlay(3, "fail_max:3", 0)) {
		t.Error("an overlay after the reset was not adopted")
	}
}

// TestAForgottenResetStaysForgotten: another node's timer is later, and what it
// says for a moment longer must not go round for ever.
func TestAForgottenResetStaysForgotten(t *testing.T) {
	v := view.New(10)
	hear(v, now, overlay(2, "", now.Add(time.Hour)))
	for range view.Turns {
		v.Forget(now.Add(time.Hour))
	}
	if hear(v, now.Add(time.Hour), overlay(2, "", now.Add(time.Hour+time.Minute))) || v.Len() != 0 {
		t.Errorf("a reset that was forgotten is back: %+v", v.Of("host:a"))
	}
}

// TestDigestsSeeOverlays: copies with the same versions have the same sum,
// whatever their clocks, and another version has another one.
func TestDigestsSeeOverlays(t *testing.T) {
	sum := func(s breaker.Snapshot) uint64 {
		v := view.New(10)
		v.Merge("host:a", s)
		return v.Digest()[view.BucketOf("host:a")]
	}
	one := sum(overlay(2, "fail_max:3", 0))
	later := overlay(2, "fail_max:3", 0)
	later.Overlays[0].Disk, later.Overlays[0].Until = true, now
	if one == 0 || one != sum(later) {
		t.Error("one version has two sums, or none")
	}
	for what, s := range map[string]breaker.Snapshot{
		"a later version": overlay(3, "fail_max:3", 0), "other fields": overlay(2, "fail_max:4", 0), "nothing": {},
	} {
		if sum(s) == one {
			t.Errorf("%s has the same sum", what)
		}
	}
}

// TestOverlaysOutstayExceptions: a full view gives up what ends soonest, and an
// overlay in force never ends.
func TestOverlaysOutstayExceptions(t *testing.T) {
	v := view.New(2)
	v.Merge("host:a", overlay(1, "fail_max:3", 0))
	v.Merge("host:b", cooldown("n1", 1, now.Add(time.Hour)))
	if _, _, evicted := v.Merge("host:c", cooldown("n1", 2, now.Add(time.Minute))); evicted != "host:b" {
		t.Errorf("%q went, want host:b", evicted)
	}
}
