package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestForm(t *testing.T) {
	f := ReadForm("f.yaml", []byte(`
text: &t hello
whole: 1_000
number: 0.25
duration: 90s
back: -1h
host: API.Example.org.
list: [1, *t]
null: ~
inner: {<<: {a: 1}, b: 2}
`))
	v := f.Root().Fields("text", "whole", "number", "duration", "back", "host", "list", "null", "inner", "absent")
	inner := v["inner"].Fields("a", "b")
	got := fmt.Sprint(v["text"].Text(10), v["whole"].Whole(0, 2000), v["number"].Number(0, 1), v["duration"].Duration(0, time.Hour), v["back"].Duration(-time.Hour, 0),
		v["host"].Host(), len(v["list"].Items(2)), v["list"].Items(2)[1].Text(10), len(v["null"].Items(5)), inner["a"].Whole(0, 9), inner["b"].Whole(0, 9),
		v["absent"].There(), v["absent"].Whole(5, 9))
	if want := "hello1000 0.25 1m30s -1h0m0sapi.example.org 2hello0 1 2 false0"; strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if err := f.Err(); err != nil {
		t.Error(err)
	}
}

func TestFormProblems(t *testing.T) {
	tests := []struct {
		text string
		read func(Part)
		want string
	}{
		{"a: 1\nbb: 2\n", func(p Part) { p.Fields("a", "b") }, `f.yaml:2:1: unknown key "bb"; did you mean "b"?`},
		{"zzzzzz: 2\n", func(p Part) { p.Fields("a", "b") }, `unknown key "zzzzzz"; known here: a, b`},
		{"a: 1\na: 2\n", func(p Part) { p.Fields("a") }, `f.yaml:2:1: "a" is here twice; the first is on line 1`},
		{"a: [1]\n", func(p Part) { p.Fields("a")["a"].Text(5) }, "f.yaml:1:4: a wants one value, not a list"},
		{"a: ''\n", func(p Part) { p.Fields("a")["a"].Whole(1, 5) }, "f.yaml:1:4: a has no value"},
		{"a:\n", func(p Part) { p.Fields("a")["a"].Whole(1, 5) }, "a has no value"},
		{"a: ''\n", func(p Part) { p.Fields("a")["a"].Word("open", "close") }, "f.yaml:1:4: a has no value"},
		{"a: ''\n", func(p Part) { p.Fields("a")["a"].Host() }, "f.yaml:1:4: a has no value"},
		{"a: ' '\n", func(p Part) { p.Fields("a")["a"].Value(5) }, "f.yaml:1:4: a has no value"},
		{"a: 7\n", func(p Part) { p.Fields("a")["a"].Whole(1, 5) }, "f.yaml:1:4: a is 7; want 1 to 5"},
		{"a: 99999999999999999999\n", func(p Part) { p.Fields("a")["a"].Whole(1, 5) }, "too large"},
		{"a: 7d\n", func(p Part) { p.Fields("a")["a"].Duration(1, 5) }, "want a duration"},
		{"a: --7s\n", func(p Part) { p.Fields("a")["a"].Duration(-10, 5) }, "a duration"},
		{"a: longer\n", func(p Part) { p.Fields("a")["a"].Text(5) }, "a is longer than 5 bytes"},
		{"a: [1, 2, 3]\n", func(p Part) { p.Fields("a")["a"].Items(2) }, "a has 3 elements; at most 2 make sense"},
		{"a: up\n", func(p Part) { p.Fields("a")["a"].Word("open", "close") }, `a is "up"; want one of open, close`},
		{"a: x/y\n", func(p Part) { p.Fields("a")["a"].Host() }, "f.yaml:1:4: a: give the host, not the URL: x"},
		{"a: {profile: bold}\n", func(p Part) { p.Fields("a")["a"].Breakers() }, "f.yaml:1:14: profile"},
		{"a: {hosts: {x.org: {fail_max: 0}}}\n", func(p Part) { p.Fields("a")["a"].Breakers() }, "f.yaml:1:31: "},
		{"a: {log: {level: info}}\n", func(p Part) { p.Fields("a")["a"].Breakers() }, `unknown key "log"; known here: profile, defaults`},
		{"a: b: c\n", func(Part) {}, "f.yaml:1:5: mapping values are not allowed"},
		{strings.Repeat("#", maxFormBytes+1), func(Part) {}, "longer than 4 MiB"},
		{"", func(p Part) { p.Fail("is empty") }, "f.yaml: is empty"},
	}
	for _, tt := range tests {
		f := ReadForm("f.yaml", []byte(tt.text))
		tt.read(f.Root())
		if err := f.Err(); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.60q: got %v, want %s", tt.text, err, tt.want)
		}
	}
}

// A value that is not there is one problem, not two.
func TestFormProblemsAreSaidOnce(t *testing.T) {
	for _, text := range []string{"a:\n", "a: ''\n", "a: [1]\n", "a: '" + strings.Repeat("x", maxValueBytes+1) + "'\n"} {
		f := ReadForm("f.yaml", []byte(text))
		f.Root().Fields("a")["a"].Word("open")
		if f.Problems() != 1 {
			t.Errorf("%.20q: %d problems: %v", text, f.Problems(), f.Err())
		}
	}
}

// Policies are read from the configuration of a machine that is not this one,
// and errors name the file alone.
func TestPolicies(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	elsewhere := "cluster: {listen_address: '0.0.0.0:7141'}\nhttp: {listen_address: '0.0.0.0:7140'}\n"
	b, err := Policies(write("a.yaml", elsewhere+"profile: aggressive\ndefaults: {fail_max: 3}\n"))
	if err != nil || b.Defaults.FailMax != 3 || b.Defaults.TrialCalls != 3 {
		t.Errorf("got %+v, %v", b.Defaults, err)
	}
	none := filepath.Join(dir, "none.yaml")
	_, err = Policies(none, write("b.yaml", "profile: bold\ndefaults: {fail_max: 0}\n"))
	for _, want := range []string{"read " + none + ": ", "b.yaml:1:10: profile is \"bold\"", "b.yaml:2:22: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if err != nil && strings.Contains(err.Error(), "--config") {
		t.Errorf("nobody gave a --config: %v", err)
	}
}

// Aliases of aliases are not endless work.
func TestFormBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	f := ReadForm("f.yaml", []byte(b.String()))
	var walk func(p Part)
	walk = func(p Part) {
		if strings.HasPrefix(p.name, "a") && p.node.Content != nil {
			for _, x := range p.Items(10) {
				walk(x)
			}
		}
	}
	walk(f.Root().Fields("a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8")["a8"])
	if err := f.Err(); err == nil || !strings.Contains(err.Error(), "entries") {
		t.Errorf("got %v", err)
	}
}
