package simulation

import (
	"cmp"
	"slices"
	"time"

	"fleetfuse/config"
)

// A placedFault is a fault, and where the scenario has it.
type placedFault struct {
	fault Fault
	part  config.Part
}

// victim is what one fault at a time can hit.
type victim struct {
	what string
	node int
}

// victim is what a world hits with one fault of a kind only: another at the same
// time would be lost, or end with the first. Faults that add up have none.
func (f *Fault) victim() (v victim, alone bool) {
	switch f.Kind {
	case Kill, PowerLoss, Wipe, Pause, Suspend:
		return victim{"process", f.Node}, true
	case Split, StoreLies, Sick, DiskLies:
		return victim{faultKinds[f.Kind].name, f.Node}, true
	}
	return victim{}, false
}

// apartFaults refuses faults that would be lost. One that begins when another
// ends comes first in the world, so that is too early as well.
func apartFaults(list []placedFault) {
	slices.SortStableFunc(list, func(a, b placedFault) int { return cmp.Compare(a.fault.At, b.fault.At) })
	longest := map[victim]placedFault{}
	end := func(f Fault) time.Duration { return f.At + f.For }
	for _, p := range list {
		v, alone := p.fault.victim()
		if !alone {
			continue
		}
		was, there := longest[v]
		if there && p.fault.At <= end(was.fault) {
			p.part.Fail("this %s overlaps the %s of line %d, which lasts until %v: only one at a time has an effect; let it begin later",
				faultKinds[p.fault.Kind].name, faultKinds[was.fault.Kind].name, was.part.Line(), end(was.fault))
		}
		if !there || end(p.fault) > end(was.fault) {
			longest[v] = p
		}
	}
}
