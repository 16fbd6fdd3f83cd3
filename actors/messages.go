package actors

import (
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// The messages of a breaker actor. They do not leave the process: what other
// nodes say arrives through package cluster.
type (
	report struct {
		node     string
		gap      bool // reports of the node before this one were lost
		outcomes []breaker.Outcome
	}
	ask struct {
		wanted
		question breaker.Question
	}
	cool     struct{ cooldown breaker.Cooldown }
	adopt    struct{ snapshot breaker.Snapshot } // what another node says
	joined   struct{}                            // members joined
	witness  struct{ answer breaker.WitnessAnswer }
	endRound struct{ round breaker.Stamp }
	inspect  struct{}
	lay      struct {
		wanted
		change spread.Lay
	}
	activate  struct{}
	drop      struct{} // the view had no room for the key
	openUntil struct {
		wanted
		d              time.Duration
		author, detail string
	}
	closeNow struct {
		wanted
		author, detail string
	}
)

// wanted is part of a message whose answer somebody waits for, until a moment: one
// that comes out of the mailbox later is passed over.
type wanted struct{ until breaker.Instant }

func (w wanted) lapsed(now breaker.Instant) bool { return now > w.until }

// Messages of an actor to itself.
type (
	rang  struct{} // its timer went off
	leave struct{} // everything sent before it gave up its name has arrived
)
