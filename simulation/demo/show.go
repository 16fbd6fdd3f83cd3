package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/client"
)

// show prints what happens as it happens until ctx ends.
type show struct {
	began    time.Time
	upstream *upstream
	crew     *crew
	eye      *client.Client // sees what a ninth worker would
	state    breaker.State
	phase    string
	before   tally
}

func (s *show) run(ctx context.Context) {
	look, second := time.NewTicker(2*time.Millisecond), time.NewTicker(time.Second)
	defer look.Stop()
	defer second.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			s.changes()
		case <-second.C:
			s.line()
		}
	}
}

func (s *show) printf(format string, args ...any) {
	fmt.Printf("%6.2fs  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

// changes prints the upstream's phases and the breaker's transitions.
func (s *show) changes() {
	if p := s.upstream.now(); p.says != s.phase {
		s.phase = p.says
		s.printf("upstream: %s", p.says)
	}
	state := s.eye.State(s.upstream.addr)
	if state == s.state {
		return
	}
	left := ""
	if state == breaker.Open {
		left = fmt.Sprintf(" for %v", s.eye.Remaining(s.upstream.addr).Round(time.Millisecond))
	}
	s.printf("breaker:  %s -> %s%s", s.state, state, left)
	s.state = state
}

// line prints the last second.
func (s *show) line() {
	t := s.crew.total()
	s.printf("          %4d sent  %4d rejected  %2d probes   (upstream %d, breaker %s)",
		t.Sent-s.before.Sent, t.Rejected-s.before.Rejected, t.Probes-s.before.Probes, s.upstream.now().status, s.state)
	s.before = t
}

// summary prints the totals and reports whether the promise was kept.
func summary(w io.Writer, t tally, s seen) bool {
	fmt.Fprintln(w)
	fmt.Fprintf(w, "calls sent                               %d\n", t.Sent)
	fmt.Fprintf(w, "calls rejected                           %d\n", t.Rejected)
	fmt.Fprintf(w, "first failure to full stop               %v, %d calls\n", s.stop.Round(100*time.Microsecond), s.stopped)
	fmt.Fprintf(w, "probes                                   %d\n", t.Probes)
	fmt.Fprintf(w, "in flight: within 100 ms of the 429      %d\n", s.inFlight)
	fmt.Fprintf(w, "later, before the 429's deadline         %d (must be 0)\n", s.late)
	if t.Other != "" {
		fmt.Fprintf(w, "an unexpected error                      %s\n", t.Other)
	}
	return s.late == 0
}
