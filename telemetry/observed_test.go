package telemetry_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/telemetry"
	"fleetfuse/telemetry/rollup"
	"fleetfuse/tuner"
)

func TestHostMetrics(t *testing.T) {
	limited := rollup.Counts{Successes: 90, Neutral: 2, FromCache: 7, ProbesOK: 1, ProbesFailed: 3, LongestRun: 7}
	for status, n := range map[int]uint64{429: 10, 503: 4, 500: 3, 408: 2} {
		limited.Fail(breaker.Evidence{Status: status}, n)
	}
	limited.Fail(breaker.Evidence{Error: "timeout"}, 5)
	limited.Fail(breaker.Evidence{Error: "dns"}, 6)
	limited.RetryAfter.Observe(2*time.Minute, 3)
	limited.RetryAfter.Observe(30*time.Second, 1)
	artifact := rollup.Counts{Successes: 5, LongestRun: 9}
	artifact.Rejected[rollup.ByCircuit], artifact.Rejected[rollup.ByRing] = 2, 1
	wild := rollup.Counts{Unavailable: 9} // what no node counts
	wild.Fail(breaker.Evidence{Status: 500}, 1)
	row := func(key breaker.Key, role string, c rollup.Counts) rollup.Row {
		return rollup.Row{Series: rollup.Series{Key: key, Role: role}, Counts: c}
	}
	f := rollup.Fleet{
		Nodes: []string{"a", "b"}, Missing: []string{"c"},
		Rows: []rollup.Row{
			row(breaker.HostKey(rollup.OtherName), "", rollup.Counts{Successes: 1e6}), row(breaker.ResolverKey(rollup.OtherName), "", rollup.Counts{Successes: 1e6}),
			row("host:limited.example", "metadata", limited), row("host:wild.example", "", wild),
			row("host:limited.example", "artifact", artifact), row("host:busy.example", "", rollup.Counts{Successes: 5000}),
		},
		Reports: []rollup.Report{{Node: "a", Rows: []rollup.Row{row("host:busy.example", "", rollup.Counts{Successes: 4000}), row("host:unknown.example", "", wild)}}},
	}
	events := []api.Event{{Kind: "transition", Key: "host:silent.example", From: "closed", To: "open", Reason: "rolling-window", Time: after(0)}}
	of := func(key breaker.Key, all tuner.Counts, more func(*tuner.HostMetrics)) tuner.HostMetrics {
		m := tuner.HostMetrics{Key: key, Window: time.Hour, All: all, Nodes: []string{"a", "b"}, Missing: []string{"c"}, Members: 3}
		more(&m)
		return m
	}
	nothing := func(*tuner.HostMetrics) {}
	metadata := tuner.Counts{
		Successes: 90, Neutral: 2, FromCache: 7, Limited: 10, Server: 7, Unavailable: 4, Timeouts: 5, Other: 8, ProbesOK: 1, ProbesFailed: 3, LongestRun: 7,
	}
	both := metadata
	both.Successes, both.Rejected, both.LongestRun = 95, 3, 9
	want := []tuner.HostMetrics{
		of("host:busy.example", tuner.Counts{Successes: 5000}, func(m *tuner.HostMetrics) {
			m.ByNode = []tuner.NodeCounts{{Node: "a", Counts: tuner.Counts{Successes: 4000}}}
		}),
		of("host:limited.example", both, func(m *tuner.HostMetrics) {
			m.Roles = []tuner.RoleMetrics{
				{Role: "artifact", Counts: tuner.Counts{Successes: 5, Rejected: 3, LongestRun: 9}}, {Role: "metadata", Counts: metadata},
			}
			m.RetryAfter = []tuner.Wait{{Length: 30 * time.Second, Count: 1}, {Length: 2 * time.Minute, Count: 3}}
		}),
		of("host:wild.example", tuner.Counts{Server: 1, Unavailable: 1}, nothing),
		of("host:silent.example", tuner.Counts{}, func(m *tuner.HostMetrics) {
			m.Opens = []tuner.Open{{Reason: "rolling-window", Began: after(0), Lasted: time.Minute}}
		}),
	}
	got := telemetry.HostMetrics(f, events, time.Hour, after(time.Minute))
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("metrics (-want +got):\n%s", d)
	}
	if n := len(telemetry.HostMetrics(rollup.Fleet{}, nil, time.Hour, after(0))); n != 0 {
		t.Errorf("%d hosts of nothing", n)
	}
	got[0].Nodes[0] = "changed"
	if f.Nodes[0] != "a" || got[1].Nodes[0] != "a" {
		t.Error("the names of nodes are shared")
	}
}
