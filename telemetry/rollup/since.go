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
// latest bucket that was looked at: what to ask for next. The one that was closed
// last is not, for it may go on (Close). Buckets that were joined to minutes
// (Limits.Fine) are one each, the first of the minute.
func (t *Table) Since(after Bucket) (list []BucketCounts, last Bucket) {
	last = max(after, t.last-1)
	var spans []*span
	for key, known := range t.keys {
		if (Series{Key: key}).IsOther() {
			continue
		}
		spans = spans[:0]
		for _, l := range known.roles {
			spans = l.between(spans, after, last)
		}
		list = appendSums(list, key, spans)
	}
	sortBuckets(list)
	return list, last
}

// between appends the buckets after one, up to another.
func (l *line) between(list []*span, after, last Bucket) []*span {
	for i := len(l.list) - 1; i >= 0 && l.list[i].at > after; i-- {
		if l.list[i].at <= last {
			list = append(list, &l.list[i])
		}
	}
	return list
}

// appendSums appends the sums of spans of one key, bucket by bucket. Counts are
// added up before logarithms are taken, for sums of those depend on the order.
func appendSums(list []BucketCounts, key breaker.Key, spans []*span) []BucketCounts {
	slices.SortFunc(spans, func(a, b *span) int { return cmp.Compare(a.at, b.at) })
	var c Counts
	for i, s := range spans {
		c.addText(s.counts)
		if i+1 < len(spans) && spans[i+1].at == s.at {
			continue
		}
		b := BucketCounts{Key: key, Rejected: c.RejectedAll(), ProbesFailed: c.ProbesFailed}
		b.At, b.Judged, b.Failures, b.Limited = int64(s.at), c.Successes+c.Failed(), c.Failed(), c.Failures[Status429]
		b.LatencyLogs, b.LatencyCalls = c.Latency.logs(), c.Latency.Count()
		if !b.nothing() {
			list = append(list, b)
		}
		c = Counts{}
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
