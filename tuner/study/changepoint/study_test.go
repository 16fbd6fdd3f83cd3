package changepoint

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write docs/studies/change-points.md and its plot (make study)")

const studies = "../../../docs/studies"

// With -update the whole study is run.
func TestStudy(t *testing.T) {
	if !*update {
		t.Skip("the whole study runs with -update (make study)")
	}
	s, err := Open(recorded(t))
	if err != nil {
		t.Fatal(err)
	}
	note, svg := s.Run()
	if err := os.MkdirAll(studies, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"change-points.md": note, "change-points.svg": svg} {
		if err := os.WriteFile(filepath.Join(studies, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
