package bubbles

import (
	"path/filepath"
	"testing"
	"time"
)

const sec = time.Second

func span(from, to float64) Span {
	return Span{time.Duration(from * float64(sec)), time.Duration(to * float64(sec))}
}

// honest is a history in which every promise was kept.
func honest() *History {
	return &History{
		Seed: 1, Nodes: 3,
		Reports: []Report{
			{Span: span(10, 10.01), Node: 0, Host: "a", OK: true, Failed: true, RetryAfter: 30 * sec},
			{Span: span(101, 101.01), Node: 0, Host: "p", OK: true, Permit: "p1"},
		},
		Words: []Word{
			{Span: span(50, 50.1), Node: 1, Host: "b", OK: true, Length: 60 * sec},
			{Span: span(70, 70.1), Node: 2, Host: "b", OK: true, Close: true},
		},
		Laid:  []Laid{{Span: span(80, 80.1), Node: 0, Host: "a", OK: true, Version: 5}, {Span: span(85, 85.1), Node: 0, Host: "a", Version: 9}},
		Reads: []Read{{Asked: span(81, 81.1), Node: 1, Host: "a"}, {Asked: span(82, 82.1), Node: 2, Host: "a", Version: 5}},
		Calls: []Call{
			{Asked: span(9.9, 9.91), Node: 0, Host: "a"},
			{Asked: span(10.5, 10.51), Node: 2, Host: "a"}, // may not have heard yet
			{Asked: span(41, 41.1), Node: 1, Host: "a"},
			{Asked: span(72, 72.1), Node: 1, Host: "b"},
			{Asked: span(100, 100.1), Node: 0, Host: "p", Permit: "p1"},
			{Asked: span(101.2, 101.3), Node: 1, Host: "p", Permit: "p2"},
		},
		Rejections: []Rejection{
			{Asked: span(20, 20.01), Node: 1, Host: "a", State: "open", Reason: "retry-after"},
			{Asked: span(60, 60.01), Node: 0, Host: "b", State: "open", Reason: "cli-open"},
		},
		Agreements: []Agreement{{Span: span(200, 204), What: "all", OK: true}},
	}
}

func TestAnHonestHistory(t *testing.T) {
	for _, v := range Check(honest(), Usual) {
		t.Error(v)
	}
}

func TestCover(t *testing.T) {
	got := Cover(honest(), Usual)
	if want := (Covered{Deadlines: 2, Closes: 1, Probes: 1, Policies: 1}); got != want {
		t.Errorf("%v; want %v", got, want)
	}
}

// What is recorded is what is checked, also after it was saved.
func TestRecorder(t *testing.T) {
	h := Begin(7, 2)
	over := h.Fault(Paused, 1)
	h.Add(Report{Span: Span{0, 1}, Host: "a", RetryAfter: sec})
	h.Add(Word{Span: Span{0, 1}, Host: "a", OK: true, Close: true})
	h.Add(Call{Asked: Span{0, 1}, Host: "a"})
	h.Add(Rejection{Host: "a"})
	h.Add(Agreement{OK: true})
	h.Add(Laid{Host: "a"})
	h.Add(Read{Host: "a"})
	if over(); h.Healed() == 0 || h.Healed() > h.Now() {
		t.Errorf("the fault was over at %v", h.Healed())
	}
	h.Fault(Killed, 0)
	path := filepath.Join(t.TempDir(), "history.json")
	if err := h.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != h.String() || got.Seed != 7 || got.Nodes != 2 {
		t.Errorf("loaded %v of seed %d, want %v", got, got.Seed, h)
	}
	if got.Reports[0].To != forever || got.Words[0].To != 1 {
		t.Errorf("spans %v and %v; what was not answered has no end", got.Reports[0].To, got.Words[0].To)
	}
	if f := got.Faults; f[0].To == forever || f[1].To != forever || f[0].To < f[0].From {
		t.Errorf("faults %+v; want the first over and the second not", f)
	}
}
