package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Problems are told from the top of the first file to the bottom of the last,
// whichever section or check found them.
func TestProblemsAreInOrder(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	files := []string{
		write("b.yaml", "defaults: {fail_max: 0}\nbogus: 1\nhosts: {a.example.org: {fail_mx: 1}}\n"),
		filepath.Join(dir, "none.yaml"),
		write("a.yaml", "log: {level: loud}\nprofil: bold\n"),
	}
	want := []string{"b.yaml:1", "b.yaml:2", "b.yaml:3", "a.yaml:1", "a.yaml:2", ":0"}
	var got []string
	for _, f := range Check(files) {
		got = append(got, strings.TrimPrefix(filepath.Base(f.File), ".")+":"+string(rune('0'+f.Line)))
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Where a file is of another kind, that is said and nothing else.
func TestFilesOfAnotherKind(t *testing.T) {
	for text, want := range map[string]string{
		"name: x\nnodes: 3\nlength: 1m\nhosts: [{name: a}]\n": "f.yaml:1:1: this looks like a scenario of the simulation, not like a configuration; policies of a scenario are under its key policy",
		"\xffPNG\x00": "f.yaml: is no text in UTF-8 (invalid leading UTF-8 octet); is it the right file?",
	} {
		l := &loader{config: Default(), settings: settings{}}
		l.readDocument("f.yaml", []byte(text))
		if err := l.err(); err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]bool{
		"defaults: {fail_max: 3}\n": true, "log: {level: info}\n": true, "hosts: {a: {fail_max: 3}}\n": true, "profile: bold\n": true,
		"nodes: 3\ndefaults: {fail_max: 3}\n": false, "hosts: [{name: a}]\n": false, "name: x\n": false, "[1]\n": false, "": false,
	} {
		if got := ReadForm("f.yaml", []byte(text)).IsConfiguration(); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}
