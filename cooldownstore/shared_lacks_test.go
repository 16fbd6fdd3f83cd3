package cooldownstore_test

import (
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

func TestLacks(t *testing.T) {
	const now = breaker.Instant(1000 * time.Hour)
	set := func(setter string, stamp breaker.Stamp, left time.Duration) breaker.Snapshot {
		c := breaker.Cooldown{Setter: setter, Stamp: stamp, Until: now.Add(left), Length: left, Reason: breaker.ReasonCLIOpen}
		if setter == cooldownstore.ForeignSetter {
			c.Reason = breaker.ReasonStore
		}
		return breaker.Snapshot{Cooldowns: []breaker.Cooldown{c}}
	}
	cleared := func(stamp breaker.Stamp) breaker.Snapshot { return breaker.Snapshot{Clear: stamp} }
	nothing := breaker.Snapshot{}
	for _, tt := range []struct {
		what      string
		there, is breaker.Snapshot
		want      bool
	}{
		{"a cooldown it never heard of", nothing, set("a", 5, time.Minute), true},
		{"one that ended", nothing, set("a", 5, -time.Second), false},
		{"one it has, placed a little off", set("a", 5, time.Minute+time.Millisecond), set("a", 5, time.Minute), false},
		{"a longer one than it has", set("b", 5, time.Minute), set("a", 5, time.Hour), true},
		{"one that a later and longer one makes redundant", set("b", 6, time.Hour), set("a", 5, time.Minute), false},
		{"one that was cleared there", cleared(5), set("a", 5, time.Minute), false},
		{"one set after the clear there", cleared(5), set("a", 6, time.Minute), true},
		{"a clear of what it holds", set("a", 5, time.Minute), cleared(5), true},
		{"a clear from before what it holds", set("a", 5, time.Minute), cleared(4), false},
		{"a clear of nothing there", nothing, cleared(5), false},
		{"another program's deadline that each saw first at another time", set("store", 5, time.Minute), set("store", 9, time.Minute), false},
		{"a shorter one of a program beside a longer one, which was seen earlier", set("store", 5, time.Hour), set("store", 9, time.Minute), false},
		{"a shorter one of a program beside a longer one of a cluster, which was set earlier", set("a", 5, time.Hour), set("store", 9, time.Minute), false},
		{"another program's deadline it does not have", set("store", 5, time.Minute), set("store", 9, time.Hour), true},
	} {
		if got := cooldownstore.Lacks(tt.there, tt.is, now); got != tt.want {
			t.Errorf("%s: Lacks is %v, want %v", tt.what, got, tt.want)
		}
	}
}

func TestOutlives(t *testing.T) {
	const now = breaker.Instant(1000 * time.Hour)
	set := func(setter string, left time.Duration) breaker.Snapshot {
		return breaker.Snapshot{Cooldowns: []breaker.Cooldown{{Setter: setter, Stamp: 5, Until: now.Add(left)}}}
	}
	for _, tt := range []struct {
		what      string
		there, is breaker.Snapshot
		want      bool
	}{
		{"ended long ago", set("a", time.Minute), set("a", -cooldownstore.KeepEnded), true},
		{"ended lately", set("a", time.Minute), set("a", time.Second-cooldownstore.KeepEnded), false},
		{"over there too", set("a", 0), set("a", -cooldownstore.KeepEnded), false},
		{"another's", set("b", time.Minute), set("a", -cooldownstore.KeepEnded), false},
		{"another program's, of which is known when it was seen", set("store", time.Minute), set("store", -cooldownstore.KeepEnded), false},
		{"not known", set("a", time.Minute), breaker.Snapshot{}, false},
	} {
		if got := cooldownstore.Outlives(tt.there, tt.is, now); got != tt.want {
			t.Errorf("%s: Outlives is %v, want %v", tt.what, got, tt.want)
		}
	}
}
