//go:build cgo

package history

import (
	"testing"
	"time"

	"fleetfuse/telemetry/rollup"
)

// A clock that stands eight days ahead for some minutes deletes nothing; one that is
// set right for good is believed after an hour.
func TestClockThatStepsAheadPrunesNothing(t *testing.T) {
	const days = rollup.Bucket(8 * 24 * time.Hour / rollup.Width)
	h := open(t, t.TempDir(), Options{})
	for i := range 10 {
		h.Add(first+rollup.Bucket(6*i), []rollup.Row{row(0, "", 1)})
		write(t, h)
	}
	h.Add(first+days, []rollup.Row{row(0, "", 1)})
	write(t, h)
	h.Add(first+60, []rollup.Row{row(0, "", 1)})
	write(t, h)
	if got := total(t, h, Query{Until: first + 60}); got != 11 {
		t.Errorf("%d calls are left, want 11", got)
	}

	var s settled
	now := time.Now()
	for _, tt := range []struct {
		after        time.Duration
		latest, want rollup.Bucket
	}{
		{0, 0, 0}, // nothing was counted yet
		{0, first, first},
		{time.Minute, first + 6, first + 6},
		{2 * time.Minute, first + days, first + 12}, // ahead: only what passed counts
		{3 * time.Minute, first + 18, first + 18},   // and back
		{4 * time.Minute, first - days, first - days},
		{5 * time.Minute, first, first - days + 6}, // ahead of that
		{64 * time.Minute, first + 354, first - days + 360},
		{65 * time.Minute, first + 360, first + 360}, // for an hour
		{66 * time.Minute, first + 366, first + 366},
	} {
		if got := s.take(tt.latest, now.Add(tt.after)); got != tt.want {
			t.Errorf("after %v: %d, want %d", tt.after, got-first, tt.want-first)
		}
	}
}
