package simulation_test

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A plant is a bug that somebody could write: one snippet of a file of this
// module, and what stands there instead. The checkers must find each
// (go test -tags plant ./simulation -run Plants), or they are too weak.
type plant struct {
	name string
	file string // from the root of the module
	was  string // occurs once in the file
	now  string

	disputed bool // it is hunted in worlds that are crowded with operators
}

// root is the module's, from this package.
const root = ".."

// mutated is the file with the bug in it.
func (p plant) mutated(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, p.file))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), p.was); n != 1 {
		t.Fatalf("the snippet of %q occurs %d times in %s, want once:\n%s", p.name, n, p.file, p.was)
	}
	return strings.Replace(string(text), p.was, p.now, 1)
}

// TestPlantsFit keeps the list from rotting.
func TestPlantsFit(t *testing.T) {
	names := map[string]bool{}
	for _, p := range slices.Concat(plants, sharedPlants, wordPlants) {
		t.Run(p.name, func(t *testing.T) {
			if names[p.name] {
				t.Error("the name is taken")
			}
			names[p.name] = true
			if _, err := parser.ParseFile(token.NewFileSet(), p.file, p.mutated(t), 0); err != nil {
				t.Error(err)
			}
		})
	}
}
