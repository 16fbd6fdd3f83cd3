package simulation

import (
	"testing"
	"time"
)

// Two clusters whose clocks are far apart see another program's deadlines in
// another order. Each took for redundant what the other put back, 90 times a
// second.
func TestClustersWithOtherClocksDoNotStormTheStore(t *testing.T) {
	p := storming(0b110)
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

// storming is a world of such clusters. The bits say which writes are announced.
func storming(announced int) Plan {
	p := Plan{
		Name: "storm", Seed: 1, Nodes: 2, Length: 2 * time.Minute, Quiet: time.Minute, Rate: 1, Policies: mustPolicies(nil),
		Network:  Network{Least: time.Millisecond, Most: 2 * time.Millisecond},
		Machines: []Machine{{Ahead: -40 * time.Minute}, {Ahead: -40 * time.Minute}},
		Hosts:    []Host{{Name: "a.example.org", Latency: 50 * time.Millisecond, Weight: 1}},
		Shared:   SharedStore{There: true, Least: time.Millisecond, Most: 10 * time.Millisecond},
	}
	for i, x := range []struct{ at, until time.Duration }{{41, 95}, {47, 106}, {50, 92}, {58, 95}} {
		p.Shared.Writes = append(p.Shared.Writes, Write{At: x.at * time.Second, For: (x.until - x.at) * time.Second, Hints: announced>>i&1 == 1})
	}
	return p
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
