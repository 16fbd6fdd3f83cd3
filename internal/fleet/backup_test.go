package fleet_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestBackupAndRestore does what the runbook says.
func TestBackupAndRestore(t *testing.T) {
	dir := t.TempDir()
	n := startNode(t, dir, "n1")
	if r := must(n.Open(t.Context(), "opened.example.org", time.Hour))(t); !r.Durable {
		t.Fatalf("open: %+v; want it durable", r)
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	must(openThird(t, filepath.Join(n.DataDir, "state.db")).ExecContext(t.Context(), "VACUUM INTO '"+backup+"'"))(t)
	must(n.Close(t.Context(), "opened.example.org"))(t)
	succeed(t, n.Stop())

	file := filepath.Join(n.DataDir, "state.db")
	succeed(t, os.WriteFile(file, must(os.ReadFile(backup))(t), 0o600))
	for _, log := range []string{file + "-wal", file + "-shm"} {
		if err := os.Remove(log); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	n = startNode(t, dir, "n1")
	awaitAll(t, "the open from the backup", "opened.example.org", rejectedFor("cli-open"), n)
}
