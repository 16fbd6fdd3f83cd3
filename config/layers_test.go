package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fleetfuse/breaker"
	"fleetfuse/config"
)

// The names that a policy can be set for and that apply to the last of them,
// the least specific first; "" is the defaults.
var scopes = []string{"", "*.example.org", "*.api.example.org", "w.api.example.org"}

// The sources that a setting can come from, the weakest first.
var sources = []string{"profile", "one.yaml", "two.yaml", "env", "flag", "tuner", "operator"}

// A slot is a place where fail_max can be set, for the role metadata if role.
type slot struct {
	scope  string
	role   bool
	source string
	value  int // says in its digits which slot it is from
}

// slots lists every slot there is, the weakest first: specificity, then source.
func slots() []slot {
	var all []slot
	for _, scope := range scopes {
		for _, role := range []bool{false, true} {
			for _, source := range sources {
				switch {
				case source == "profile" && (scope != "" || role):
					// It lies below all defaults and sets no role.
				case source == "profile":
					all = append(all, slot{scope, role, source, 3})
				case (source == "tuner" || source == "operator") && scope != "w.api.example.org":
					// An overlay is of one breaker.
				default:
					all = append(all, slot{scope, role, source, 100 + len(all)})
				}
			}
		}
	}
	return all
}

// Of any two settings the one in the stronger slot wins, and of all of them too.
func TestEverySlotAgainstEveryOther(t *testing.T) {
	all := slots()
	if len(all) != 37 {
		t.Fatalf("%d slots, want 37", len(all))
	}
	for strong := range all {
		for _, weak := range all[:strong] {
			checkSlots(t, weak, all[strong])
		}
		checkSlots(t, all[:strong+1]...)
	}
}

// checkSlots sets fail_max in these slots, the weakest first, and looks what
// applies to the host, without and with the role.
func checkSlots(t *testing.T, set ...slot) {
	t.Helper()
	args := append(filesOf(t, set), flagsOf(set)...)
	c, err := load(t, "", environOf(set), args...)
	if err != nil {
		t.Fatalf("%v: %v", set, err)
	}
	key := breaker.HostKey(scopes[len(scopes)-1])
	layers := []config.Layer{layerOf(t, set, "tuner"), layerOf(t, set, "operator")}
	p, err := c.Breakers.Overlaid(key, layers...)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]config.Value{}
	for _, v := range c.Breakers.Values(key, layers...) {
		values[v.Name] = v
	}
	for _, role := range []string{"", "metadata"} {
		want := slot{source: "default", value: 5}
		for _, s := range set {
			if !s.role || role != "" {
				want = s
			}
		}
		value, ok := values["roles.metadata.fail_max"]
		if role == "" || !ok {
			value = values["fail_max"]
		}
		origin := filepath.Base(value.Origin.String())
		if got := p.ForRole(role).FailMax; got != want.value || value.Value != want.value || !strings.HasPrefix(origin, want.origin()) {
			t.Errorf("%v, role %q: got %d, and %v from %q; want %d from %q", set, role, got, value.Value, origin, want.value, want.origin())
		}
		if from := c.Breakers.Origin(key, role, "fail_max"); layers[0].Overlay.Empty() && layers[1].Overlay.Empty() && from != value.Origin {
			t.Errorf("%v, role %q: Origin is %q, of Values %q", set, role, from, value.Origin)
		}
	}
}

// origin is how the origin of a value in the slot starts.
func (s slot) origin() string {
	switch s.source {
	case "profile":
		return "profile conservative"
	case "env":
		return "env " + config.Variable(s.flag())
	case "flag":
		return "flag --" + s.flag()
	}
	return s.source
}

// flag is the one that sets the slot, and whose twin does.
func (s slot) flag() string {
	switch {
	case s.scope == "":
		return "breaker-defaults"
	case s.role:
		return "breaker-role"
	}
	return "breaker"
}

// text sets the slot in the grammar of its flag.
func (s slot) text() string {
	switch {
	case s.scope == "":
		return s.pair()
	case s.role:
		return fmt.Sprintf("%s:metadata=fail_max:%d", s.scope, s.value)
	}
	return fmt.Sprintf("%s=fail_max:%d", s.scope, s.value)
}

func (s slot) pair() string {
	if s.role {
		return fmt.Sprintf("roles.metadata.fail_max:%d", s.value)
	}
	return fmt.Sprintf("fail_max:%d", s.value)
}

func flagsOf(set []slot) (args []string) {
	for _, s := range set {
		switch s.source {
		case "profile":
			args = append(args, "--profile=conservative")
		case "flag":
			args = append(args, "--"+s.flag()+"="+s.text())
		}
	}
	return args
}

func environOf(set []slot) (environ []string) {
	texts := map[string]string{}
	for _, s := range set {
		if s.source == "env" {
			texts[config.Variable(s.flag())] += s.text() + ";"
		}
	}
	for name, text := range texts {
		environ = append(environ, name+"="+text)
	}
	return environ
}

// filesOf writes both files, even if nothing is set in one.
func filesOf(t *testing.T, set []slot) (args []string) {
	dir := t.TempDir()
	for _, name := range []string{"one.yaml", "two.yaml"} {
		sections := map[string]string{}
		for _, s := range set {
			field := fmt.Sprintf("    fail_max: %d\n", s.value)
			if s.role {
				field = fmt.Sprintf("    roles: {metadata: {fail_max: %d}}\n", s.value)
			}
			if s.source == name {
				sections[s.scope] += field
			}
		}
		text := "defaults:\n" + sections[""] + "hosts:\n"
		for _, scope := range scopes[1:] {
			text += "  '" + scope + "':\n" + sections[scope]
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config="+path)
	}
	return args
}

func layerOf(t *testing.T, set []slot, source string) config.Layer {
	t.Helper()
	var pairs []string
	for _, s := range set {
		if s.source == source {
			pairs = append(pairs, s.pair())
		}
	}
	o, err := config.ParseOverlay(strings.Join(pairs, ","))
	if err != nil {
		t.Fatal(err)
	}
	return config.Layer{Name: source, Overlay: o}
}
