package fleets

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fleetfuse/internal/fleet"
)

// program is the node, built once for all tests here.
var program string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "fleets")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		program = filepath.Join(dir, "node")
		build := exec.Command("go", "build", "-o", program, "fleetfuse/cmd/node")
		build.Stdout, build.Stderr = os.Stdout, os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "build:", err)
			return 1
		}
		code := m.Run()
		if err := goleak.Find(); err != nil && code == 0 {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return code
	}())
}

// fleetLength is how long a scenario lasts, its end apart: FLEET_SOAK says how
// long instead.
func fleetLength(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("FLEET_SOAK")
	if text == "" {
		return 20 * time.Second
	}
	d, err := time.ParseDuration(text)
	succeed(t, err)
	return d
}

// succeed fails the test for an error, and skips it if that says that something
// cannot be had here.
func succeed(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, fleet.ErrNoNetwork) || errors.Is(err, fleet.ErrNoRedis) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}
