package fleet

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAProgramThatDoesNotGetReadyIsKilled(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	script := "#!/bin/sh\nuntil [ \"$1\" = --ready-file ]; do shift; done\necho nonsense >\"$2.new\"\nmv \"$2.new\" \"$2\"\nexec sleep 600\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	n, err := Program{Binary: program, Dir: dir}.Start(t.Context(), "n1")
	if err == nil || !strings.Contains(err.Error(), "ready.json: invalid character") {
		t.Fatalf("got %v", err)
	}
	select {
	case <-n.Exited():
	default:
		t.Error("the program still runs")
	}
}
