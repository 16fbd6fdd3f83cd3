package config_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/config"
)

func TestDiff(t *testing.T) {
	const before = `defaults: {fail_max: 3, roles: {metadata: {fail_max: 2}, preview: {}, gone: {}, both: {}}}
hosts:
  a.example: {fail_max: 3, reset: 90, classify: {failure: [500]}}
  b.example: {mode: shadow}
  '*.example': {fail_max: 4}
`
	const after = `# a line that moves the others
hosts:
  '*.example': {fail_max: 5}
  A.EXAMPLE: {reset_timeout: 1m30s, classify: {failure: 500, neutral: none}, roles: {fresh: , meta: {reset: 5}}}
defaults: {fail_max: 3, roles: {metadata: {fail_max: 2}, preview: {trial_calls: 3}, both: }}
resolvers: {x: {failure_rate: {ratio: 0.25}}}
`
	old, err := load(t, before, nil)
	if err != nil {
		t.Fatal(err)
	}
	now, err := load(t, after, nil, "--breaker-defaults=fail_max:3,witnesses:4")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range config.Diff(&old.Breakers, &now.Breakers) {
		got = append(got, strings.Join([]string{c.Scope, c.Field, c.From, c.To, filepath.Base(c.Origin.String())}, " | "))
	}
	want := []string{
		"defaults | roles.gone | {} |  | breakers.yaml:1:71",
		"defaults | roles.preview.trial_calls |  | 3 | breakers.yaml:5:81",
		"defaults | witnesses |  | 4 | flag --breaker-defaults",
		"host:*.example | fail_max | 4 | 5 | breakers.yaml:3:27",
		"host:a.example | classify.neutral_statuses |  | none | breakers.yaml:4:71",
		"host:a.example | fail_max | 3 |  | breakers.yaml:3:25",
		"host:a.example | roles.fresh |  | {} | breakers.yaml:4:86",
		"host:a.example | roles.metadata.reset_timeout |  | 5s | breakers.yaml:4:109",
		"host:b.example | mode | shadow |  | breakers.yaml:4:21",
		"resolver:x | failure_rate.ratio |  | 0.25 | breakers.yaml:6:39",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for what, pair := range map[string][2]config.Breakers{"itself": {old.Breakers, old.Breakers}, "nothing": {}} {
		if changes := config.Diff(&pair[0], &pair[1]); len(changes) > 0 {
			t.Errorf("%s differs from itself: %+v", what, changes)
		}
	}
}

func TestDiffShowsAProfile(t *testing.T) {
	old, err := load(t, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	now, err := load(t, "", nil, "--profile=aggressive", "--breaker-defaults=fail_max:12")
	if err != nil {
		t.Fatal(err)
	}
	want := []config.Change{
		{Scope: "defaults", Field: "fail_max", To: "12", Origin: config.Origin{Source: "flag --breaker-defaults"}},
		{Scope: "defaults", Field: "reset_timeout", To: "15s", Origin: config.Origin{Source: "profile aggressive"}},
		{Scope: "defaults", Field: "trial_calls", To: "3", Origin: config.Origin{Source: "profile aggressive"}},
	}
	if diff := cmp.Diff(want, config.Diff(&old.Breakers, &now.Breakers)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOptionsAndRestart(t *testing.T) {
	old, err := load(t, "log: {level: warn}", []string{"FLEETFUSE_NODE_NAME=n"}, "--cluster.peer=a.example:1,b.example:2")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, o := range old.Options() {
		got[o.Name] = o.Value + " from " + filepath.Base(o.Origin.String())
	}
	for name, want := range map[string]string{
		"log.level":           "warn from breakers.yaml:1:14",
		"node.name":           "n from env FLEETFUSE_NODE_NAME",
		"cluster.peers":       "a.example:1,b.example:2 from flag --cluster.peer",
		"http.listen_address": "127.0.0.1:7140 from default",
		"insecure":            "false from default",
		"profile":             "balanced from default",
	} {
		if got[name] != want {
			t.Errorf("%s: got %q, want %q", name, got[name], want)
		}
	}
	if len(got) != 31 {
		t.Errorf("%d options, want 31", len(got))
	}
	now, err := load(t, "profile: aggressive\nlog: {level: info}\ndefaults: {fail_max: 3}", nil, "--node.name=n", "--cluster.peer=b.example:2")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"cluster.peers", "log.level"}, now.Restart(&old)); diff != "" {
		t.Errorf("restart (-want +got):\n%s", diff)
	}
	if names := old.Restart(&old); len(names) > 0 {
		t.Errorf("unchanged, and %q need a restart", names)
	}
}

func TestOptionsShowNoPassword(t *testing.T) {
	for store, want := range map[string]string{
		"sqlite":                           "sqlite",
		"memory:":                          "memory:",
		"sqlite:///var/lib/a@b.db":         "sqlite:///var/lib/a@b.db",
		"redis://h:6379/1":                 "redis://h:6379/1",
		"redis://:secret@h/0":              "redis://xxxxx@h/0",
		"rediss://ada:secret@h:6379/0":     "rediss://xxxxx@h:6379/0",
		"redis://ada:sec@ret@h/0":          "redis://xxxxx@h/0",
		"redis://ada:se/cret@h/0":          "redis://xxxxx@h/0",
		"redis://ada:se?cret@h/0":          "redis://xxxxx",
		"redis://:secret@h/0?key_prefix=x": "redis://xxxxx@h/0?key_prefix=x",
		"redis+sentinel://a,b/m?sentinel_user=s&sentinel_password=secret": "redis+sentinel://a,b/m?sentinel_user=s&sentinel_password=xxxxx",
		"redis+sentinel://a/m?sentinel_password=sec@ret&tail":             "redis+sentinel://xxxxx",
		"redis+sentinel://:x@a/m?sentinel_password=se@cret&tail":          "redis+sentinel://xxxxx@a/m?sentinel_password=xxxxx&xxxxx",
		"redis+cluster://:secret@a:1,b:2":                                 "redis+cluster://xxxxx@a:1,b:2",
	} {
		c, err := load(t, "", nil, "--cooldown-store="+store)
		if err != nil {
			t.Errorf("%s: %v", store, err)
			continue
		}
		for _, o := range c.Options() {
			if o.Name == "cooldown_store" && o.Value != want {
				t.Errorf("%s: shown as %q, want %q", store, o.Value, want)
			}
		}
	}
}
