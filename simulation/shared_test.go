package simulation

import "testing"

// Two clusters whose clocks are far apart see another program's deadlines in
// another order. Each took for redundant what the other put back, 90 times a
// second.
func TestClustersWithOtherClocksDoNotStormTheStore(t *testing.T) {
	const seed = 2354
	p := Random(seed)
	for i := range p.Machines {
		p.Machines[i].Ahead *= 3600
	}
	w := New(p)
	w.Run()
	for _, v := range w.Violations() {
		if v.Check == "clusters do not storm the shared store" {
			t.Error(v)
		}
	}
	if w.Saw()[SawForeignAdopted] == 0 {
		t.Error("no deadline of another program was adopted: this tests nothing")
	}
}

// The draws of the shared store change nothing in worlds that have none.
func TestShareDrawsAreApart(t *testing.T) {
	shared := 0
	for seed := range uint64(400) {
		p := Random(seed)
		if p.Shared.There {
			shared++
			continue
		}
		for _, f := range p.Faults {
			if f.Kind.ofPlace() {
				t.Errorf("seed %d has %v and no shared store", seed, f)
			}
		}
	}
	if shared < 70 || shared > 130 {
		t.Errorf("%d of 400 worlds have a shared store, want one in four", shared)
	}
}
