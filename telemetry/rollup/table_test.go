package rollup_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetfuse/breaker"
	"fleetfuse/telemetry/rollup"
)

func host(i int) breaker.Key { return breaker.HostKey(fmt.Sprintf("h%d.example.org", i)) }

func successes(n uint64) *rollup.Counts { return &rollup.Counts{Successes: n} }

func sumOf(rows []rollup.Row) (n uint64) {
	for i := range rows {
		n += rows[i].Traffic()
	}
	return n
}

// Whatever is beyond a bound, no call is lost: rows and windows add up to what
// was added.
func TestTableLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 5).Draw(t, "hosts")
		table := rollup.NewTable(rollup.Limits{Hosts: limit, Keep: 5 * time.Minute, Fine: time.Minute})
		at, added := rollup.Bucket(1000), map[rollup.Bucket]uint64{}
		for range rapid.IntRange(1, 60).Draw(t, "buckets") {
			sum := uint64(0)
			for range rapid.IntRange(0, 60).Draw(t, "adds") {
				s := rollup.Series{Key: host(rapid.IntRange(0, 40).Draw(t, "host")), Role: fmt.Sprint(rapid.IntRange(0, 12).Draw(t, "role"))}
				n := rapid.Uint64Range(0, 100).Draw(t, "n")
				table.Add(s, successes(n))
				sum += n
			}
			at += rollup.Bucket(rapid.IntRange(1, 3).Draw(t, "steps"))
			of, rows := table.Close(at)
			added[of] += sum
			if got := sumOf(rows); of != at-1 || got != sum {
				t.Fatalf("bucket %d has %d, want %d with %d", of, got, at-1, sum)
			}
			if n := keysOf(rows); n > limit {
				t.Fatalf("%d keys told apart, want at most %d", n, limit)
			}
		}
		for _, length := range []time.Duration{30 * time.Second, time.Minute, 5 * time.Minute} {
			want := uint64(0)
			for b, n := range added {
				if b > at-1-rollup.Bucket(length/rollup.Width) {
					want += n
				}
			}
			got := sumOf(table.Window(length))
			if length <= time.Minute && got != want || got > want { // beyond Fine a minute may go as a whole
				t.Fatalf("the window of %v has %d, want %d", length, got, want)
			}
		}
	})
}

func keysOf(rows []rollup.Row) int {
	keys := map[breaker.Key]bool{}
	for _, r := range rows {
		if !r.IsOther() {
			keys[r.Key] = true
		}
	}
	return len(keys)
}

func TestTheBusiestAreToldApart(t *testing.T) {
	table := rollup.NewTable(rollup.Limits{Hosts: 3})
	for i := range 100 {
		table.Add(rollup.Series{Key: host(i), Role: "metadata"}, successes(uint64(i)))
	}
	table.Add(rollup.Series{Key: breaker.ResolverKey("crossref")}, successes(1))
	_, rows := table.Close(7)
	if len(rows) != 5 || rows[0].Key != breaker.HostKey(rollup.OtherName) || rows[1].Key != host(99) || rows[4].Key != breaker.ResolverKey(rollup.OtherName) {
		t.Fatalf("rows %v", rows)
	}
	for range 10 { // a host that was small becomes busy
		table.Add(rollup.Series{Key: host(1)}, successes(100))
		table.Close(8)
	}
	if rows := table.WindowOf(host(1), time.Minute); len(rows) != 1 || rows[0].Successes < 900 {
		t.Errorf("a host that became busy: %v", rows)
	}
}

func TestAFloodOfNamesStaysBounded(t *testing.T) {
	table := rollup.NewTable(rollup.Limits{Hosts: 10})
	const n = 100_000
	for i := range n {
		table.Add(rollup.Series{Key: host(i)}, successes(1))
	}
	if rows := table.Open(); rows > 200 {
		t.Errorf("the open bucket has %d series, want at most 200", rows)
	}
	_, rows := table.Close(7)
	if len(rows) != 11 || sumOf(rows) != n {
		t.Errorf("%d rows with %d calls, want 11 with %d", len(rows), sumOf(rows), n)
	}
}

func TestOldBucketsBecomeMinutes(t *testing.T) {
	table := rollup.NewTable(rollup.Limits{})
	s := rollup.Series{Key: host(1)}
	const hours = 2
	for i := range hours * 360 {
		c := successes(1)
		c.Latency.Observe(time.Second, 1)
		table.Add(s, c)
		table.Close(rollup.Bucket(6000 + i + 1))
	}
	spans := table.Spans(s.Key)
	calls := uint64(0)
	for i, span := range spans {
		calls += span.Successes
		if span.Width == time.Minute && (span.Successes != 6 && i > 0 || span.At%6 != 0) {
			t.Errorf("minute %d: %v", i, span)
		}
	}
	if len(spans) < 60+49 || len(spans) > 60+56 || calls > 360 || calls < 354 {
		t.Errorf("%d spans with %d calls, want about 60 buckets and 50 minutes with 360", len(spans), calls)
	}
	if got := table.Window(600 * time.Second); len(got) != 1 || got[0].Successes != 60 || got[0].Latency.Count() != 60 {
		t.Errorf("the last 600 s: %v", got)
	}
}

func TestAClockThatGoesBack(t *testing.T) {
	table := rollup.NewTable(rollup.Limits{})
	s := rollup.Series{Key: host(1)}
	for _, next := range []rollup.Bucket{100, 50, 99, 100} {
		table.Add(s, successes(1))
		if at, _ := table.Close(next); at != 99 {
			t.Errorf("closed bucket %d, want 99", at)
		}
	}
	if spans := table.Spans(s.Key); len(spans) != 1 || spans[0].Successes != 4 {
		t.Errorf("spans %v", spans)
	}
	table.Close(100_000)
	if rows := table.Window(time.Hour); len(rows) != 0 {
		t.Errorf("a clock that jumped leaves %v", rows)
	}
}

func TestMergeNamesWhoIsMissing(t *testing.T) {
	row := func(i int, n uint64) rollup.Row {
		return rollup.Row{Series: rollup.Series{Key: host(i)}, Counts: *successes(n)}
	}
	f := rollup.Merge([]rollup.Report{
		{Node: "b", Rows: []rollup.Row{row(1, 10), row(2, 1)}},
		{Node: "a", Rows: []rollup.Row{row(1, 5), row(3, 2)}},
		{Node: "a", Rows: []rollup.Row{row(1, 5)}},
		{Node: "stranger", Rows: []rollup.Row{row(1, 5)}},
	}, []string{"c", "b", "a"}, 2)
	if fmt.Sprint(f.Nodes, f.Missing) != "[a b] [c]" {
		t.Errorf("nodes %v, missing %v", f.Nodes, f.Missing)
	}
	if len(f.Rows) != 3 || f.Rows[0].Successes != 15 || f.Rows[1].Key != host(3) || !f.Rows[2].IsOther() {
		t.Errorf("rows %v", f.Rows)
	}
}

func TestBuckets(t *testing.T) {
	at := time.Date(2026, 11, 26, 7, 0, 19, 0, time.UTC)
	if got := rollup.BucketOf(at).Start(); !got.Equal(at.Add(-9 * time.Second)) {
		t.Errorf("the bucket of %v begins at %v", at, got)
	}
	if got := rollup.BucketOf(time.Unix(-5, 0)); got != 0 {
		t.Errorf("before 1970 it is bucket %d", got)
	}
}

// A clock that stood ahead for a minute spoils no counts: what is counted after it was
// set right is of its time, and is what windows and buckets tell.
func TestClockThatStoodAhead(t *testing.T) {
	const now, days = rollup.Bucket(29_000_000), rollup.Bucket(8 * 24 * time.Hour / rollup.Width)
	table := rollup.NewTable(rollup.Limits{})
	s := rollup.Series{Key: host(1)}
	for i, next := range []rollup.Bucket{now, now + days, now + 1, now + 2, now + 3} {
		table.Add(s, successes(1))
		if at, rows := table.Close(next); at != next-1 || sumOf(rows) != 1 {
			t.Errorf("close %d: bucket %d has %d, want bucket %d with 1", i, at-now, sumOf(rows), next-1-now)
		}
	}
	if got := sumOf(table.Window(time.Minute)); got != 3 {
		t.Errorf("the last minute has %d calls, want the 3 since the clock was set right", got)
	}
	list, last := table.Since(now - 1)
	if len(list) != 2 || last != now+1 {
		t.Errorf("%d buckets, up to %d: %v", len(list), last-now, list)
	}
	table.Add(s, successes(1))
	if at, _ := table.Close(now - 60); at != now+2 {
		t.Errorf("set back by minutes it is bucket %d, want the same again", at-now)
	}
}
