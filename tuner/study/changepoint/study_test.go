package changepoint

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "run the whole study and write docs/studies (make study)")

const studies = "../../../docs/studies"

func written(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(studies, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(studies, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(studies, name), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// With -update the whole study is run. Without it the scores of each method in
// the setting the note names, and what is published, are compared with the note.
func TestStudy(t *testing.T) {
	s, err := Open(recorded(t))
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		note, svg := s.Run()
		write(t, "change-points.md", note)
		write(t, "change-points.svg", svg)
	}
	note := written(t, "change-points.md")
	for _, r := range append([]row{s.zero}, s.theirs...) {
		if !strings.Contains(note, r.String()+"\n") {
			t.Errorf("the note does not have the row %q; make study writes it anew", r)
		}
	}
	if !strings.Contains(note, s.people()) {
		t.Errorf("the note does not say that people reach %s", s.people())
	}
	for _, m := range methods() {
		var each []Score
		for _, one := range s.series {
			each = append(each, Of(one, m.named(t, note).detect(one.Values)))
		}
		got := mean(each)
		if want := fmt.Sprintf("| %s | %s | %s | %s |", m.name, m.peeks, number(got.F1), number(got.Cover)); !strings.Contains(note, want) {
			t.Errorf("the note does not begin a row with %q; make study writes it anew", want)
		}
	}
}

// named is the setting that the note says is best over all series.
func (m method) named(t *testing.T, note string) setting {
	t.Helper()
	for _, s := range m.settings {
		if strings.Contains(note, fmt.Sprintf("| %s | %s |", m.name, s.label)) {
			return s
		}
	}
	t.Fatalf("the note names no setting of %s", m.name)
	return setting{}
}

func TestBaselines(t *testing.T) {
	if testing.Short() {
		t.Skip("30 days of 15 hosts take some seconds")
	}
	note := Baselines()
	if *update {
		write(t, "baselines.md", note)
	}
	if note != written(t, "baselines.md") {
		t.Error("docs/studies/baselines.md is not what the study says; make study writes it anew")
	}
}

func TestPlotIsXML(t *testing.T) {
	r := row{name: "a", settings: 1, one: Score{0.5, 0.5}, leftOut: Score{0.4, 0.4}, oracle: Score{0.9, 0.9}}
	for d := xml.NewDecoder(strings.NewReader(plot([]row{r}, []row{{name: "b"}}, 0.6))); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
