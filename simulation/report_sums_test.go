package simulation

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// reportOf runs the text of a scenario.
func reportOf(t *testing.T, text string) (*World, Report) {
	t.Helper()
	s, err := parse("f.yaml", []byte(text), beside)
	if err != nil {
		t.Fatal(err)
	}
	w := New(s.Plan)
	r := w.Record(nil)
	w.Run()
	return w, r.Report(s, "p")
}

// What was sent adds up, and so does what was wanted.
func TestFiguresAddUp(t *testing.T) {
	w, report := reportOf(t, small+"  - {name: p.example.org, latency: 8s, phases: [{for: 1m, mode: portal}, {for: 1m, mode: down}]}\n")
	f := report.Figures
	if under := uint64(len(w.callers.calls) - len(w.callers.free)); f.Unended != under || under == 0 {
		t.Errorf("%d calls had no answer at the end, the report says %d", under, f.Unended)
	}
	if f.Called != f.Succeeded+f.Failed+f.Neutral+f.Unended || f.Wanted != f.Called+f.Rejected || f.Rejected != f.Spared+f.Obeyed+f.Wrongly {
		t.Errorf("the figures do not add up: %+v", f)
	}
	if text := Text([]Report{report}); !strings.Contains(text, "\n    no answer yet at the end "+strings.Repeat(" ", 24-len(whole(f.Unended)))+whole(f.Unended)+"\n") {
		t.Errorf("got\n%s", text)
	}
}

// An outage that changes its mode shows each.
func TestOutagesShowAllModes(t *testing.T) {
	_, report := reportOf(t, small+`  - name: m.example.org
    phases:
      - {until: 1m, mode: healthy}
      - {until: 90s, mode: down}
      - {until: 2m, mode: limiting, retry_after: 5s}
      - {until: 150s, mode: limiting, retry_after: 9s}
      - {until: 3m, mode: brownout, part: 0.5}
      - {until: 200s, mode: down}
`)
	const turns = "then limiting from 1:30, then brownout from 2:30, and 1 more"
	if text := Text([]Report{report}); !strings.Contains(text, "\nm.example.org          down        1:00    3:20 ") || !strings.Contains(text, "\n  "+turns+"\n") {
		t.Errorf("got\n%s", text)
	}
	var page bytes.Buffer
	if err := WriteHTML(&page, []Report{report}); err != nil || !strings.Contains(page.String(), "<td>down, "+turns+"</td>") {
		t.Errorf("%v, got\n%s", err, page.String())
	}
	doc, err := json.Marshal(report)
	if want := `"mode":"down","then":[{"from_s":90,"mode":"limiting"},{"from_s":150,"mode":"brownout"},{"from_s":180,"mode":"down"}]`; err != nil || !strings.Contains(string(doc), want) {
		t.Errorf("%v, no %s", err, want)
	}
}
