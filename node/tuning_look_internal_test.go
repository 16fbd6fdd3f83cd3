package node

import (
	"slices"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/telemetry"
	"fleetfuse/telemetry/rollup"
)

// However many probes there were, how an outage began is known; and that not all of
// them are looked at is said.
func TestProbesPushOutNoOpens(t *testing.T) {
	n, key := alone(t), breaker.Key("host:a.example")
	n.Used(rollup.Series{Key: key}, &rollup.Counts{ProbesFailed: maxTunerEvents + 10})
	_, wall := n.clock.Both()
	n.events.log.Append(telemetry.Event{
		Kind: telemetry.KindTransition, Key: key, From: "closed", To: "open", Reason: breaker.ReasonConsecutive, Time: wall.Add(-time.Minute), Stamp: 1,
	})
	for i := range maxTunerEvents + 10 {
		n.events.log.Append(telemetry.Event{
			Kind: telemetry.KindProbe, Key: key, To: "failure", Time: wall.Add(-time.Minute).Add(time.Duration(i) * time.Millisecond), Stamp: breaker.Stamp(i + 2),
		})
	}
	l := n.tuning.look(t.Context(), key, 10*time.Minute)
	if len(l.metrics) != 1 || len(l.metrics[0].Opens) != 1 || l.metrics[0].Opens[0].ProbesFailed < maxTunerEvents/2 {
		t.Errorf("%+v, want one open with its probes", l.metrics)
	}
	if len(l.notes) != 1 || !slices.Contains(l.notes, "there were more than 10000 probes of breakers: those before "+wall.Add(-time.Minute+10*time.Millisecond).UTC().Format(time.TimeOnly)+" are not looked at") {
		t.Errorf("it says %q", l.notes)
	}
	if a, err := n.tuning.advise(t.Context(), key, 10*time.Minute, toEnforce); err != nil || !slices.Equal(a.Notes, l.notes) {
		t.Errorf("the plan says %q, %v", a.Notes, err)
	}
}

// What could not be looked at is said, each thing once.
func TestNotesOfWhatIsMissing(t *testing.T) {
	l := look{missing: []string{"n2"}}
	gap := api.MemberGap{Node: "n1", EventGap: api.EventGap{Reason: "crash"}}
	for range 2 {
		l.noteEvents(&api.EventsResponse{Gaps: []api.MemberGap{gap}, Missing: []string{"n2", "n3"}}, "opens")
	}
	want := []string{
		"events of n1 are missing (crash): opens and probes that it wrote down may be, too",
		"no events from n3: opens and probes that it wrote down are missing",
	}
	if !slices.Equal(l.notes, want) {
		t.Errorf("it says %q", l.notes)
	}
}
