package config_test

import (
	"testing"

	"fleetfuse/breaker"
)

// Keys may be written as ctl prints them, wherever a host is expected.
func TestHostsInTheLongForm(t *testing.T) {
	c, err := load(t, "hosts: {'host:a.example': {fail_max: 2}, 'host:*.wild.example': {fail_max: 3}, 'host:resolver:8080': {fail_max: 4}}", []string{
		"FLEETFUSE_BREAKERS=host:b.example=fail_max:5;host:b.example:meta=fail_max:6;host:c.example:8443=fail_max:7",
	}, "--breaker=host:[2001:db8::1]:8443=fail_max:8", "--breaker-role=host:d.example:meta=fail_max:9")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		key  breaker.Key
		role string
		want int
	}{
		{"host:a.example", "", 2},
		{"host:x.wild.example", "", 3},
		{"host:resolver:8080", "", 4},
		{"host:b.example", "", 5},
		{"host:b.example", "metadata", 6},
		{"host:c.example:8443", "", 7},
		{"host:[2001:db8::1]:8443", "", 8},
		{"host:d.example", "metadata", 9},
	} {
		if got := c.Breakers.Policy(tt.key).ForRole(tt.role).FailMax; got != tt.want {
			t.Errorf("%s %q: fail_max %d, want %d", tt.key, tt.role, got, tt.want)
		}
	}
	if _, err := load(t, "", nil, "--breaker-role=host:api.example.org=fail_max:3"); err == nil {
		t.Error("a host in the long form, without a role, was taken for the role of a host called host")
	}
}
