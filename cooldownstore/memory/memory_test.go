package memory_test

import (
	"testing"

	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/memory"
	"fleetfuse/cooldownstore/storetest"
)

func TestStore(t *testing.T) {
	storetest.RunPlaces(t, func(*testing.T) storetest.Place {
		return storetest.Place{
			Open:      func(*testing.T) cooldownstore.Store { return memory.New() },
			OneHandle: "memory is reached through its one handle",
			Forgets:   "memory is gone with its handle",
			Unreached: "no other program writes into this memory",
		}
	})
}
