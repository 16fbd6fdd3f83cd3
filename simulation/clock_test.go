package simulation

import (
	"testing"
	"time"
)

// An instant from before a machine slept was as long ago as the world's time says.
func TestMomentOfAMachineThatSlept(t *testing.T) {
	w := &World{now: 30 * time.Second}
	m := &machine{world: w, origin: instantZero, ppm: 100}
	before := m.at(10 * time.Second)
	m.slept(20 * time.Second) // until now
	w.now = 40 * time.Second
	after := m.at(w.now)
	for _, x := range []struct{ got, want time.Duration }{
		{m.moment(before), 10 * time.Second}, {m.moment(after), 40 * time.Second}, {after.Sub(before).Round(time.Second / 10), 20 * time.Second},
	} {
		if d := x.got - x.want; d.Abs() > time.Millisecond {
			t.Errorf("%v, want %v", x.got, x.want)
		}
	}
}
