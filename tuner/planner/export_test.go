package planner

// Ended is of how many breakers it is remembered that their change is over.
func (p *Planner) Ended() int { return len(p.ended) }

// Hosts is how many are known.
func (p *Planner) Hosts() int { return len(p.hosts) }

// Plans is how many plans can be enforced.
func (p *Planner) Plans() int { return len(p.plans) }
