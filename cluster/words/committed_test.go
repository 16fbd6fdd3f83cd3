package words_test

import (
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/words"
)

// A close is on this disk and waits for another one. What is written of its key
// meanwhile, because a Retry-After was heard, must not take it away.
func TestCommittedWordsAreKept(t *testing.T) {
	const key = breaker.Key("host:a")
	cooled := func(stamp breaker.Stamp) breaker.Snapshot {
		return breaker.Snapshot{Cooldowns: []breaker.Cooldown{{Setter: "n", Stamp: stamp, Until: breaker.Instant(time.Hour), Length: time.Hour}}}
	}
	closed := breaker.Snapshot{Clear: 5, ClearKept: breaker.Instant(time.Hour)}
	var c words.Committed
	if got := c.With(key, cooled(3)); len(got.Cooldowns) != 1 {
		t.Fatalf("without a word it is %+v", got)
	}
	c.Begin(key, closed)
	for range 2 {
		if got := c.With(key, cooled(3)); got.Clear != 5 || len(got.Cooldowns) != 0 {
			t.Errorf("it is written as %+v, want it closed", got)
		}
	}
	if got := c.With("host:b", cooled(3)); got.Clear != 0 {
		t.Errorf("another key is written as %+v", got)
	}
	announced := cooled(6)
	announced.Merge(closed)
	if got := c.With(key, announced); got.Clear != 5 || len(got.Cooldowns) != 1 {
		t.Errorf("when the view holds it, it is written as %+v", got)
	}
	if got := c.With(key, cooled(3)); got.Clear != 0 {
		t.Errorf("the word is remembered although the view held it: %+v", got)
	}
	c.Begin(key, closed)
	c.GiveUp(key)
	if got := c.With(key, cooled(3)); got.Clear != 0 {
		t.Errorf("a word that was given up is written: %+v", got)
	}
}
