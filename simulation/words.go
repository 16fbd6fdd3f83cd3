package simulation

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/words"
)

// say is an operator's word, said to a node if it is there.
func (w *World) say(x Word) {
	n := w.nodes[x.Node]
	host := w.plan.Hosts[x.Host].Name
	key := breaker.HostKey(host)
	n.hear(func() {
		if !n.ready {
			return
		}
		w.trace.note(codeWord, uint64(x.Kind), uint64(x.Node), uint64(w.now))
		w.story("an operator says to %s: %s %s", n.id, x, host)
		switch x.Kind {
		case Open:
			n.say(key, spread.Word{Length: x.For, Author: "operator"}, func(body any) { w.opened(n, host, x.At+x.For, body) })
		case Close:
			said, lost := w.now, w.slept()
			w.checks.lift(host)
			w.checks.lifting[host]++
			w.checks.closeSaid[host] = w.now
			n.say(key, spread.Word{Author: "operator"}, func(body any) { w.closed(n, host, said, lost, body) })
		case Replace:
			w.checks.lift(host) // the mode may be off
			w.checks.lifting[host]++
			w.changes++
			change := spread.Lay{ID: w.changes, Register: breaker.RegisterOperator, Set: x.Fields, Length: x.For, Author: "operator"}
			if x.Match {
				s := n.spread.View().Of(key)
				stamp := s.Overlay(change.Register).Stamp
				change.Match = &stamp
			}
			n.say(key, change, func(body any) { w.replaced(n, host, change, body) })
		}
	})
}

// opened notes an open that was acknowledged. It runs from when its owner heard
// of it, which is not before it was said.
func (w *World) opened(n *node, host string, until time.Duration, body any) {
	r, ok := body.(spread.OperatorResult)
	if !ok || !r.Durable {
		return
	}
	w.sometimes(SawOpenOfOperator)
	stamp := openedAt(&r.Entry)
	if stamp <= w.checks.closeMade[host] {
		return // somebody closed it while this was under way
	}
	if n.policies.Of(breaker.HostKey(host)).Mode == breaker.ModeEnforce && r.After.State == breaker.Open && r.After.Reason == breaker.ReasonCLIOpen {
		w.checks.hold(hold{host: host, by: n, life: n.starts, since: w.now, until: until, what: "an operator's open", stamp: stamp})
	}
}

// openedAt is the stamp of the latest open of an operator.
func openedAt(s *breaker.Snapshot) (stamp breaker.Stamp) {
	for _, k := range s.Cooldowns {
		if k.Reason == breaker.ReasonCLIOpen {
			stamp = max(stamp, k.Stamp)
		}
	}
	return stamp
}

// mayCome reports whether a word that failed may be carried out all the same.
func mayCome(body any) bool {
	err, _ := body.(error)
	return errors.Is(err, words.ErrUnknown) || errors.Is(err, words.ErrDisagree) || errors.Is(err, spread.ErrNoOwner)
}

// liftedLater is checks.lifted when no member that was stopped can tell of the word any
// more.
func (w *World) liftedLater(host string) {
	w.after(closeTakes, func() {
		stopped := func(n *node) bool { return n.paused || w.checks.disturbs[n.index] > w.now-closeTakes }
		if slices.ContainsFunc(w.nodes, stopped) {
			w.liftedLater(host)
			return
		}
		w.checks.lifted(host)
	})
}

// slept is how long each machine slept until now.
func (w *World) slept() []time.Duration {
	list := make([]time.Duration, len(w.nodes))
	for i, n := range w.nodes {
		list[i] = n.lost
	}
	return list
}

func (w *World) closed(n *node, host string, said time.Duration, lost []time.Duration, body any) {
	if mayCome(body) {
		w.liftedLater(host)
		return
	}
	w.checks.lifted(host)
	r, ok := body.(spread.OperatorResult)
	if !ok || !r.Durable || r.Copies < 2 {
		return
	}
	w.sometimes(SawCloseOfOperator)
	made := r.Entry.Clear
	w.checks.onDisks(n, breaker.HostKey(host), "a close", r.Copies, func(s *breaker.Snapshot) bool { return s.Clear >= made })
	if r.After.State != breaker.Closed {
		w.fail("a close stays closed", n, "%s was closed and is %v", host, r.After.State)
	}
	w.checks.lift(host)
	s := n.spread.View().Of(breaker.HostKey(host))
	if word := w.checks.closes[host]; s.Clear > word.stamp {
		stamp := s.Clear
		w.checks.closes[host] = closeWord{stamp: stamp, said: said, lost: lost, at: w.now, copies: r.Copies}
		w.checks.reaches(n, host, "a close", func(s *breaker.Snapshot) bool { return s.Clear >= stamp })
	}
}

func (w *World) replaced(n *node, host string, change spread.Lay, body any) {
	if mayCome(body) {
		w.liftedLater(host)
		return
	}
	w.checks.lifted(host)
	r, ok := body.(spread.LayResult)
	if ok && r.Conflict && r.Was.Change == change.ID {
		w.fail("a change does not conflict with itself", n, "%s: change %d is version %d, and was refused for that", host, change.ID, r.Was.Stamp)
	}
	if !ok || r.Conflict || !r.Durable || len(r.Refused) > 0 || r.Copies < 2 {
		return // one disk may be lost
	}
	w.sometimes(SawPolicyReplaced)
	w.checks.onDisks(n, breaker.HostKey(host), "a policy", r.Copies, func(s *breaker.Snapshot) bool {
		return s.Overlay(r.Overlay.Register).Stamp >= r.Overlay.Stamp
	})
	w.checks.lift(host)
	w.checks.follows(n, host, r.Overlay)
	if word := w.checks.laid[host]; r.Overlay.Stamp > word.stamp {
		w.checks.laid[host] = laidWord{stamp: r.Overlay.Stamp, at: w.now, copies: r.Copies}
		w.checks.reaches(n, host, "a policy", func(s *breaker.Snapshot) bool {
			return s.Overlay(breaker.RegisterOperator).Stamp >= r.Overlay.Stamp
		})
	}
}

func (x Word) String() string {
	text := "open"
	switch x.Kind {
	case Close:
		return "close"
	case Replace:
		text = "set " + x.Fields
	}
	if x.For > 0 {
		text += fmt.Sprintf(" for %v", x.For)
	}
	return text
}

var faultNames = map[FaultKind]string{
	Kill: "kill -9", PowerLoss: "power loss", Wipe: "kill -9 and an empty disk", Pause: "SIGSTOP", Suspend: "the machine sleeps",
	Split: "split", OneWay: "one-way cut", Cut: "cut", Lossy: "lossy network", Sick: "sick machine", DiskFails: "the disk fails",
	DiskSlow: "the disk is slow", DiskLies: "the disk lies", ClockSteps: "the wall clock steps",
	StoreFails: "the shared store fails", StoreSlow: "the shared store is slow", StoreHangs: "the shared store hangs",
	StoreLies: "the shared store takes writes and denies it", StoreCut: "cut off from the shared store",
	StoreLosesTail: "the shared store loses its last writes", StoreEmptied: "the shared store is emptied",
}

func (f Fault) String() string {
	switch f.Kind {
	case Split:
		return fmt.Sprintf("split: %s cut off from the others for %v", nodeNames(f.Nodes), f.For)
	case OneWay, Cut:
		return fmt.Sprintf("%s: n%d to n%d for %v", faultNames[f.Kind], f.Node+1, f.Other+1, f.For)
	case Lossy:
		return fmt.Sprintf("%s: %.0f %% for %v", faultNames[f.Kind], 100*f.Part, f.For)
	case ClockSteps:
		return fmt.Sprintf("%s: n%d by %v", faultNames[f.Kind], f.Node+1, f.Step)
	case StoreFails, StoreSlow, StoreHangs:
		return fmt.Sprintf("%s for %v", faultNames[f.Kind], f.For)
	case StoreLies:
		return fmt.Sprintf("%s: %.0f %% for %v", faultNames[f.Kind], 100*f.Part, f.For)
	case StoreCut:
		return fmt.Sprintf("%s: %s for %v", faultNames[f.Kind], nodeNames(f.Nodes), f.For)
	case StoreLosesTail:
		return fmt.Sprintf("%s: those of %v", faultNames[f.Kind], f.Step)
	case StoreEmptied:
		return faultNames[f.Kind]
	}
	return fmt.Sprintf("%s: n%d for %v", faultNames[f.Kind], f.Node+1, f.For)
}

// describe shows what is believed of a key.
func describe(s breaker.Snapshot, now breaker.Instant) string {
	st := s.At(now)
	text := fmt.Sprintf("%v %s, circuit %v at %d, clear %d", st.State, st.Reason, s.Circuit.State, s.Circuit.Stamp, s.Clear)
	for _, c := range s.Cooldowns {
		text += fmt.Sprintf(", %s of %s at %d until %v", c.Reason, c.Setter, c.Stamp, c.Until.Sub(now).Round(time.Millisecond))
	}
	for _, o := range s.Overlays {
		text += fmt.Sprintf(", %v overlay %d %q", o.Register, o.Stamp, o.Fields)
	}
	return text
}
