package outages

import (
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "choose the prior anew and write docs/studies (make study)")

const studies = "../../../docs/studies"

func recorded(t testing.TB) fs.FS {
	t.Helper()
	dir := os.Getenv("FLEETFUSE_DATA")
	if dir == "" {
		t.Skip("FLEETFUSE_DATA does not name a folder with outages")
	}
	return os.DirFS(dir)
}

func written(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(studies, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// With -update the prior is chosen anew and the note written. Without it, all
// but what rests on that choice is made again and compared with the note.
func TestStudy(t *testing.T) {
	s, err := Open(recorded(t))
	if err != nil {
		t.Fatal(err)
	}
	if testing.Short() {
		t.Skip("the replay takes half a minute")
	}
	s.Replay()
	if *update {
		note, svg, err := s.Write()
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{"outages.md": note, "outages.svg": svg} {
			if err := os.WriteFile(filepath.Join(studies, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	note := written(t, "outages.md")
	for name, text := range s.blocks() {
		if !strings.Contains(note, text) {
			t.Errorf("the note does not have what %s stands for; make study writes it anew:\n%s", name, text)
		}
	}
	if plot(s.all) != written(t, "outages.svg") {
		t.Error("docs/studies/outages.svg is not what the study draws; make study writes it anew")
	}
	for _, c := range s.all {
		if r := c.ratios[atTuned].value; c.part.outages >= enough && r > bar {
			t.Errorf("%s at %g s a probe: tuned costs %.3f times the best fixed wait, the bar is %g", c.part.name, c.price, r, bar)
		}
	}
}

// enough is how many outages a data set must have for its ratio to mean anything.
const enough = 20

func TestPlotIsXML(t *testing.T) {
	c := cell{part: part{name: "a"}, price: 1, ratios: make([]band, atLate+1)}
	for d := xml.NewDecoder(strings.NewReader(plot([]cell{c}))); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}
