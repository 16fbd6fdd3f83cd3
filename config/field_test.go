package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
)

// Every field of breaker.Policy and breaker.RolePolicy has its row, and every
// row a place of its own.
func TestTableCoversThePolicy(t *testing.T) {
	var p breaker.Policy
	var r breaker.RolePolicy
	policy, role := map[any]bool{}, map[any]bool{}
	for i := range fields {
		f := &fields[i]
		if at := f.at(&p); policy[at] {
			t.Errorf("%s: another row has its place", f.name)
		} else {
			policy[at] = true
		}
		if f.atRole != nil {
			role[f.atRole(&r)] = true
		}
	}
	if got, want := len(policy), leaves(reflect.TypeFor[breaker.Policy]()); got != want {
		t.Errorf("the table has %d fields of breaker.Policy, want %d", got, want)
	}
	if got, want := len(role), leaves(reflect.TypeFor[breaker.RolePolicy]()); got != want {
		t.Errorf("the table has %d fields of breaker.RolePolicy, want %d", got, want)
	}
}

// leaves counts the fields of a struct and of the structs in it; the map of
// roles is not a field that is set.
func leaves(s reflect.Type) int {
	n := 0
	for i := range s.NumField() {
		switch f := s.Field(i).Type; f.Kind() {
		case reflect.Struct:
			n += leaves(f)
		case reflect.Map:
		default:
			n++
		}
	}
	return n
}

func TestTableIsConsistent(t *testing.T) {
	def := breaker.DefaultPolicy()
	paths := 0
	for i := range fields {
		f := &fields[i]
		paths += 1 + len(f.aliases)
		if f.doc == "" {
			t.Errorf("%s has no doc", f.name)
		}
		if value := reflect.ValueOf(f.at(&def)).Elem().Interface(); f.check(value) != nil {
			t.Errorf("%s: its default is refused: %v", f.name, f.check(value))
		}
		_, isDuration := f.at(&def).(*time.Duration)
		for _, a := range f.aliases {
			if hasUnit := strings.HasSuffix(a, "_s") || strings.HasSuffix(a, "_ms"); hasUnit && !isDuration {
				t.Errorf("alias %s of %s names a unit", a, f.name)
			}
		}
	}
	if got := len(fieldsByPath); got != paths {
		t.Errorf("%d paths for %d names and aliases: one is used twice", got, paths)
	}
}

// testdata/full.yaml sets every option, and every field of the defaults and of
// a role.
func TestFullFileIsComplete(t *testing.T) {
	base := Default()
	base.Files = []string{"testdata/full.yaml"}
	c, err := Load(base, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	set := func(what string, o Origin) {
		if o.Source != base.Files[0] || o.Line == 0 {
			t.Errorf("%s is not in %s: its origin is %q", what, base.Files[0], o)
		}
	}
	for i := range options {
		set(options[i].key, c.Origin(options[i].flag))
	}
	for i := range fields {
		f := &fields[i]
		set(f.name, c.Breakers.Origin("", "", f.name))
		if f.atRole == nil {
			continue
		}
		if !slices.ContainsFunc(c.Breakers.set[""], func(s setting) bool { return s.role == breaker.RoleMetadata && s.field == f }) {
			t.Errorf("%s is not set for the role metadata", f.name)
		}
	}
	if len(c.Breakers.Keys()) == 0 || len(c.Breakers.Wildcards()) == 0 || len(c.Breakers.Resolvers) == 0 {
		t.Error("hosts, wildcards or resolvers are missing")
	}
}

// Whatever field differs, and for whatever key or role, the hash does.
func TestHashCoversTheTable(t *testing.T) {
	change := func(place any) {
		switch v := reflect.ValueOf(place).Elem(); v.Kind() {
		case reflect.Int, reflect.Int64:
			v.SetInt(v.Int() + 1)
		case reflect.Float64:
			v.SetFloat(v.Float() + 0.125)
		case reflect.Bool:
			v.SetBool(!v.Bool())
		case reflect.String:
			v.SetString(v.String() + "x")
		case reflect.Slice:
			v.Set(reflect.Append(v, reflect.ValueOf(599)))
		default:
			t.Fatalf("a field of kind %v", v.Kind())
		}
	}
	unchanged := func() (c Config, host, resolver, wildcard *breaker.Policy) {
		c = Default()
		h, r, w := breaker.DefaultPolicy(), breaker.DefaultPolicy(), breaker.DefaultPolicy()
		h.FailMax, r.FailMax, w.FailMax = 7, 7, 7
		c.Breakers.Hosts = map[string]*breaker.Policy{"x": &h}
		c.Breakers.Resolvers = map[string]*breaker.Policy{"x": &r}
		c.Breakers.wildcards = map[string]*breaker.Policy{"x": &w}
		return c, &h, &r, &w
	}
	c, _, _, _ := unchanged()
	by := map[uint64]string{c.Hash(): "nothing"}
	changed := func(what string, c Config) {
		if other, ok := by[c.Hash()]; ok {
			t.Errorf("a change of %s gives the hash of a change of %s", what, other)
		}
		by[c.Hash()] = what
	}
	for i := range fields {
		f := &fields[i]
		c, _, _, _ := unchanged()
		change(f.at(&c.Breakers.Defaults))
		changed("default "+f.name, c)
		c, host, _, _ := unchanged()
		change(f.at(host))
		changed("host "+f.name, c)
		c, _, resolver, _ := unchanged()
		change(f.at(resolver))
		changed("resolver "+f.name, c)
		c, _, _, wildcard := unchanged()
		change(f.at(wildcard))
		changed("wildcard "+f.name, c)
		if f.atRole != nil {
			c, host, _, _ := unchanged()
			role := host.ForRole("landing")
			change(f.atRole(&role))
			host.Roles = map[string]breaker.RolePolicy{"landing": role}
			changed("role "+f.name, c)
		}
	}
}

func TestClosest(t *testing.T) {
	for _, tt := range []struct{ word, want string }{
		{"fail_mx", "fail_max"},
		{"FAIL-MAX", "fail_max"},
		{"fial_max", "fail_max"},
		{"mdoe", "mode"},
		{"mod", "mode"},
		{"m", ""},
		{"", ""},
		{"something", ""},
		{strings.Repeat("fail_max", 20), ""},
	} {
		if got := closest(tt.word, []string{"fail_max", "mode"}); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.word, got, tt.want)
		}
	}
}
