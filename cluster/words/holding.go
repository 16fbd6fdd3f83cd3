package words

import (
	"errors"
	"fmt"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// Why no other member holds something.
var (
	// ErrAlone does not keep it from being carried out.
	ErrAlone = errors.New("no other member could hold it")
	// ErrBusy says that a member decides about a key all the time.
	ErrBusy = errors.New("another node decides about the policy; try again in a second")
	// ErrUnknown says that one member may hold a change that another one refused.
	ErrUnknown = errors.New("a member did not answer in time and another one knows of a later change: this one may come into force; look, then try again")
)

// A Holding asks members to hold a snapshot, one after the other, until one does or
// refuses it: while Next names one, ask it, then say what came of that.
type Holding struct {
	// Snapshot is what to hold. That of a word grows by what a member knew.
	Snapshot breaker.Snapshot
	// Later is the overlay for which a change was refused.
	Later breaker.Overlay
	// Err is why nobody holds it, unless that is Later.
	Err error

	members []string // that were not asked, after the one that is
	owned   bool     // this node owned the key when it began
	silent  bool     // a member may hold it and did not say so
	change  bool     // not to be carried out if it is refused
	anew    int      // how often it may be asked for with what a member knew
	copies  int
}

// registers is how many a policy has: a member can know of so many later overlays.
const registers = 2

// HoldWord begins to have an open or a close held: it is carried out whatever comes
// of that. heirs are the other members, the first one that would own the key next.
func HoldWord(heirs []string, s breaker.Snapshot, owns bool) *Holding {
	return &Holding{Snapshot: s, members: heirs[:min(len(heirs), Holders)], owned: owns, anew: registers}
}

// HoldChange begins to have a change of a policy held, which one member that knows
// of a later one can refuse.
func HoldChange(heirs []string, s breaker.Snapshot, owns bool) *Holding {
	return &Holding{Snapshot: s, members: heirs[:min(len(heirs), Holders)], owned: owns, change: true}
}

// Next is whom to ask; false if it is over.
func (h *Holding) Next() (to string, more bool) {
	if len(h.members) == 0 {
		return "", false
	}
	return h.members[0], true
}

// Heard takes what the member said. One that is busy is given WhileBusy first. owns
// says whether this node owns the key by now, over whether its time is up.
func (h *Holding) Heard(held spread.Held, err error, owns, over bool) {
	switch {
	case err != nil:
		h.silent = h.silent || errors.Is(err, spread.ErrNoOwner)
		if h.members = h.members[1:]; len(h.members) == 0 {
			h.Err = ErrAlone
		}
	case held.Busy && h.owned && !owns: // that member does, and waits for this one
		h.refused(breaker.Overlay{}, fmt.Errorf("%w any more", spread.ErrNotOwner))
	case held.Busy && over:
		h.refused(breaker.Overlay{}, ErrBusy)
	case held.Busy: // it is asked again
	case held.Refused() && h.anew > 0: // it holds nothing without a change that it knows
		h.anew--
		h.Snapshot.Merge(breaker.Snapshot{Overlays: []breaker.Overlay{held.Known}})
	case held.Refused():
		h.refused(held.Known, nil)
	default:
		h.members, h.copies = nil, 1
	}
}

// refused ends it. Where a member did not say whether it holds a change, another
// one's refusal is no proof that nothing was done.
func (h *Holding) refused(later breaker.Overlay, err error) {
	h.members = nil
	switch {
	case h.change && h.silent:
		h.Err = ErrUnknown
	case h.change:
		h.Later, h.Err = later, err
	case err != nil:
		h.Err = err
	default:
		h.Err = ErrAlone
	}
}

// Stands reports whether a change may be committed here now.
func (h *Holding) Stands() bool {
	return h.Later.Stamp == 0 && (h.Err == nil || errors.Is(h.Err, ErrAlone))
}

// Result says how safe it is, after it was committed here: durable, unless err or the
// kind of store says otherwise.
func (h *Holding) Result(err error, lasting bool) spread.OperatorResult {
	r := spread.OperatorResult{Durable: err == nil && lasting, Copies: 1 + h.copies, Err: err}
	if r.Err == nil {
		r.Err = h.Err
	}
	return r
}
