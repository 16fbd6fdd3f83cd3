package simulation

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
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
		got = append(got, fmt.Sprintf("%s %v-%v %v", e.mode, e.from, e.until, e.then))
	}
	if want := []string{"down 10s-25s [{20000000000 limiting}]", "brownout 30s-40s []"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A host recovers with the first allowed call of 20 in a row of which 19 are, or
// at once where none was rejected: that nobody called is not its fault.
func TestRecovery(t *testing.T) {
	for _, tt := range []struct {
		calls string // one a second, from 7 s after the outage on: + allowed, - rejected
		want  Wait
	}{
		{strings.Repeat("+", 20), 0},
		{strings.Repeat("+", 19) + strings.Repeat("-", 40), 0},
		{"+", 0},
		{"", unseen},
		{"---", unseen},
		{"-" + strings.Repeat("+", 18), unseen},
		{"-" + strings.Repeat("+", 19), Wait(8 * second)},
		{"+-" + strings.Repeat("+", 18), 0},
		{strings.Repeat("-", 30) + strings.Repeat("+", 20), Wait(37 * second)},
		{"+++" + strings.Repeat("-", 10) + strings.Repeat("+", 25), Wait(20 * second)},
		{strings.Repeat("+-", 40), unended},
	} {
		rec := hostRecord{episodes: episodesOf(&Host{Phases: []Phase{{Until: 10 * second, Mode: Down}}})}
		for i, c := range tt.calls {
			rec.wanted(17*second+time.Duration(i)*second, c == '+', false)
		}
		if got := rec.episodes[0].recovery(); got != tt.want {
			t.Errorf("%q: got %v, want %v", tt.calls, got, tt.want)
		}
	}
	for _, tt := range []struct {
		waits []Wait
		want  string
	}{
		{nil, "0.0 s"}, {[]Wait{unseen}, "too few calls"}, {[]Wait{Wait(second), unseen, 0}, "1.0 s"}, {[]Wait{unseen, unended, Wait(second)}, "never"},
	} {
		if got := slowest(tt.waits).String(); got != tt.want {
			t.Errorf("%v: the slowest is %s, want %s", tt.waits, got, tt.want)
		}
	}
}

// Whatever a host does but answer well is shown, and a 404 is no success.
func TestHostsThatAreSlowOrAPortalAreShown(t *testing.T) {
	text := small + "  - {name: p.example.org, phases: [{for: 1m, mode: portal}]}\n  - {name: s.example.org, phases: [{for: 1m, mode: slow, turn: 2s}]}\n"
	s, err := parse("f.yaml", []byte(text), beside)
	if err != nil {
		t.Fatal(err)
	}
	w := New(s.Plan)
	r := w.Record(nil)
	w.Run()
	report := r.Report(s, "p")
	if f := report.Figures; f.Neutral < 100 || f.Failed > 0 || f.Succeeded+f.Neutral > f.Called {
		t.Errorf("%+v", f)
	}
	if h := report.of(t, "p.example.org"); h.Figures.Neutral != report.Figures.Neutral || h.Tallies[0].Succeeded > 0 {
		t.Errorf("%+v, at first %+v", h.Figures, h.Tallies[0])
	}
	var page bytes.Buffer
	if err := WriteHTML(&page, []Report{report}); err != nil {
		t.Fatal(err)
	}
	for form, text := range map[string]string{"text": Text([]Report{report}), "html": page.String()} {
		for _, want := range []string{"p.example.org", "s.example.org", "neutral (other 4xx)"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %s", form, want)
			}
		}
	}
	if text := Text([]Report{report}); !strings.Contains(text, "sent, neutral     ") || !strings.Contains(text, "PPP") || !strings.Contains(text, "SSS") {
		t.Errorf("got\n%s", text)
	}
	if !strings.Contains(page.String(), `<rect class="neutral"`) {
		t.Error("no 404 in the drawing")
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
	if got := c.Policies[0].Figures["wanted"].String(); got != "30 (20-1,000)" {
		t.Errorf("got %s", got)
	}
	if got := c.Policies[0].Figures["recovery_s"].String(); got != "30.0 s (20.0-never)" {
		t.Errorf("got %s", got)
	}
	doc, err := json.Marshal(c.Policies[0].Figures["recovery_s"])
	if err != nil || string(doc) != `{"max":null,"median":30,"min":20}` {
		t.Errorf("got %s, %v", doc, err)
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		sorted []float64
		unit   string
		want   string
	}{
		{[]float64{1, 2, 4, 9}, "", "3 (1-9)"},
		{[]float64{1000, 1001}, "", "1,000.5 (1,000-1,001)"},
		{[]float64{1, 2}, " s", "1.5 s (1.0-2.0)"},
		{[]float64{1, neverEnded}, " s", "never (1.0-never)"},
		{nil, " s", "too few calls"},
	} {
		if got := ranged(tt.sorted, tt.unit).String(); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.sorted, got, tt.want)
		}
	}
}

// A campaign names its figures as a run does.
func TestFigureKeys(t *testing.T) {
	doc, err := json.Marshal(Figures{})
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]any
	if err := json.Unmarshal(doc, &want); err != nil {
		t.Fatal(err)
	}
	for _, f := range figures {
		if _, there := want[f.key]; !there {
			t.Errorf("no figure of a run is called %s", f.key)
		}
		delete(want, f.key)
	}
	if len(want) > 0 {
		t.Errorf("a campaign lacks %v", want)
	}
}

func TestWordsForPeople(t *testing.T) {
	for want, x := range map[string]fmt.Stringer{
		"open for 1m0s":           Word{Kind: Open, For: time.Minute},
		"set fail_max:3":          Word{Kind: Replace, Fields: "fail_max:3"},
		"set fail_max:3 for 1m0s": Word{Kind: Replace, Fields: "fail_max:3", For: time.Minute},
		"split: n1 n3 cut off from the others for 30s": Fault{Kind: Split, Nodes: []int{0, 2}, For: 30 * second},
	} {
		if got := x.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	p := Plan{Faults: []Fault{{Kind: Split, Nodes: []int{0, 2}, For: 30 * second}}}
	if got := p.events()[0].Text; !strings.HasSuffix(got, "for 30s") {
		t.Errorf("a split without its length: %q", got)
	}
}

// A phase is found as if each were looked at.
func TestPhase(t *testing.T) {
	for seed := range uint64(50) {
		for _, h := range Random(seed).Hosts {
			for at := time.Duration(0); at < 4*time.Minute; at += 500 * time.Millisecond {
				var want Phase
				if i := slices.IndexFunc(h.Phases, func(p Phase) bool { return at < p.Until }); i >= 0 {
					want = h.Phases[i]
				}
				if got := h.phase(at); got != want {
					t.Fatalf("seed %d, %s at %v: got %+v, want %+v", seed, h.Name, at, got, want)
				}
			}
		}
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
