package simulation

import (
	"math/rand/v2"
	"slices"
	"time"
)

// Disputed is another world of a seed: few calls, and many operators who talk of two
// hosts, one of which asks for pauses, while owners come and go. What is rare in a default world is common here: a
// change that is asked for again, a member that is asked to hold two.
func Disputed(seed uint64) Plan {
	p := Random(seed)
	r := rand.New(rand.NewPCG(seed, 0xd15))
	p.Name, p.Nodes, p.Length, p.Rate, p.Shared = "disputed", 3+r.IntN(3), time.Minute, 1, SharedStore{}
	for len(p.Machines) < p.Nodes {
		p.Machines = append(p.Machines, Machine{})
	}
	p.Machines, p.Hosts, p.Faults, p.Words = p.Machines[:p.Nodes], p.Hosts[:2], nil, nil
	p.Hosts[0].Phases = nil
	p.Hosts[1].Phases = []Phase{{Until: 50 * time.Second, Mode: Limiting, Part: 0.5, After: time.Duration(5+r.IntN(20)) * time.Second}}
	kinds := []FaultKind{Kill, Pause, Pause, DiskFails, DiskSlow, Split, OneWay, Cut}
	if r.IntN(2) == 0 {
		kinds = kinds[:5] // in a split each side's word holds, so little can be checked
	}
	for range 5 + r.IntN(15) {
		f := randomFault(r, &p)
		f.Kind = kinds[r.IntN(len(kinds))]
		f.For = time.Duration(200+r.IntN(8000)) * time.Millisecond
		p.Faults = append(p.Faults, f)
	}
	slices.SortStableFunc(p.Faults, func(a, b Fault) int { return int(a.At - b.At) })
	for range 10 + r.IntN(30) {
		said := randomWord(r, &p)
		said.Match = r.IntN(2) == 0
		p.Words = append(p.Words, said)
		for r.IntN(3) == 0 { // somebody else says something at about the same moment
			more := randomWord(r, &p)
			more.Host, more.At = said.Host, said.At+time.Duration(r.IntN(300))*time.Millisecond
			p.Words = append(p.Words, more)
		}
	}
	return p
}
