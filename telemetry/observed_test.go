package telemetry_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/telemetry"
	"fleetfuse/telemetry/rollup"
	"fleetfuse/tuner"
	"fleetfuse/tuner/planner"
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
	spared := rollup.Counts{FromCache: 3}
	spared.Rejected[rollup.ByCircuit] = 2
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
		Reports: []rollup.Report{
			{Node: "a", Rows: []rollup.Row{row("host:busy.example", "", rollup.Counts{Successes: 4000}), row("host:unknown.example", "", wild)}},
			{Node: "b", Rows: []rollup.Row{row("host:busy.example", "", spared)}},
		},
	}
	events := []api.Event{{Kind: "transition", Key: "host:silent.example", From: "closed", To: "open", Reason: "rolling-window", Time: after(0)}}
	of := func(key breaker.Key, all tuner.Counts, more func(*tuner.HostMetrics)) tuner.HostMetrics {
		m := tuner.HostMetrics{Key: key, Window: time.Hour, All: all, Missing: []string{"c"}, Members: 3}
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
			m.Nodes = []string{"a"} // b answered, and did not call it
			m.ByNode = []tuner.NodeCounts{{Node: "a", Counts: tuner.Counts{Successes: 4000}}, {Node: "b", Counts: tuner.Counts{FromCache: 3, Rejected: 2}}}
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
	got[0].Missing[0] = "changed"
	if f.Missing[0] != "c" || got[1].Missing[0] != "c" {
		t.Error("the names of nodes are shared")
	}
}

// Of five members one calls a host that limits its way out: that is said, and is
// not enough to slow down the fleet.
func TestOneCallerAmongFive(t *testing.T) {
	const key breaker.Key = "host:a.example"
	p := planner.New(planner.DefaultSettings())
	p.Recalled()
	const minutes = 60
	first := int64(rollup.BucketOf(after(0)))
	for i := range int64(6 * minutes) {
		p.Observe([]planner.Seen{{Key: key, Bucket: tuner.Bucket{At: first + i, Judged: 20, Limited: 4, Failures: 4}}}, first+i)
	}
	counts := rollup.Counts{Successes: 800}
	counts.Fail(breaker.Evidence{Status: 429}, 400)
	rows := []rollup.Row{{Series: rollup.Series{Key: key}, Counts: counts}}
	f := rollup.Fleet{Nodes: []string{"n1", "n2", "n3", "n4", "n5"}, Rows: rows, Reports: []rollup.Report{{Node: "n1", Rows: rows}, {Node: "n2"}, {Node: "n3"}, {Node: "n4"}, {Node: "n5"}}}
	now := after(minutes * time.Minute)
	seen := telemetry.HostMetrics(f, nil, 10*time.Minute, now)
	policy := breaker.DefaultPolicy()
	advice := p.Advise(seen, func(breaker.Key) *breaker.Policy { return &policy })
	plan := p.Draw(now, 10*time.Minute, []planner.Case{{Metrics: seen[0], Advice: advice[0]}})
	for _, c := range plan.Hosts[0].Changes {
		if c.Verdict != planner.Refused || c.Confidence > 0.95 {
			t.Errorf("%s is %s on the word of one node of five, %.3f sure", c.Field, c.Verdict, c.Confidence)
		}
	}
	if notes := strings.Join(advice[0].Notes, "; "); !strings.Contains(notes, "only node n1 called it") {
		t.Errorf("it says %q", notes)
	}
}
