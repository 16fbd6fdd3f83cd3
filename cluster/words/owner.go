package words

import (
	"errors"

	"fleetfuse/cluster/spread"
)

// ErrDisagree ends a word after DecideLimit.
var ErrDisagree = errors.New("no member says that it owns the key, or its owner changes all the time; look whether it was done, then try again")

// A Step is what comes next with a word that an owner was asked to carry out.
type Step uint8

// The steps.
const (
	Answered Step = iota // there is no next one
	AskAgain             // another member decides it, now or in a moment: ask who owns the key after HandOver
	StandIn              // the owner is there and does not answer: this node carries it out
)

// Again is what is asked for from the second time on: who was asked before may have
// carried it out and could not say so.
func Again(body any) any {
	if change, ok := body.(spread.Lay); ok {
		change.Again = true
		return change
	}
	return body
}

// After is the step after a member was asked. owner is who owns the key by now, err
// what it said. A word is decided in one mailbox: an owner that is gone, or is none
// any more, has a successor. Only one that is there and silent is stood in for.
func After(asked, owner string, err error) Step {
	switch {
	case err == nil:
		return Answered
	case owner != "" && owner != asked, errors.Is(err, spread.ErrNotOwner), errors.Is(err, spread.ErrMoved):
		return AskAgain
	case errors.Is(err, spread.ErrNoOwner):
		return StandIn
	}
	return Answered
}
