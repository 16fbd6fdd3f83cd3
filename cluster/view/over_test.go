package view_test

import (
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/view"
)

// TestOver: what the owner calls over is dropped where it ran out, and does not
// come back from who still holds it; what runs stays.
func TestOver(t *testing.T) {
	v := view.New(10)
	ranOut, runs := cooldown("n1", 1, now.Add(-time.Second)), cooldown("n2", 2, now.Add(time.Minute))
	v.Merge("host:a", ranOut)
	if !v.Over(now, "host:a") || len(v.Of("host:a").Cooldowns) != 0 {
		t.Errorf("what ran out is still there: %+v", v.Of("host:a"))
	}
	v.Merge("host:b", ranOut)
	v.Merge("host:b", runs)
	v.Merge("host:b", breaker.Snapshot{Clear: 0, Overlays: overlay(3, "fail_max:3", 0).Overlays})
	if v.Over(now, "host:b"); len(v.Of("host:b").Cooldowns) != 1 || len(v.Of("host:b").Overlays) != 1 {
		t.Errorf("left is %+v, want the cooldown that runs and the overlay", v.Of("host:b"))
	}
	again := v.Hear(now, "host:b", cooldown("n1", 1, now.Add(30*time.Second)))
	if len(again.Cooldowns) != 0 {
		t.Errorf("adopted again: %+v", again)
	}
	if v.Over(now, "host:c") || v.Over(now, "host:b") {
		t.Error("there was nothing to drop")
	}
}
