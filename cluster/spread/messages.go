package spread

import (
	"errors"
	"fmt"
	"time"

	"fleetfuse/breaker"
)

// Errors of requests.
var (
	// ErrNoOwner is what a request ends with when nobody owns the key, or its
	// owner did not answer in time or is gone.
	ErrNoOwner = errors.New("the breaker's owner did not answer")
	// ErrMoved is an ErrNoOwner of a member that is gone meanwhile: the key has
	// another owner, or will have one soon.
	ErrMoved = fmt.Errorf("%w: the member that was asked is gone", ErrNoOwner)
	// ErrNotOwner is the reply of a member that does not own the key.
	ErrNotOwner = errors.New("the member asked does not own the breaker")
)

// A Message travels from one node to another. Instants in it are the
// receiver's: whoever carries it turns them into durations and back.
type Message any

// The messages that want no reply, and the acknowledgements.
type (
	// Push says what the sender believes of keys.
	Push struct {
		ID      uint64
		Entries []Entry
	}
	// Ack acknowledges pushes and settled permits.
	Ack struct{ IDs []uint64 }
	// Batch carries outcomes to the owner of their keys. Seq grows with every
	// batch of a sender.
	Batch struct {
		Seq     uint64
		Reports []Report
	}
	// BatchAck acknowledges a batch. Foreign are the keys in it that the
	// receiver does not own: their outcomes were not counted.
	BatchAck struct {
		Seq     uint64
		Foreign []breaker.Key
	}
	// Settle ends a permit, with the probe's outcome or unused (neutral).
	Settle struct {
		ID      uint64
		Key     breaker.Key
		Outcome breaker.Outcome
	}
	// WitnessAsk asks what the receiver saw.
	WitnessAsk struct{ Questions []WitnessQuestion }
	// WitnessReply answers it.
	WitnessReply struct{ Answers []WitnessAnswer }
	// Digest sums up the sender's view, bucket by bucket. If Sync is not zero
	// the sender wants a Synced when it has been pushed everything it lacks.
	Digest struct {
		Buckets []uint64
		Sync    uint64
	}
	// Want asks for the receiver's entries in some buckets.
	Want struct{ Buckets []int }
	// Synced ends a sync.
	Synced struct{ Sync uint64 }
	// Refusal says that a frame was not taken because the sender's clock is so
	// far ahead.
	Refusal struct{ Ahead time.Duration }
)

// An Entry is what a node believes of a key.
type Entry struct {
	Key      breaker.Key
	Snapshot breaker.Snapshot
}

// A Report is one key's outcomes, in order of arrival.
type Report struct {
	Key      breaker.Key
	Gap      bool // reports of the node before this one were lost
	Outcomes []breaker.Outcome
}

// A WitnessQuestion is about one key.
type WitnessQuestion struct {
	Key breaker.Key
	breaker.WitnessQuestion
}

// A WitnessAnswer is about one key.
type WitnessAnswer struct {
	Key breaker.Key
	breaker.WitnessAnswer
}

// A Request wants one Reply. Its body is one of the types below.
type Request struct {
	ID   uint64
	Key  breaker.Key
	Body any
	// Challenge is the receiver's, given back; the zero one asks for it. Nil is
	// what nodes of a version that knows none send.
	Challenge *Challenge
	// Left is how long the asker waited on when the challenge came.
	Left time.Duration
}

// A Challenge is the first reply to a Word or a Lay. Who still waits sends the
// request again with it: one that was under way for long, to a process that was
// stopped or through a connection that hung, is not carried out when nobody wants
// it any more.
type Challenge struct {
	Life uint64 // of the receiver's process
	At   uint64 // on its clock
}

// The bodies of requests.
type (
	// Ask asks the owner for a permit; the reply is a breaker.Answer. Entry is
	// the asker's own, in case the owner does not know of it yet.
	Ask struct {
		Question breaker.Question
		Entry    breaker.Snapshot
	}
	// Word is an operator's open, or a close where Length is zero; the reply is
	// an OperatorResult.
	Word struct {
		Length         time.Duration
		Author, Detail string
	}
	// Lay changes an overlay of the key's policy; the reply is a LayResult. One
	// that is asked for again, by its ID, is not made twice.
	Lay struct {
		ID       uint64
		Again    bool // its first owner was gone before it answered: it may have been made
		Register breaker.Register
		Whole    bool          // the overlay becomes Set; else Set is laid over it
		Set      string        // fields, in the grammar of the configuration
		Unset    []string      // names of fields
		Length   time.Duration // Set is in force for so long; 0: until it is replaced
		Match    *breaker.Stamp
		Author   string
		Reason   string
	}
	// ListOverlays asks for what the receiver remembers of a key's overlays; the
	// reply is PastOverlays.
	ListOverlays struct{}
	// Inspect asks for what the owner knows: a breaker.Inspection.
	Inspect struct{}
	// Hold asks to commit a snapshot, so that it is on more than one machine;
	// the reply is Held. One with an overlay that supersedes what its maker did
	// not know is refused.
	Hold struct{ Snapshot breaker.Snapshot }
	// ListRings asks for open rings, of the request's key or of all if it is
	// empty; the reply is Rings.
	ListRings struct{}
	// Observe asks for something of the receiver's telemetry, by its name; the
	// reply is Observed. No key is needed.
	Observe struct {
		What  string
		Query []byte
	}
)

// Observed answers an Observe; the protocol does not look into it.
type Observed struct{ Body []byte }

// A Reply answers a Request. Its body is an error or what the request asks for.
type Reply struct {
	ID   uint64
	Body any
}

// Held says that a snapshot was committed; or that it was refused, because a
// later overlay is Known here than the one that it was made from, or because one
// of the key is being decided here (Busy).
type Held struct {
	Known breaker.Overlay
	Busy  bool
}

// Refused reports whether nothing was committed.
func (h Held) Refused() bool { return h.Busy || h.Known.Stamp != 0 }

// Rings are the open rings of one node.
type Rings []Ring

// A Ring is a key that only one node rejects.
type Ring struct {
	Key    breaker.Key
	Status breaker.Status
}

// PastOverlays are the overlays of one key that one node remembers.
type PastOverlays []PastOverlay

// A PastOverlay is an overlay that is, or was, in force. Its instants are zero.
type PastOverlay struct {
	breaker.Overlay
	Until time.Time // of Temporary, by the clock of the node that remembers
}

// LayResult answers a change of a policy.
type LayResult struct {
	Was     breaker.Overlay // what was in force before
	Overlay breaker.Overlay // what is in force now
	// Conflict says that another version was in force than the one to match, and
	// Refused what is wrong with the change. Either way nothing was done.
	Conflict bool
	Refused  []string
	Durable  bool
	Copies   int
	Err      error // why it is not durable
}

// Unmade is the result before anything was changed of what is known of the key:
// a conflict if another version is in force than the one to match.
func (l Lay) Unmade(s breaker.Snapshot) LayResult {
	was := s.Overlay(l.Register)
	return LayResult{Was: was, Overlay: was, Conflict: l.Match != nil && *l.Match != was.Stamp}
}

// OperatorResult answers an operator's open or close.
type OperatorResult struct {
	Before, After breaker.Status
	Entry         breaker.Snapshot // what was committed
	// Durable says that the change is on disk.
	Durable bool
	// Copies counts the nodes that hold it.
	Copies int
	// Err is why it is not durable.
	Err error
}
