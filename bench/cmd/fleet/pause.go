package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

const (
	pauses    = 3
	pauseFor  = 20 * time.Second
	returnBar = 5 * time.Second
	aftermath = 3 * time.Second // in which stale actors could do harm
)

// pause stops a node for so long that the others give it up, lets it go on, and
// measures until it is a full member that believes what they believe. What its
// actors held when it stopped must not come back.
func pause(ctx context.Context, b *bench) error {
	c, err := b.fleet(ctx)
	defer c.end()
	if err != nil {
		return err
	}
	var took []time.Duration
	answers, wrong := 0, 0
	moves := map[string]int{}
	for i := range pauses {
		p := &pausing{crew: c, victim: i % size, rest: c.others(i % size)}
		if err := p.run(ctx, i); err != nil {
			return fmt.Errorf("pause %d, of %s: %w", i+1, c.nodes[p.victim].Name, err)
		}
		took = append(took, p.took)
		answers, wrong = answers+p.guard.answers, wrong+p.guard.gaps
		for what, n := range p.moves {
			moves[what] += n
		}
	}
	b.say(fmt.Sprintf("%d times SIGSTOP for %v -> a full member again", pauses, pauseFor),
		fmt.Sprintf("median %s  max %s", ms(at(took, 0.5)), ms(at(took, 1))), "<= 5 s", b.verdict(at(took, 1) <= returnBar))
	figure := fmt.Sprintf("%d of %d answers were wrong", wrong, answers)
	for _, what := range slices.Sorted(maps.Keys(moves)) {
		figure += fmt.Sprintf("; %s on %d nodes", what, moves[what])
	}
	b.say("  what its stale actors changed on the other nodes", figure, "nothing", b.verdict(len(moves) == 0 && wrong == 0))
	return nil
}

// pausing is one pause. Three breakers of the node are used:
type pausing struct {
	*crew
	victim int
	rest   []*fleet.Node
	nearly string // one failure short of a trip when it stops, then a call succeeds
	closed string // open when it stops, then an operator closes it
	opened string // closed when it stops, then an operator opens it
	guard  *guard
	moves  map[string]int // what changed that must not, and on how many nodes
	took   time.Duration
}

func (p *pausing) run(ctx context.Context, i int) error {
	if err := p.before(ctx, i); err != nil {
		return err
	}
	v := p.nodes[p.victim]
	start := time.Now()
	if err := v.Pause(); err != nil {
		return err
	}
	defer func() { _ = v.Resume() }()
	if err := p.meanwhile(ctx); err != nil {
		return err
	}
	s, err := follow(ctx, p.rest)
	if err != nil {
		return err
	}
	defer s.end()
	p.guard = guarded(ctx, []string{p.opened})
	for _, n := range p.rest {
		p.guard.ask(n)
	}
	defer p.guard.end()
	time.Sleep(time.Until(start.Add(pauseFor)))
	return p.resume(ctx, v, s)
}

func (p *pausing) before(ctx context.Context, i int) error {
	hosts, err := p.ownedBy(ctx, p.victim, 3, fmt.Sprint("pause", i))
	if err != nil {
		return err
	}
	p.nearly, p.closed, p.opened = hosts[0], hosts[1], hosts[2]
	if err := p.rest[0].Report(ctx, append(failures(p.nearly, failMax-1), failures(p.closed, failMax-1)...)...); err != nil {
		return err
	}
	if err := p.rest[1].Report(ctx, failures(p.closed, 1)...); err != nil {
		return err
	}
	for _, n := range p.nodes {
		if err := n.Await(ctx, "a trip", func() (bool, error) {
			a, err := n.Allow(ctx, p.closed)
			return !a.Allowed, err
		}); err != nil {
			return err
		}
	}
	return nil
}

// meanwhile is what the others do once they have given the node up.
func (p *pausing) meanwhile(ctx context.Context) error {
	for _, n := range p.rest {
		if err := n.AwaitMembers(ctx, size-1); err != nil {
			return err
		}
	}
	if r, err := p.rest[2].Close(ctx, p.closed); err != nil || r.State != "closed" {
		return fmt.Errorf("an operator's close: %+v, %w", r, err)
	}
	if r, err := p.rest[3].Open(ctx, p.opened, time.Hour); err != nil || r.State != "open" {
		return fmt.Errorf("an operator's open: %+v, %w", r, err)
	}
	if err := p.rest[0].Report(ctx, api.Outcome{Host: p.nearly, Status: 200}); err != nil {
		return err
	}
	time.Sleep(settled)
	return nil
}

// resume lets the node go on and at once reports the failure that its old run
// lacked.
func (p *pausing) resume(ctx context.Context, v *fleet.Node, s *streams) error {
	for _, h := range []string{p.nearly, p.closed, p.opened} {
		s.forget(h)
	}
	start := time.Now()
	if err := v.Resume(); err != nil {
		return err
	}
	if err := v.Report(ctx, failures(p.nearly, 1)...); err != nil {
		return err
	}
	if err := v.Await(ctx, "a full member", func() (bool, error) { return p.full(ctx) }); err != nil {
		return err
	}
	p.took = time.Since(start)
	time.Sleep(aftermath)
	p.moves = map[string]int{}
	for h, what := range map[string]string{p.nearly: "a trip by an old run", p.closed: "an old trip came back", p.opened: "an open ended"} {
		list, err := s.of(h)
		if err != nil {
			return err
		}
		for _, x := range list {
			if x.open() == (h != p.opened) {
				p.moves[what]++
			}
		}
	}
	return nil
}

// full says whether all nodes list all members alive, agree who owns the three
// breakers, and the node that was away believes what the others believe.
func (p *pausing) full(ctx context.Context) (bool, error) {
	for _, n := range p.nodes {
		members, err := n.Members(ctx)
		if err != nil {
			return false, err
		}
		alive := 0
		for _, m := range members {
			if m.State == api.MemberAlive {
				alive++
			}
		}
		if alive != size {
			return false, nil
		}
		for _, h := range []string{p.nearly, p.closed, p.opened} {
			if o, err := n.Owner(ctx, h); err != nil || o.Owner != p.nodes[p.victim].Name {
				return false, err
			}
		}
	}
	closed, err := p.nodes[p.victim].Allow(ctx, p.closed)
	if err != nil || !closed.Allowed {
		return false, err
	}
	opened, err := p.nodes[p.victim].Allow(ctx, p.opened)
	return !opened.Allowed, err
}
