package simulation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

const second = time.Second

func TestEpisodes(t *testing.T) {
	h := Host{Phases: []Phase{
		{Until: 10 * second}, {Until: 20 * second, Mode: Down}, {Until: 25 * second, Mode: Limiting}, {Until: 30 * second, Mode: Slow},
		{Until: 40 * second, Mode: BrownOut}, {Until: 50 * second, Mode: Portal},
	}}
	var got []string
	for _, e := range episodesOf(&h) {
		got = append(got, fmt.Sprintf("%s %v-%v", e.mode, e.from, e.until))
	}
	if want := []string{"down 10s-25s", "brownout 30s-40s"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A host recovers with the first allowed call of 20 in a row of which 19 are.
func TestRecovery(t *testing.T) {
	for _, tt := range []struct {
		calls string // one a second after the outage: + allowed, - rejected
		want  Wait
	}{
		{strings.Repeat("+", 20), 0},
		{strings.Repeat("+", 19), -1},
		{strings.Repeat("-", 30) + strings.Repeat("+", 20), Wait(30 * second)},
		{"+++" + strings.Repeat("-", 10) + strings.Repeat("+", 25), Wait(13 * second)},
		{strings.Repeat("+-", 40), -1},
	} {
		rec := hostRecord{episodes: episodesOf(&Host{Phases: []Phase{{Until: 10 * second, Mode: Down}}})}
		for i, c := range tt.calls {
			rec.wanted(10*second+time.Duration(i)*second, c == '+', false)
		}
		if got := Wait(rec.episodes[0].allowed); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.calls, got, tt.want)
		}
	}
}

// A broken promise is seen in every form.
func TestViolationsAreShown(t *testing.T) {
	s, err := Named("regional-outage")
	if err != nil {
		t.Fatal(err)
	}
	s.Plan.Length, s.Plan.Quiet = 3*time.Minute+10*second, 40*second
	w := New(s.Plan)
	r := w.Record(nil)
	w.after(time.Minute, func() { w.fail("never <that>", w.nodes[2], "it %s", "happened") })
	w.Run()
	report := r.Report(s, "mine.yaml")
	var page bytes.Buffer
	if err := WriteHTML(&page, []Report{report}); err != nil {
		t.Fatal(err)
	}
	doc, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	var c Campaign
	c.Add(0, &report)
	report.Violations = nil
	c.Add(0, &report)
	c.Sum()
	report.Violations = []string{"60.000s n3: never <that>: it happened"}
	for form, text := range map[string]string{"text": Text([]Report{report}), "html": page.String(), "json": string(doc), "campaign": c.String()} {
		if !strings.Contains(text, "it happened") || !strings.Contains(text, "mine.yaml") || form == "html" && strings.Contains(text, "<that>") {
			t.Errorf("%s:\n%s", form, text)
		}
	}
	if !strings.Contains(c.String(), "mine.yaml: 1 of 2 runs with a violation\n  seed 1: 60.000s n3") {
		t.Errorf("got %s", c.String())
	}
}

func TestCampaignFigures(t *testing.T) {
	var c Campaign
	for i, x := range []uint64{30, 1000, 20} {
		r := Report{Policy: "p", Seed: uint64(i) + 5, Figures: Figures{Tally: Tally{Wanted: x}, Recovery: Wait(time.Duration(x) * second)}}
		if i == 1 {
			r.Figures.Recovery = -1
		}
		c.Add(0, &r)
	}
	c.Sum()
	if got := c.Policies[0].Figures["calls wanted"].String(); got != "30 (20-1,000)" {
		t.Errorf("got %s", got)
	}
	if got := c.Policies[0].Figures["slowest recovery"].String(); got != "30.0 s (20.0-never)" {
		t.Errorf("got %s", got)
	}
	doc, err := json.Marshal(c.Policies[0].Figures["slowest recovery"])
	if err != nil || string(doc) != `{"max":null,"median":30,"min":20}` {
		t.Errorf("got %s, %v", doc, err)
	}
}

func TestNumbers(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := whole(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
	for d, want := range map[time.Duration]string{0: "0:00", 61 * second: "1:01", time.Hour + 61*second: "1:01:01"} {
		if got := clockOf(d); got != want {
			t.Errorf("%v: %s", d, got)
		}
	}
	if got := bars([]Tally{{Wanted: 10, Rejected: 10}, {Wanted: 100, Rejected: 1}, {}}, func(t Tally) uint64 { return t.Rejected }); len(got) != textColumns {
		t.Errorf("%q", got)
	}
}
