package memory_test

import (
	"testing"

	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/memory"
	"fleetfuse/cooldownstore/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(*testing.T) cooldownstore.Store { return memory.New() })
}
