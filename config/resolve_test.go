package config_test

import (
	"testing"
	"time"

	"fleetfuse/breaker"
)

// A value says in its digits who set it.
func TestSpecificityFirstThenSource(t *testing.T) {
	const (
		defaults     = "defaults: {fail_max: 10}\n"
		defaultRole  = "defaults: {fail_max: 10, roles: {metadata: {fail_max: 20}}}\n"
		host         = "hosts: {a.example: {fail_max: 30}}\n"
		hostRole     = "hosts: {a.example: {roles: {metadata: {fail_max: 40}}}}\n"
		hostAndRole  = "hosts: {a.example: {fail_max: 30, roles: {metadata: {fail_max: 40}}}}\n"
		otherOnly    = "hosts: {a.example: {reset: 5}}\n"
		resolverFile = "resolvers: {a.example: {fail_max: 50}}\n"
	)
	for _, tt := range []struct {
		what, file string
		args       []string
		bare, role int // want of a.example, without and with the role metadata
	}{
		{"nothing", "", nil, 5, 5},
		{"default", defaults, nil, 10, 10},
		{"default role over default", defaultRole, nil, 10, 20},
		{"host over default role", defaultRole + host, nil, 30, 30},
		{"host role over all", defaultRole + hostAndRole, nil, 30, 40},
		{"host role leaves the rest", defaultRole + hostRole, nil, 10, 40},
		{"another field leaves the default role", defaultRole + otherOnly, nil, 10, 20},
		{"a resolver is not a host", defaultRole + resolverFile, nil, 10, 20},
		{"flag default under file host", host, []string{"--breaker-defaults=fail_max:11"}, 30, 30},
		{"flag default under file default role", defaultRole, []string{"--breaker-defaults=fail_max:11"}, 11, 20},
		{"flag host over file host", host, []string{"--breaker=A.Example.=fail_max:31"}, 31, 31},
		{"flag host under file host role", hostAndRole, []string{"--breaker=a.example=fail_max:31"}, 31, 40},
		{"flag role over file role", hostAndRole, []string{"--breaker-role=a.example:meta=fail_max:41"}, 30, 41},
	} {
		c, err := load(t, tt.file, nil, tt.args...)
		if err != nil {
			t.Errorf("%s: %v", tt.what, err)
			continue
		}
		p := c.Breakers.Policy("host:a.example")
		if p.FailMax != tt.bare || p.ForRole("metadata").FailMax != tt.role {
			t.Errorf("%s: got %d and %d, want %d and %d", tt.what, p.FailMax, p.ForRole("metadata").FailMax, tt.bare, tt.role)
		}
	}
}

func TestHostsDoNotShareRoles(t *testing.T) {
	c, err := load(t, "defaults: {roles: {metadata: {fail_max: 2}}}\nhosts: {a.example: {roles: {metadata: {fail_max: 3}, own: {}}}, b.example: {reset: 5}}", nil)
	if err != nil {
		t.Fatal(err)
	}
	a, b, d := c.Breakers.Policy("host:a.example"), c.Breakers.Policy("host:b.example"), c.Breakers.Policy("host:c.example")
	for _, tt := range []struct {
		what      string
		got, want any
	}{
		{"a", a.ForRole("metadata").FailMax, 3},
		{"b", b.ForRole("metadata").FailMax, 2},
		{"default", d.ForRole("metadata").FailMax, 2},
		{"a role without a field has a budget", a.BudgetRole("own"), "own"},
		{"only where it is named", b.BudgetRole("own"), ""},
		{"b reset", b.ResetTimeout, 5 * time.Second},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.what, tt.got, tt.want)
		}
	}
}

func TestOriginFollowsTheSpecificity(t *testing.T) {
	c, err := load(t, "", []string{"FLEETFUSE_BREAKER=a.example=fail_max:3"},
		"--breaker-defaults=fail_max:4,roles.metadata.fail_max:5,reset:9", "--breaker-role=a.example:landing=fail_max:2")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		key               breaker.Key
		role, field, want string
	}{
		{"host:a.example", "", "fail_max", "env FLEETFUSE_BREAKER"},
		{"host:a.example", "metadata", "fail_max", "env FLEETFUSE_BREAKER"},
		{"host:a.example", "landing", "fail_max", "flag --breaker-role"},
		{"host:a.example", "landing", "reset_timeout", "flag --breaker-defaults"},
		{"host:b.example", "metadata", "fail_max", "flag --breaker-defaults"},
		{"host:b.example", "", "witnesses", "default"},
	} {
		if got := c.Breakers.Origin(tt.key, tt.role, tt.field).String(); got != tt.want {
			t.Errorf("%s %q %s: got %q, want %q", tt.key, tt.role, tt.field, got, tt.want)
		}
	}
}

func TestPolicyDoesNotAllocateAndIsShared(t *testing.T) {
	c, err := load(t, "", nil, "--breaker=a.example=fail_max:3")
	if err != nil {
		t.Fatal(err)
	}
	b := &c.Breakers
	if b.Policy("host:x.example") != &b.Defaults || b.Policy("resolver:y") != &b.Defaults {
		t.Error("keys without a policy of their own do not share the default")
	}
	keys := []breaker.Key{"host:a.example", "host:x.example", "resolver:y"}
	if n := testing.AllocsPerRun(100, func() {
		for _, k := range keys {
			b.Policy(k)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}
