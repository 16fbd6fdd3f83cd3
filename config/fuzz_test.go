package config_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"fleetfuse/breaker"
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
	for _, pattern := range c.Breakers.Wildcards() {
		if p := c.Breakers.WildcardPolicy(pattern); p == nil || p != c.Breakers.Policy(breaker.HostKey("x"+pattern[1:])) && c.Breakers.Hosts["x"+pattern[1:]] == nil {
			t.Errorf("a host below %q has not its policy", pattern)
		}
	}
}

func FuzzGrammar(f *testing.F) {
	for i, seed := range []string{
		"fail_max:5,reset:60,retry_after_cap:900", "a.example=fail_max:3,reset:30", "[::1]:443:meta=trial_calls:2",
		"failure=429,500 neutral=404", "enabled:true,window:30,thresh:6,cooldown:60", "rolling.enabled,mode=off",
		"*.a.example=fail_max:3", "*.b:8443:meta=fail_max:3", "a.example__meta=fail_max:2", "a:1=fail_max:2;::1:ab=reset:3", "reset:1e9", "reset:NaN", "fail_max:1_000", "half_open_jitter_ms : 5", "roles.x.fail_max:2", "resolver:x=mode:shadow",
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
		for _, variable := range []string{"FLEETFUSE_BREAKER=", "FLEETFUSE_BREAKERS=", "FLEETFUSE_BREAKER__", "FLEETFUSE_BREAKER_ROLE__", "FLEETFUSE_BREAKER_RESOLVER__", "FLEETFUSE_"} {
			c, err := load(t, "", []string{variable + text})
			check(t, c, err)
		}
	})
}

func FuzzFile(f *testing.F) {
	for _, seed := range []string{
		"defaults: {fail_max: 3, roles: {meta: {reset: 5}}}", "hosts: {a.example: &a {reset: 1h}, b.example: {<<: *a}}",
		"hosts: {'*.a': {fail_max: 3}, '*.b.a': {roles: {x: }}, x.a: {reset: 3}, '*': {}}", "hosts:\n  *.a: {}", "advanced: {rolling: {enabled: yes, window_s: 5}}", "http: {allowed_hosts: [a, b]}\nlog:\n", "a: &a [*a]", "? {}\n: 1",
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

// FuzzOverlay reads overlays as text and as JSON: what is accepted has one
// text, and every form of it says the same.
func FuzzOverlay(f *testing.F) {
	for _, seed := range []string{
		"fail_max:3,reset:90s", "roles.meta.fail_max:2 roles.a.b.reset:5", "failure=500,502", "failure_statuses:none,neutral_statuses=429,429,404",
		"mode:Off,rolling.enabled,half_open.jitter:1ns", "rate_multiplier:.5,failure_rate.ratio:1e-1", "",
		`{"fail_max": 3, "reset": "90s", "rolling": {"enabled": true}}`, `{"roles": {"a.b": {"reset": 1.5}}, "classify.failure_statuses": [429, "500"]}`,
		`{"neutral_statuses": [], "fail_max": null, "": {"": {"": {"": 1}}}}`, `{"reset": 1e300, "fail_max": -0.0, "mode": true}`,
	} {
		f.Add(seed)
	}
	c, err := load(f, "", nil, "--breaker=a.example=roles.x.fail_max:2")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := config.ParseOverlay(text)
		var fields map[string]any
		if json.Unmarshal([]byte(text), &fields) == nil {
			o, err = config.OverlayOf(fields)
		}
		if err != nil {
			if !o.Empty() || !utf8.ValidString(err.Error()) {
				t.Errorf("got %q, and error %q", o, err)
			}
			return
		}
		if len(o.String()) > 4096 || o.Empty() != (o.String() == "") {
			t.Errorf("%d bytes of text, empty is %v", len(o.String()), o.Empty())
		}
		again, err := config.ParseOverlay(o.String())
		if err != nil || again.String() != o.String() {
			t.Errorf("the text %q reads as %q, %v", o, again, err)
		}
		of, err := config.OverlayOf(o.Fields())
		if err != nil || of.String() != o.String() {
			t.Errorf("the fields of %q read as %q, %v", o, of, err)
		}
		p, err := c.Breakers.Overlaid("host:a.example", config.Layer{Name: "x", Overlay: o})
		if (p == nil) != (err != nil) || p != nil && p.Validate() != nil {
			t.Errorf("%q: overlaid is %+v, %v", o, p, err)
		}
	})
}
