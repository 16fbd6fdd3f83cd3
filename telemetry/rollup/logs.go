package rollup

import "fleetfuse/breaker"

// Logs keep the outcomes of keys that failed. A key that never failed has none.
// It is not safe for concurrent use.
type Logs struct {
	most int
	keys map[breaker.Key]*logged
}

type logged struct {
	Log
	failed breaker.Instant // the end of its latest failure
}

// NewLogs returns logs for at most so many keys, 2,000 if zero: 8 MB.
func NewLogs(most int) *Logs {
	if most <= 0 {
		most = 2000
	}
	return &Logs{most: most, keys: map[breaker.Key]*logged{}}
}

// Add remembers what an owner is told of a key, from the first failure on and
// with what was told together with that.
func (l *Logs) Add(key breaker.Key, outcomes []breaker.Outcome) {
	failed := breaker.Instant(0)
	for i := range outcomes {
		if outcomes[i].Kind == breaker.Failure {
			failed = max(failed, outcomes[i].Ended)
		}
	}
	log := l.keys[key]
	if log == nil {
		if failed == 0 {
			return
		}
		if len(l.keys) >= l.most {
			l.dropOldest()
		}
		log = &logged{}
		l.keys[key] = log
	}
	log.failed = max(log.failed, failed)
	for _, o := range outcomes {
		log.Add(o)
	}
}

// dropOldest forgets the key that has not failed for the longest time.
func (l *Logs) dropOldest() {
	var oldest breaker.Key
	for key, log := range l.keys {
		if was := l.keys[oldest]; was == nil || log.failed < was.failed || log.failed == was.failed && key < oldest {
			oldest = key
		}
	}
	delete(l.keys, oldest)
}

// Forget drops the logs of keys that have not failed since.
func (l *Logs) Forget(since breaker.Instant) {
	for key, log := range l.keys {
		if log.failed < since {
			delete(l.keys, key)
		}
	}
}

// Of is the log of a key, nil if it has none.
func (l *Logs) Of(key breaker.Key) *Log {
	if log := l.keys[key]; log != nil {
		return &log.Log
	}
	return nil
}
