package spread

import "fleetfuse/breaker"

// Effects is what the caller must carry out, in the order of the fields.
type Effects struct {
	// Changed are the view's entries that changed, with what they are now; an
	// empty snapshot is plainly closed. Gate, streams and store must know.
	Changed []Entry
	Done    []Done // requests of this node that are over
	// WakeAt, if not zero, replaces any earlier timer: call Tick then.
	WakeAt breaker.Instant
	// Evicted are keys the view had no room for: their actors go.
	Evicted []breaker.Key
	Steps   []Step // for actors of this node, before a member can answer what is sent
	Sends   []Send
	Serve   []Serve // requests of members
	// Again are cooldowns of this node that a clear from before them ended: to be
	// given to Cool once more, with a fresh stamp.
	Again []Cooled
	// Covered are deadlines of other programs that a clear ended: whoever reads
	// them in a place that is shared is not to take them for news.
	Covered []Cooled
	// Apart, if not nil, is whether this node's clock is off by days, which
	// bars it from owning keys.
	Apart *bool
}

// A Send is a message for one member, by node id.
type Send struct {
	To      string
	Message Message
}

// A Step is for the key's actor on this node. Do is one of the types below or
// a breaker.WitnessAnswer.
type Step struct {
	Key breaker.Key
	Do  any
}

// What an actor is told.
type (
	// Count is a report, from a node.
	Count struct {
		Node     string
		Gap      bool
		Outcomes []breaker.Outcome
	}
	// Cool is a Retry-After that this node saw.
	Cool struct{ Cooldown breaker.Cooldown }
	// Adopt is what another node says of the key.
	Adopt struct {
		Snapshot breaker.Snapshot
		// Wake says that the actor is to be activated if it is not there.
		Wake bool
	}
	// Activate makes sure that the actor is there, before long: it recalls what
	// the view holds by then.
	Activate struct{}
	// Joined says that members joined.
	Joined struct{}
	// EndRound ends a witness round.
	EndRound struct{ Round breaker.Stamp }
)

// Cooled is a cooldown of a key.
type Cooled struct {
	Key      breaker.Key
	Cooldown breaker.Cooldown
}

// Serve is a request of a member; answer it with Node.Reply.
type Serve struct {
	From    string
	Request Request
	Until   breaker.Instant // nobody waits for it after that; zero: nothing says
}

// Done ends a request of this node. Body is what was asked for, or an error.
type Done struct {
	ID   uint64
	Body any
}
