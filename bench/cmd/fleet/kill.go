package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

const (
	kills    = 10
	tryEvery = 25 * time.Millisecond
	tries    = 200 // times tryEvery: the longest a kill is watched
	probed   = 100 // half-open breakers of the node that is killed
	takeover = 2 * time.Second
)

// kill kills the owner of breakers and measures until the next one counts and
// grants probes. Nodes are asked all the time whether a cooldown that was
// acknowledged still holds.
func kill(ctx context.Context, b *bench) error {
	c, err := b.fleet(ctx, "--breaker-defaults", "reset:1,half_open.jitter:0")
	defer c.end()
	if err != nil {
		return err
	}
	var lost, counts, grants, rings []time.Duration
	answers, gaps := 0, 0
	for i := range kills {
		k, err := prepare(ctx, c, i)
		if err != nil {
			return fmt.Errorf("kill %d: %w", i+1, err)
		}
		if err := k.run(ctx); err != nil {
			return fmt.Errorf("kill %d, of %s: %w", i+1, c.nodes[k.victim].Name, err)
		}
		lost, counts, grants = append(lost, k.lost), append(counts, k.counts), append(grants, k.grants)
		if k.ring > 0 {
			rings = append(rings, k.ring)
		}
		answers, gaps = answers+k.guard.answers, gaps+k.guard.gaps
	}
	of := fmt.Sprintf("%d kills: kill -9 of the owner -> ", kills)
	b.say(of+"the next one trips a host", quantiles(counts), "p50 <= 2 s", b.verdict(at(counts, 0.5) <= takeover))
	b.say(of+"the next one grants a probe", quantiles(grants), "p50 <= 2 s", b.verdict(at(grants, 0.5) <= takeover))
	b.say("  until the members have given it up", quantiles(lost), "", beside)
	if len(rings) > 0 {
		b.say("  until a node that no owner answers lets a probe go", quantiles(rings), "its own ring, meanwhile", beside)
	}
	b.say("  acknowledged cooldowns asked for meanwhile", fmt.Sprintf("%d of %d answers were yes", gaps, answers), "0", b.verdict(gaps == 0))
	return nil
}

// killing is one kill.
type killing struct {
	*crew
	victim int
	rest   []*fleet.Node
	count  []string // closed, owned by the victim
	half   []string // half-open, owned by the victim
	guard  *guard
	start  time.Time

	lost, counts, grants, ring time.Duration
}

// prepare makes breakers of every kind on the node that will be killed.
func prepare(ctx context.Context, c *crew, i int) (*killing, error) {
	k := &killing{crew: c, victim: i % size}
	k.rest = c.others(k.victim)
	var err error
	if k.count, err = c.ownedBy(ctx, k.victim, tries, fmt.Sprint("count", i)); err != nil {
		return nil, err
	}
	if k.half, err = c.ownedBy(ctx, k.victim, probed, fmt.Sprint("half", i)); err != nil {
		return nil, err
	}
	var first, last []api.Outcome
	for _, h := range k.half {
		first = append(first, failures(h, failMax-1)...)
		last = append(last, failures(h, 1)...)
	}
	if err := k.rest[0].Report(ctx, first...); err != nil {
		return nil, err
	}
	if err := k.rest[1].Report(ctx, last...); err != nil {
		return nil, err
	}
	cold, err := c.ownedBy(ctx, k.victim, 3, fmt.Sprint("cold", i))
	if err != nil {
		return nil, err
	}
	if err := k.chill(ctx, cold); err != nil {
		return nil, err
	}
	time.Sleep(1200 * time.Millisecond) // the circuits run out
	for _, h := range k.half {
		if x, err := k.rest[0].Breaker(ctx, h); err != nil || x.State != "half_open" || x.Local {
			return nil, fmt.Errorf("%s should be half-open: %+v, %w", h, x, err)
		}
	}
	k.guard = guarded(ctx, cold)
	for _, n := range k.rest {
		k.guard.ask(n)
	}
	return k, nil
}

// chill sets cooldowns and waits until they are acknowledged: one that a
// survivor saw, one that the victim saw, one of an operator.
func (k *killing) chill(ctx context.Context, cold []string) error {
	for i, n := range []*fleet.Node{k.rest[0], k.nodes[k.victim]} {
		if err := n.Report(ctx, api.Outcome{Host: cold[i], Status: 429, RetryAfter: "900"}); err != nil {
			return err
		}
		if err := n.Await(ctx, "a durable cooldown", func() (bool, error) {
			x, err := n.Breaker(ctx, cold[i])
			return x.Durable, err
		}); err != nil {
			return err
		}
	}
	if r, err := k.rest[1].Open(ctx, cold[2], time.Hour); err != nil || !r.Durable || r.Copies < 2 {
		return fmt.Errorf("an operator's open: %+v, %w", r, err)
	}
	for _, h := range cold {
		for _, n := range k.rest {
			if err := n.Await(ctx, "a cooldown", func() (bool, error) {
				a, err := n.Allow(ctx, h)
				return !a.Allowed, err
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// run kills, measures, and starts the node again.
func (k *killing) run(ctx context.Context) error {
	defer k.guard.end()
	s, err := follow(ctx, k.rest)
	if err != nil {
		return err
	}
	defer s.end()
	k.start = time.Now()
	k.nodes[k.victim].Kill()
	err = all([]func(context.Context) error{
		func(ctx context.Context) error { return k.awaitTrip(ctx, s) },
		k.awaitGrant,
		func(ctx context.Context) error {
			err := k.rest[0].AwaitMembers(ctx, size-1)
			k.lost = time.Since(k.start)
			return err
		},
	}, func(_ int, watch func(context.Context) error) error { return watch(ctx) })
	if err != nil {
		return err
	}
	if err := k.restart(ctx, k.victim); err != nil {
		return err
	}
	k.guard.ask(k.nodes[k.victim])
	time.Sleep(settled)
	return nil
}

// awaitTrip complains about one host after the other until the fleet rejects
// one of them: until then what is reported is lost with its owner.
func (k *killing) awaitTrip(ctx context.Context, s *streams) error {
	for _, h := range k.count {
		if err := k.rest[0].Report(ctx, failures(h, failMax-1)...); err != nil {
			return err
		}
		if err := k.rest[1].Report(ctx, failures(h, 1)...); err != nil {
			return err
		}
		time.Sleep(tryEvery)
		for _, h := range k.count {
			list, err := s.of(h)
			if err != nil {
				return err
			}
			for _, x := range list {
				if x.open() {
					k.counts = x.at.Sub(k.start)
					return nil
				}
			}
		}
	}
	return fmt.Errorf("nobody counted for %v", time.Since(k.start))
}

// awaitGrant asks about one half-open host after the other, at each of the
// others in turn, until a permit comes from an owner.
func (k *killing) awaitGrant(ctx context.Context) error {
	var mu sync.Mutex
	var asked sync.WaitGroup
	defer asked.Wait()
	granted := make(chan struct{})
	for i, h := range k.half {
		n := k.rest[i%len(k.rest)]
		asked.Go(func() {
			a, err := n.Allow(ctx, h)
			took := time.Since(k.start)
			if err != nil || !a.Allowed || a.Permit == "" {
				return
			}
			x, err := n.Breaker(ctx, h)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil || len(x.Permits) == 0: // the owner knows of none
				if k.ring == 0 || took < k.ring {
					k.ring = took
				}
			case k.grants == 0:
				k.grants = took
				close(granted)
			case took < k.grants:
				k.grants = took
			}
		})
		select {
		case <-granted:
			return nil
		case <-time.After(tryEvery):
		}
	}
	return fmt.Errorf("nobody granted a probe for %v", time.Since(k.start))
}
