package main

import (
	"testing"
	"time"
)

// TestWrong holds what a node believes against what was said.
func TestWrong(t *testing.T) {
	now := time.Now()
	hour, two := now.Add(time.Hour), now.Add(2*time.Hour)
	opened := func(h *host) { h.mayOpen(hour); h.opened(hour) }
	closed := func(h *host) { h.mayClose(); h.closed() }
	for _, x := range []struct {
		what  string
		say   []func(*host)
		right []time.Time
		wrong []time.Time
	}{
		{"nothing", nil, []time.Time{{}}, []time.Time{hour}},
		{"an open", []func(*host){opened}, []time.Time{hour, hour.Add(-maxSooner / 2), hour.Add(maxLater / 2)}, []time.Time{{}, hour.Add(-2 * maxSooner), hour.Add(2 * maxLater)}},
		{"a close", []func(*host){opened, closed}, []time.Time{{}}, []time.Time{hour}},
		{"an open, then perhaps a longer one", []func(*host){opened, func(h *host) { h.mayOpen(two) }},
			[]time.Time{hour, two}, []time.Time{{}, two.Add(time.Hour)}},
		{"an open, then perhaps a close", []func(*host){opened, (*host).mayClose}, []time.Time{{}, hour}, []time.Time{two}},
		{"a close after perhaps an open", []func(*host){func(h *host) { h.mayOpen(two) }, closed}, []time.Time{{}}, []time.Time{two}},
	} {
		h := &host{}
		for _, say := range x.say {
			say(h)
		}
		for _, until := range x.right {
			if why := h.wrong(until); why != "" {
				t.Errorf("after %s: %s", x.what, why)
			}
		}
		for _, until := range x.wrong {
			if h.wrong(until) == "" {
				t.Errorf("after %s, open until %v is right", x.what, until)
			}
		}
	}
}

// TestTally counts each acknowledged word once.
func TestTally(t *testing.T) {
	var words tally
	h := &host{}
	say := func() { h.acknowledged(word{tally: &words}) }
	say()
	say() // supersedes the first
	h.held()
	h.held()
	say()
	h.lost(&words)
	say()
	h.held()
	h.lost(&words) // survived once is not enough
	if want := (tally{acknowledged: 4, superseded: 1, survived: 1, lost: 2}); words != want {
		t.Errorf("%+v; want %+v", words, want)
	}
}
