package rollup

import (
	"cmp"
	"slices"

	"fleetfuse/breaker"
)

// BucketSums are what the tuner follows of a key from bucket to bucket: its
// tuner.Bucket, field by field.
type BucketSums struct {
	At       int64  // the Bucket
	Judged   uint64 // calls that say something about the host: successes and failures
	Failures uint64 // among them, of all classes
	Limited  uint64 // among the failures, answered 429
	// LatencyLogs is the sum of the natural logarithms of the seconds that
	// LatencyCalls calls took. A call counts with the geometric middle of its bucket
	// of the histogram.
	LatencyLogs  float64
	LatencyCalls uint64
}

// BucketCounts are those of one key, with what of it was not answered.
type BucketCounts struct {
	Key breaker.Key
	BucketSums
	Rejected     uint64 // calls that were not made
	ProbesFailed uint64
}

// nothing reports whether nothing was seen.
func (b *BucketCounts) nothing() bool {
	return b.Judged == 0 && b.LatencyCalls == 0 && b.Rejected == 0 && b.ProbesFailed == 0
}

// Since lists what was seen of each key in the buckets after one, all its roles
// together, by bucket and key; keys beyond the bound are left out. last is the
// latest bucket that was closed: what to ask for next. Buckets that were joined to
// minutes (Limits.Fine) are known no more.
func (t *Table) Since(after Bucket) (list []BucketCounts, last Bucket) {
	for key, known := range t.keys {
		if !(Series{Key: key}).IsOther() {
			list = append(list, known.since(key, after)...)
		}
	}
	sortBuckets(list)
	return list, t.last
}

// since lists the buckets of one key, in no order.
func (r *remembered) since(key breaker.Key, after Bucket) (list []BucketCounts) {
	sums := map[Bucket]*Counts{} // added up before logarithms are taken: sums of those depend on the order
	for _, l := range r.roles {
		for i := len(l.list) - 1; i >= 0 && l.list[i].at > after && !l.list[i].minute; i-- {
			s := &l.list[i]
			if sums[s.at] == nil {
				sums[s.at] = &Counts{}
			}
			sums[s.at].addText(s.counts)
		}
	}
	for at, c := range sums {
		b := BucketCounts{Key: key, Rejected: c.Refused(), ProbesFailed: c.ProbesFailed}
		b.At, b.Judged, b.Failures, b.Limited = int64(at), c.Successes+c.Failed(), c.Failed(), c.Failures[Status429]
		b.LatencyLogs, b.LatencyCalls = c.Latency.logs(), c.Latency.Count()
		if !b.nothing() {
			list = append(list, b)
		}
	}
	return list
}

func sortBuckets(list []BucketCounts) {
	slices.SortFunc(list, func(a, b BucketCounts) int {
		return cmp.Or(
			cmp.Compare(a.At, b.At), cmp.Compare(a.Key, b.Key),
			cmp.Compare(a.LatencyLogs, b.LatencyLogs), // the order in which they add up
		)
	})
}

// MergeBuckets adds up what several nodes saw, by bucket and key. The order of the
// nodes does not matter.
func MergeBuckets(nodes ...[]BucketCounts) []BucketCounts {
	list := slices.Concat(nodes...)
	sortBuckets(list)
	merged := list[:0]
	for i := range list {
		b := &list[i]
		n := len(merged) - 1
		if n < 0 || merged[n].At != b.At || merged[n].Key != b.Key {
			merged = append(merged, *b)
			continue
		}
		m := &merged[n]
		m.Judged, m.Failures, m.Limited = m.Judged+b.Judged, m.Failures+b.Failures, m.Limited+b.Limited
		m.LatencyLogs, m.LatencyCalls = m.LatencyLogs+b.LatencyLogs, m.LatencyCalls+b.LatencyCalls
		m.Rejected, m.ProbesFailed = m.Rejected+b.Rejected, m.ProbesFailed+b.ProbesFailed
	}
	return merged
}
