package simulation_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fleetfuse/simulation"
)

var (
	shrink = flag.Int64("shrink", -1, "shrink the world of this seed and write it to testdata")
	tries  = flag.Int("tries", 1500, "how many worlds shrinking may try")
)

// TestKept replays what broke a promise once.
func TestKept(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			k, err := simulation.ParseKept(text)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := k.Text(); err != nil || !bytes.Equal(again, text) {
				t.Errorf("read and written again it is (%v)\n%s", err, again)
			}
			w := simulation.New(k.Plan)
			w.Run()
			for _, v := range w.Violations() {
				if k.Known == "" {
					t.Error(v)
				} else {
					t.Logf("known (%s): %v", k.Known, v)
				}
			}
		})
	}
}

// TestShrink shrinks the world of a seed: go test ./simulation -run Shrink -shrink 320.
func TestShrink(t *testing.T) {
	if *shrink < 0 {
		t.Skip("no seed to shrink")
	}
	p := simulation.Random(uint64(*shrink))
	w := simulation.New(p)
	w.Run()
	if len(w.Violations()) == 0 {
		t.Fatalf("seed %d breaks no promise", *shrink)
	}
	check := w.Violations()[0].Check
	k := simulation.Kept{Check: check, Plan: simulation.Shrink(p, check, *tries)}
	w = simulation.New(k.Plan)
	w.Run()
	for _, v := range w.Violations() {
		if v.Check == check && k.Story == "" {
			k.Story = v.String()
		}
	}
	text, err := k.Text()
	if err != nil {
		t.Fatal(err)
	}
	file := fmt.Sprintf("testdata/%d-%s.json", *shrink, strings.ReplaceAll(check, " ", "-"))
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %s\n%s", file, k.Story, text)
}
