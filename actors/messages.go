package actors

import (
	"time"

	"fleetfuse/breaker"
)

// The messages of a breaker actor. In a cluster of one they never leave the
// process; package wire will hold their protobuf form.
type (
	report    struct{ outcomes []breaker.Outcome }
	ask       struct{ question breaker.Question }
	giveBack  struct{ permit breaker.PermitID }
	cool      struct{ cooldown breaker.Cooldown }
	inspect   struct{}
	replace   struct{ policy *breaker.Policy }
	wake      struct{ at breaker.Instant }
	openUntil struct {
		d              time.Duration
		author, detail string
	}
	closeNow struct{ author, detail string }
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
