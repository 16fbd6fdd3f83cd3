//go:build plant

package simulation_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fleetfuse/simulation"
)

// Flags of the hunt; from and until are set for the binaries that have a bug.
var (
	huntFrom  = flag.Uint64("hunt.from", 0, "the first seed of a hunt")
	huntUntil = flag.Uint64("hunt.until", 0, "the seed after its last; 0: this is not a hunt")
	huntWords = flag.Bool("hunt.disputed", false, "hunt in worlds that are crowded with operators")
	huntMost  = flag.Uint64("hunt.most", 10_000, "seeds within which each bug must be found")
)

// found is what a hunt prints when it finds something.
type found struct {
	Seed   uint64
	Checks []string
	First  string
}

// TestHunt runs worlds until a promise is broken. It is what TestPlants runs in
// a binary with a bug in it.
func TestHunt(t *testing.T) {
	for seed := *huntFrom; seed < *huntUntil; seed++ {
		if f := hunt(seed, *huntWords); len(f.Checks) > 0 {
			text, err := json.Marshal(f)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Printf("%s%s\n", foundMark, text)
			return
		}
	}
}

const foundMark = "found "

// hunt runs one world. A panic finds a bug too.
func hunt(seed uint64, disputed bool) (f found) {
	f.Seed = seed
	defer func() {
		if p := recover(); p != nil {
			f.Checks, f.First = []string{"no panic"}, fmt.Sprint(p)
		}
	}()
	world := simulation.Random
	if disputed {
		world = simulation.Disputed
	}
	w := simulation.New(world(seed))
	w.Run()
	for i, v := range w.Violations() {
		if i == 0 {
			f.First = v.String()
		}
		f.Checks = append(f.Checks, v.Check)
	}
	return f
}

// TestPlants builds each bug into a binary of its own and hunts with it.
func TestPlants(t *testing.T) {
	for _, p := range slices.Concat(plants, sharedPlants, wordPlants) {
		t.Run(p.name, func(t *testing.T) {
			binary := p.build(t)
			f, ok := p.hunt(t, binary)
			if !ok {
				t.Fatalf("SURVIVED %d seeds", *huntMost)
			}
			fmt.Printf("| %s | %s | %d |\n", p.name, f.Checks[0], f.Seed+1)
			t.Log(f.First)
		})
	}
}

// build makes a test binary with the bug.
func (p plant) build(t *testing.T) string {
	dir := t.TempDir()
	file, err := filepath.Abs(filepath.Join(root, p.file))
	if err != nil {
		t.Fatal(err)
	}
	instead := filepath.Join(dir, "plant.go")
	if err := os.WriteFile(instead, []byte(p.mutated(t)), 0o600); err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {file: instead}})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "plant.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-tags", "plant", "-overlay", list, "-o", binary, ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// hunt runs seeds until a check fails that does not fail without the bug.
func (p plant) hunt(t *testing.T, binary string) (found, bool) {
	for from := uint64(0); from < *huntMost; {
		run := exec.CommandContext(t.Context(), binary, "-test.run", "^TestHunt$", "-test.timeout", "0",
			"-hunt.from", fmt.Sprint(from), "-hunt.until", fmt.Sprint(*huntMost), "-hunt.disputed="+fmt.Sprint(p.disputed))
		out, err := run.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		_, line, ok := strings.Cut(string(out), foundMark)
		if !ok {
			return found{}, false
		}
		var f found
		if err := json.NewDecoder(strings.NewReader(line)).Decode(&f); err != nil {
			t.Fatal(err)
		}
		without := hunt(f.Seed, p.disputed)
		for _, check := range f.Checks {
			if !strings.Contains(strings.Join(without.Checks, "\n"), check) {
				f.Checks = []string{check}
				return f, true
			}
		}
		from = f.Seed + 1
	}
	return found{}, false
}
