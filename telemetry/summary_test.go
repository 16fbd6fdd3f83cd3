package telemetry

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/telemetry/rollup"
)

func TestSummarize(t *testing.T) {
	limited := rollup.Counts{Successes: 90, Neutral: 2, ProbesOK: 1, ProbesFailed: 3, LongestRun: 7}
	limited.Failures[rollup.ClassOf(breaker.Evidence{Status: 429})] = 10
	limited.Rejected[rollup.ByCooldown], limited.Rejected[rollup.ByRing] = 40, 1
	artifact := rollup.Counts{Successes: 5}
	artifact.Rejected[rollup.ByCircuit] = 2
	f := rollup.Fleet{
		Nodes: []string{"a", "b"}, Missing: []string{"c"},
		Rows: []rollup.Row{
			{Series: rollup.Series{Key: "host:busy.example"}, Counts: rollup.Counts{Successes: 5000}},
			{Series: rollup.Series{Key: "host:limited.example"}, Counts: limited},
			{Series: rollup.Series{Key: "host:limited.example", Role: "artifact"}, Counts: artifact},
		},
	}
	events := []api.Event{
		{Key: "host:limited.example", Kind: "cooldown", From: "closed", To: "open", Reason: "retry-after"},
		{Key: "host:limited.example", Kind: "cooldown", From: "open", To: "open", Reason: "retry-after"}, // an extension
		{Key: "host:limited.example", Kind: "transition", From: "open", To: "half_open", Reason: "retry-after"},
		{Key: "host:limited.example", Kind: "transition", From: "half_open", To: "open", Reason: "probe-failed"},
		{Key: "host:limited.example", Kind: "local", From: "closed", To: "open", Reason: "consecutive-failures"},
		{Key: "host:silent.example", Kind: "operator", From: "closed", To: "open", Reason: "cli-open"},
		{Kind: "member", To: "lost"},
	}
	half := 0.25
	want := api.SummaryResponse{
		WindowMS: 1_800_000, Nodes: []string{"a", "b"}, Missing: []string{"c"},
		Breakers: []api.BreakerSummary{
			{
				Key: "host:limited.example", Calls: 107, Successes: 95, Failures: 10, ByClass: map[string]uint64{"429": 10}, Neutral: 2,
				NotSent: 43, Cooldown: 40, Circuit: 2, Local: 1, Opens: 2, OpensPerHour: 4, LocalOpens: 1,
				OpenReasons: map[string]int{"retry-after": 1, "probe-failed": 1}, ProbesOK: 1, ProbesFailed: 3, SuccessAfterOpen: &half, LongestRun: 7,
			},
			{Key: "host:silent.example", Opens: 1, OpensPerHour: 2, OpenReasons: map[string]int{"cli-open": 1}},
			{Key: "host:busy.example", Calls: 5000, Successes: 5000},
		},
	}
	if d := cmp.Diff(want, Summarize(f, events, 30*time.Minute)); d != "" {
		t.Errorf("summary (-want +got):\n%s", d)
	}
}
