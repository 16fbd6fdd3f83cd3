package rollup

import "slices"

// line is the past of one series, the oldest span first. Counts are kept
// encoded: most are small, and only the latest ones are read often.
type line struct{ list []span }

// span is the counts of a bucket, or of the minute that begins with it.
type span struct {
	stamped
	traffic uint64
	counts  string // encoded
}

type stamped struct {
	at     Bucket
	minute bool
}

// BucketsPerMinute is how many buckets a minute has: those that are old are joined to
// one.
const BucketsPerMinute = 6

// add counts something at a span, which is made if needed.
func (l *line) add(at stamped, c *Counts) {
	i, found := slices.BinarySearchFunc(l.list, at, func(s span, at stamped) int { return int(s.at - at.at) })
	if !found {
		l.list = slices.Insert(l.list, i, span{stamped: at, traffic: c.Traffic(), counts: encode(c)})
		return
	}
	s := &l.list[i]
	sum := *c
	sum.addText(s.counts)
	s.counts, s.traffic, s.minute = encode(&sum), s.traffic+c.Traffic(), s.minute || at.minute
}

func encode(c *Counts) string { return string(c.Append(make([]byte, 0, 64))) }

// addText adds what this process encoded itself.
func (c *Counts) addText(text string) {
	if _, err := c.AddEncoded([]byte(text)); err != nil {
		panic("rollup: a line holds what it did not write: " + err.Error())
	}
}

// merge adds another line.
func (l *line) merge(o *line) {
	for i := range o.list {
		var c Counts
		c.addText(o.list[i].counts)
		l.add(o.list[i].stamped, &c)
	}
}

// forget drops what is not younger than oldest and returns its traffic.
func (l *line) forget(oldest Bucket) (traffic uint64) {
	n := 0
	for n < len(l.list) && l.list[n].at <= oldest {
		traffic += l.list[n].traffic
		n++
	}
	l.list = slices.Delete(l.list, 0, n)
	return traffic
}

// join makes minutes of the buckets in minutes that ended before fine.
func (l *line) join(fine Bucket) {
	i := 0
	for i < len(l.list) && l.list[i].minute {
		i++
	}
	for ; i < len(l.list); i++ {
		minute := l.list[i].at - l.list[i].at%BucketsPerMinute
		if minute+BucketsPerMinute > fine {
			return
		}
		sum, traffic, end := Counts{}, uint64(0), i
		for ; end < len(l.list) && l.list[end].at < minute+BucketsPerMinute; end++ {
			sum.addText(l.list[end].counts)
			traffic += l.list[end].traffic
		}
		l.list[i] = span{stamped{minute, true}, traffic, encode(&sum)}
		l.list = slices.Delete(l.list, i+1, end)
	}
}

// sum adds what is younger than after, and counts a minute whole if its begin is.
func (l *line) sum(after Bucket, c *Counts) {
	for i := len(l.list) - 1; i >= 0 && l.list[i].at > after; i-- {
		c.addText(l.list[i].counts)
	}
}
