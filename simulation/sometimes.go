package simulation

// Sometimes is a state worth reaching: a campaign that never did tested less
// than it seems.
type Sometimes int

// The states.
const (
	SawTrip Sometimes = iota
	SawHalfOpen
	SawRecovery
	SawProbeFailed
	SawRetryAfter
	SawRetryAfterWhileOpen
	SawStaleOutcome
	SawPermitExpired
	SawNoOwner
	SawStandIn
	SawSplit
	SawEviction
	SawGap
	SawDuplicate
	SawLostTail
	SawUnknownOutcome
	SawTwoOwners
	SawRefusedRound
	SawHealRound
	SawOpenOfOperator
	SawCloseOfOperator
	SawPolicyReplaced
	SawPolicySuperseded
	SawClockStep
	SawLocalRing
	SawPlaceWritten
	SawForeignAdopted
	SawEcho
	SawPlaceUnknownOutcome
	SawPlaceLostTail
	SawPlaceRepaired
	SawForeignCovered
	SawMadeBefore
	SawUnknownWord
	SawHoldRefused
	SawBusyHolder
	sometimesCount
)

// OfDefault and OfDisputed are what the worlds of Random and of Disputed must reach.
func OfDefault() []Sometimes  { return states(0, SawMadeBefore) }
func OfDisputed() []Sometimes { return states(SawMadeBefore, sometimesCount) }

func states(from, to Sometimes) (list []Sometimes) {
	for s := from; s < to; s++ {
		list = append(list, s)
	}
	return list
}

var sometimesNames = [sometimesCount]string{
	"a breaker tripped", "a breaker was half-open", "a breaker recovered", "a probe failed", "a Retry-After was honoured",
	"a Retry-After came while the circuit was open", "an outcome came from before the last transition", "a permit expired",
	"no owner answered", "a node stood in for an owner", "the network was split", "a node was evicted", "a batch was lost",
	"a message came twice", "a power loss took a write", "a write was taken and denied", "a breaker had two owners",
	"witnesses refused a trip", "a healing round was asked", "an operator opened", "an operator closed", "a policy was replaced",
	"a replaced policy was superseded", "a wall clock stepped", "a ring rejected alone",
	"a cooldown was written to the shared store", "a deadline of another program was adopted", "the shared store said what was known",
	"a write to the shared store was taken and denied", "the shared store lost its tail", "what the shared store lost was written again",
	"a close ended a deadline of another program",
	"a change asked for again had been made", "nobody knew whether a change was made", "who was to hold a word knew of a later change", "who holds words was busy",
}

func (s Sometimes) String() string { return sometimesNames[s] }

// sometimes notes that a state was reached.
func (w *World) sometimes(s Sometimes) { w.saw[s]++ }

// Saw is how often each state was reached.
func (w *World) Saw() map[Sometimes]uint64 {
	saw := map[Sometimes]uint64{}
	for s, n := range w.saw {
		saw[Sometimes(s)] = n
	}
	return saw
}
