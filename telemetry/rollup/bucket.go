package rollup

import (
	"cmp"
	"slices"
	"time"

	"fleetfuse/breaker"
)

// Width is how much time a bucket covers.
const Width = 10 * time.Second

// A Bucket is a span of Width of the wall clock, numbered since 1970, so that
// buckets of several nodes are the same span as far as their clocks agree.
type Bucket int64

// BucketOf is the bucket a time lies in.
func BucketOf(t time.Time) Bucket {
	seconds, width := t.Unix(), int64(Width/time.Second)
	if seconds < 0 {
		return 0 // a clock that is not set yet
	}
	return Bucket(seconds / width)
}

// Start is when a bucket begins, in UTC.
func (b Bucket) Start() time.Time { return time.Unix(int64(b)*int64(Width/time.Second), 0).UTC() }

// A Series is what counts are kept by.
type Series struct {
	Key  breaker.Key
	Role string // "" is the nameless role
}

// OtherName is the name that stands for the hosts (or resolvers) beyond a
// bound. A host that is really called so is counted with them.
const OtherName = "_other"

// Other is the series that takes one in when it is beyond a bound.
func (s Series) Other() Series {
	if s.Key.Scope() == breaker.ScopeResolver {
		return Series{breaker.ResolverKey(OtherName), s.Role}
	}
	return Series{breaker.HostKey(OtherName), s.Role}
}

// IsOther reports whether the series stands for keys beyond a bound.
func (s Series) IsOther() bool { return s.Key.Name() == OtherName }

// A Row is the counts of one series.
type Row struct {
	Series
	Counts
}

// byTraffic orders rows: the busiest key first, then by name and role.
func byTraffic(rows []Row) {
	traffic := map[breaker.Key]uint64{}
	for i := range rows {
		traffic[rows[i].Key] += rows[i].Traffic()
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(traffic[b.Key], traffic[a.Key]), cmp.Compare(a.Key, b.Key), cmp.Compare(a.Role, b.Role))
	})
}

// busiest lists the keys that are among the n with the most traffic, equals by
// name.
func busiest(traffic map[breaker.Key]uint64, n int) map[breaker.Key]bool {
	keys := make([]breaker.Key, 0, len(traffic))
	for key := range traffic {
		keys = append(keys, key)
	}
	if len(keys) > n {
		slices.SortFunc(keys, func(a, b breaker.Key) int {
			return cmp.Or(cmp.Compare(traffic[b], traffic[a]), cmp.Compare(a, b))
		})
		keys = keys[:n]
	}
	kept := make(map[breaker.Key]bool, len(keys))
	for _, key := range keys {
		kept[key] = true
	}
	return kept
}
