package simulation

import (
	"fmt"
	"strings"
	"time"
)

// A StoreReport is how a shared store fared, and what passed between it and the
// fleet.
type StoreReport struct {
	Faults   []StoreFault   `json:"faults"`
	Degraded []DegradedBand `json:"degraded"` // what the nodes said
	Written  uint64         `json:"written"`  // by the fleet and the other cluster
	Adopted  uint64         `json:"adopted"`  // deadlines of other programs
	Unknown  uint64         `json:"outcome_unknown"`
	Repaired uint64         `json:"repaired"` // cooldowns that it lost and was told again
}

// A StoreFault is a time in which the store was not well.
type StoreFault struct {
	From  Span   `json:"from_s"`
	Until Span   `json:"until_s"`
	Kind  string `json:"kind"`
	kind  FaultKind
}

// A DegradedBand is a time in which so many nodes said that they are degraded.
type DegradedBand struct {
	From  Span `json:"from_s"`
	Until Span `json:"until_s"`
	Nodes int  `json:"nodes"`
}

// lookAtStore samples what the nodes say of the store.
func (r *Recorder) lookAtStore() {
	w := r.world
	if w.place == nil {
		return
	}
	nodes := 0
	for _, n := range w.nodes {
		if n.up && !n.paused && n.link != nil && !n.link.verdict().OK {
			nodes++
		}
	}
	last := len(r.degraded) - 1
	if last >= 0 && r.degraded[last].Nodes == nodes {
		r.degraded[last].Until = Span(w.now + r.sample)
	} else {
		r.degraded = append(r.degraded, DegradedBand{Span(w.now), Span(w.now + r.sample), nodes})
	}
}

func (r *Recorder) storeReport() *StoreReport {
	w := r.world
	if w.place == nil {
		return nil
	}
	s := &StoreReport{
		Faults: []StoreFault{}, Degraded: r.degraded, Written: w.saw[SawPlaceWritten], Adopted: w.saw[SawForeignAdopted],
		Unknown: w.saw[SawPlaceUnknownOutcome], Repaired: w.saw[SawPlaceRepaired],
	}
	for _, f := range w.plan.Faults {
		if f.Kind.ofPlace() {
			s.Faults = append(s.Faults, StoreFault{Span(f.At), Span(f.At + f.For), faultKinds[f.Kind].name, f.Kind})
		}
	}
	return s
}

// storeLetters are those of the faults of a store.
var storeLetters = map[FaultKind]byte{
	StoreFails: 'X', StoreHangs: 'X', StoreSlow: 's', StoreLies: 'l', StoreCut: 'c', StoreLosesTail: '!', StoreEmptied: '!',
}

// lanes show the store below the calls.
func (s *StoreReport) lanes(b *strings.Builder, column time.Duration) {
	if s == nil {
		return
	}
	line := []byte(strings.Repeat(".", textColumns))
	for _, f := range s.Faults {
		fill(line, column, f.From, max(f.Until, f.From+1), storeLetters[f.kind], func(was byte) bool { return was == '!' || was == 'X' && f.kind.lasting() })
	}
	fmt.Fprintf(b, "%-17s %s\n", "shared store", line)
	line = []byte(strings.Repeat(".", textColumns))
	for _, d := range s.Degraded {
		if d.Nodes > 0 {
			fill(line, column, d.From, d.Until, "0123456789+"[min(d.Nodes, 10)], nil)
		}
	}
	fmt.Fprintf(b, "%-17s %s\n", "nodes degraded", line)
}

// lasting reports whether a fault of the store takes time.
func (k FaultKind) lasting() bool { return !k.atOnce() }

// sum is what passed, in a line.
func (s *StoreReport) sum(b *strings.Builder) {
	if s != nil {
		fmt.Fprintf(b, "shared store: %s writes, %s of unknown outcome; %s foreign deadlines adopted;\n  %s lost cooldowns told again\n",
			whole(s.Written), whole(s.Unknown), whole(s.Adopted), whole(s.Repaired))
	}
}

// storeLegend explains the lanes.
const storeLegend = `shared store: . well  X fails or hangs  s slow  l lies about writes  c cut off
      ! forgets something
`
