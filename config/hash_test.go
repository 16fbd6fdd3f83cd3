package config_test

import (
	"testing"

	"fleetfuse/config"
)

// Nodes compare these sums across versions: if they change, so that every
// rolling upgrade shows a config mismatch, it should be for a new field.
func TestHashStays(t *testing.T) {
	for _, tt := range []struct {
		file string
		want uint64
	}{
		{"", 0x4b90f8880232ad85},
		{"defaults: {roles: {preview: {fail_max: 2}}}\nhosts: {a.example: {mode: shadow}}\nresolvers: {x: {fail_max: 3}}", 0x97011afc829c9c66},
	} {
		c, err := load(t, tt.file, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Hash(); got != tt.want {
			t.Errorf("%q: hash %#x, want %#x", tt.file, got, tt.want)
		}
	}
	c := config.Default()
	if loaded, err := load(t, "", nil); err != nil || c.Hash() != loaded.Hash() {
		t.Error("the default has another hash before it is loaded")
	}
}

func TestHashIsOfWhatApplies(t *testing.T) {
	const file = "defaults: {reset: 9, classify: {failure: [500, 502]}, roles: {meta: {fail_max: 2}}}\nhosts: {a.example: {fail_max: 3}, b.example: {fail_max: 4}}\n"
	const others = "hosts: {b.example: {fail_max: 4}, a.example: {fail_max: 3}}\ndefaults: {roles: {metadata: {fail_max: 2}}, classify: {failure: 502 500 500}, reset: 9s}\n"
	one, two := write(t, "defaults: {reset: 9}\nhosts: {a.example: {fail_max: 3}}"), write(t, "defaults: {reset: 9}\nhosts: {b.example: {fail_max: 4}}")
	base := hashOf(t, file, nil)
	for _, tt := range []struct {
		what string
		same bool
		got  uint64
	}{
		{"another order and spelling", true, hashOf(t, others, nil)},
		{"flags for files", true, hashOf(t, "", nil, "--breaker-defaults=reset:9,roles.metadata.fail_max:2", "--breaker-classify=failure=500,502",
			"--breaker=b.example=fail_max:4", "--breaker=a.example=fail_max:3")},
		{"a variable that says the same", true, hashOf(t, file, []string{"FLEETFUSE_BREAKER_DEFAULTS=reset:9"})},
		{"a host given what it has anyway", true, hashOf(t, file+"resolvers: {x: {reset: 9}}", nil)},
		{"a role the same as the breaker", true, hashOf(t, file, nil, "--breaker-role=a.example:landing=fail_max:3")},
		{"settings of the node", true, hashOf(t, file+"node: {name: n, data_dir: d}\nhttp: {listen_address: '127.0.0.1:0'}\n"+
			"cluster: {label: l, gossip_profile: wan, peers: ['p:1']}\ninsecure: true", nil,
			"--actor.listen-address=10.0.0.1:1", "--tls.cert-file=a", "--tls.key-file=a", "--tls.ca-file=a", "--cooldown-store=memory:", "--log.level=warn")},
		{"another default", false, hashOf(t, file, nil, "--breaker-defaults=fail_max:6")},
		{"the tuner as it is built in", true, hashOf(t, file+"tuner: {mode: suggest, window: 10m, probe_price: 10.0}", nil)},
		{"another mode of the tuner", false, hashOf(t, file+"tuner: {mode: enforce}", nil)},
		{"another setting of the tuner", false, hashOf(t, file, nil, "--tuner.canary=0.05")},
		{"another host", false, hashOf(t, file, nil, "--breaker=c.example=fail_max:3")},
		{"a resolver of a host's name", false, hashOf(t, file, nil, "--breaker-resolver=c.example=fail_max:3")},
		{"a role with a budget of its own", false, hashOf(t, file, nil, "--breaker-role=a.example:preview=fail_max:3")},
		{"values exchanged", false, hashOf(t, file, nil, "--breaker=a.example=fail_max:4", "--breaker=b.example=fail_max:3")},
	} {
		if (tt.got == base) != tt.same {
			t.Errorf("%s: same hash is %v, want %v", tt.what, tt.got == base, tt.same)
		}
	}
	if a, b := hashOf(t, "", nil, "--config="+one, "--config="+two), hashOf(t, "", nil, "--config="+two, "--config="+one); a != b {
		t.Error("the order of files that do not contradict each other changes the hash")
	}
}

func hashOf(t *testing.T, file string, environ []string, args ...string) uint64 {
	t.Helper()
	c, err := load(t, file, environ, args...)
	if err != nil {
		t.Fatal(err)
	}
	return c.Hash()
}
