package words

import (
	"slices"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// A Site is where a change of a policy is made: at the key's actor, or where it is
// stood in for.
type Site struct {
	Key     breaker.Key
	Machine *breaker.Machine
	// Recall is what the node knows of the key. Of what it holds for others the
	// machine may not have heard yet.
	Recall func(breaker.Key) breaker.Snapshot
	Moment func() breaker.Moment
	// Amend is the overlay that a change makes of what is known of the key, or what is
	// wrong with the change. It does not look at Match.
	Amend    func(breaker.Key, breaker.Snapshot, spread.Lay, breaker.Moment) (next breaker.Overlay, refused []string)
	CarryOut func(breaker.Effects)
}

// A Laying makes a change of a policy: while Next says what to commit, have it held
// and committed, then say what came of that. Meanwhile nobody else's change of the
// key is committed on this node.
type Laying struct {
	Result spread.LayResult // when it is over

	site   Site
	change spread.Lay
	made   breaker.Overlay // that it made before, if so
	next   breaker.Overlay
	tries  int
	laid   bool
}

// Lay begins a change.
func Lay(change spread.Lay, at Site) *Laying { return &Laying{change: change, site: at} }

// Made finds what the change made if it is asked for again, because who carried it out
// was gone before it answered. past are the overlays that were in force; it reports
// whether one of them was the change's.
func (l *Laying) Made(past func() []breaker.Overlay) bool {
	if !l.change.Again {
		return false
	}
	of := func(o breaker.Overlay) bool { return o.Change == l.change.ID }
	list := l.site.Recall(l.site.Key).Overlays // it may not be on disk yet
	if !slices.ContainsFunc(list, of) {
		list = past()
	}
	if i := slices.IndexFunc(list, of); i >= 0 {
		l.made = list[i]
	}
	return l.made.Stamp != 0
}

// known is what the machine knows of the key when it has heard of all that the node
// knows.
func (l *Laying) known() breaker.Snapshot {
	if missed := News(l.site.Machine.Snapshot(), l.site.Recall(l.site.Key)); len(missed) > 0 {
		l.site.CarryOut(l.site.Machine.Adopt(l.site.Moment(), breaker.Snapshot{Overlays: missed}))
	}
	return l.site.Machine.Snapshot()
}

// Next is what to commit, with the overlay that the change makes of what is known;
// false if it is over.
func (l *Laying) Next() (s breaker.Snapshot, more bool) {
	switch {
	case l.laid:
		return s, false
	case l.tries == MaxStale:
		l.Result.Refused = []string{"other nodes change it all the time, while its owner changes; try again in a second"}
		return s, false
	}
	l.tries++
	s = l.known()
	if l.stillMade(s) {
		l.next = l.made
		l.Result = spread.LayResult{Was: breaker.Overlay{Register: l.made.Register, Stamp: l.made.Base}}
		return s, true
	}
	if !l.amend(s) {
		return s, false
	}
	s.Merge(breaker.Snapshot{Overlays: []breaker.Overlay{l.next}})
	return s, true
}

// stillMade reports whether the change was made before, and counts: it is in force, or
// what is was made from it. Else who made that did not know of it, and it is to be made
// anew.
func (l *Laying) stillMade(s breaker.Snapshot) bool {
	if in := s.Overlay(l.made.Register); in.Stamp > l.made.Stamp && in.Base < l.made.Stamp {
		l.made = breaker.Overlay{}
	}
	return l.made.Stamp != 0
}

// amend makes the overlay; false if there is none to commit, and the result says why.
func (l *Laying) amend(s breaker.Snapshot) bool {
	l.Result = l.change.Unmade(s)
	if l.Result.Conflict {
		return false
	}
	next, refused := l.site.Amend(l.site.Key, s, l.change, l.site.Moment())
	switch {
	case len(refused) > 0:
		l.Result.Refused = refused
		return false
	case next.Stamp == l.Result.Was.Stamp: // there is nothing to reset
		l.Result.Durable, l.Result.Copies = true, 1
		return false
	}
	next.Change = l.change.ID
	next.Author, next.Reason = breaker.Cut(next.Author), breaker.Cut(next.Reason)
	l.next = next
	return true
}

// Heard takes what came of committing it: later is the overlay for which it was
// refused, which it is made from next.
func (l *Laying) Heard(done spread.OperatorResult, later breaker.Overlay) {
	m, mo := l.site.Machine, l.site.Moment()
	if later.Stamp != 0 {
		l.site.CarryOut(m.Adopt(mo, breaker.Snapshot{Overlays: []breaker.Overlay{later}}))
		return
	}
	l.laid = true
	l.Result.Overlay, l.Result.Durable, l.Result.Copies, l.Result.Err = l.next, done.Durable, done.Copies, done.Err
	if l.made.Stamp == 0 {
		l.site.CarryOut(m.Lay(mo, l.next))
	}
}
