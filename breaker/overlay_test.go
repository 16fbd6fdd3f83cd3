package breaker_test

import (
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
)

func moment(now time.Duration, stamp breaker.Stamp) breaker.Moment {
	return breaker.Moment{Now: origin.Add(now), Stamp: stamp, Members: 1}
}

// laid is an operator's overlay.
func laid(mo breaker.Moment, base breaker.Stamp, fields, temporary string, length time.Duration) breaker.Overlay {
	return breaker.NewOverlay(mo, breaker.RegisterOperator, base, fields, temporary, mo.Now.Add(length), length)
}

// TestOverlaysAreKept: lasting fields for ever, a reset 30 days, what was for a
// while 30 days longer than that while.
func TestOverlaysAreKept(t *testing.T) {
	const day = 24 * time.Hour
	mo := moment(0, 10)
	for _, x := range []struct {
		what    string
		overlay breaker.Overlay
		after   time.Duration
		kept    bool
	}{
		{"lasting fields", laid(mo, 0, "fail_max:3", "", 0), 1000 * day, true},
		{"lasting fields with others for a while", laid(mo, 0, "fail_max:3", "mode:off", time.Hour), 1000 * day, true},
		{"a reset", laid(mo, 0, "", "", 0), 30*day - 1, true},
		{"an old reset", laid(mo, 0, "", "", 0), 30 * day, false},
		{"fields for a while", laid(mo, 0, "", "mode:off", day), 31*day - 1, true},
		{"fields for a while, long ago", laid(mo, 0, "", "mode:off", day), 31 * day, false},
	} {
		m := breaker.New(policyOf(t))
		if e := m.Lay(mo, x.overlay); e.Persist == nil || e.Announce == nil || len(e.Announce.Transitions) != 0 || e.Announce.Derived {
			t.Errorf("%s: laying it asks for %+v, want it announced and kept, without a transition", x.what, e)
		}
		s := m.Snapshot()
		forgot := s.Forget(mo.Now.Add(x.after))
		if got := len(s.Overlays) == 1; got != x.kept || forgot == x.kept {
			t.Errorf("%s: kept after %v: %v, want %v", x.what, x.after, got, x.kept)
		}
	}
}

func policyOf(t *testing.T) *breaker.Policy {
	t.Helper()
	p := breaker.DefaultPolicy()
	return &p
}

// TestLayKeepsTheRest: a new overlay, and a close after it, touch no register
// but their own, and an older overlay changes nothing.
func TestLayKeepsTheRest(t *testing.T) {
	m := breaker.New(policyOf(t))
	m.OpenUntil(moment(0, 1), "n1", time.Hour, "alice", "")
	tuner := breaker.NewOverlay(moment(1, 2), breaker.RegisterTuner, 0, "fail_max:9", "", 0, 0)
	m.Lay(moment(1, 2), tuner)
	operator := laid(moment(2, 3), 0, "fail_max:3", "mode:off", time.Minute)
	operator.Reason = strings.Repeat("é", 100)
	m.Lay(moment(2, 3), operator)
	if e := m.Lay(moment(3, 4), laid(moment(0, 2), 0, "fail_max:4", "", 0)); e.Announce != nil {
		t.Errorf("an older one is announced: %+v", e.Announce)
	}
	check := func(when string) {
		t.Helper()
		s := m.Snapshot()
		o := s.Overlay(breaker.RegisterOperator)
		if s.Overlay(breaker.RegisterTuner) != tuner || o.Fields != "fail_max:3" || len(o.Reason) > breaker.MaxDetailBytes {
			t.Errorf("%s it has %+v", when, s.Overlays)
		}
		if o.Temporarily(origin.Add(30*time.Second)) != "mode:off" || o.Temporarily(origin.Add(time.Minute+2)) != "" {
			t.Errorf("%s the temporary fields are in force from %+v", when, o)
		}
		if s.MaxStamp() < 3 {
			t.Errorf("%s the highest stamp is %d, want at least 3", when, s.MaxStamp())
		}
	}
	check("when laid")
	if s := m.Snapshot(); s.At(origin.Add(time.Second)).State != breaker.Open {
		t.Error("the overlay ended an open")
	}
	m.Close(moment(5, 6), "alice", "")
	check("after a close")
}

// TestOverlayCopies: hearing a version again moves no deadline, except that a
// living copy replaces one from a disk.
func TestOverlayCopies(t *testing.T) {
	living := laid(moment(0, 5), 0, "", "mode:off", time.Minute)
	with := func(o breaker.Overlay, disk bool, later time.Duration) breaker.Snapshot {
		o.Disk = disk
		o.Until, o.Kept = o.Until.Add(later), o.Kept.Add(later)
		return breaker.Snapshot{Overlays: []breaker.Overlay{o}}
	}
	for _, x := range []struct {
		what       string
		has, hears breaker.Snapshot
		until      breaker.Instant
	}{
		{"again", with(living, false, 0), with(living, false, time.Second), living.Until},
		{"a disk's after a living one", with(living, false, 0), with(living, true, -time.Second), living.Until},
		{"a living one after a disk's", with(living, true, time.Second), with(living, false, 0), living.Until},
		{"a disk's later echo", with(living, true, 0), with(living, true, time.Second), living.Until},
	} {
		x.has.Merge(x.hears)
		if got := x.has.Overlays[0].Until; got != x.until {
			t.Errorf("%s: it ends %v later than it should", x.what, got.Sub(x.until))
		}
	}
}
