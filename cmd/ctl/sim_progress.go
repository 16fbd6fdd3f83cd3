package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"fleetfuse/internal/tty"
)

// When somebody who waits is told how far it is.
const (
	progressAfter    = 2 * time.Second // a short run needs no words
	progressEvery    = 200 * time.Millisecond
	progressLineEach = 10 * time.Second // where lines stay, as in a log
)

// A progress says on stderr how far several runs are, and lets an interrupt end
// them.
type progress struct {
	session  *session
	ctx      context.Context
	runs     int
	done     int
	began    time.Time
	last     time.Time
	terminal bool
	shown    int // how wide the line on the terminal is
}

func (s *session) newProgress(ctx context.Context, runs int) *progress {
	now := s.env.now()
	return &progress{session: s, ctx: ctx, runs: runs, began: now, last: now, terminal: tty.Is(s.stderr)}
}

// step is told how much of a run is done, and reports whether to go on.
func (p *progress) step(part float64) bool {
	if p.ctx.Err() != nil {
		return false
	}
	now := p.session.env.now()
	every := progressLineEach
	if p.terminal {
		every = progressEvery
	}
	if now.Sub(p.began) < progressAfter || p.shown > 0 && now.Sub(p.last) < every {
		return true
	}
	p.last = now
	p.show((float64(p.done)+part)/float64(p.runs), now.Sub(p.began))
	return true
}

func (p *progress) show(part float64, took time.Duration) {
	line := fmt.Sprintf("simulating: %2.0f %%", 100*part)
	if p.runs > 1 {
		line += fmt.Sprintf(", run %d of %d", p.done+1, p.runs)
	}
	if part > 0.02 {
		left := time.Duration(float64(took) * (1 - part) / part)
		line += fmt.Sprintf(", about %s left", span(left))
	}
	if !p.terminal {
		p.session.say("%s", line)
		p.shown = len(line)
		return
	}
	fmt.Fprintf(p.session.stderr, "\r%-*s", p.shown, line)
	p.shown = max(p.shown, len(line))
}

// clear takes the line off the terminal.
func (p *progress) clear() {
	if p.terminal && p.shown > 0 {
		fmt.Fprintf(p.session.stderr, "\r%s\r", strings.Repeat(" ", p.shown))
		p.shown = 0
	}
}
