package cooldownstore

import (
	"time"

	"fleetfuse/breaker"
)

// A Queue is what waits to be written, and when it is due: what a Behind does,
// without its goroutine, its store and its clocks, so that a simulation runs the
// real thing. now is a time on a clock that never steps, wall what people are
// shown. It is not safe for concurrent use.
type Queue struct {
	delay    time.Duration
	limit    int
	pending  pending
	due      time.Time // of the next write of evidence
	backoff  time.Duration
	health   Health
	reported uint64 // Health.Dropped as Written told it
}

// NewQueue returns an empty queue. Evidence may wait for delay, and words on at
// most limit keys wait at the same time.
func NewQueue(delay time.Duration, limit int, wall time.Time) *Queue {
	return &Queue{delay: delay, limit: limit, pending: newPending(), health: Health{OK: true, Since: wall}}
}

// Put replaces the word on a key. Beyond the limit the word that ends soonest is
// dropped and counted. It reports whether nothing waited before: the writer is to
// look when the next write is due.
func (q *Queue) Put(now time.Time, key breaker.Key, s breaker.Snapshot) (first bool) {
	return q.put(now, key, s, nil)
}

func (q *Queue) put(now time.Time, key breaker.Key, s breaker.Snapshot, waiter chan<- error) (first bool) {
	if first = len(q.pending.words) == 0; first {
		// Half of the delay collects, the other half is for the write.
		q.due = now.Add(q.delay / 2)
	}
	q.pending.put(key, s, waiter)
	if len(q.pending.words) > q.limit {
		q.pending.dropSoonest()
		q.health.Dropped++
	}
	return first
}

// Due is when the next write is due, which may be over, and false if nothing
// waits.
func (q *Queue) Due() (time.Time, bool) { return q.due, len(q.pending.words) > 0 }

// A Batch is some words on their way.
type Batch struct {
	Records    []Record // in no order
	Durability Durability

	attempts []attempt
	evidence bool // nobody waits for it
}

// Batch takes words to write, those that somebody waits for alone if there are
// any. They wait on until Written says that they arrived. now and wall are the
// same moment on the two clocks.
func (q *Queue) Batch(now breaker.Instant, wall time.Time) Batch {
	b := Batch{Durability: SurvivesKill, evidence: len(q.pending.urgent) == 0, attempts: q.pending.take(maxBatch)}
	b.Records = make([]Record, len(b.attempts))
	for i, a := range b.attempts {
		b.Records[i] = FromSnapshot(a.word.key, a.snapshot, now, wall)
		if a.operator {
			b.Durability = SurvivesPowerLoss
		}
	}
	return b
}

// Written says how the write of a batch went: what did not arrive, and what
// changed meanwhile, waits on. It reports whether OK or Dropped of the health
// changed.
func (q *Queue) Written(b Batch, err error, now, wall time.Time) (changed bool) {
	q.pending.settle(b.attempts, err)
	q.schedule(err, b, now)
	return q.judge(err, wall)
}

// schedule sets the time of the next write of evidence.
func (q *Queue) schedule(err error, b Batch, now time.Time) {
	switch {
	case err != nil:
		q.backoff = min(max(2*q.backoff, q.delay), maxBackoff)
		q.due = now.Add(q.backoff)
		return
	case len(b.attempts) == maxBatch || q.backoff > 0: // more is waiting
		q.due = now
	case b.evidence: // what is pending now came during the write
		q.due = now.Add(q.delay / 2)
	}
	q.backoff = 0
}

// judge updates the health and reports whether it is news.
func (q *Queue) judge(err error, wall time.Time) bool {
	h := &q.health
	changed := h.OK != (err == nil) || h.Dropped != q.reported
	if h.OK != (err == nil) {
		h.OK, h.Since = err == nil, wall
	}
	h.Err = err
	q.reported = h.Dropped
	return changed
}

// Health says how writing goes.
func (q *Queue) Health() Health {
	h := q.health
	h.Pending = len(q.pending.words)
	return h
}
