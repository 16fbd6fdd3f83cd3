package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

const (
	toldTrips    = 300
	manyFollow   = 1000
	eventsLimit  = 30 * time.Second
	eventsFollow = 50 * time.Millisecond // the bar
)

// events measures from just before the report is sent that trips a breaker until
// a follower on a node that saw none of it is told the event, first alone, then
// beside many others.
func events(ctx context.Context, b *bench) error {
	c, err := b.fleet(ctx)
	defer c.end()
	if err != nil {
		return err
	}
	took, never, err := c.tellTrips(ctx, "told")
	if err != nil {
		return err
	}
	b.say(fmt.Sprintf("%d trips: completing report -> event at a follower elsewhere", toldTrips), quantiles(took), "p99 <= 50 ms",
		b.verdict(at(took, 0.99) <= eventsFollow))
	if never > 0 {
		b.say("  trips that did not come about", fmt.Sprint(never), "on a machine that is too busy", beside)
	}
	end, err := c.crowd(ctx)
	defer end()
	if err != nil {
		return err
	}
	if took, _, err = c.tellTrips(ctx, "crowd"); err != nil {
		return err
	}
	b.say(fmt.Sprintf("  beside %d followers on one of the nodes", manyFollow), quantiles(took), "", beside)
	return nil
}

// crowd has many follow at the first node.
func (c *crew) crowd(ctx context.Context) (end func(), err error) {
	client := &http.Client{Transport: &http.Transport{}}
	var followers []*fleet.Follower
	end = func() {
		for _, f := range followers {
			f.Close()
		}
		client.CloseIdleConnections()
	}
	for range manyFollow {
		f, err := fleet.FollowEvents(ctx, client, c.nodes[0].HTTP, "", "")
		if err != nil {
			return end, err
		}
		followers = append(followers, f)
	}
	return end, nil
}

// tellTrips trips breakers of hosts with a word in their names.
func (c *crew) tellTrips(ctx context.Context, word string) (took []time.Duration, never int, err error) {
	followers := make([]*fleet.Follower, len(c.nodes))
	var mu sync.Mutex
	err = all(c.nodes, func(i int, n *fleet.Node) error {
		f, err := n.Follow(ctx, "kind=transition", "")
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		followers[i] = f
		return f.Await(ctx, "the first batch", func(t fleet.Told) bool { return t.Position != "" })
	})
	defer func() {
		for _, f := range followers {
			if f != nil {
				f.Close()
			}
		}
	}()
	if err != nil {
		return nil, 0, err
	}
	t := &tripper{crew: c}
	for i := 0; len(took) < toldTrips; i++ {
		host := fmt.Sprintf("%s-%d.example.org", word, i)
		a, b := seers(i)
		elsewhere := followers[slices.IndexFunc(c.nodes, func(n *fleet.Node) bool { return n != c.nodes[a] && n != c.nodes[b] })]
		if err := t.provoke(ctx, host, a, b); err != nil {
			return nil, never, err
		}
		start := time.Now()
		if err := c.nodes[b].Report(ctx, failures(host, 1)...); err != nil {
			return nil, never, err
		}
		at, err := toldAt(ctx, elsewhere, host)
		switch {
		case err == nil:
			took = append(took, at.Sub(start))
		case ctx.Err() != nil || never == maxNever:
			return nil, never, err
		default:
			never++
		}
	}
	return took, never, nil
}

// toldAt is when a follower was told that a host's breaker opened.
func toldAt(ctx context.Context, f *fleet.Follower, host string) (at time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, eventsLimit)
	defer cancel()
	err = f.Await(ctx, "the trip of "+host, func(t fleet.Told) bool {
		i := slices.IndexFunc(t.Events, func(e api.Event) bool { return e.Key == "host:"+host && e.To == "open" })
		if i >= 0 {
			at = t.At[i]
		}
		return i >= 0
	})
	return at, err
}
