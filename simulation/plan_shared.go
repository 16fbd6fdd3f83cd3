package simulation

import (
	"slices"
	"time"
)

// A SharedStore is a place beyond the fleet that it shares its cooldowns at, as
// Redis is, and what others write there.
type SharedStore struct {
	There       bool
	Least, Most time.Duration // a request, or its answer, is under way
	Writes      []Write
}

// WriteKind says what others write.
type WriteKind uint8

// The writes: a program's, and what a second cluster's nodes see or its operators
// say.
const (
	ProgramDeadline WriteKind = iota // until_wall: in For
	ProgramZero                      // until_wall: 0, which is no clear: it has no stamp
	ClusterPause                     // a Retry-After of For
	ClusterOpen                      // for For
	ClusterClose
)

// A Write is what another program, or another cluster, does to the place.
type Write struct {
	At     time.Duration
	Kind   WriteKind
	Host   int
	For    time.Duration
	Copies bool // the program keeps the fields that it does not know
	Hints  bool // and announces what it wrote
}

// writeNames are the writes as a scenario has them: by whom, and what.
var writeNames = []struct{ by, say string }{
	ProgramDeadline: {"program", "deadline"}, ProgramZero: {"program", "zero"},
	ClusterPause: {"cluster", "pause"}, ClusterOpen: {"cluster", "open"}, ClusterClose: {"cluster", "close"},
}

func (k WriteKind) lasts() bool     { return k != ProgramZero && k != ClusterClose }
func (k WriteKind) byProgram() bool { return k == ProgramDeadline || k == ProgramZero }

// String is the write for people.
func (x Write) String() string {
	who := "another program writes "
	if !x.Kind.byProgram() {
		who = "another cluster shares "
	}
	what := map[WriteKind]string{
		ProgramDeadline: "a deadline in ", ProgramZero: "until_wall 0", ClusterPause: "a Retry-After of ", ClusterOpen: "an open for ", ClusterClose: "a close",
	}[x.Kind]
	if x.Kind.lasts() {
		what += x.For.String()
	}
	return who + what
}

func writeKindNames() (names []string) {
	for _, n := range writeNames {
		names = append(names, n.by+"-"+n.say)
	}
	return names
}

// MarshalText is the write's name.
func (k WriteKind) MarshalText() ([]byte, error) { return []byte(writeKindNames()[k]), nil }

// UnmarshalText reads a write's name.
func (k *WriteKind) UnmarshalText(text []byte) error {
	return indexOf((*uint8)(k), writeKindNames(), text)
}

// ofPlace reports whether a fault is one of the shared store.
func (k FaultKind) ofPlace() bool { return k >= StoreFails }

// atOnce reports whether a fault is over when it happened: nothing puts it
// right.
func (k FaultKind) atOnce() bool {
	return slices.Contains([]FaultKind{ClockSteps, StoreLosesTail, StoreEmptied}, k)
}
