package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestFileIsRead(t *testing.T) {
	for _, tt := range []struct {
		file    string
		failMax int // of host a.example
	}{
		{"", 5},
		{"# nothing\n", 5},
		{"---\n", 5},
		{"defaults:\nhosts:\nresolvers:\nadvanced:\nhttp:\ntuner:\n", 5},
		{"telemetry: {}\ntuner: {}\n", 5},
		{"hosts:\n  a.example:\n", 5},
		{"defaults: {roles: , classify: , half_open: , fail_max: 6}", 6},
		{"defaults: {fail_max: \"6\"}", 6},
		{"defaults: {fail_max: 1_000}", 1000},
		{"hosts: {'*.example': {fail_max: 6}}", 6},
		{"defaults: {fail_max: !!int 6, failure_rate.ratio: 0.5}", 6},
		{"{\"hosts\": {\"a.example\": {\"fail_max\": 7}}}", 7},
		{"\xef\xbb\xbfdefaults:\r\n  fail_max: 6\r\n", 6},
		{"defaults: &d {fail_max: 6}\nhosts: {a.example: *d}", 6},
		{"hosts: {b.example: &b {fail_max: 6, reset: 3}, a.example: {reset_timeout: 5, <<: *b}}", 6},
		{"hosts: {b.example: &b {fail_max: 6}, c.example: &c {fail_max: 7}, a.example: {<<: [*c, *b]}}", 7},
		{"hosts: {resolver:x: {fail_max: 9}, a.example:443: {fail_max: 6}}", 6},
	} {
		c, err := load(t, tt.file+"\n", nil)
		if err != nil {
			t.Errorf("%q: %v", tt.file, err)
			continue
		}
		if got := c.Breakers.Policy("host:a.example").FailMax; got != tt.failMax {
			t.Errorf("%q: fail_max %d, want %d", tt.file, got, tt.failMax)
		}
	}
}

func TestFileIsRefused(t *testing.T) {
	for _, tt := range []struct{ file, want string }{
		{"a", ":1:1: want a mapping here"},
		{"[a]", ":1:1: want a mapping here"},
		{"\tdefaults: {}", ":1:1: a tab indents this line"},
		{"defaults:\n\tfail_max: 3", ":2:1: a tab indents this line"},
		{"defaults: {", ":1:11: did not find expected node content"},
		{"# a\n# b\ndefaults:\n  fail_max: 3\n - x: 1\nhosts: {}", ":5:2: did not find expected key; is it indented"},
		{"# a\ndefaults:\n  fail_max: 3\n\"a\" b: 3", ":4:6: did not find expected key"},
		{"# a\n\ndefaults: {fail_max: 3\nhosts:\n  a: 1", ":3:12: did not find expected ',' or '}'; a { that opens"},
		{"# a\n\ndefaults: [fail_max: 3}\nhosts: {}", ":3:12: did not find expected ',' or ']'"},
		{"# a\n\ndefaults:\n  fail_max: !x!y 3", ":4:16: found undefined tag handle"},
		{"# a\ndefaults:\n  mode: \"é\" \"\nhosts: {}", ":3:13: "},
		{"# a\nhosts: {}\ndefaults:\n  fail_max: \"3\n", ":4:13: found unexpected end of stream; a quote"},
		{"# a\ndefaults:\n  - a\n  b: 1", ":4:4: did not find expected '-' indicator"},
		{"defaults:\n  fail_max 3\n  reset: 4", ":3:8: mapping values are not allowed in this context; does the line before lack"},
		{"defaults: {fail_max: *three}", ":1:"},
		{strings.Repeat("# 0123456789\n", 1<<17) + "a: b: c", ": mapping values are not allowed in this context; does the line before lack a colon? A value with a colon and a blank in it needs quotes; at or after line 131073"},
		{"defaults: {}\n---\ndefaults: {}", ":2: a second document"},
		{"defaults: {fail_max: 3}\ndefaults: {fail_max: 3}", `:2:1: "defaults" is here twice; the first is on line 1`},
		{"defaults: {fail_max: 3, fail_max: 3}", `:1:25: "fail_max" is here twice`},
		{"defaults: {reset: 3,\n reset_timeout_s: 3}", ":2:2: reset and reset_timeout_s set the same field; keep one; the other is on line 1"},
		{"defaults: {rolling: {window: 3}}\nadvanced: {rolling: {window_s: 3}}", ":2:22: rolling.window and rolling.window_s set the same"},
		{"defaults: {roles: {meta: {}, metadata: {}}}", `:1:30: "metadata" is the role of line 1 again; keep one`},
		{"hosts: {a.example: {}, A.example: {}}", `:1:24: "A.example" is the host of line 1 again; keep one`},
		{"hosts: {'*': {fail_max: 3}}", `:1:9: wildcard "*": what applies to every host are the defaults; use the section defaults`},
		{"hosts: {'*.*.org': {fail_max: 3}}", `:1:9: wildcard "*.*.org": * stands for everything before one suffix and nowhere else; write it as *.example.org`},
		{"hosts: {*.example.org: {fail_max: 3}}", ":1:9: did not find expected alphabetic or numeric character; YAML takes * for an alias: a wildcard needs quotes"},
		{"hosts:\n  *.example.org: {fail_max: 3}", ":2:3: did not find expected alphabetic or numeric character; YAML takes * for an alias: a wildcard needs quotes"},
		{"hosts: {'*.a.example': {}, '*.A.example.:443': {}}", `:1:28: "*.A.example.:443" is the host of line 1 again; keep one`},
		{"hosts: {'*.a.example': {neutral_statuses: [429]}}", ":1:43: host:*.a.example: classify: status 429 is both"},
		{"resolvers: {'*.x': {fail_max: 3}}", `:1:13: resolver "*.x": wildcards are for hosts; name each resolver`},
		{"defaults: {fail_max: 3, classify: {failure: 500, failure_statuses: 502}}", ":1:50: classify.failure and classify.failure_statuses set the same field; keep one"},
		{"defaults: {failure_statuses: [500], classify: {failure_statuses: [500]}}", ":1:48: failure_statuses and classify.failure_statuses set the same field; keep one"},
		{"defaults: {retry_after_cap: 1, retry_after_cap_s: 1}", "retry_after_cap and retry_after_cap_s set the same field; keep one"},
		{"defaults: {reset: 9223372037}", ":1:19: reset is \"9223372037\": that duration is too long"},
		{"defaults: {reset: 86401}", ":1:19: reset_timeout is 24h0m1s; want 1s to 24h0m0s"},
		{"defaults: {failure_rate: {ratio: .nan}}", ":1:34: failure_rate.ratio is \".nan\": want a number"},
		{"defaults: {retry_after_statuses: [99]}", ":1:34: retry_after_statuses has 99; want 100 to 599"},
		{"defaults: {fail_max: 10_001}", ":1:22: fail_max is 10001; want 1 to 10000"},
		{"hosts: {a b: {fail_max: 3}}", ":1:9: host"},
		{"hosts: [a.example]", ":1:8: want a mapping here"},
		{"hosts: {a.example: fail_max:3}", ":1:20: want a mapping here"},
		{"hosts: {resolver:x: {}}\nresolvers: {x: {}}", `:2:13: "x" is the resolver of line 1 again; keep one`},
		{"resolvers: {a/b: {}}", ":1:13: resolver"},
		{"defaults: {fail_max: 0}", ":1:22: fail_max is 0; want 1 to 10000"},
		{"defaults: {fail_max: }", ":1:22: fail_max has no value"},
		{"defaults: {fail_max: ''}", ":1:22: fail_max has no value"},
		{"defaults: {fail_max: [3]}", ":1:22: fail_max wants one value"},
		{"defaults: {fail_max: {a: 3}}", ":1:22: fail_max wants one value"},
		{"defaults: {fail_max: true}", ":1:22: fail_max is \"true\""},
		{"defaults: {fail_max: !!binary Mw==}", "not supported"},
		{"defaults: {fail_max: !x 3}", "not supported"},
		{"defaults: {fail_max: .nan, reset: .inf}", ":1:35: reset is \".inf\""},
		{"defaults: {reset: -1}", ":1:19: reset is \"-1\": a duration cannot be negative"},
		{"defaults: {half_open: 3}", ":1:23: want a mapping here"},
		{"defaults: {half_open: {jiter_ms: 3}}", `did you mean "half_open.jitter_ms"?`},
		{"defaults: {classify: {failure_statuses: [500, x]}}", "an HTTP status"},
		{"defaults: {classify: {failure_statuses: [500, [1]]}}", "an element that wants one value"},
		{"defaults: {classify: {failure_statuses: [500, 600]}}", "has 600; want 100 to 599"},
		{"defaults: {classify: {neutral_statuses: [429]}}", ":1:41: classify: status 429 is both"},
		{"hosts: {a.example: {neutral_statuses: [429]}}", ":1:39: host:a.example: classify: status 429 is both"},
		{"defaults: {roles: {x: {mode: off}}}", "cannot be set for a role"},
		{"defaults: {roles: {x: {fail_max: 0}}}", ":1:34: roles.x.fail_max is 0"},
		{"defaults: {roles: {x: {roles: {}}}}", `unknown policy field "roles"`},
		{"defaults: {roles: {'': {}}}", "needs a name"},
		{"advanced: {roling: {}}", "known here: rolling"},
		{"advanced: {rolling: {thresh: 3, fail_max: 3}}", `unknown policy field "rolling.fail_max"`},
		{"fail_max: 3", "policy fields belong into the section defaults"},
		{"data_dir: x", "it belongs into the section node"},
		{"http: {zzzzzzzz: x}", "known here: allowed_hosts, listen_address, socket"},
		{"http: 3", ":1:7: want a mapping here"},
		{"http: {socket: [a]}", ":1:16: http.socket wants one value"},
		{"http: {socket: }", ":1:16: http.socket has no value"},
		{"http: {listen_address: 0.0.0.0:1}", ":1:24: http.listen_address is \"0.0.0.0:1\", which is not loopback"},
		{"log: {level: loud}", ":1:14: log.level is \"loud\""},
		{"cooldown_store: redis:x", ":1:17: cooldown_store starts with \"redis:\" but not with \"redis://\""},
		{"profile: agressive", `:1:10: profile is "agressive"; want one of aggressive, balanced, conservative; did you mean "aggressive"?`},
		{"tuner: {x: y}", `unknown key "x"; known here: canary, hold, interval, max_changes, mode, probe_price, window`},
		{"telemetry: {x: y}", `unknown key "x"; known here: max_age, max_bytes`},
		{"tuner: [x]", ":1:8: want a mapping here"},
		{"tuner: {mode: enforced}", `:1:15: tuner.mode is "enforced"; want one of observe, suggest, enforce; did you mean "enforce"?`},
		{"tuner: {window: 59}", ":1:17: tuner.window is 59s: want 1m0s to 1h0m0s"},
		{"tuner: {probe_price: [1]}", ":1:22: tuner.probe_price wants one value"},
		{"tuner: {max_changes: 1.5}", `:1:22: tuner.max_changes is "1.5": want a whole number`},
		{"tuner: {canary: 0}", ":1:17: tuner.canary is 0: want 0.01 to 0.1"},
		{"cluster: {lable: x}", `:1:11: unknown key "lable"; did you mean "label"?`},
		{"cluster: {peer: 'b.example:7141'}", `:1:11: unknown key "peer"; did you mean "peers"?`},
		{"cluster: {peers: [b.example: 7141]}", ":1:18: cluster.peers has an element that wants one value"},
		{"cluster: {peers: ['b.example:7141', c.example]}", `:1:18: cluster.peers has an address that is "c.example"; want HOST:PORT`},
		{"cluster:\n  listen_address: 10.0.0.1:7141", `:2:19: cluster.listen_address is "10.0.0.1:7141", which is not loopback`},
		{"tls: {key_file: x}", ":1:17: tls.key_file needs --tls.cert-file and --tls.ca-file too"},
		{"insecure: maybe", `:1:11: insecure is "maybe": want true or false`},
		{"insecure: ", ":1:10: insecure has no value"},
		{"? [a]\n: 1", "a key must be one word"},
		{"defaults: &d {<<: *d}", "merges nest more than"},
		{"defaults: {<<: 3}", "want a mapping here"},
		{"defaults: *nowhere", "unknown anchor"},
		{"defaults: &d {rolling: *d}", `unknown policy field "rolling.rolling"`},
	} {
		_, err := load(t, tt.file, nil)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "breakers.yaml") {
			t.Errorf("%q: error %v, want %q", tt.file, err, tt.want)
		}
	}
}

func TestWhatIsNoFileOrAHugeOneIsRefused(t *testing.T) {
	fifo, endless := filepath.Join(t.TempDir(), "fifo"), filepath.Join(t.TempDir(), "endless.yaml")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(endless, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(endless, 65<<20); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ path, want string }{
		{t.TempDir(), "is a directory"},
		{"/dev/zero", "is no file but a pipe or a device"},
		{fifo, "is no file but a pipe or a device"},
		{endless, "longer than 64 MiB"},
		{filepath.Join(t.TempDir(), "none.yaml"), "no such file"},
	} {
		_, err := load(t, "", nil, "--config", tt.path)
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "flag --config") {
			t.Errorf("%s: error %v, want %q", tt.path, err, tt.want)
		}
	}
}

// Ten aliases of ten aliases of … : cheap to write, endless to follow.
func TestAliasBombIsBounded(t *testing.T) {
	var merges, hosts strings.Builder
	merges.WriteString("defaults:\n  a0: &a0 {x: 1}\n")
	for i := 1; i < 9; i++ {
		fmt.Fprintf(&merges, "  a%d: &a%d {<<: [%s]}\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i-1), 40), ","))
	}
	merges.WriteString("  <<: *a8\n")
	hosts.WriteString("hosts:\n  h.example: &h {")
	for i := range 3000 {
		fmt.Fprintf(&hosts, "f%d: 1, ", i)
	}
	hosts.WriteString("x: 1}\n")
	for i := range 3000 {
		fmt.Fprintf(&hosts, "  h%d.example: *h\n", i)
	}
	for _, file := range []string{merges.String(), hosts.String()} {
		if _, err := load(t, file, nil); err == nil || !strings.Contains(err.Error(), "entries, those that aliases repeat included") {
			t.Errorf("%.40q…: error %.200v, want the bound on entries", file, err)
		}
	}
}

func TestManyHostsOfOneAliasAreNoBomb(t *testing.T) {
	const hosts = 15_000 // more entries than any short file may have
	var file strings.Builder
	file.WriteString("hosts:\n  h.example: &h {fail_max: 3, reset: 5, trial_calls: 2, witnesses: 3, roles: {meta: {fail_max: 2}}, rolling: {enabled: true, window: 5}}\n")
	for i := range hosts {
		fmt.Fprintf(&file, "  h%d.example: *h\n", i)
	}
	c, err := load(t, file.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(c.Breakers.Hosts); got != hosts+1 {
		t.Errorf("%d hosts, want %d", got, hosts+1)
	}
}
