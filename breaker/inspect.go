package breaker

import "time"

// An Inspection is what a machine knows, for people.
type Inspection struct {
	Status         Status
	Changed        Instant
	Snapshot       Snapshot
	Runs           []RunSeen
	Burst          int // failures in the rolling window
	Calls          int // calls and failures in the rate window
	Failures       int
	Permits        []PermitSeen
	LastTransition *Transition
	LastOpen       *Transition // the latest that opened it, nil if none is remembered
	LastFailure    *FailureSeen
}

// RunSeen is a role's run and its probe successes.
type RunSeen struct {
	Role           string
	Failures       int
	Nodes          []string
	ProbeSuccesses int
}

// PermitSeen is a probe that is out.
type PermitSeen struct {
	Role, Node string
	ExpiresIn  time.Duration
}

// Inspect shows the machine at a moment.
func (m *Machine) Inspect(now Instant) Inspection {
	in := Inspection{
		Status: m.snap.At(now), Changed: m.changed, Snapshot: m.snap.Clone(),
		LastTransition: m.lastTransition, LastOpen: m.lastOpen,
	}
	if last := m.lastFailure; last.At != 0 {
		in.LastFailure = &last
	}
	byRole := map[string]int{}
	seen := func(role string) *RunSeen {
		if _, ok := byRole[role]; !ok {
			byRole[role] = len(in.Runs)
			in.Runs = append(in.Runs, RunSeen{Role: role})
		}
		return &in.Runs[byRole[role]]
	}
	for i := range m.runs {
		r := &m.runs[i].run
		if r.total > 0 && now.Sub(r.last()) <= m.policy.MemoryOf(m.runs[i].role) {
			s := seen(m.runs[i].role)
			s.Failures, s.Nodes = r.total, r.nodes()
		}
	}
	for _, p := range m.probing.successes {
		seen(p.role).ProbeSuccesses = p.n
	}
	if m.policy.Rolling.Enabled {
		for _, f := range m.burst.list {
			if f.at > now.Add(-m.policy.Rolling.Window) {
				in.Burst += f.count
			}
		}
	}
	if m.rate != nil {
		in.Calls, in.Failures = m.rate.totals(now, m.rateWidth())
	}
	for _, p := range m.probing.permits {
		if p.expires > now {
			in.Permits = append(in.Permits, PermitSeen{p.role, p.node, p.expires.Sub(now)})
		}
	}
	return in
}

// Policy is the policy in force.
func (m *Machine) Policy() *Policy { return m.policy }
