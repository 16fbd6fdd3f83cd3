package actors_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"fleetfuse/actors"
	"fleetfuse/breaker"
	"fleetfuse/wire"
)

// ask sends a message in wire form to the key's actor, as another node would.
func (r *rig) ask(t *testing.T, msg any) any {
	t.Helper()
	answer, err := r.cluster.System.Root.RequestFuture(r.cluster.PID("breaker", string(key)), msg, patience).Result()
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestWireMessages(t *testing.T) {
	r := newRig(t, nil)
	age := int64(time.Millisecond)
	for range 5 {
		r.cluster.Deliver("breaker", string(key), &wire.Report{Node: "n2", Outcomes: []*wire.Outcome{
			{Kind: wire.Kind_KIND_FAILURE, BeganAge: &age, EndedAge: &age},
		}}, nil)
	}
	if m := r.next(t); m.To != breaker.Open {
		t.Fatalf("announced %+v, want open", m)
	}
	if got, ok := r.ask(t, &wire.Ask{Id: 1, Node: "n2"}).(*wire.AskReply); !ok || got.State != wire.State_STATE_OPEN {
		t.Errorf("Ask: %v, want open", got)
	}
	if got, ok := r.ask(t, &wire.Inspect{}).(*wire.InspectReply); !ok || got.Snapshot.Circuit.GetRemaining() <= 0 {
		t.Errorf("Inspect: %v, want what remains of the open circuit", got)
	}
	if got, ok := r.ask(t, &wire.OperatorClose{Author: "ann"}).(*wire.OperatorReply); !ok || !got.Durable || got.Before.State != wire.State_STATE_OPEN {
		t.Errorf("OperatorClose: %v, want a durable close of an open breaker", got)
	}
	if got, ok := r.ask(t, &wire.OperatorOpen{Length: int64(time.Hour)}).(*wire.OperatorReply); !ok || got.After.State != wire.State_STATE_OPEN {
		t.Errorf("OperatorOpen: %v, want open", got)
	}
	r.keeper.mu.Lock()
	r.keeper.err = errors.New("disk full")
	r.keeper.mu.Unlock()
	if got, ok := r.ask(t, &wire.OperatorClose{}).(*wire.OperatorReply); !ok || got.Durable || got.Error != "disk full" {
		t.Errorf("OperatorClose on a full disk: %v, want why it is not durable", got)
	}
}

func TestWirePanic(t *testing.T) {
	r := newRig(t, func(r *rig) { r.opt.Policy = func(breaker.Key) *breaker.Policy { panic("no policy") } })
	if got, ok := r.ask(t, &wire.Ask{Id: 1}).(*wire.Failure); !ok || !got.Panicked {
		t.Errorf("Ask: %v, want a failure that says panicked", got)
	}
}

// TestPassivationLosesNothing asks while actors come and go all the time.
func TestPassivationLosesNothing(t *testing.T) {
	r := newRig(t, func(r *rig) { r.opt.IdleAfter = time.Microsecond })
	var work sync.WaitGroup
	for range 8 {
		work.Go(func() {
			for i := range 300 {
				k := breaker.HostKey(string(rune('a' + i%3)))
				if _, err := r.Inspect(t.Context(), k); err != nil && !errors.Is(err, actors.ErrNoOwner) {
					t.Error(err)
				} else if err != nil {
					t.Errorf("a question was lost: %v", err)
				}
			}
		})
	}
	work.Wait()
}
