package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

const (
	repeats = 20
	callers = 4 // on each node
)

// A pace is how callers call. In step they all start at once, so that all the
// calls of the first round fail in the same moment.
type pace struct {
	takes  time.Duration
	inStep bool
}

func (p pace) String() string {
	if p.inStep {
		return fmt.Sprintf("a call takes %v, all start at once", p.takes)
	}
	return fmt.Sprintf("a call takes %v", p.takes)
}

// overshoot counts the calls that reach a host that answers nothing but 503,
// from the first call until every caller is rejected. Callers call as fast as
// they are let.
func overshoot(ctx context.Context, b *bench) error {
	c, err := b.fleet(ctx)
	defer c.end()
	if err != nil {
		return err
	}
	watch, err := follow(ctx, c.nodes)
	if err != nil {
		return err
	}
	defer watch.end()
	for i, p := range []pace{{5 * time.Millisecond, true}, {5 * time.Millisecond, false}, {100 * time.Millisecond, false}} {
		var reached, late []int
		var blind []time.Duration
		for k := range repeats {
			st := &storm{crew: c, pace: p, host: fmt.Sprintf("down-%d-%d.example.org", i, k)}
			if err := st.run(ctx); err != nil {
				return err
			}
			rejected, err := watch.opened(ctx, st.host, 0, 1, 2, 3, 4)
			if err != nil {
				return err
			}
			n, l, d := st.count(rejected)
			reached, late, blind = append(reached, n), append(late, l), append(blind, d)
		}
		slices.Sort(reached)
		slices.Sort(late)
		bar := failMax + size*callers + 1
		b.say(fmt.Sprintf("calls to a dead host, %d nodes x %d callers, %d times", size, callers, repeats),
			fmt.Sprintf("median %d  max %d  (%v)", reached[repeats/2], reached[repeats-1], p),
			fmt.Sprintf("<= %d + %d + 1 = %d", failMax, size*callers, bar), b.verdict(reached[repeats-1] <= bar))
		b.say(fmt.Sprintf("  of these begun after failure number %d was reported", failMax), fmt.Sprintf("median %d  max %d", late[repeats/2], late[repeats-1]),
			"all nodes reject after "+ms(at(blind, 0.5)), beside)
	}
	return nil
}

// storm is one host going down under callers.
type storm struct {
	*crew
	pace
	host string

	mu       sync.Mutex
	begun    []time.Time
	reported []time.Time // when the report was sent
}

func (s *storm) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, awaitLimit)
	defer cancel()
	everybody := slices.Repeat(s.nodes, callers)
	if err := all(everybody, func(_ int, n *fleet.Node) error { // connections are there before it starts
		_, err := n.Allow(ctx, "warm."+s.host)
		return err
	}); err != nil {
		return err
	}
	return all(everybody, func(i int, n *fleet.Node) error {
		if !s.inStep {
			time.Sleep(s.takes * time.Duration(i) / time.Duration(len(everybody)))
		}
		return s.caller(ctx, n)
	})
}

// caller calls until the fleet rejects.
func (s *storm) caller(ctx context.Context, n *fleet.Node) error {
	for {
		a, err := n.Allow(ctx, s.host)
		switch {
		case err != nil:
			return err
		case a.Allowed:
			s.note(&s.begun)
			time.Sleep(s.takes)
			s.note(&s.reported)
			if err := n.Report(ctx, api.Outcome{Host: s.host, Status: 503, LatencyMS: s.takes.Milliseconds()}); err != nil {
				return err
			}
		case a.Reason != "local-evidence":
			return nil // the fleet's word
		default:
			time.Sleep(time.Millisecond)
		}
	}
}

func (s *storm) note(list *[]time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	*list = append(*list, time.Now())
}

// count is how many calls reached the host, how many of them began after the
// report of the failure that completes fail_max was sent, and how long after it
// the last node rejected.
func (s *storm) count(rejected time.Time) (reached, late int, blind time.Duration) {
	slices.SortFunc(s.reported, time.Time.Compare)
	complete := s.reported[failMax-1]
	for _, t := range s.begun {
		if t.After(complete) {
			late++
		}
	}
	return len(s.begun), late, rejected.Sub(complete)
}
