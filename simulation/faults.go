package simulation

// inject makes a fault happen, and has it put right after its time.
func (w *World) inject(f Fault) {
	w.trace.note(codeFault, uint64(f.Kind), uint64(f.Node), uint64(w.now))
	w.story("%s", f)
	undo := w.fault(f)
	w.checks.shared.disturbed(f)
	if undo == nil {
		return
	}
	w.checks.faulty(f, true)
	w.after(f.For, func() {
		if w.now < w.plan.Length { // else all was put right
			w.story("over: %s", f)
			undo()
			w.checks.faulty(f, false)
			w.checks.shared.disturbed(f)
		}
	})
}

// fault does what a fault does and returns what puts it right.
func (w *World) fault(f Fault) (undo func()) {
	n := w.nodes[f.Node]
	if f.Kind.ofPlace() {
		return w.faultOfPlace(f)
	}
	switch f.Kind {
	case Kill, PowerLoss, Wipe:
		return w.killed(n, f.Kind)
	case Pause, Suspend:
		return w.stopped(n, f)
	case Split:
		return w.split(f.Nodes)
	case OneWay:
		return w.cut([2]int{f.Node, f.Other})
	case Cut:
		return w.cut([2]int{f.Node, f.Other}, [2]int{f.Other, f.Node})
	case Lossy:
		w.network.lossy += f.Part
		return func() { w.network.lossy -= f.Part }
	case Sick:
		n.sick = true
		return func() { n.sick = false }
	case DiskFails:
		n.disk.fails++
		return func() { n.disk.fails-- }
	case DiskSlow:
		n.disk.slow++
		return func() { n.disk.slow-- }
	case DiskLies:
		n.disk.lies++
		n.disk.part = f.Part
		return func() { n.disk.lies-- }
	case ClockSteps:
		n.ahead += f.Step
		w.checks.stepped(n)
	}
	return nil
}

func (w *World) killed(n *node, kind FaultKind) func() {
	if !n.up {
		return nil
	}
	n.kill(kind == PowerLoss)
	if kind == Wipe {
		n.disk.wipe()
	}
	return func() {
		if !n.up {
			n.start()
		}
	}
}

func (w *World) stopped(n *node, f Fault) func() {
	if !n.up || n.paused {
		return nil
	}
	n.pause()
	life := n.starts
	return func() {
		if n.starts != life {
			return
		}
		if f.Kind == Suspend {
			n.slept(n.pausedAt)
			w.checks.stepped(n)
		}
		n.resume()
	}
}

// split cuts nodes off from the others. A second split at the same time would
// say nothing that is new.
func (w *World) split(nodes []int) func() {
	for _, side := range w.network.side {
		if side != 0 {
			return nil
		}
	}
	for _, i := range nodes {
		w.network.side[i] = 1
	}
	w.sometimes(SawSplit)
	w.changedTopology()
	return func() {
		clear(w.network.side)
		w.changedTopology()
	}
}

func (w *World) cut(links ...[2]int) func() {
	for _, l := range links {
		w.network.cut[l]++
	}
	w.changedTopology()
	return func() {
		for _, l := range links {
			if w.network.cut[l]--; w.network.cut[l] == 0 {
				delete(w.network.cut, l)
			}
		}
		w.changedTopology()
	}
}

// putRight ends every fault, so that the world can show that it recovers.
func (w *World) putRight() {
	clear(w.network.side)
	clear(w.network.cut)
	w.network.lossy = 0
	w.place.putRight()
	w.checks.shared.putRight()
	for _, n := range w.nodes {
		n.sick = false
		if !n.disk.well() {
			n.disk.fails, n.disk.slow, n.disk.lies = 0, 0, 0
			w.checks.disturbed(n)
		}
		switch {
		case !n.up:
			n.start()
		case n.paused:
			n.resume()
		}
	}
	w.changedTopology()
}
