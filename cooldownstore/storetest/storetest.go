// Package storetest is the contract every cooldown store passes.
package storetest

import (
	"testing"

	"fleetfuse/cooldownstore"
)

// A Place is where a store keeps its records, empty at first. The tests that
// need more than a place can do are skipped with the reason it gives.
type Place struct {
	// Open returns a handle on the place; the contract closes it. It is called
	// again while a handle is open if OneHandle is empty, and after all were
	// closed if Forgets is empty.
	Open      func(t *testing.T) cooldownstore.Store
	OneHandle string // why no second handle can be open at a time
	Forgets   string // why nothing outlives the last handle
	// Write writes a row as another program would, knowing nothing of ours:
	// over what is there of that host, the documented fields only.
	Write     func(t *testing.T, host string, f cooldownstore.Foreign)
	Unreached string // why no other program writes there; then Write is nil
}

// Run runs the contract against stores of which nothing is known but how to
// open one: each in a place of its own.
func Run(t *testing.T, open func(t *testing.T) cooldownstore.Store) {
	const reason = "the test says only how to open a store"
	RunPlaces(t, func(*testing.T) Place {
		return Place{Open: open, OneHandle: reason, Forgets: reason, Unreached: reason}
	})
}

// RunPlaces runs the contract against places that place makes, one for each
// test. Place cleans up after itself.
func RunPlaces(t *testing.T, place func(t *testing.T) Place) {
	for _, test := range onOneHandle {
		t.Run(test.name, func(t *testing.T) { test.run(t, place(t).handle(t)) })
	}
	for _, test := range onPlaces {
		t.Run(test.name, func(t *testing.T) {
			p := place(t)
			for _, reason := range test.needs(p) {
				if reason != "" {
					t.Skip(reason)
				}
			}
			test.run(t, p)
		})
	}
}

var onOneHandle = []struct {
	name string
	run  func(*testing.T, cooldownstore.Store)
}{
	{"every field comes back", roundTrip},
	{"a save replaces", replace},
	{"an empty snapshot deletes", deleteByEmpty},
	{"a save is all or nothing", atomic},
	{"each shows every record", each},
	{"each may call the store", eachCalls},
	{"records share nothing", sharesNothing},
	{"meta", meta},
	{"overlays that were in force", history},
	{"a bounded history", boundedHistory},
	{"names", names},
	{"names that are none", badNames},
	{"hostile texts", texts},
	{"set against clear", setAgainstClear},
	{"cancelled", cancelled},
	{"cancelled under way", cancelledUnderWay},
	{"an outcome that is unknown", unknown},
	{"concurrent writers", func(t *testing.T, s cooldownstore.Store) { concurrent(t, s) }},
	{"closed", closed},
	{"a clock that steps moves no deadline", clockSteps},
	{"a deadline ends at its instant", boundary},
	{"a clear ends at its instant", clearBoundary},
	{"a hundred thousand", hundredThousand},
	{"our own words are no news", noNews},
}

var onPlaces = []struct {
	name  string
	needs func(Place) []string // reasons why not
	run   func(*testing.T, Place)
}{
	{"two handles", several, twoHandles},
	{"writers on two handles", several, twoWriters},
	{"opened again", lasting, reopened},
	{"the writer died before it was told", lasting, writerDied},
	{"closed beside writers", nothing, closedBesideWriters},
	{"news", reached, news},
	{"news taken in", reached, newsTakenIn},
	{"news against ours", reached, newsAgainstOurs},
	{"news against a clear", reached, newsAgainstClear},
	{"news of no breaker", reached, newsOfNoBreaker},
	{"news while it is read", reached, newsCalls},
	{"news by two handles", func(p Place) []string { return append(reached(p), several(p)...) }, newsTwice},
}

func nothing(Place) []string   { return nil }
func several(p Place) []string { return []string{p.OneHandle} }
func lasting(p Place) []string { return []string{p.Forgets} }
func reached(p Place) []string { return []string{p.Unreached} }

// handle opens one that the end of the test closes.
func (p Place) handle(t *testing.T) cooldownstore.Store {
	t.Helper()
	s := p.Open(t)
	t.Cleanup(func() { shut(t, s) })
	return s
}

func shut(t tester, s cooldownstore.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}
