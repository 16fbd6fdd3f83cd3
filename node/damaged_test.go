package node_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What was in a damaged database is gone: status says so, and where the file is.
func TestADamagedDatabaseIsAProblem(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "state.db"), bytes.Repeat([]byte("not a database. "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	n := start(t, dir)
	text := strings.Join(n.Status().Problems, "; ")
	for _, want := range []string{"state.db was damaged when this node started", filepath.Join(dir, "state.db.corrupt-"), "give again"} {
		if !strings.Contains(text, want) {
			t.Errorf("problems: %q; want %q", text, want)
		}
	}
	n.Stop()
	if problems := start(t, dir).Status().Problems; len(problems) > 0 {
		t.Errorf("after a restart: %q", problems)
	}
}
