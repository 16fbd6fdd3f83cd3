package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fleetfuse/internal/fleet"
)

const (
	trips     = 200
	hungTrips = 50
	round     = 50 * time.Millisecond // of witnesses, at the longest

	// settled is longer than anything waits that a failure before t0 set off.
	settled = 80 * time.Millisecond
	// calm lets the members forget that one was away.
	calm = 300 * time.Millisecond
)

// trip measures from just before the report is sent that completes fail_max
// until the last node rejects. The report goes over HTTP, and the nodes tell
// on their streams; a gate rejects before its stream says so.
func trip(ctx context.Context, b *bench) error {
	c, err := b.fleet(ctx)
	defer c.end()
	if err != nil {
		return err
	}
	s, err := follow(ctx, c.nodes)
	if err != nil {
		return err
	}
	defer s.end()
	t := &tripper{crew: c, streams: s}
	took, hollow, verified, err := t.allAnswer(ctx)
	if err != nil {
		return err
	}
	if t.never > 0 {
		b.say("  trips that did not come about: evidence was given up, or refused", fmt.Sprint(t.never), "on a machine that is too busy", beside)
	}
	p50, p99 := at(took, 0.5), at(took, 0.99)
	b.say(fmt.Sprintf("%d trips: completing report -> last of %d nodes rejects", trips, size), quantiles(took), "p50 <= 3 ms, p99 <= 15 ms",
		b.verdict(p50 <= 3*time.Millisecond && p99 <= 15*time.Millisecond))
	b.say("  an empty HTTP round trip before each", quantiles(hollow), fmt.Sprintf("a trip is %.1f of them", p50.Seconds()/at(hollow, 0.5).Seconds()), beside)
	b.say("  POST /v1/allow on every node afterwards", fmt.Sprintf("%d of %d reject", verified, trips*size), "all", b.verdict(verified == trips*size))

	if took, err = t.oneHangs(ctx); err != nil {
		return err
	}
	p50, p99 = at(took, 0.5), at(took, 0.99)
	b.say(fmt.Sprintf("%d trips with one more member stopped -> last of %d rejects", hungTrips, size-1), quantiles(took), "p50 <= 53 ms, p99 <= 65 ms",
		b.verdict(p50 <= round+3*time.Millisecond && p99 <= round+15*time.Millisecond))
	return nil
}

type tripper struct {
	*crew
	*streams
	never int // trips that did not come about: a failure is not reported twice
}

// maxNever is how many of the trips may fail to come about.
const maxNever = 5

// seers are two nodes that see failures; each pair has its turn.
func seers(i int) (a, b int) {
	a = i % size
	return a, (a + 1 + i/size%(size-1)) % size
}

// provoke reports all failures but the last.
func (t *tripper) provoke(ctx context.Context, host string, a, b int) error {
	for k := range failMax - 1 {
		n := t.nodes[a]
		if k == failMax-2 {
			n = t.nodes[b]
		}
		if err := n.Report(ctx, failures(host, 1)...); err != nil {
			return err
		}
	}
	time.Sleep(settled)
	return nil
}

func (t *tripper) allAnswer(ctx context.Context) (took, hollow []time.Duration, verified int, err error) {
	everybody := []int{0, 1, 2, 3, 4}
	for i := 0; len(took) < trips; i++ {
		host := fmt.Sprintf("trip-%d.example.org", i)
		a, b := seers(i)
		if err := t.provoke(ctx, host, a, b); err != nil {
			return nil, nil, 0, err
		}
		d, err := empty(ctx, t.nodes[b])
		if err != nil {
			return nil, nil, 0, err
		}
		hollow = append(hollow, d)
		d, err = t.complete(ctx, host, b, everybody)
		if errors.Is(err, errNever) && t.never < maxNever {
			t.never++
			continue
		}
		if err != nil {
			return nil, nil, 0, err
		}
		took = append(took, d)
		for _, n := range t.nodes {
			answer, err := n.Allow(ctx, host)
			if err != nil {
				return nil, nil, 0, err
			}
			if !answer.Allowed && answer.Reason == "consecutive-failures" {
				verified++
			}
		}
		t.forget(host)
	}
	return took, hollow, verified, nil
}

// complete sends the last failure to node b and waits for the rejections.
func (t *tripper) complete(ctx context.Context, host string, b int, nodes []int) (time.Duration, error) {
	start := time.Now()
	if err := t.nodes[b].Report(ctx, failures(host, 1)...); err != nil {
		return 0, err
	}
	last, err := t.opened(ctx, host, nodes...)
	return last.Sub(start), err
}

// oneHangs stops a member that neither saw a failure nor owns the key; each
// has its turn.
func (t *tripper) oneHangs(ctx context.Context) (took []time.Duration, err error) {
	for i := range hungTrips {
		host := fmt.Sprintf("hung-%d.example.org", i)
		a, b := seers(i)
		owner, err := t.nodes[a].Owner(ctx, host)
		if err != nil {
			return nil, err
		}
		rest := slices.DeleteFunc([]int{0, 1, 2, 3, 4}, func(k int) bool { return k == a || k == b || t.nodes[k].Name == owner.Owner })
		hung := rest[i%len(rest)]
		if err := t.provoke(ctx, host, a, b); err != nil {
			return nil, err
		}
		d, err := t.stopped(t.nodes[hung], func() (time.Duration, error) {
			return t.complete(ctx, host, b, slices.DeleteFunc([]int{0, 1, 2, 3, 4}, func(k int) bool { return k == hung }))
		})
		if err != nil {
			return nil, err
		}
		took = append(took, d)
		if _, err := t.opened(ctx, host, hung); err != nil {
			return nil, fmt.Errorf("node %s, which hung: %w", t.nodes[hung].Name, err)
		}
		t.forget(host)
		time.Sleep(calm)
	}
	return took, nil
}

// stopped does something while a node is stopped.
func (t *tripper) stopped(n *fleet.Node, do func() (time.Duration, error)) (time.Duration, error) {
	if err := n.Pause(); err != nil {
		return 0, err
	}
	d, err := do()
	if errResume := n.Resume(); err == nil {
		err = errResume
	}
	return d, err
}
