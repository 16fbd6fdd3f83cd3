package telemetry

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"fleetfuse/breaker"
)

func TestCountsFoldWhatTheTableDoesNotList(t *testing.T) {
	m := New("v1", 1)
	for i := range 1000 {
		word := fmt.Sprintf("word-%d", i)
		m.Decided(Rejected, breaker.Reason(word))
		m.DecidedElsewhere(2, Rejected, breaker.Reason(word))
		m.Moved(breaker.Transition{To: breaker.Open, Reason: breaker.Reason(word)})
		m.Sent(word)
		m.Ended(1, breaker.Failure, false, breaker.Evidence{Error: word}, false)
		m.Ended(1, breaker.Success, false, breaker.Evidence{Status: 1000 + i}, false)
	}
	want(t, m, "decisions_total", map[string]float64{"decision=reject reason=other via=http": 1000, "decision=reject reason=other via=sdk": 2000})
	want(t, m, "transitions_total", map[string]float64{"reason=other to=open": 1000})
	want(t, m, "outcomes_total", map[string]float64{"class=other outcome=failure": 1000, "class=other outcome=success": 1000})
	if got := shown(t, m, "frames_sent_total"); len(got) != len(frameKinds) || got["kind=other"] != 1000 {
		t.Errorf("frames_sent_total: %v", got)
	}
}

func TestOutcomes(t *testing.T) {
	m := New("v1", 1)
	m.Ended(3, breaker.Success, false, breaker.Evidence{Status: 204}, false)
	m.Ended(0, breaker.Success, true, breaker.Evidence{Status: 200}, false)
	m.Ended(1, breaker.Neutral, false, breaker.Evidence{Status: 429}, false)
	m.Ended(1, breaker.Failure, false, breaker.Evidence{Error: "timeout"}, false)
	m.Ended(1, breaker.Neutral, false, breaker.Evidence{Error: "no-route"}, false)
	m.Ended(1, breaker.Neutral, false, breaker.Evidence{}, true)
	want(t, m, "outcomes_total", map[string]float64{
		"class=2xx outcome=success": 3, "class=2xx outcome=slow": 1, "class=429 outcome=neutral": 1, "class=timeout outcome=failure": 1,
		"class=no-route outcome=neutral": 1, "class=cache outcome=neutral": 1,
	})
}

// A sample that contradicts the table is an error, and the rest is served.
func TestSampleHoldsToTheTable(t *testing.T) {
	for what, tell := range map[string]func(*Sample){
		"a metric of no row":   func(s *Sample) { s.Set("nothing", 1) },
		"a value of no list":   func(s *Sample) { s.Set("queue_length", 1, "elsewhere") },
		"a label too many":     func(s *Sample) { s.Set("store_ok", 1, "x") },
		"a label too few":      func(s *Sample) { s.Set("queue_length", 1) },
		"one series twice":     func(s *Sample) { s.Set("store_ok", 1); s.Set("store_ok", 1) },
		"a label that is none": func(s *Sample) { s.Set("breaker_open_until_timestamp_seconds", 1, "\xff") },
	} {
		m := New("v1", 1)
		m.Read(tell)
		families, err := m.Gatherer().Gather()
		if err == nil || len(families) < 10 {
			t.Errorf("%s: %v, and %d others are served; want an error and the others", what, err, len(families))
		}
	}
}

func TestTableIsWhole(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range Table() {
		if seen[m.Name] {
			t.Errorf("%s has two rows", m.Name)
		}
		seen[m.Name] = true
		if m.Help == "" || m.Panel.Row == "" || m.Panel.Title == "" || m.Type != Gauge && m.Type != Counter {
			t.Errorf("%s: its row is not whole: %+v", m.Name, m)
		}
		if strings.HasSuffix(m.Name, "_total") != (m.Type == Counter) {
			t.Errorf("%s: counters end in _total, gauges do not", m.Name)
		}
		for _, l := range m.Labels {
			if l.Values == nil && !slices.Contains([]string{"key", "version", "goversion"}, l.Name) {
				t.Errorf("%s: label %s has no closed list, and nothing is known to bound it", m.Name, l.Name)
			}
		}
	}
}

// The reasons of package breaker are all in the closed list.
func TestReasonsAreListed(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "../breaker/snapshot.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	ast.Inspect(file, func(x ast.Node) bool {
		spec, ok := x.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Reason" {
			return true
		}
		text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil || !slices.Contains(reasons, text) {
			t.Errorf("reason %q is not in the list of labels (%v)", text, err)
		}
		n++
		return true
	})
	if n < 9 {
		t.Errorf("found only %d reasons", n)
	}
}
