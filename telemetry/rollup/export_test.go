package rollup

// Len is how many keys have a log.
func (l *Logs) Len() int { return len(l.keys) }
