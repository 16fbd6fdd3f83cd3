package fleet_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestNetworkLeavesNothing makes networks and closes them, beside what a
// process left that was killed: no namespace of either is left.
func TestNetworkLeavesNothing(t *testing.T) {
	newNetwork(t, 1) // skips the test where there can be none
	gone := exec.Command("true")
	succeed(t, gone.Run())
	stale := fmt.Sprintf("fleet-%d-stale-n1", gone.Process.Pid)
	succeed(t, exec.Command("ip", "netns", "add", stale).Run())
	t.Run("another", func(t *testing.T) {
		newNetwork(t, 3)
		expectSpaces(t, "with another network", 6)
	})
	list := expectSpaces(t, "when the other is closed", 2)
	if strings.Contains(list, stale) {
		t.Errorf("%s of a process that is gone is left", stale)
	}
}

// expectSpaces expects so many namespaces of this process, and lists all.
func expectSpaces(t *testing.T, when string, want int) string {
	t.Helper()
	list := string(must(exec.Command("ip", "netns", "list").Output())(t))
	if got := strings.Count(list, fmt.Sprintf("fleet-%d-", os.Getpid())); got != want {
		t.Errorf("%s: %d namespaces of this process, want %d:\n%s", when, got, want, list)
	}
	return list
}
