package simulation

import (
	"time"

	"fleetfuse/config"
)

// A Plan says what a world consists of and what happens to it.
type Plan struct {
	Name   string
	Seed   uint64
	Nodes  int
	Length time.Duration // of the part in which things fail
	// Quiet is how long the world goes on after everything was put right: then
	// it must agree and make progress. Traffic goes on.
	Quiet    time.Duration
	Rate     float64          // calls a second that the workers of one node want to make
	Policies *config.Breakers `json:"-"`
	Environ  []string         // what Policies were loaded from; nil: something else
	Hosts    []Host
	Network  Network
	Machines []Machine // of each node; missing ones are perfect
	Faults   []Fault
	Words    []Word
	Shared   SharedStore
}

// Network is how messages between nodes travel.
type Network struct {
	Least, Most time.Duration // one way
	Loss        float64       // the part that does not arrive
	Duplicate   float64       // the part that arrives twice
	Slow        float64       // the part that takes up to a hundred times longer, and is overtaken
}

// Machine is how true a machine's clocks are.
type Machine struct {
	PPM   int64         // how fast the one that never steps goes, in millionths
	Ahead time.Duration // of the wall clock
}

// FaultKind says what fails.
type FaultKind uint8

// The faults.
const (
	Kill       FaultKind = iota // kill -9; started again after For
	PowerLoss                   // Kill, and the disk loses what it had not synced
	Wipe                        // Kill, and started with an empty disk
	Pause                       // SIGSTOP for For
	Suspend                     // the machine sleeps: its clock that never steps stands still
	Split                       // Nodes are cut off from the others for For
	OneWay                      // what Node sends to Other is lost
	Cut                         // what Node and Other send each other is lost
	Lossy                       // the network loses Part of all messages
	Sick                        // calls of Node's workers fail, whatever the host
	DiskFails                   // Node's disk takes nothing
	DiskSlow                    // it takes 100 ms to 2 s
	DiskLies                    // it takes Part of the writes and says that it failed
	ClockSteps                  // Node's wall clock jumps by Step

	StoreFails     // the shared store answers everything with an error
	StoreSlow      // what it is asked, and its answers, take 100 ms to 2 s longer
	StoreHangs     // it takes nothing and answers nothing
	StoreLies      // it takes Part of the writes and the connection is lost before it says so
	StoreCut       // Nodes do not reach it
	StoreLosesTail // a failover forgets what was written in the last Step
	StoreEmptied   // somebody empties it
)

// A Fault is something that fails at a moment and is put right after a while.
type Fault struct {
	At    time.Duration
	For   time.Duration
	Kind  FaultKind
	Node  int
	Other int
	Nodes []int
	Part  float64
	Step  time.Duration // of a clock, or how long the tail is
}

// WordKind is what an operator says.
type WordKind uint8

// The words.
const (
	Open WordKind = iota
	Close
	Replace // the policy: Fields
)

// A Word is an operator's word, said to Node about a host.
type Word struct {
	At     time.Duration
	Kind   WordKind
	Node   int
	Host   int
	For    time.Duration // of an open, or of fields for a while
	Fields string
	Match  bool // only if nothing was changed since Node last heard
}

// Mode is how a host behaves.
type Mode uint8

// The modes of a host.
const (
	Healthy  Mode = iota
	Down          // no connection, timeouts or 503, as drawn for the phase
	Limiting      // 429 with a Retry-After of After, to Part of the calls
	BrownOut      // Part of the calls fail, the others are slow
	Flapping      // down and healthy by turns of Turn
	Slow          // healthy, and takes Turn
	Portal        // answers 404 for everything: neutral
)

// A Phase is how a host behaves until a moment.
type Phase struct {
	Until time.Duration
	Mode  Mode
	Part  float64
	After time.Duration // Retry-After
	Turn  time.Duration
}

// A Host is somebody else's server.
type Host struct {
	Name    string
	Latency time.Duration // a healthy answer takes half to twice as long
	Weight  float64       // how often it is called
	Phases  []Phase       // healthy after the last
}
