//go:build cgo

package eventlog_test

import (
	"context"
	"os"
	"testing"

	"pgregory.net/rapid"

	"fleetfuse/telemetry"
	"fleetfuse/telemetry/eventlog"
)

// world is a log and what is known of it.
type world struct {
	t       *rapid.T
	tb      testing.TB
	dir     string
	opt     eventlog.Options
	log     *eventlog.Log
	next    int            // number of the next event
	last    uint64         // position of the last one
	at      map[uint64]int // number of the event at a position
	readers []*reader
}

// reader is one that looks at what it is told.
type reader struct {
	r        *eventlog.Reader
	position uint64
}

// TestReadersSeeEverythingOnce appends, writes, prunes, closes and crashes in any
// order. Readers at any positions see each event behind theirs once, in order,
// unless a gap that they are told covers it.
func TestReadersSeeEverythingOnce(t *testing.T) {
	all := quickDir(t)
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(all, "")
		try(t, err)
		w := &world{t: rt, tb: t, dir: dir, at: map[uint64]int{}}
		w.opt = eventlog.Options{Buffer: 512, MaxBytes: rapid.SampledFrom([]int64{0, 0, 300_000}).Draw(rt, "bytes")}
		if rapid.IntRange(0, 4).Draw(rt, "memory") == 0 {
			w.dir = ""
		}
		w.open()
		defer func() { w.log.Close(context.Background()) }()
		rt.Repeat(map[string]func(*rapid.T){
			"append":  func(*rapid.T) { w.append(rapid.IntRange(1, 600).Draw(rt, "n")) },
			"few":     func(*rapid.T) { w.append(rapid.IntRange(1, 5).Draw(rt, "n")) },
			"again":   func(*rapid.T) { w.again() },
			"flush":   func(*rapid.T) { w.flush() },
			"follow":  func(*rapid.T) { w.follow() },
			"read":    func(*rapid.T) { w.read() },
			"restart": func(*rapid.T) { w.restart() },
			"crash":   func(*rapid.T) { w.crash() },
		})
		for _, r := range w.readers {
			w.drain(r)
		}
	})
}

func (w *world) open() {
	l, err := eventlog.Open(w.tb.Context(), w.dir, w.opt)
	if err != nil {
		w.t.Fatal(err)
	}
	w.log = l
}

func (w *world) append(n int) {
	for range n {
		seq := w.log.Append(opened(w.next))
		if _, used := w.at[seq]; used || seq == 0 {
			w.t.Fatalf("event %d got position %d, which is taken", w.next, seq)
		}
		w.at[seq], w.last = w.next, seq
		w.next++
	}
}

// again appends one that is in memory.
func (w *world) again() {
	if n, ok := w.at[w.log.Last()]; ok {
		if seq := w.log.Append(opened(n)); seq != 0 {
			w.t.Fatalf("the duplicate of %d got position %d", n, seq)
		}
	}
}

func (w *world) flush() {
	if err := w.log.Flush(w.tb.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) follow() {
	position := uint64(0)
	if len(w.at) > 0 && rapid.Bool().Draw(w.t, "somewhere") {
		position = w.log.Last() - uint64(rapid.IntRange(0, min(w.next, 3000)).Draw(w.t, "back"))
	}
	w.readers = append(w.readers, &reader{w.log.Follow(position), position})
}

// read lets a reader take one batch, if there is one.
func (w *world) read() {
	if len(w.readers) == 0 {
		return
	}
	r := rapid.SampledFrom(w.readers).Draw(w.t, "reader")
	if w.behind(r) {
		w.take(r)
	}
}

// take takes one batch and judges it.
func (w *world) take(r *reader) {
	b, err := r.r.Next(w.tb.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	from := r.position
	var told func(position uint64) bool
	switch {
	case b.Gap != nil:
		if b.Gap.First <= from || b.Gap.Last != b.Position && b.Gap.Reason != eventlog.GapUnknown {
			w.t.Fatalf("at %d: the gap %+v, and then %d", from, *b.Gap, b.Position)
		}
		told = func(seq uint64) bool { return b.Gap.First <= seq && seq <= b.Gap.Last }
	case len(b.Events) == 0:
		w.t.Fatalf("at %d: nothing", from)
	default:
		seen := map[uint64]bool{}
		for i := range b.Events {
			w.judge(&b.Events[i], &from)
			seen[b.Events[i].Seq] = true
		}
		told = func(seq uint64) bool { return seen[seq] }
	}
	if r.position > 0 { // zero asks for what there is
		for seq := range w.at {
			if r.position < seq && seq <= b.Position && !told(seq) {
				w.t.Fatalf("position %d between %d and %d is not told", seq, r.position, b.Position)
			}
		}
	}
	r.position = b.Position
}

// judge checks one event, and moves the position behind it.
func (w *world) judge(e *telemetry.Event, position *uint64) {
	if e.Seq <= *position {
		w.t.Fatalf("position %d after %d", e.Seq, *position)
	}
	if n, ok := w.at[e.Seq]; !ok || n != number(e) {
		w.t.Fatalf("at %d is event %d, not %d (%v)", e.Seq, number(e), n, ok)
	}
	*position = e.Seq
}

// behind reports whether something is there for a reader.
func (w *world) behind(r *reader) bool {
	if r.position > 0 {
		return r.position < w.last
	}
	p, err := w.log.Query(w.tb.Context(), eventlog.Filter{Limit: 1})
	if err != nil {
		w.t.Fatal(err)
	}
	return len(p.Events) > 0
}

func (w *world) drain(r *reader) {
	for w.behind(r) {
		w.take(r)
	}
}

// restart closes the log, and lets all readers resume.
func (w *world) restart() {
	if w.dir == "" {
		return
	}
	if err := w.log.Close(w.tb.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.resume()
}

// crash goes on with the files as they are.
func (w *world) crash() {
	if w.dir == "" {
		return
	}
	old := w.log
	dir := crash(w.tb, w.dir)
	old.Close(w.tb.Context())
	w.dir = dir
	w.resume()
}

func (w *world) resume() {
	w.open()
	for _, r := range w.readers {
		r.r = w.log.Follow(r.position)
	}
}
