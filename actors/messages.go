package actors

import (
	"time"

	"fleetfuse/breaker"
)

// The messages of a breaker actor inside a process: they carry instants, which
// are exact here and meaningless elsewhere. Between nodes their wire form
// travels (travel.go).
type (
	report struct {
		node     string
		gap      bool // reports of the node before this one were lost
		outcomes []breaker.Outcome
	}
	ask       struct{ question breaker.Question }
	giveBack  struct{ permit breaker.PermitID }
	cool      struct{ cooldown breaker.Cooldown }
	inspect   struct{}
	replace   struct{ policy *breaker.Policy }
	activate  struct{}
	drop      struct{} // the view had no room for the key
	openUntil struct {
		d              time.Duration
		author, detail string
	}
	closeNow struct{ author, detail string }
)

// Messages of an actor to itself.
type (
	rang  struct{} // its timer went off
	leave struct{} // everything sent before it gave up its name has arrived
)

// OperatorResult answers an operator's open or close.
type OperatorResult struct {
	Before, After breaker.Status
	// Durable says that the change is on disk.
	Durable bool
	// Copies counts the nodes that hold it.
	Copies int
	// Err is why it is not durable.
	Err error
}
