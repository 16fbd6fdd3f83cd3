package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// read returns what a file says and what is wrong with it, as text. With a
// size it is read in pieces if that can be.
func readAs(text string, size int) (list []string, inPieces bool) {
	l := &loader{config: Default(), settings: settings{}}
	l.config.origins = map[string]Origin{}
	d := newDocument(l, "x.yaml", []byte(text))
	if inPieces = size > 0 && d.readInPieces([]byte(text), size); !inPieces {
		d.readWhole([]byte(text))
	}
	for key, settings := range d.set {
		for i, s := range settings {
			list = append(list, fmt.Sprintf("%s %d %s=%s %s", key, i, s.name(), s.text(), s.origin))
		}
	}
	for _, o := range l.config.Options() {
		list = append(list, fmt.Sprint(o))
	}
	for _, problem := range unjoin(errors.Join(l.problems...)) {
		list = append(list, "problem "+problem.Error())
	}
	slices.Sort(list)
	return append(list, fmt.Sprint(d.entries)), inPieces
}

func TestPiecesSayWhatTheWholeSays(t *testing.T) {
	full, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := os.ReadFile("testdata/foreign.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		what, file string
		inPieces   bool
	}{
		{"plain", "hosts:\n  a.example: {fail_max: 3}\n  b.example:\n    fail_max: 4\n    roles:\n      meta: {reset: 5}\n\n  # words\n  c.example:\n", true},
		{"between sections", "log: {level: warn}\nhosts: # words\r\n  a.example: {fail_max: 3}\r\n\r\n  b.example: {fail_max: 4}\r\n# words\nresolvers:\n  x: {fail_max: 5}\n", true},
		{"comments first", "hosts:\n\n  # many\n  # words\n  a.example: {fail_max: 3}\n  b.example: {fail_max: 4}\n", true},
		{"no newline at the end", "hosts:\n  a.example: {fail_max: 3}\n  b.example: {fail_max: 4}", true},
		{"deep indent, quotes, colons", "hosts:\n      '*.example': {fail_max: 3}\n      \"[::1]:8443\": {fail_max: 4}\n      ::1: {fail_max: 5}\n", true},
		{"foreign", string(foreign), true},
		{"problems", "defaults: {fail_mx: 3}\nhosts:\n  a b: {}\n  a.example: {fail_max: 0}\n  A.example: {}\n  b.example: 3\n  resolver:x: {reset: 3}\nresolvers: {x: {}}\n", false},
		{"the same key in two pieces", "hosts:\n  a.example: {fail_max: 3}\n  b.example: {}\n  A.example: {fail_max: 4}\n", false},
		{"only comments at the end", "hosts:\n  a.example: {fail_max: 3}\n  # b\n  # c\n", true},
		{"none", "hosts:\n  a.example: {fail_max: 3}\n  b.example: {fail_max: 4}\n  ? c.example\n  : {fail_max: 5}\n", false},
		{"full has anchors", string(full), false},
		{"alias of another section", "defaults: &d {fail_max: 3}\nhosts:\n  a.example: {reset: 3}\n  b.example: *d\n", false},
		{"merge", "hosts:\n  a.example: {reset: 3}\n  <<: {b.example: {reset: 4}}\n", false},
		{"flow over lines", "hosts:\n  a.example: {fail_max: 3,\n  reset: 5}\n  b.example: {fail_max: 4}\n", false},
		{"a quote over lines", "hosts:\n  a.example: {mode: \"shadow\n  \"}\n  b.example: {fail_max: 4}\n", false},
		{"in a quote of another section", "node: {name: \"x\nhosts:\n  a.example: {fail_max: 3}\n  y: {}\n z\"}\n", false},
		{"in a quote that stays whole", "node: {name: \"x\nhosts:\n  a.example: {fail_max: 3}\ny\"}\n", false},
		{"a list", "hosts:\n- a.example\n- b.example\n", false},
		{"a list below an entry", "hosts:\n  a.example:\n  - x\n  b.example:\n", false},
		{"one line", "hosts: {a.example: {fail_max: 3}}\n", false},
		{"two sections", "hosts:\n  a.example: {fail_max: 3}\nhosts:\n  b.example: {fail_max: 3}\n", false},
		{"a tab", "hosts:\n  a.example: {fail_max: 3}\n\tb.example: {fail_max: 4}\n", false},
		{"less indented", "hosts:\n  a.example: {fail_max: 3}\n b.example: {fail_max: 4}\n", false},
		{"a second document", "hosts:\n  a.example: {fail_max: 3}\n---\nhosts:\n  b.example: {}\n", false},
		{"no hosts", "defaults: {fail_max: 3}\n", false},
		{"empty", "", false},
		{"empty section", "hosts:\n\n# words\ndefaults: {fail_max: 3}\n", false},
	} {
		want, _ := readAs(tt.file, 0)
		for _, size := range []int{1, 40, 1 << 20} {
			got, inPieces := readAs(tt.file, size)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, pieces of %d bytes (-whole +pieces):\n%s", tt.what, size, diff)
			}
			if size == 1 && inPieces != tt.inPieces {
				t.Errorf("%s: read in pieces is %v, want %v", tt.what, inPieces, tt.inPieces)
			}
		}
	}
}

func FuzzPieces(f *testing.F) {
	for _, seed := range []string{
		"hosts:\n  a.example: {fail_max: 3}\n  b.example:\n    reset: 4\nlog: {level: warn}\n",
		"hosts:\n ? a\n : {}\n", "hosts:\n  a: {fail_max: 3,\n  reset: 5}\n", "x: \"\nhosts:\n a: \"\n", "hosts:\n  a: |\n   x\n  b: >-\n\n   y\n",
		"hosts:\n  a:\n  - x\n  b: !!str c\n", "hosts:\r  a: {}\r\n  b: {}\n", "hosts:\n a: {}\n...\n", "%YAML 1.1\n---\nhosts:\n a: {}\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Count(text, "\r") != strings.Count(text, "\r\n") || strings.ContainsAny(text, "\u0085\u2028\u2029") {
			return // line breaks of YAML that we do not count: only the positions differ
		}
		want, _ := readAs(text, 0)
		got, inPieces := readAs(text, 1)
		if diff := cmp.Diff(want, got); inPieces && diff != "" {
			t.Errorf("(-whole +pieces):\n%s", diff)
		}
	})
}
