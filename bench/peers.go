package bench

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/sony/gobreaker/v2"

	"fleetfuse/breaker"
	"fleetfuse/gate"
)

var errCall = errors.New("503")

func callAll(g *gate.Gate, names []string) {
	for _, name := range names {
		d := g.Allow(context.Background(), gate.Call{Host: name})
		d.Success()
	}
}

func startGate(s Scenario, names []string) (func(worker, n int), func()) {
	g, o := newGate(0)
	callAll(g, names)
	if s.Open {
		for _, name := range names {
			now := o.clock.Now()
			o.Cool(breaker.HostKey(name), breaker.Cooldown{
				Setter: "n1", Stamp: o.clock.Stamp(), Until: now.Add(time.Hour), Length: time.Hour,
				Reason: breaker.ReasonRetryAfter,
			})
		}
	}
	names = clone(names)
	h := g.Host(names[0])
	ctx := context.Background()
	failure := gate.Result{Evidence: breaker.Evidence{Status: 503}}
	if s.Handle {
		return func(_, n int) { handleLoop(ctx, h, n) }, o.stop
	}
	return func(worker, n int) {
		at, left := worker*len(names)/2, s.FailEvery
		for range n {
			d := g.Allow(ctx, gate.Call{Host: names[at]})
			if at++; at == len(names) {
				at = 0
			}
			if !d.Allowed() {
				continue
			}
			if left--; left == 0 {
				left = s.FailEvery
				d.Report(failure)
				continue
			}
			d.Success()
		}
	}, o.stop
}

func handleLoop(ctx context.Context, h gate.Host, n int) {
	for range n {
		d := h.Allow(ctx, "")
		if d.Allowed() {
			d.Success()
		}
	}
}

func startGobreaker(s Scenario, names []string) (func(worker, n int), func()) {
	var table sync.Map
	for _, name := range names {
		b := gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{Name: name})
		if s.Open {
			for range 6 {
				_, _ = b.Execute(func() (struct{}, error) { return struct{}{}, errCall })
			}
		}
		table.Store(name, b)
	}
	names = clone(names)
	first, _ := table.Load(names[0])
	ok := func() (struct{}, error) { return struct{}{}, nil }
	bad := func() (struct{}, error) { return struct{}{}, errCall }
	return func(worker, n int) {
		at, left := worker*len(names)/2, s.FailEvery
		for range n {
			v := first
			if !s.Handle {
				v, _ = table.Load(names[at])
			}
			if at++; at == len(names) {
				at = 0
			}
			call := ok
			if left--; left == 0 {
				left, call = s.FailEvery, bad
			}
			_, _ = v.(*gobreaker.CircuitBreaker[struct{}]).Execute(call)
		}
	}, func() {}
}

func startFailsafe(s Scenario, names []string) (func(worker, n int), func()) {
	var table sync.Map
	for _, name := range names {
		b := circuitbreaker.NewBuilder[any]().WithFailureThreshold(5).WithDelay(time.Minute).Build()
		if s.Open {
			b.Open()
		}
		table.Store(name, b)
	}
	names = clone(names)
	first, _ := table.Load(names[0])
	return func(worker, n int) {
		at, left := worker*len(names)/2, s.FailEvery
		for range n {
			v := first
			if !s.Handle {
				v, _ = table.Load(names[at])
			}
			if at++; at == len(names) {
				at = 0
			}
			b := v.(circuitbreaker.CircuitBreaker[any])
			if !b.TryAcquirePermit() {
				continue
			}
			if left--; left == 0 {
				left = s.FailEvery
				b.RecordFailure()
				continue
			}
			b.RecordSuccess()
		}
	}, func() {}
}
