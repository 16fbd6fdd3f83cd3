package clock_test

import (
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"fleetfuse/breaker"
	"fleetfuse/internal/clock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStampsAndInstants(t *testing.T) {
	c := clock.New()
	defer c.Stop()
	if c.Tick() <= 0 || c.Now() < c.Tick() {
		t.Errorf("Now %d, Tick %d; want both positive and the tick not ahead", c.Now(), c.Tick())
	}
	last := breaker.Stamp(0)
	for range 1000 {
		s := c.Stamp()
		if s <= last {
			t.Fatalf("stamp %d after %d", s, last)
		}
		last = s
	}
	ahead := breaker.StampAt(time.Now().Add(time.Hour))
	if err := c.Observe(ahead); err != nil || c.Stamp() <= ahead {
		t.Errorf("after a stamp an hour ahead: %v, next %d; want later than %d", err, c.Stamp(), ahead)
	}
	if err := c.Observe(breaker.StampAt(time.Now().Add(25 * time.Hour))); err == nil {
		t.Error("a stamp 25 h ahead was observed")
	}
	now, wall := c.Both()
	if got := c.Wall(now.Add(time.Minute)).Sub(wall); got < 59*time.Second || got > 61*time.Second {
		t.Errorf("Wall of a minute from now is %v from now", got)
	}
}

func TestTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.New()
		defer c.Stop()
		first := c.Tick()
		time.Sleep(3 * clock.TickEvery)
		synctest.Wait()
		if got := c.Tick().Sub(first); got < 2*clock.TickEvery || got > 3*clock.TickEvery {
			t.Errorf("after three ticks it is %v later", got)
		}
	})
}
