//go:build cgo

package decisions

import (
	"bytes"
	"time"

	"fleetfuse/breaker"
)

// waiting are records in memory: those that are not written yet or, where there is
// no disk, all.
type waiting struct {
	records map[string]Record
	bytes   int64 // of the bodies
}

// add reports whether the record is new.
func (w *waiting) add(r Record) bool {
	if _, known := w.records[r.ID]; known {
		return false
	}
	w.records[r.ID] = r
	w.bytes += int64(len(r.Body))
	return true
}

func (w *waiting) remove(id string) {
	w.bytes -= int64(len(w.records[id].Body))
	delete(w.records, id)
}

// bound drops the oldest beyond a number of records and bytes, and returns how many
// that were.
func (w *waiting) bound(records int, bytes int64) (dropped int) {
	for len(w.records) > records || w.bytes > bytes {
		var oldest *Record
		for _, r := range w.records {
			if oldest == nil || r.older(oldest) {
				oldest = &r
			}
		}
		w.remove(oldest.ID)
		dropped++
	}
	return dropped
}

// forget drops what is older than a time.
func (w *waiting) forget(before time.Time) {
	for id, r := range w.records {
		if r.At.Before(before) {
			w.remove(id)
		}
	}
}

// all lists what waits, in no order.
func (w *waiting) all() []Record {
	list := make([]Record, 0, len(w.records))
	for _, r := range w.records {
		list = append(list, r)
	}
	return list
}

// find lists those of a key, or of all with "", since a time, in no order.
func (w *waiting) find(key breaker.Key, since time.Time) (list []Record) {
	for _, r := range w.records {
		if (key == "" || r.Key == key) && !r.At.Before(since) {
			r.Body = bytes.Clone(r.Body)
			list = append(list, r)
		}
	}
	return list
}
