package rollup

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"slices"

	"fleetfuse/breaker"
)

// ErrBadBuckets is returned for bytes that encode no buckets.
var ErrBadBuckets = errors.New("these bytes are no buckets of counts")

// bucketsFormat is the first byte of encoded buckets.
const bucketsFormat = 1

// Limits of encoded buckets: a table with the default Limits has at most half as
// many, and no count is so high that a sum over all members overflows.
const (
	MaxBuckets = 1 << 18
	maxCount   = 1 << 48
	maxAt      = 1 << 40
)

// AppendBuckets encodes buckets as Since and MergeBuckets give them, key by key: one
// bucket of a key takes about 15 bytes beside its name. Beyond MaxBuckets the oldest
// are left out.
func AppendBuckets(b []byte, list []BucketCounts) []byte {
	list = slices.Clone(list[max(0, len(list)-MaxBuckets):])
	slices.SortFunc(list, func(a, b BucketCounts) int { return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.At, b.At)) })
	b = binary.AppendUvarint(append(b, bucketsFormat), uint64(len(list)))
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].Key == list[0].Key {
			n++
		}
		b = binary.AppendUvarint(b, uint64(len(list[0].Key)))
		b = binary.AppendUvarint(append(b, list[0].Key...), uint64(n))
		at := int64(-1)
		for i := range list[:n] {
			b = list[i].append(b, at)
			at = list[i].At
		}
		list = list[n:]
	}
	return b
}

// append encodes a bucket that follows one of the same key.
func (c *BucketCounts) append(b []byte, before int64) []byte {
	b = binary.AppendUvarint(b, uint64(c.At-before))
	for _, n := range [...]uint64{c.Judged, c.Failures, c.Limited, c.Rejected, c.ProbesFailed, c.LatencyCalls} {
		b = binary.AppendUvarint(b, n)
	}
	if c.LatencyCalls > 0 {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(c.LatencyLogs))
	}
	return b
}

// DecodeBuckets reads what AppendBuckets wrote, in the order of Since. What can not
// have been counted is an error: more failures than calls, or latencies that no
// histogram has.
func DecodeBuckets(b []byte) ([]BucketCounts, error) {
	if len(b) == 0 || b[0] != bucketsFormat {
		return nil, ErrBadBuckets
	}
	r := reader{b: b[1:]}
	most := r.number()
	if most > MaxBuckets {
		return nil, ErrBadBuckets
	}
	var list []BucketCounts
	for key := breaker.Key(""); uint64(len(list)) < most && !r.bad; {
		next, err := breaker.ParseKey(r.text(int(min(r.number(), math.MaxInt32))))
		n := r.number()
		if err != nil || next <= key || n == 0 || n > most-uint64(len(list)) {
			return nil, ErrBadBuckets
		}
		key = next
		at := int64(-1)
		for range n {
			c := BucketCounts{Key: key}
			if !c.read(&r, at) {
				return nil, ErrBadBuckets
			}
			at = c.At
			list = append(list, c)
		}
	}
	if r.bad || len(r.b) > 0 {
		return nil, ErrBadBuckets
	}
	sortBuckets(list)
	return list, nil
}

// read decodes a bucket that follows one of the same key, and reports whether it
// can have been counted.
func (c *BucketCounts) read(r *reader, before int64) bool {
	step := r.number()
	if step == 0 || step > maxAt {
		return false
	}
	c.At = before + int64(step)
	for _, n := range [...]*uint64{&c.Judged, &c.Failures, &c.Limited, &c.Rejected, &c.ProbesFailed, &c.LatencyCalls} {
		if *n = r.number(); *n > maxCount {
			return false
		}
	}
	if c.LatencyCalls > 0 {
		c.LatencyLogs = math.Float64frombits(r.eight())
	}
	calls := float64(c.LatencyCalls) * (1 + 1e-9) // sums are rounded
	possible := c.LatencyLogs >= calls*latencyLogs[0] && c.LatencyLogs <= calls*latencyLogs[LatencyBuckets-1]
	return !r.bad && possible && c.At <= maxAt && c.Limited <= c.Failures && c.Failures <= c.Judged
}
