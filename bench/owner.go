package bench

import (
	"time"

	"sync"

	"fleetfuse/breaker"
	"fleetfuse/gate"
	"fleetfuse/internal/clock"
)

// owner runs the machines that own the keys behind a mailbox, as an actor
// system does, and announces to the gate.
type owner struct {
	clock             *clock.Clock
	policy            *breaker.Policy
	gate              *gate.Gate
	mailbox           chan batch
	done              sync.WaitGroup
	batches, outcomes int // what arrived; to be read after stop
}

type batch struct {
	key      breaker.Key
	outcomes []breaker.Outcome
	cool     *breaker.Cooldown
}

// newGate starts a gate, its owner and its clock.
func newGate(maxHosts int) (*gate.Gate, *owner) {
	p := breaker.DefaultPolicy()
	o := &owner{clock: clock.New(), policy: &p, mailbox: make(chan batch, 1024)}
	o.gate = gate.New(gate.Options{
		Node: "n1", Owner: o, Clock: o.clock, MaxHosts: maxHosts, Usage: true,
		Policy: func(breaker.Key) *breaker.Policy { return o.policy },
	})
	o.done.Go(o.run)
	return o.gate, o
}

func (o *owner) stop() {
	o.gate.Stop()
	close(o.mailbox)
	o.done.Wait()
	o.clock.Stop()
}

func (o *owner) run() {
	machines := map[breaker.Key]*breaker.Machine{}
	for b := range o.mailbox {
		m := machines[b.key]
		if m == nil {
			m = breaker.New(o.policy)
			machines[b.key] = m
		}
		o.batches++
		o.outcomes += len(b.outcomes)
		for _, out := range b.outcomes {
			o.announce(b.key, m.Report(o.clock.Moment(1), out))
		}
		if b.cool != nil {
			o.announce(b.key, m.Cool(o.clock.Moment(1), *b.cool))
		}
	}
}

func (o *owner) announce(key breaker.Key, e breaker.Effects) {
	if e.Announce != nil {
		o.gate.Apply(key, e.Announce.Snapshot)
	}
}

// Ask, Report, Return and Cool make owner a gate.Owner. No cell probes.
func (o *owner) Ask(_ breaker.Key, _ breaker.Question, _ time.Duration, answer func(breaker.Answer, error)) {
	answer(breaker.Answer{State: breaker.HalfOpen, RetryIn: breaker.MinRetryIn}, nil)
}

func (o *owner) Report(key breaker.Key, outcomes []breaker.Outcome) {
	o.mailbox <- batch{key: key, outcomes: outcomes}
}

func (o *owner) Return(breaker.Key, breaker.PermitID) {}

func (o *owner) Cool(key breaker.Key, c breaker.Cooldown) {
	o.gate.Apply(key, breaker.Snapshot{Cooldowns: []breaker.Cooldown{c}})
	o.mailbox <- batch{key: key, cool: &c}
}
