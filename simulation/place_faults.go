package simulation

import "slices"

// faultOfPlace does what a fault of the shared store does and returns what puts
// it right.
func (w *World) faultOfPlace(f Fault) (undo func()) {
	p := w.place
	if p == nil {
		return nil
	}
	all := func(*link) bool { return true }
	unreached := func(l *link) bool { return !p.reaches(l) }
	switch f.Kind {
	case StoreFails:
		p.fails++
		p.drop(0, all)
		return func() { p.fails-- }
	case StoreSlow:
		p.slow++
		return func() { p.slow-- }
	case StoreHangs:
		p.hangs++
		p.drop(deafAfter, all)
		return func() { p.hangs-- }
	case StoreLies:
		p.lies++
		p.part = f.Part
		return func() { p.lies-- }
	case StoreCut:
		for _, i := range f.Nodes {
			p.cut[i]++
		}
		p.drop(deafAfter, unreached)
		return func() {
			for _, i := range f.Nodes {
				p.cut[i]--
			}
		}
	case StoreLosesTail:
		p.loseTail(f)
		p.drop(0, all)
	case StoreEmptied:
		w.checks.shared.lost(p.texts(nil))
		clear(p.values)
		p.log = nil
	}
	return nil
}

// loseTail is a failover to a replica that was behind: the last writes are
// forgotten.
func (p *place) loseTail(f Fault) {
	var lost []named
	for len(p.log) > 0 && p.log[len(p.log)-1].at >= p.world.now-f.Step {
		last := p.log[len(p.log)-1]
		p.log = p.log[:len(p.log)-1]
		if text, left := p.find(last.name); left != 0 {
			lost = append(lost, named{last.name, text})
		}
		if p.values[last.name] = last.was; last.was.text == "" {
			delete(p.values, last.name)
		}
	}
	if len(lost) > 0 {
		p.world.sometimes(SawPlaceLostTail)
	}
	slices.Reverse(lost)
	p.world.checks.shared.lost(lost)
}

// putRight ends every fault of the shared store.
func (p *place) putRight() {
	if p != nil {
		p.fails, p.slow, p.hangs, p.lies = 0, 0, 0, 0
		clear(p.cut)
	}
}
