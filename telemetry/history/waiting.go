//go:build cgo

package history

import (
	"maps"
	"slices"

	"fleetfuse/telemetry/rollup"
)

// A minute is numbered since 1970. Its buckets share a row.
type minute int64

func minuteOf(b rollup.Bucket) minute { return minute(b / rollup.BucketsPerMinute) }

// waiting are the rows that are not written yet, by minute and series. A row is
// its buckets one after the other: the bucket's place in the minute, one byte,
// and the encoded counts. A bucket may stand there twice; its counts add up.
type waiting struct {
	minutes map[minute]map[rollup.Series][]byte
	rows    int
}

func newWaiting() waiting { return waiting{minutes: map[minute]map[rollup.Series][]byte{}} }

func (w *waiting) add(at rollup.Bucket, r *rollup.Row) {
	of := w.of(minuteOf(at))
	buckets, known := of[r.Series]
	if !known {
		w.rows++
	}
	of[r.Series] = r.Append(append(buckets, byte(at%rollup.BucketsPerMinute)))
}

func (w *waiting) of(m minute) map[rollup.Series][]byte {
	if w.minutes[m] == nil {
		w.minutes[m] = map[rollup.Series][]byte{}
	}
	return w.minutes[m]
}

// bound drops the oldest minutes beyond a number of rows and returns how many
// rows that were.
func (w *waiting) bound(most int) (dropped int) {
	if w.rows <= most {
		return 0
	}
	for _, m := range slices.Sorted(maps.Keys(w.minutes)) {
		if w.rows <= most {
			break
		}
		dropped += len(w.minutes[m])
		w.rows -= len(w.minutes[m])
		delete(w.minutes, m)
	}
	return dropped
}

// take removes and returns the minutes before one.
func (w *waiting) take(before minute) waiting {
	taken := newWaiting()
	for m, rows := range w.minutes {
		if m < before {
			taken.minutes[m] = rows
			taken.rows += len(rows)
			delete(w.minutes, m)
		}
	}
	w.rows -= taken.rows
	return taken
}

// back puts in front what could not be written.
func (w *waiting) back(batch waiting) {
	for m, rows := range batch.minutes {
		of := w.of(m)
		for s, buckets := range rows {
			if _, known := of[s]; !known {
				w.rows++
			}
			of[s] = append(buckets, of[s]...)
		}
	}
}

// spans decodes a row. What is damaged in it is left out.
func spans(s rollup.Series, m minute, buckets []byte) (list []rollup.Span) {
	var of [rollup.BucketsPerMinute]rollup.Counts
	for len(buckets) > 0 {
		place := buckets[0]
		if place >= rollup.BucketsPerMinute {
			break
		}
		rest, err := of[place].AddEncoded(buckets[1:])
		if err != nil {
			break
		}
		buckets = rest
	}
	for i := range of {
		if !of[i].Empty() {
			at := rollup.Bucket(m)*rollup.BucketsPerMinute + rollup.Bucket(i)
			list = append(list, rollup.Span{Row: rollup.Row{Series: s, Counts: of[i]}, At: at, Width: rollup.Width})
		}
	}
	return list
}
