package simulation

import (
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
)

// runNamed runs a scenario of the library.
func runNamed(t *testing.T, name string) (*World, *Recorder, Report) {
	t.Helper()
	s, err := Named(name)
	if err != nil {
		t.Fatal(err)
	}
	w := New(s.Plan)
	r := w.Record(nil)
	w.Run()
	report := r.Report(s, "of the scenario")
	for _, v := range report.Violations {
		t.Error(v)
	}
	return w, r, report
}

// of is what happened to a host.
func (r *Report) of(t *testing.T, name string) *HostReport {
	t.Helper()
	for i := range r.Hosts {
		if r.Hosts[i].Name == name {
			return &r.Hosts[i]
		}
	}
	t.Fatalf("no host %s", name)
	return nil
}

// times is how often its breaker was in a state.
func (h *HostReport) times(s breaker.State) (n int) {
	for _, b := range h.Bands {
		if b.state == s {
			n++
		}
	}
	return n
}

// within reports whether a wait ended in time.
func (w Wait) within(d time.Duration) bool { return w >= 0 && time.Duration(w) <= d }

// A point is what a scenario is there to show.
var points = map[string]func(t *testing.T, w *World, r *Recorder, report *Report){
	"regional-outage": func(t *testing.T, _ *World, _ *Recorder, report *Report) {
		for _, name := range []string{"north-1.example.org", "north-2.example.org"} {
			if n := report.of(t, name).Figures.Rejected; n > 0 {
				t.Errorf("%d calls of %s were rejected", n, name)
			}
		}
		for _, name := range []string{"south-1.example.org", "south-2.example.org", "south-3.example.org"} {
			o := report.of(t, name).Outages[0]
			if o.Overshoot > 40 || !o.Recovery.within(20*time.Second) {
				t.Errorf("%s: overshoot %d, recovery %v", name, o.Overshoot, o.Recovery)
			}
		}
	},
	"rate-limit-ladder": func(t *testing.T, _ *World, _ *Recorder, report *Report) {
		f := report.of(t, "metered.example.org").Figures
		if f.Failed > 40 || f.Obeyed == 0 || f.Spared < 4000 {
			t.Errorf("%d 429s, %d calls obeyed a pause, %d were spared", f.Failed, f.Obeyed, f.Spared)
		}
	},
	"flapping-host": func(t *testing.T, _ *World, _ *Recorder, report *Report) {
		h := report.of(t, "flapping.example.org")
		if n := h.times(breaker.Open); n == 0 || n > 20 { // it turned 45 times
			t.Errorf("open %d times", n)
		}
		if report.of(t, "steady.example.org").Figures.Rejected > 0 {
			t.Error("the steady host was rejected")
		}
	},
	"brown-out": func(t *testing.T, _ *World, _ *Recorder, report *Report) {
		h := report.of(t, "browned.example.org")
		if h.times(breaker.Open) == 0 || !h.Outages[0].Closed.within(45*time.Second) {
			t.Errorf("open %d times, closed after %v", h.times(breaker.Open), h.Outages[0].Closed)
		}
	},
	"sick-worker": func(t *testing.T, _ *World, r *Recorder, report *Report) {
		for i, n := range r.wrongBy {
			if i != 2 && n > 0 {
				t.Errorf("n%d rejected %d calls", i+1, n)
			}
		}
		if report.Figures.Spared == 0 || report.Figures.Trips > 0 {
			t.Errorf("the ring of n3 rejected %d, %d trips", report.Figures.Spared, report.Figures.Trips)
		}
	},
	"split-brain": func(t *testing.T, w *World, _ *Recorder, report *Report) {
		if w.Saw()[SawSplit] == 0 || w.Saw()[SawOpenOfOperator] == 0 {
			t.Error("no split, or no word of an operator")
		}
		if o := report.of(t, "failing.example.org").Outages[0]; o.Nodes != 6 {
			t.Errorf("%d of 6 nodes rejected", o.Nodes)
		}
		if report.of(t, "maintained.example.org").Figures.Obeyed == 0 {
			t.Error("nobody obeyed the operator")
		}
	},
	"store-away": func(t *testing.T, _ *World, _ *Recorder, report *Report) {
		o := report.of(t, "failing.example.org").Outages[0]
		if o.Overshoot > 40 || !o.Recovery.within(20*time.Second) {
			t.Errorf("overshoot %d, recovery %v", o.Overshoot, o.Recovery)
		}
	},
	"redis-away": func(t *testing.T, w *World, _ *Recorder, report *Report) {
		o := report.of(t, "failing.example.org").Outages[0]
		if o.Overshoot > 40 || !o.Recovery.within(20*time.Second) {
			t.Errorf("overshoot %d, recovery %v", o.Overshoot, o.Recovery)
		}
		for _, name := range []string{"opened.example.org", "foreign.example.org"} {
			if report.of(t, name).times(breaker.Open) == 0 {
				t.Errorf("%s was not open", name)
			}
		}
		if f := report.of(t, "foreign.example.org").Figures; f.Obeyed < 20*f.Wrongly { // another program's deadline is a pause that was asked for
			t.Errorf("foreign.example.org: %d obeyed, %d wrongly rejected", f.Obeyed, f.Wrongly)
		}
		if report.of(t, "steady.example.org").times(breaker.Open) != 1 {
			t.Error("the other cluster's pause was not obeyed")
		}
		if saw := w.Saw(); saw[SawPlaceLostTail] == 0 || saw[SawPlaceUnknownOutcome] == 0 || saw[SawPlaceRepaired] == 0 || saw[SawForeignAdopted] == 0 {
			t.Errorf("lost %d, unknown %d, repaired %d, adopted %d", saw[SawPlaceLostTail], saw[SawPlaceUnknownOutcome], saw[SawPlaceRepaired], saw[SawForeignAdopted])
		}
		most := 0
		for _, d := range report.Store.Degraded {
			most = max(most, d.Nodes)
		}
		if most != 3 || report.Store.Degraded[len(report.Store.Degraded)-1].Nodes != 0 {
			t.Errorf("degraded: %+v", report.Store.Degraded)
		}
	},
	"thundering-herd": func(t *testing.T, _ *World, _ *Recorder, report *Report) {
		o := report.of(t, "popular.example.org").Outages[0]
		if report.Figures.Wasted > 80 || o.Nodes != 50 || !o.Recovery.within(15*time.Second) {
			t.Errorf("%d calls of a host that was down by 50 nodes, %d of them rejected, recovery %v", report.Figures.Wasted, o.Nodes, o.Recovery)
		}
	},
	"clock-step": func(t *testing.T, w *World, _ *Recorder, report *Report) {
		if w.Saw()[SawClockStep] != 2 {
			t.Error("the clocks did not step")
		}
		if h := report.of(t, "metered.example.org"); h.Figures.Failed > 25 || !h.Outages[0].Recovery.within(75*time.Second) {
			t.Errorf("%d 429s, recovery %v", h.Figures.Failed, h.Outages[0].Recovery)
		}
		if report.of(t, "steady.example.org").Figures.Rejected > 0 {
			t.Error("the steady host was rejected")
		}
	},
	"deploy-wave": func(t *testing.T, w *World, _ *Recorder, report *Report) {
		for _, n := range w.nodes {
			if n.starts != 3 { // two starts, and the kill between them
				t.Errorf("%s was not killed and started once: %d", n.id, n.starts)
			}
		}
		if o := report.of(t, "failing.example.org").Outages[0]; o.Overshoot > 30 {
			t.Errorf("overshoot %d", o.Overshoot)
		}
	},
}

func TestLibrary(t *testing.T) {
	if len(Names()) != len(points) {
		t.Errorf("%d scenarios, %d points", len(Names()), len(points))
	}
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) {
			w, r, report := runNamed(t, name)
			if points[name] == nil {
				t.Fatal("what is the point of it?")
			}
			points[name](t, w, r, &report)
			for l := range strings.Lines(Text([]Report{report, report})) {
				if len(l) > 81 {
					t.Errorf("wider than 80 columns: %s", l)
				}
			}
		})
	}
}

// A world that is written down goes as one that is not.
func TestRecordChangesNothing(t *testing.T) {
	for seed := range uint64(8) {
		plain, recorded := New(Random(seed)), New(Random(seed))
		plain.Run()
		recorded.Record(nil)
		recorded.Run()
		if plain.Hash() != recorded.Hash() {
			t.Errorf("seed %d: %s, recorded %s", seed, plain.Hash(), recorded.Hash())
		}
	}
}

// What is counted adds up, and agrees with the world.
func TestReportAddsUp(t *testing.T) {
	for seed := range uint64(8) {
		p := Random(seed)
		w := New(p)
		r := w.Record(nil)
		w.Run()
		f, c := r.Report(Scenario{Plan: p}, "").Figures, w.Counts()
		if f.Wanted != c.Wanted || f.Called != c.Called || f.Rejected != c.Rejected || f.Probes != c.Probes || f.Failed != c.Failed || f.Spared != c.Spared || f.Obeyed+f.Wrongly != c.Denied {
			t.Errorf("seed %d: %+v, the world has %+v", seed, f, c)
		}
		if f.Late > f.Wrongly || f.Called+f.Rejected != f.Wanted {
			t.Errorf("seed %d: %+v", seed, f)
		}
	}
}

// A run that is interrupted ends.
func TestInterrupted(t *testing.T) {
	s, err := Named("thundering-herd")
	if err != nil {
		t.Fatal(err)
	}
	w := New(s.Plan)
	w.Record(func(done float64) bool { return done < 0.01 })
	w.Run()
	if n := w.Counts().Wanted; n > 5000 {
		t.Errorf("%d calls after it was interrupted", n)
	}
}
