package rollup_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetfuse/breaker"
	"fleetfuse/telemetry/rollup"
)

// Who asks for what came since the last time gets each bucket once, as it was
// counted, whatever the roles.
func TestSinceGivesEachBucketOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table := rollup.NewTable(rollup.Limits{Hosts: 6})
		want, got := map[string]rollup.BucketCounts{}, map[string]rollup.BucketCounts{}
		place := func(key breaker.Key, at int64) string { return fmt.Sprint(key, at) }
		at, after, before := rollup.Bucket(6000), rollup.Bucket(0), rollup.Bucket(0)
		for range rapid.IntRange(1, 50).Draw(t, "buckets") {
			for range rapid.IntRange(0, 6).Draw(t, "adds") {
				s := rollup.Series{Key: host(rapid.IntRange(0, 4).Draw(t, "host")), Role: fmt.Sprint(rapid.IntRange(0, 12).Draw(t, "role"))}
				c := rollup.Counts{Successes: rapid.Uint64Range(0, 50).Draw(t, "successes"), Neutral: 1}
				c.Fail(breaker.Evidence{Status: rapid.SampledFrom([]int{429, 503, 408}).Draw(t, "status")}, rapid.Uint64Range(0, 9).Draw(t, "failures"))
				c.Latency.Observe(time.Duration(rapid.IntRange(1, 100_000).Draw(t, "ms"))*time.Millisecond, c.Failed())
				c.Rejected[rollup.ByRing], c.ProbesFailed = rapid.Uint64Range(0, 2).Draw(t, "rejected"), rapid.Uint64Range(0, 2).Draw(t, "probes")
				table.Add(s, &c)
				w := want[place(s.Key, int64(at))]
				w.Key, w.At = s.Key, int64(at)
				w.Judged, w.Failures, w.Limited = w.Judged+c.Successes+c.Failed(), w.Failures+c.Failed(), w.Limited+c.Failures[rollup.Status429]
				w.Rejected, w.ProbesFailed, w.LatencyCalls = w.Rejected+c.RejectedAll(), w.ProbesFailed+c.ProbesFailed, w.LatencyCalls+c.Latency.Count()
				if w.Judged+w.Rejected+w.ProbesFailed > 0 {
					want[place(s.Key, int64(at))] = w
				}
			}
			at += rollup.Bucket(rapid.IntRange(1, 3).Draw(t, "steps"))
			of, _ := table.Close(at)
			for name, w := range want { // a bucket lies where the table says that it closed it
				if w.At > int64(before) && w.At < int64(of) {
					delete(want, name)
					w.At = int64(of)
					want[place(w.Key, w.At)] = w
				}
			}
			before = of
			list, last := table.Since(after)
			if last != max(after, of-1) || !slices.IsSortedFunc(list, func(a, b rollup.BucketCounts) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Key, b.Key)) }) {
				t.Fatalf("up to %d, want %d: %v", last, of-1, list)
			}
			for _, b := range list {
				if _, again := got[place(b.Key, b.At)]; again || b.At <= int64(after) {
					t.Fatalf("told again or too old, after %d: %+v", after, b)
				}
				got[place(b.Key, b.At)] = b
			}
			after = last
		}
		table.Close(at + 1) // so that the last one is over
		list, _ := table.Since(after)
		for _, b := range list {
			got[place(b.Key, b.At)] = b
		}
		for name, w := range want {
			g := got[name]
			if g.LatencyLogs = 0; g != w {
				t.Fatalf("%s is %+v, want %+v", name, g, w)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%d buckets, want %d", len(got), len(want))
		}
	})
}

func TestSinceKnowsLatencies(t *testing.T) {
	table := rollup.NewTable(rollup.Limits{})
	var c rollup.Counts
	var want float64
	for _, d := range []time.Duration{3 * time.Millisecond, 120 * time.Millisecond, 20 * time.Second} {
		c.Latency.Observe(d, 5)
		want += 5 * math.Log(d.Seconds())
	}
	table.Add(rollup.Series{Key: host(1)}, &c)
	table.Add(rollup.Series{Key: host(1), Role: "metadata"}, &c)
	table.Close(101)
	table.Close(102)
	list, _ := table.Since(0)
	if len(list) != 1 || list[0].LatencyCalls != 30 || math.Abs(list[0].LatencyLogs-2*want) > 30*math.Log(rollup.QuantileError) {
		t.Errorf("%+v, want logarithms of about %v", list, 2*want)
	}
}

// What is beyond the bound is no host, what was only neutral says nothing, and an
// old minute is one bucket.
func TestSinceLeavesOut(t *testing.T) {
	table := rollup.NewTable(rollup.Limits{Hosts: 1, Fine: time.Minute})
	for i := range 60 {
		table.Add(rollup.Series{Key: host(1)}, successes(5))
		table.Add(rollup.Series{Key: host(2)}, successes(1))
		table.Add(rollup.Series{Key: host(1), Role: "cached"}, &rollup.Counts{Neutral: 1, FromCache: 1})
		table.Close(rollup.Bucket(6001 + i))
	}
	list, last := table.Since(0)
	var judged uint64
	for i, b := range list {
		if minute := b.At%6 == 0 && b.Judged == 6*5; b.Judged != 5 && !minute || b.Key != host(1) {
			t.Errorf("bucket %d of %d: %+v", i, len(list), b)
		}
		judged += b.Judged
	}
	if last != 6058 || judged != 59*5 || len(list) > 2*6+9 {
		t.Errorf("%d calls in %d buckets up to %d, want all but those of the last bucket, the older ones by the minute", judged, len(list), last)
	}
	table.Add(rollup.Series{Key: host(1)}, &rollup.Counts{Neutral: 1})
	table.Close(6061)
	table.Close(6062)
	if list, last := table.Since(6059); len(list) != 0 || last != 6060 {
		t.Errorf("a bucket of neutral calls: %v up to %d", list, last)
	}
}

// A bucket that is closed before its end goes on, and is told when it is over.
func TestSinceWaitsForTheEndOfABucket(t *testing.T) {
	table := rollup.NewTable(rollup.Limits{})
	for range 3 {
		table.Add(rollup.Series{Key: host(1)}, successes(5))
		table.Close(101)
		if list, last := table.Since(90); len(list) != 0 || last != 99 {
			t.Fatalf("%v up to %d, want nothing up to 99", list, last)
		}
	}
	table.Close(102)
	if list, last := table.Since(99); len(list) != 1 || list[0].At != 100 || list[0].Judged != 15 || last != 100 {
		t.Errorf("%v up to %d, want 15 calls in 100", list, last)
	}
	if list, last := table.Since(500); len(list) != 0 || last != 500 { // of a clock that is ahead
		t.Errorf("%v up to %d", list, last)
	}
}

func drawBuckets(t *rapid.T) []rollup.BucketCounts {
	var list []rollup.BucketCounts
	number := rapid.OneOf(rapid.Uint64Range(0, 300), rapid.Uint64Range(0, 1<<40))
	for range rapid.IntRange(0, 30).Draw(t, "buckets") {
		b := rollup.BucketCounts{Key: host(rapid.IntRange(0, 4).Draw(t, "host")), Rejected: number.Draw(t, "rejected"), ProbesFailed: number.Draw(t, "probes")}
		b.At, b.Judged, b.LatencyCalls = rapid.Int64Range(0, 20).Draw(t, "at"), number.Draw(t, "judged"), number.Draw(t, "latencies")
		b.Failures = rapid.Uint64Range(0, b.Judged).Draw(t, "failures")
		b.Limited = rapid.Uint64Range(0, b.Failures).Draw(t, "limited")
		b.LatencyLogs = float64(b.LatencyCalls) * rapid.Float64Range(math.Log(0.001), math.Log(60)).Draw(t, "log")
		list = append(list, b)
	}
	return list
}

func TestMergingBuckets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes := [][]rollup.BucketCounts{drawBuckets(t), drawBuckets(t), drawBuckets(t)}
		merged := rollup.MergeBuckets(nodes...)
		var judged, failures, limited, rejected, probes, calls uint64
		for _, b := range slices.Concat(nodes...) {
			judged, failures, limited = judged+b.Judged, failures+b.Failures, limited+b.Limited
			rejected, probes, calls = rejected+b.Rejected, probes+b.ProbesFailed, calls+b.LatencyCalls
		}
		for i, b := range merged {
			judged, failures, limited = judged-b.Judged, failures-b.Failures, limited-b.Limited
			rejected, probes, calls = rejected-b.Rejected, probes-b.ProbesFailed, calls-b.LatencyCalls
			if i > 0 && cmp.Or(cmp.Compare(merged[i-1].At, b.At), cmp.Compare(merged[i-1].Key, b.Key)) >= 0 {
				t.Fatalf("%+v after %+v", b, merged[i-1])
			}
		}
		if judged != 0 || failures != 0 || limited != 0 || rejected != 0 || probes != 0 || calls != 0 {
			t.Fatalf("%v is not the sum of %v", merged, nodes)
		}
		if again := rollup.MergeBuckets(nodes[2], nodes[0], nodes[1]); !slices.Equal(again, merged) {
			t.Fatalf("%v in one order, %v in another", merged, again)
		}
	})
}

func TestBucketsComeBackAsEncoded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rollup.MergeBuckets(drawBuckets(t))
		encoded := rollup.AppendBuckets([]byte("before"), list)[len("before"):]
		back, err := rollup.DecodeBuckets(encoded)
		if err != nil || !slices.Equal(back, list) {
			t.Fatalf("%v came back as %v, %v", list, back, err)
		}
		for n := range len(encoded) {
			if _, err := rollup.DecodeBuckets(encoded[:n]); err == nil {
				t.Fatalf("%d of %d bytes were taken", n, len(encoded))
			}
		}
		if _, err := rollup.DecodeBuckets(append(encoded, 0)); err == nil {
			t.Fatal("a byte too many was taken")
		}
	})
}

// What no node can have counted is refused.
func TestImpossibleBuckets(t *testing.T) {
	for name, change := range map[string]func(*rollup.BucketCounts){
		"more 429s than failures":     func(b *rollup.BucketCounts) { b.Limited = 3 },
		"more failures than calls":    func(b *rollup.BucketCounts) { b.Failures = 9 },
		"a count beyond all":          func(b *rollup.BucketCounts) { b.Rejected = 1 << 60 },
		"logarithms that are none":    func(b *rollup.BucketCounts) { b.LatencyLogs = math.NaN() },
		"logarithms without an end":   func(b *rollup.BucketCounts) { b.LatencyLogs = math.Inf(1) },
		"faster than the first bound": func(b *rollup.BucketCounts) { b.LatencyLogs = -14 },
		"a bucket before 1970":        func(b *rollup.BucketCounts) { b.At = -1 },
		"a bucket in the far future":  func(b *rollup.BucketCounts) { b.At = 1 << 50 },
		"no key":                      func(b *rollup.BucketCounts) { b.Key = "nothing" },
		"a long key":                  func(b *rollup.BucketCounts) { b.Key += breaker.Key(make([]byte, 300)) },
	} {
		b := rollup.BucketCounts{Key: host(1), BucketSums: rollup.BucketSums{At: 7, Judged: 5, Failures: 2, Limited: 1, LatencyLogs: -3, LatencyCalls: 2}}
		if _, err := rollup.DecodeBuckets(rollup.AppendBuckets(nil, []rollup.BucketCounts{b})); err != nil {
			t.Fatal(err)
		}
		change(&b)
		if _, err := rollup.DecodeBuckets(rollup.AppendBuckets(nil, []rollup.BucketCounts{b})); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestTooManyBuckets(t *testing.T) {
	list := make([]rollup.BucketCounts, rollup.MaxBuckets+3)
	for i := range list {
		list[i].Key, list[i].At, list[i].Rejected = host(1), int64(i), 1
	}
	back, err := rollup.DecodeBuckets(rollup.AppendBuckets(nil, list))
	if err != nil || !slices.Equal(back, list[3:]) {
		t.Errorf("%d buckets, %v; want all but the first three", len(back), err)
	}
	many := []byte{1, 0x80, 0x80, 0x80, 0x80, 0x10}
	if _, err := rollup.DecodeBuckets(many); err == nil {
		t.Error("2^32 buckets were begun")
	}
}

func FuzzDecodeBuckets(f *testing.F) {
	sums := rollup.BucketSums{At: 7, Judged: 5, Failures: 2, LatencyLogs: -3, LatencyCalls: 2}
	f.Add(rollup.AppendBuckets(nil, []rollup.BucketCounts{{Key: host(1), BucketSums: sums}, {Key: host(2), BucketSums: sums, Rejected: 500}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := rollup.DecodeBuckets(b)
		if err != nil {
			return
		}
		back, err := rollup.DecodeBuckets(rollup.AppendBuckets(nil, list))
		if err != nil || !slices.Equal(back, list) {
			t.Errorf("%v came back as %v, %v", list, back, err)
		}
	})
}

// BenchmarkBuckets tells what a full table says of one bucket, and how large that is
// between nodes.
func BenchmarkBuckets(b *testing.B) {
	table := rollup.NewTable(rollup.Limits{})
	for at := range rollup.Bucket(60) {
		for i := range 2000 {
			c := rollup.Counts{Successes: uint64(i)}
			c.Latency.Observe(time.Second, uint64(i))
			table.Add(rollup.Series{Key: host(i)}, &c)
		}
		table.Close(6001 + at)
	}
	for name, after := range map[string]rollup.Bucket{"one": 6057, "all": 0} {
		b.Run(name, func(b *testing.B) {
			size, n := 0, 0
			b.ReportAllocs()
			for b.Loop() {
				list, _ := table.Since(after)
				size, n = len(rollup.AppendBuckets(nil, list)), len(list)
			}
			b.ReportMetric(float64(size)/float64(n), "B/bucket")
			b.ReportMetric(float64(n), "buckets")
		})
	}
}
