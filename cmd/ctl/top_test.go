package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"

	"fleetfuse/api"
)

// watched is a fleet for top: n2 is lost, the disk fails, and something happens.
func watched() node {
	n := fleet()
	since := at(-65)
	n["GET /v1/status"] = api.StatusResponse{
		Node: "n1", Version: "0.1.0", StartedAt: at(-11_520), Ready: true,
		Members: []api.Member{{ID: "1", Name: "n1", State: api.MemberAlive, Self: true}, {ID: "2", Name: "n2", State: api.MemberLost, LostAt: &since}, {ID: "3", Name: "n3", State: api.MemberAlive}},
		Store:   api.StoreHealth{Kind: "sqlite", Since: &since, Error: "disk full"}, Open: 5, HalfOpen: 1, Local: 2, Hosts: 1207,
	}
	opened := asked
	opened.Since = until(-40)
	n["GET /v1/breakers"] = api.BreakersResponse{Node: "n1", Breakers: []api.Breaker{far, lonely, probed, opened, hostile, shadowed}, Partial: []string{"n4"}}
	for _, limit := range []string{"10", "50"} {
		n["GET /v1/events?limit="+limit] = api.EventsResponse{Events: happened2(), Position: "p1"}
	}
	return n
}

func happened2() []api.Event {
	return []api.Event{
		{ID: "e1", Time: at(-40), Kind: "cooldown", Key: asked.Key, Node: "n2", From: "closed", To: "open", Reason: "retry-after", LengthMS: 120_000},
		{ID: "e2", Time: at(-20), Kind: "member", Node: "n\x1b[2J2", From: "alive", To: "lost"},
	}
}

func TestTop(t *testing.T) {
	term := newTerminal(t, watched())
	term.types("top", "--once")
	term.types("top") // no terminal: the same
	term.types("top", "--once", "--color", "always")
	term.types("top", "--once", "-o", "json")
	term.types("top", "-o", "json") // the same
	term.types("top", "--follow")
	term.types("top", "--once", "--follow", "-o", "json")
	term.types("top", "extra")
	term.golden("top")

	quiet := newTerminal(t, node{
		"GET /v1/status":          api.StatusResponse{Node: "n1", Ready: true, Members: []api.Member{{Name: "n1", State: api.MemberAlive}}, Store: api.StoreHealth{Kind: "sqlite", OK: true}},
		"GET /v1/breakers":        api.BreakersResponse{Node: "n1"},
		"GET /v1/events?limit=10": api.EventsResponse{},
	})
	quiet.types("top")
	quiet.addr = nobody(t)
	quiet.types("top", "--once")
	quiet.golden("top-quiet")
}

func TestFrameFits(t *testing.T) {
	p := picture{at: now, err: errors.New("no route"), since: at(-3)}
	p.status.Members = []api.Member{{Name: "n1", State: api.MemberAlive}}
	for range 60 {
		p.breakers.Breakers = append(p.breakers.Breakers, tripped, lonely, hostile)
		p.events = append(p.events, happened2()...)
	}
	s := &session{color: choice{value: "never"}}
	for columns := 1; columns < 120; columns += 7 {
		for rows := 1; rows < 60; rows++ {
			lines := frame{session: s, picture: p, now: now, columns: columns, rows: rows, live: true}.lines()
			if len(lines) > rows || rows > 12 && len(lines) != rows {
				t.Fatalf("%d by %d: %d lines", columns, rows, len(lines))
			}
			for _, l := range lines {
				if utf8.RuneCountInString(l) > columns || printable(l) != l {
					t.Fatalf("%d by %d: %q", columns, rows, l)
				}
			}
		}
	}
	lines := frame{session: s, picture: p, now: now, columns: 100, rows: 30, live: true}.lines()
	text := strings.Join(lines, "\n")
	for _, want := range []string{"NODE DOES NOT ANSWER since 2026-11-24 01:03:37 UTC (3s ago)", "more: fleetfuse-ctl breaker show", "LATEST EVENTS", "KEY"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestPicturesKeepWhatTheyHave(t *testing.T) {
	p := picture{}.with(reading{at: at(0), status: api.StatusResponse{Node: "n1"}})
	gone := p.with(reading{at: at(1), err: io.EOF}).with(reading{at: at(2), err: io.ErrUnexpectedEOF})
	if gone.status.Node != "n1" || !gone.at.Equal(at(0)) || !gone.since.Equal(at(1)) || gone.err != io.ErrUnexpectedEOF {
		t.Errorf("without an answer: %+v", gone)
	}
	if back := gone.with(reading{at: at(3)}); back.err != nil || !back.since.IsZero() || !back.at.Equal(at(3)) {
		t.Errorf("with one again: %+v", back)
	}
	for range 100 {
		p = p.told(api.EventsResponse{Events: happened2()})
	}
	if len(p.events) != shownEvents {
		t.Errorf("%d events are kept, want %d", len(p.events), shownEvents)
	}
}

// paper is a screen that keeps what is drawn.
type paper struct {
	frames chan []string
	keys   chan byte
	size   atomic.Int64 // columns
	closed atomic.Bool
}

func newPaper() *paper {
	p := &paper{frames: make(chan []string), keys: make(chan byte)}
	p.size.Store(100)
	return p
}

func (p *paper) Size() (columns, lines int) { return int(p.size.Load()), 30 }
func (p *paper) Keys() <-chan byte          { return p.keys }
func (p *paper) Close()                     { p.closed.Store(true) }
func (p *paper) Draw(lines []string) error  { p.frames <- lines; return nil }

// await reads frames until one has a text.
func (p *paper) await(t *testing.T, text string) {
	t.Helper()
	limit := time.After(20 * time.Second)
	last := ""
	for {
		select {
		case lines := <-p.frames:
			if last = strings.Join(lines, "\n"); strings.Contains(last, text) {
				return
			}
		case <-limit:
			t.Fatalf("%q is not drawn; last was\n%s", text, last)
		}
	}
}

// press presses a key. What is drawn meanwhile is not looked at.
func (p *paper) press(t *testing.T, key byte) {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case p.keys <- key:
			return
		case <-p.frames:
		case <-limit:
			t.Fatalf("key %q is not taken", key)
		}
	}
}

// moving is a node that can stop to answer, and streams events.
type moving struct {
	node
	away   atomic.Bool
	stream chan string
}

func (m *moving) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case m.away.Load():
		http.Error(w, "gone", http.StatusBadGateway)
	case strings.Contains(r.Header.Get("Accept"), "event-stream"):
		w.Header().Set("Content-Type", "text/event-stream")
		for {
			w.(http.Flusher).Flush()
			select {
			case data := <-m.stream:
				io.WriteString(w, "data: "+data+"\n\n")
			case <-r.Context().Done():
				return
			}
		}
	default:
		m.node.ServeHTTP(w, r)
	}
}

// live runs top on paper until the test ends it.
func live(t *testing.T, m *moving, args ...string) (p *paper, end func() (code int)) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	p = newPaper()
	term := newTerminal(t, m)
	term.screen = p
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	done := make(chan int, 1)
	go func() {
		_, _, code := term.run(ctx, append([]string{"top"}, args...)...)
		done <- code
	}()
	return p, func() int {
		for {
			select {
			case code := <-done:
				return code
			case <-p.frames:
			}
		}
	}
}

func TestTopLive(t *testing.T) {
	m := &moving{node: watched(), stream: make(chan string)}
	p, end := live(t, m)
	p.await(t, "host:api.crossref.org")
	data, err := json.Marshal(api.EventsResponse{Events: []api.Event{{Time: now, Kind: "operator", Key: "host:a.org", From: "closed", To: "open", Author: "bob"}}, Position: "p2"})
	if err != nil {
		t.Fatal(err)
	}
	m.stream <- string(data)
	p.await(t, "by bob")
	p.size.Store(60)
	p.await(t, "host:api.crossr~") // it fits again
	p.press(t, ' ')
	p.await(t, "HELD")
	p.press(t, ' ')
	m.away.Store(true)
	p.await(t, "NODE DOES NOT ANSWER since")
	m.away.Store(false)
	p.await(t, "q quits")
	p.press(t, 'q')
	if code := end(); code != 0 || !p.closed.Load() {
		t.Errorf("ended with %d, the terminal given back: %v", code, p.closed.Load())
	}
}

func TestTopEndsWithCtrlC(t *testing.T) {
	p, end := live(t, &moving{node: watched(), stream: make(chan string)})
	p.press(t, ctrlC)
	if code := end(); code != 0 || !p.closed.Load() {
		t.Errorf("ended with %d, the terminal given back: %v", code, p.closed.Load())
	}
}

// With --follow JSON goes on, a line for each reading, until it is ended.
func TestTopLines(t *testing.T) {
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
	term := newTerminal(t, &moving{node: watched(), stream: make(chan string)})
	ctx, cancel := context.WithCancel(t.Context())
	out := &lines{left: 2, end: cancel}
	if code := run(ctx, []string{"top", "-o", "json", "--follow"}, strings.NewReader(""), out, io.Discard, term.environment()); code != 0 {
		t.Errorf("exit %d", code)
	}
	for line := range strings.Lines(out.text.String()) {
		var p pictureLine
		if err := json.Unmarshal([]byte(line), &p); err != nil || p.Status.Node != "n1" {
			t.Errorf("%v: %s", err, line)
		}
	}
}
