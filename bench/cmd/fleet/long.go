package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

const (
	cutFor    = 3 * time.Minute
	healBar   = 15 * time.Second
	lossFor   = 10 * time.Minute
	lossShare = 0.05
	lossPause = 500 * time.Millisecond // between trips
	sampled   = 50                     // keys whose owner is compared
)

// apart measures a fleet with a machine, a network namespace, for every node.
// Where there can be none it says that the row is skipped.
func (b *bench) apart(ctx context.Context, what string, measure func(*crew, *fleet.Network) error) error {
	w, err := fleet.NewNetwork(size)
	if errors.Is(err, fleet.ErrNoNetwork) {
		b.say(what, "skipped: "+err.Error(), "", beside)
		return nil
	}
	if err != nil {
		return err
	}
	c := &crew{program: b.program()}
	c.nodes, err = w.StartCluster(ctx, c.program, "--insecure", "--breaker-defaults", "reset:3600")
	if err == nil {
		err = measure(c, w)
	}
	c.end()
	return errors.Join(err, w.Close())
}

// partition splits three nodes from two, has both sides learn something, and
// measures from the heal until they agree again.
func partition(ctx context.Context, b *bench) error {
	what := fmt.Sprintf("%v split 3 and 2 -> members, owners and views equal", cutFor)
	return b.apart(ctx, what, func(c *crew, w *fleet.Network) error {
		if err := c.disturb(ctx, "before", c.nodes); err != nil {
			return err
		}
		if err := w.Split(3, 4); err != nil {
			return err
		}
		cut := time.Now()
		for i, n := range c.nodes {
			side := 3
			if i >= 3 {
				side = 2
			}
			if err := n.AwaitMembers(ctx, side); err != nil {
				return err
			}
		}
		noticed := time.Since(cut)
		if err := errors.Join(c.disturb(ctx, "many", c.nodes[:3]), c.disturb(ctx, "few", c.nodes[3:])); err != nil {
			return err
		}
		select {
		case <-time.After(time.Until(cut.Add(cutFor))):
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := w.Heal(3, 4); err != nil {
			return err
		}
		healed := time.Now()
		why, err := c.agree(ctx, time.Minute)
		took := time.Since(healed)
		if err != nil {
			return err
		}
		b.say(what, ms(took)+why, "<= 15 s", b.verdict(why == "" && took <= healBar))
		b.say("  until each side had given the other up", ms(noticed), "", beside)
		return nil
	})
}

// disturb has nodes trip one host and learn of a Retry-After and an operator's
// open of others.
func (c *crew) disturb(ctx context.Context, word string, nodes []*fleet.Node) error {
	for i := range 20 {
		host := fmt.Sprintf("%s-%d.example.org", word, i)
		var err error
		switch i % 3 {
		case 0:
			if err = nodes[0].Report(ctx, failures(host, failMax-1)...); err == nil {
				err = nodes[1].Report(ctx, failures(host, 1)...)
			}
		case 1:
			err = nodes[i%len(nodes)].Report(ctx, api.Outcome{Host: host, Status: 429, RetryAfter: "900"})
		case 2:
			_, err = nodes[i%len(nodes)].Open(ctx, host, time.Hour)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// agree waits until all nodes agree; why says what they do not agree on at the
// end of the limit.
func (c *crew) agree(ctx context.Context, limit time.Duration) (why string, err error) {
	for end := time.Now().Add(limit); ; {
		first, err := picture(ctx, c.nodes[0])
		if err != nil {
			return "", err
		}
		why = ""
		if n := strings.Count(first, api.MemberAlive); n != size {
			why = fmt.Sprintf("; %s sees %d members", c.nodes[0].Name, n)
		}
		for _, n := range c.nodes[1:] {
			other, err := picture(ctx, n)
			if err != nil {
				return "", err
			}
			if other != first {
				why = fmt.Sprintf("; %s and %s differ", c.nodes[0].Name, n.Name)
			}
		}
		if why == "" || time.Now().After(end) {
			return why, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// picture is what a node believes of members, owners and breakers.
func picture(ctx context.Context, n *fleet.Node) (string, error) {
	var lines []string
	members, err := n.Members(ctx)
	if err != nil {
		return "", err
	}
	for _, m := range members {
		lines = append(lines, m.Name+" "+m.State)
	}
	list, err := n.Breakers(ctx)
	if err != nil {
		return "", err
	}
	for _, x := range list.Breakers {
		lines = append(lines, fmt.Sprintln(x.Key, x.State, x.Reason, x.Author, x.Owner))
	}
	for i := range sampled {
		o, err := n.Owner(ctx, fmt.Sprintf("owned-%d.example.org", i))
		if err != nil {
			return "", err
		}
		lines = append(lines, o.Key+" "+o.Owner)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n"), nil
}

// loss has a network lose packets and counts the members given up for it, while
// hosts trip one after the other.
func loss(ctx context.Context, b *bench) error {
	what := fmt.Sprintf("%v at %.0f %% loss: members given up", lossFor, 100*lossShare)
	return b.apart(ctx, what, func(c *crew, w *fleet.Network) error {
		s, err := follow(ctx, c.nodes)
		if err != nil {
			return err
		}
		defer s.end()
		if err := w.Lose(lossShare); err != nil {
			return err
		}
		t := &tripper{crew: c, streams: s}
		var took []time.Duration
		for start := time.Now(); time.Since(start) < lossFor; {
			i := len(took)
			host := fmt.Sprintf("loss-%d.example.org", i)
			x, y := seers(i)
			if err := t.provoke(ctx, host, x, y); err != nil {
				return err
			}
			d, err := t.insist(ctx, host, x, y)
			if err != nil {
				return err
			}
			took = append(took, d)
			t.forget(host)
			time.Sleep(lossPause)
		}
		evictions, err := total(ctx, c.nodes, "fleetfuse_cluster_evictions_total")
		if err != nil {
			return err
		}
		if err := w.Hear(); err != nil {
			return err
		}
		why, err := c.agree(ctx, healBar)
		if err != nil {
			return err
		}
		b.say(what, fmt.Sprintf("%.0f%s", evictions, why), "0, and all agree afterwards", b.verdict(evictions == 0 && why == ""))
		b.say(fmt.Sprintf("  %d trips meanwhile", len(took)), quantiles(took), "", beside)
		return nil
	})
}

// insist completes a trip, and has two nodes see a failure every now and then
// until it comes about: evidence that was lost is not sent again.
func (t *tripper) insist(ctx context.Context, host string, a, b int) (time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	var again sync.WaitGroup
	again.Go(func() {
		for tick := time.NewTicker(settled); ; {
			select {
			case <-tick.C:
				_ = t.nodes[a].Report(ctx, failures(host, 1)...)
				_ = t.nodes[b].Report(ctx, failures(host, 1)...)
			case <-ctx.Done():
				tick.Stop()
				return
			}
		}
	})
	d, err := t.complete(ctx, host, b, []int{0, 1, 2, 3, 4})
	cancel()
	again.Wait()
	return d, err
}
