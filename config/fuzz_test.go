package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"fleetfuse/config"
)

// check holds what is true of every input: no panic, a readable error, and
// without an error a configuration whose policies are all valid.
func check(t *testing.T, c config.Config, err error) {
	if err != nil {
		if !utf8.ValidString(err.Error()) || strings.ContainsRune(err.Error(), 0) {
			t.Errorf("unreadable error %q", err)
		}
		return
	}
	if err := c.Validate(); err != nil {
		t.Errorf("Load accepted what Validate refuses: %v", err)
	}
	for _, k := range c.Breakers.Keys() {
		if p := c.Breakers.Policy(k); p == nil || p == &c.Breakers.Defaults {
			t.Errorf("%q has no policy of its own", k)
		}
	}
}

func FuzzGrammar(f *testing.F) {
	for i, seed := range []string{
		"fail_max:5,reset:60,retry_after_cap:900", "a.example=fail_max:3,reset:30", "[::1]:443:meta=trial_calls:2",
		"failure=429,500 neutral=404", "enabled:true,window:30,thresh:6,cooldown:60", "rolling.enabled,mode=off",
		"reset:1e9", "reset:NaN", "fail_max:1_000", "half_open_jitter_ms : 5", "roles.x.fail_max:2", "resolver:x=mode:shadow",
	} {
		f.Add(seed, uint8(i))
	}
	flags := []string{"breaker-defaults", "breaker", "breaker-role", "breaker-resolver", "breaker-classify", "breaker-rolling"}
	f.Fuzz(func(t *testing.T, text string, which uint8) {
		if i := int(which) % (len(flags) + 1); i < len(flags) {
			c, err := load(t, "", nil, "--"+flags[i]+"="+text)
			check(t, c, err)
			return
		}
		c, err := load(t, "", []string{"FLEETFUSE_BREAKER=" + text, "FLEETFUSE_" + text})
		check(t, c, err)
	})
}

func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		"defaults: {fail_max: 3, roles: {meta: {reset: 5}}}", "hosts: {a.example: &a {reset: 1h}, b.example: {<<: *a}}",
		"advanced: {rolling: {enabled: yes, window_s: 5}}", "http: {allowed_hosts: [a, b]}\nlog:\n", "a: &a [*a]", "? {}\n: 1",
		"defaults: &d {rolling: *d, <<: [*d]}", "x: !!binary 5\ny: !<a> b\n---\n", "cooldown_store: 'memory:'", "\tx: 1",
		"defaults: {classify: {neutral_statuses: [], failure: 500}}", "resolvers: {x: {mode: off}}", "defaults: {<<: {reset: .inf}}",
		"cluster: {listen_address: ':0', advertise_address: '[::1]', peers: ['a:1', 'A.:1', '[::]:1']}\ninsecure: yes\ntls: {key_file: x}",
	} {
		f.Add(seed)
	}
	path := filepath.Join(f.TempDir(), "breakers.yaml") // one file: creating directories would take most of the time
	f.Fuzz(func(t *testing.T, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := load(t, "", nil, "--config", path)
		check(t, c, err)
	})
}
