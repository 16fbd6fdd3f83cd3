package spread_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
)

// TestLateWordIsNotCarriedOut: the owner was stopped, or the connection hung, and
// the word arrives when whoever said it was told otherwise.
func TestLateWordIsNotCarriedOut(t *testing.T) {
	for _, body := range changes {
		t.Run(fmt.Sprintf("%T", body), func(t *testing.T) {
			w := newWorld(t, 3, 3)
			owner := w.owner(w.nodes[0])
			asker := w.other(owner)
			w.delay = func() time.Duration { return 10 * time.Second }
			late := asker.request(body)
			w.run(9 * time.Second)
			if err, ok := asker.done[late].(error); !ok || !errors.Is(err, spread.ErrNoOwner) {
				t.Fatalf("after 9 s the request ended with %v; want no owner", asker.done[late])
			}
			w.run(time.Minute)
			if owner.served != 0 {
				t.Errorf("it was carried out %d times when nobody waited any more", owner.served)
			}
			w.delay = func() time.Duration { return time.Millisecond }
			id := asker.request(body)
			w.until(time.Second, "an answer", func() bool { return asker.done[id] != nil })
			if owner.served != 1 {
				t.Errorf("one whose asker waits was carried out %d times", owner.served)
			}
		})
	}
}

// TestWordIsCarriedOutOnce: every message comes three times, seconds apart. Some words
// are not answered in time, none is carried out twice.
func TestWordIsCarriedOutOnce(t *testing.T) {
	for _, body := range changes {
		t.Run(fmt.Sprintf("%T", body), func(t *testing.T) {
			w := newWorld(t, 3, 3)
			owner := w.owner(w.nodes[0])
			asker := w.other(owner)
			w.copies = 2
			w.delay = func() time.Duration { return time.Duration(w.rand.Int64N(int64(2500 * time.Millisecond))) }
			answered := 0
			for range 300 {
				served := owner.served
				id := asker.request(body)
				w.run(15 * time.Second)
				if _, failed := asker.done[id].(error); !failed {
					answered++
				}
				if owner.served > served+1 {
					t.Fatalf("a word was carried out %d times", owner.served-served)
				}
			}
			if answered < 200 {
				t.Errorf("%d of 300 words were answered", answered)
			}
		})
	}
}

// changes are the requests that must not be carried out late, or twice.
var changes = []any{spread.Word{Author: "op"}, spread.Lay{Set: "fail_max:3"}}

// request asks the owner as an operator does.
func (n *node) request(body any) (id uint64) {
	n.do(func(now breaker.Instant) (e spread.Effects) {
		id, e = n.n.Request(now, key, body, 6*time.Second)
		return e
	})
	return id
}
