//go:build cgo

package eventlog

import "time"

const (
	// pruneEvery is how often the age of the oldest is looked at; the size is
	// looked at with every batch.
	pruneEvery = time.Minute
	// pruneEvents is the most that one step deletes: twice what one batch writes,
	// so that pruning keeps up and no batch waits for long.
	pruneEvents = 2 * maxBatch
	// eventBytes is about what an event takes on disk.
	eventBytes = 512
)

// excess is how many events to delete for so many bytes, in one step.
func excess(bytes int64) int { return int(min(bytes/eventBytes+1, pruneEvents)) }

// pruneStep deletes some of what is too old or too much, and notes whether there
// is more.
func (l *Log) pruneStep(s *store) error {
	now := time.Now()
	l.mu.Lock()
	looks := l.write.prune || !now.Before(l.write.pruneAt)
	l.mu.Unlock()
	u, err := s.usage()
	if err != nil {
		return err
	}
	var through uint64
	switch {
	case u.used() > l.opt.MaxBytes:
		through, err = s.oldest(excess(u.used()-l.opt.MaxBytes), time.Time{})
	case looks:
		through, err = s.oldest(pruneEvents, l.opt.Now().Add(-l.opt.MaxAge))
	}
	if err != nil {
		return err
	}
	l.mu.Lock()
	if through > 0 {
		l.raiseGone(through)
	}
	if looks && through == 0 {
		l.write.pruneAt = now.Add(pruneEvery)
	}
	l.health.Bytes = u.used()
	l.mu.Unlock()
	more := through > 0
	switch {
	case more:
		err = s.prune(through)
	case u.slack():
		more, err = s.shrink(u)
	}
	l.mu.Lock()
	l.write.prune = more
	l.mu.Unlock()
	return err
}
