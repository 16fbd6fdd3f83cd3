package guard

// Hosts is the number of hosts the ledger knows of.
func (l *Ledger) Hosts() int { return len(l.hosts) }
