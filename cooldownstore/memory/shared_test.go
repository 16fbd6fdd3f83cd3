package memory_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/memory"
	"fleetfuse/cooldownstore/sharetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestShared(t *testing.T) {
	sharetest.Run(t, func(*testing.T) sharetest.Place {
		p := memory.NewPlace()
		return sharetest.Place{
			Open: func(*testing.T) cooldownstore.Shared { return p.Open() },
			Set:  func(_ *testing.T, name, value string, ttl time.Duration) { p.Set(name, value, ttl) },
			Value: func(_ *testing.T, name string) (string, time.Duration, bool) {
				return p.Value(name)
			},
		}
	})
}
