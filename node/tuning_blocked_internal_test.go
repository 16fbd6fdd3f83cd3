package node

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fleetfuse/telemetry/decisions"
)

// Where it cannot be written down what the tuner does, it does nothing.
func TestNothingIsEnforcedThatIsNotWrittenDown(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, decisions.FileName), 0o700); err != nil {
		t.Fatal(err)
	}
	n := aloneAt(t, dir)
	if reasons := n.tuning.blocked(t.Context()); !slices.ContainsFunc(reasons, func(s string) bool { return strings.Contains(s, "its tuner.db fails: ") }) {
		t.Errorf("blocked by %q", reasons)
	}
	n.standing.mu.Lock()
	defer n.standing.mu.Unlock()
	if n.standing.failed[partTuner] == "" {
		t.Errorf("what fails is %v, want %s too", n.standing.failed, partTuner)
	}
}
