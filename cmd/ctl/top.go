package main

import (
	"context"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"fleetfuse/client/admin"
)

// A screen is a terminal that top draws on as a whole.
type screen interface {
	// Size is how many columns and lines there are.
	Size() (columns, lines int)
	// Draw replaces the picture.
	Draw(lines []string) error
	// Keys are those that are pressed.
	Keys() <-chan byte
	// Close gives the terminal back as it was.
	Close()
}

func (s *session) topCommand() *cobra.Command {
	var once, follow bool
	cmd := &cobra.Command{
		Use:   "top",
		Short: "Watch the fleet: what is not closed, and what happens",
		Long: `Watch the fleet: how its members and the store are, the breakers that are not
closed with the time they have left, and below them what happens as it happens.
The picture is new every second. If the node goes away the last one stays, says
since when, and is new again when the node answers.

Keys: q quits (as Ctrl-C does), space holds the picture and lets it go on.

With --once, with -o json, and where the output is no terminal, it prints one
picture and ends. With -o json --follow it goes on, a line each second, until
Ctrl-C. A line has at, status (as "status" has it), breakers and partial (as
"breaker show" has them), events (those since the line before), missing, and
unreachable (since, error) while the node does not answer.`,
		Example: `  fleetfuse-ctl top
  fleetfuse-ctl top --once
  fleetfuse-ctl top -o json --follow`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case once && follow:
				return &usageError{what: "--once ends and --follow goes on; give one of them", try: cmd.CommandPath() + " --once"}
			case follow && !s.json():
				return &usageError{what: "--follow is for -o json: in a terminal top goes on by itself", try: cmd.CommandPath() + " -o json --follow"}
			}
			return s.top(cmd, once || s.json() && !follow)
		},
	}
	cmd.Flags().BoolVar(&once, "once", false, "one picture, then end")
	cmd.Flags().BoolVar(&follow, "follow", false, "with -o json: go on, a line each second")
	return cmd
}

// top shows the first picture only once the node has answered: a slip in --addr
// is an error, not an empty screen.
func (s *session) top(cmd *cobra.Command, once bool) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	r := read(ctx, client, s.env.now)
	if r.err != nil {
		return r.err
	}
	p := picture{}.with(r)
	if once {
		return s.topOnce(ctx, client, p)
	}
	var screen screen
	if !s.json() {
		screen, err = s.env.openScreen(cmd.InOrStdin(), s.stdout)
		if errors.Is(err, errNoTerminal) {
			return s.topOnce(ctx, client, p)
		}
		if err != nil {
			return err
		}
		defer screen.Close()
	}
	f := startFeed(ctx, client, s.env.now)
	defer f.wait()
	defer cancel()
	if s.json() {
		return s.topLines(ctx, f, p)
	}
	return s.topLive(ctx, f, p, screen)
}

// errNoTerminal says that there is nothing to draw on.
var errNoTerminal = errors.New("the output is no terminal")

// onceEvents is how many events the one picture has.
const onceEvents = 10

// topOnce prints one picture as wide and long as it is.
func (s *session) topOnce(ctx context.Context, client *admin.Client, p picture) error {
	events, err := client.Events(ctx, admin.EventsQuery{Limit: onceEvents})
	if err != nil {
		return err
	}
	p = p.told(events)
	if s.json() {
		return s.printJSONLine(p.document())
	}
	for _, l := range (frame{session: s, picture: p, now: p.at}).lines() {
		if err := s.print(l + "\n"); err != nil {
			return err
		}
	}
	return nil
}

// topLines prints a line for each reading.
func (s *session) topLines(ctx context.Context, f *feed, p picture) error {
	for {
		if err := s.printJSONLine(p.document()); err != nil {
			return err
		}
		p.events, p.gaps = nil, nil // told
		for read := false; !read; {
			select {
			case <-ctx.Done():
				return nil
			case e := <-f.events:
				p = p.told(e)
			case r := <-f.readings:
				p, read = p.with(r), true
			}
		}
	}
}

// resizeEvery is how often the size of the terminal is looked at.
const resizeEvery = 250 * time.Millisecond

// topLive draws until q is pressed or ctx ends.
func (s *session) topLive(ctx context.Context, f *feed, p picture, screen screen) error {
	look := time.NewTicker(resizeEvery)
	defer look.Stop()
	v := liveView{session: s, screen: screen, latest: p}
	for {
		if err := v.draw(); err != nil {
			return &outputError{err}
		}
		select {
		case <-ctx.Done():
			return nil
		case e := <-f.events:
			v.latest = v.latest.told(e)
		case r := <-f.readings:
			v.latest = v.latest.with(r)
		case key, ok := <-screen.Keys():
			if !ok || key == 'q' || key == 'Q' || key == ctrlC {
				return nil
			}
			if key == ' ' {
				v.hold()
			}
		case <-look.C:
		}
	}
}

// ctrlC is what a terminal that is read key by key sends for it.
const ctrlC = 3

// A liveView draws the latest picture, or the one that is held.
type liveView struct {
	session *session
	screen  screen
	latest  picture
	held    *frame
	drawn   []string
	size    [2]int
}

// hold holds the picture, or lets it go on.
func (v *liveView) hold() {
	if v.held != nil {
		v.held = nil
		return
	}
	v.held = &frame{session: v.session, picture: v.latest, now: v.session.env.now(), held: true}
}

// draw draws what is to be seen, unless it is there already.
func (v *liveView) draw() error {
	f := frame{session: v.session, picture: v.latest, now: v.session.env.now()}
	if v.held != nil {
		f = *v.held
	}
	f.live = true
	f.columns, f.rows = v.screen.Size()
	lines := f.lines()
	size := [2]int{f.columns, f.rows}
	if size == v.size && slices.Equal(lines, v.drawn) {
		return nil
	}
	v.size, v.drawn = size, lines
	return v.screen.Draw(lines)
}

// openScreen takes over the terminal, or returns errNoTerminal.
type openScreen func(stdin io.Reader, stdout io.Writer) (screen, error)
