package breaker_test

import (
	"fmt"
	"testing"
	"time"

	"fleetfuse/breaker"
)

// BenchmarkOwner is the owner's share of DESIGN 10: outcomes that alternate,
// 64 runs a batch, 4 reporters. The bar is 1,000,000 outcomes/s.
func BenchmarkOwner(b *testing.B) {
	rules := breaker.DefaultPolicy()
	rules.Rolling.Enabled, rules.FailureRate.Enabled = true, true
	rules.Rolling.ThresholdFailures, rules.FailureRate.Ratio = 10_000, 1
	patient := breaker.DefaultPolicy()
	patient.FailMax = 10_000
	for _, bb := range []struct {
		name    string
		policy  breaker.Policy
		succeed bool
		nodes   int
	}{
		{"alternating", breaker.DefaultPolicy(), true, 4},
		{"alternating, every rule", rules, true, 4},
		{"one sick node", breaker.DefaultPolicy(), false, 1},
		{"one sick node, fail_max 10000", patient, false, 1},
	} {
		b.Run(bb.name, func(b *testing.B) { benchmarkOwner(b, bb.policy, bb.succeed, bb.nodes) })
	}
}

func benchmarkOwner(b *testing.B, p breaker.Policy, succeed bool, nodes int) {
	const batch = 64
	m := breaker.New(&p)
	mo := breaker.Moment{Now: origin, Members: 4}
	names := []string{"n1", "n2", "n3", "n4"}
	b.ReportAllocs()
	outcomes := 0
	for b.Loop() {
		mo.Now += breaker.Instant(time.Second)
		for i := range batch {
			mo.Stamp++
			mo.Now += breaker.Instant(time.Millisecond)
			o := breaker.Outcome{Node: names[outcomes/batch%nodes], Kind: breaker.Failure, Began: mo.Now, Ended: mo.Now}
			if succeed && i%2 == 1 {
				o.Kind = breaker.Success
			}
			m.Report(mo, o)
			outcomes++
		}
	}
	b.ReportMetric(float64(outcomes)/b.Elapsed().Seconds(), "outcomes/s")
	if m.Inspect(mo.Now).Status.State != breaker.Closed {
		b.Fatal("it tripped, so nothing was counted")
	}
}

// BenchmarkReject is what a question costs while the breaker is open.
func BenchmarkReject(b *testing.B) {
	p := breaker.DefaultPolicy()
	m := breaker.New(&p)
	m.OpenUntil(breaker.Moment{Now: origin, Stamp: 1}, "n1", time.Hour, "", "")
	mo := breaker.Moment{Now: origin + 1, Stamp: 2}
	b.ReportAllocs()
	for b.Loop() {
		if a, _ := m.Ask(mo, breaker.Question{Node: "n1"}); a.State != breaker.Open {
			b.Fatal("not open")
		}
	}
}

// A failure costs the same whatever fail_max is: a sick node cannot slow its
// owner down.
func TestALateFailureStaysCheap(t *testing.T) {
	p := breaker.DefaultPolicy()
	p.FailMax, p.Witnesses = 10_000, 16
	m := breaker.New(&p)
	mo := breaker.Moment{Now: origin, Members: 16}
	report := func(i int) {
		mo.Now += breaker.Instant(time.Millisecond)
		mo.Stamp++
		m.Report(mo, breaker.Outcome{Node: fmt.Sprint("n", i%15), Kind: breaker.Failure, Began: mo.Now, Ended: mo.Now})
	}
	for i := range 20_000 {
		report(i)
	}
	if in := m.Inspect(mo.Now); in.Runs[0].Failures != 10_000 {
		t.Fatalf("kept %d failures", in.Runs[0].Failures)
	}
	begin := time.Now()
	const reports = 20_000
	for i := range reports {
		report(i)
	}
	if each := time.Since(begin) / reports; each > 200*time.Microsecond { // measured: under 1 µs; a pass over the list: 20 µs and more
		t.Errorf("a failure costs %v", each)
	}
}
