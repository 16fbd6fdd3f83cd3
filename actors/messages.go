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
		question breaker.Question
		until    breaker.Instant // nobody waits for the answer after that
	}
	cool     struct{ cooldown breaker.Cooldown }
	adopt    struct{ snapshot breaker.Snapshot } // what another node says
	joined   struct{}                            // members joined
	witness  struct{ answer breaker.WitnessAnswer }
	endRound struct{ round breaker.Stamp }
	inspect  struct{}
	lay      struct {
		change spread.Lay
		until  breaker.Instant
	}
	activate  struct{}
	drop      struct{} // the view had no room for the key
	openUntil struct {
		d              time.Duration
		author, detail string
		until          breaker.Instant
	}
	closeNow struct {
		author, detail string
		until          breaker.Instant
	}
)

// Messages of an actor to itself.
type (
	rang  struct{} // its timer went off
	leave struct{} // everything sent before it gave up its name has arrived
)
