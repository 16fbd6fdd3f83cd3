package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/breaker"
	"fleetfuse/config"
)

func TestFullFile(t *testing.T) {
	c, err := load(t, "", nil, "--config=testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := breaker.DefaultPolicy()
	want.Rolling.Enabled = true
	want.Roles = map[string]breaker.RolePolicy{
		"metadata": {FailMax: 8, ResetTimeout: 30 * time.Second, SuccessThreshold: 2, TrialCalls: 2, RateMultiplier: 0.5},
		"preview":  {},
	}
	if diff := cmp.Diff(want, c.Breakers.Defaults); diff != "" {
		t.Errorf("defaults (-want +got):\n%s", diff)
	}
	b := &c.Breakers
	api, doi, low := b.Policy("host:api.example.org"), b.Policy("host:doi.example.org"), b.Policy("host:v1.api.example.org")
	for _, tt := range []struct {
		what      string
		got, want any
	}{
		{"node", c.Node, config.Node{Name: "node-1", DataDir: "data", ReadyFile: "/run/fleetfuse/ready.json"}},
		{"cluster", fmt.Sprintf("%+v", c.Cluster), fmt.Sprintf("%+v", config.Cluster{Label: "production", GossipProfile: "tuned",
			ListenAddress: "127.0.0.1:7141", AdvertiseAddress: "node-1.internal:0",
			Peers: []string{"node-2.internal:7141", "[2001:db8::3]:7141"}, KeyringFile: "/etc/fleetfuse/keyring"})},
		{"actor", c.Actor, config.Actor{ListenAddress: "127.0.0.1:7142", AdvertiseAddress: "node-1.internal:7142"}},
		{"tls", c.TLS, config.TLS{CertFile: "/etc/fleetfuse/node.pem", KeyFile: "/etc/fleetfuse/node.key", CAFile: "/etc/fleetfuse/ca.pem"}},
		{"insecure", c.Insecure, false},
		{"profile", c.Profile, config.ProfileBalanced},
		{"allowed hosts", strings.Join(c.HTTP.AllowedHosts, " "), "node.internal breakers.example.org"},
		{"api reset", api.ResetTimeout, 2 * time.Minute},
		{"api fail_max in a default role", api.ForRole("metadata").FailMax, 3},
		{"api role", api.ForRole("artifact").TrialCalls, 4},
		{"api rolling", api.Rolling.Enabled, false},
		{"doi merges api", doi.ResetTimeout, 2 * time.Minute},
		{"doi merges its roles", doi.ForRole("artifact").TrialCalls, 4},
		{"doi mode", doi.Mode, breaker.ModeShadow},
		{"big", b.Policy("host:big.example.org").FailMax, 1000},
		{"big by a wildcard", b.Policy("host:big.example.org").ResetTimeout, 90 * time.Second},
		{"a wildcard's role", b.Policy("host:x.example.org").ForRole("metadata").FailMax, 4},
		{"a longer wildcard", low.ForRole("metadata").FailMax, 6},
		{"and what it leaves", low.ForRole("metadata").ResetTimeout, 90 * time.Second},
		{"a wildcard with a port", b.Policy("host:x.example.org:8443").FailMax, 7},
		{"IPv6", b.Policy("host:[2001:db8::1]:8443").ResetTimeout, 10 * time.Second},
		{"resolver", b.Policy("resolver:crossref").RetryAfterCap, time.Hour},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.what, tt.got, tt.want)
		}
	}
}

// A file of another implementation of the schema.
func TestForeignFile(t *testing.T) {
	c, err := load(t, "", nil, "--config=testdata/foreign.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := breaker.DefaultPolicy()
	want.FailMax, want.ResetTimeout, want.RetryAfterCap, want.SuccessThreshold = 4, 45*time.Second, 10*time.Minute, 2
	want.HalfOpenJitter = 250 * time.Millisecond
	want.Classify = breaker.Classify{FailureStatuses: []int{429, 500, 502, 503, 504}, NeutralStatuses: []int{401, 403, 404}}
	want.Rolling = breaker.Rolling{Enabled: true, Window: 30 * time.Second, ThresholdFailures: 10, Cooldown: 90 * time.Second}
	roles := func(metadata breaker.RolePolicy) map[string]breaker.RolePolicy {
		return map[string]breaker.RolePolicy{"metadata": metadata, "landing": {FailMax: 6}, "artifact": {FailMax: 8, TrialCalls: 2, SuccessThreshold: 3}}
	}
	want.Roles = roles(breaker.RolePolicy{FailMax: 3, ResetTimeout: 20 * time.Second})
	crossref, arxiv, example, openalex, scholar := want, want, want, want, want
	crossref.FailMax, crossref.RetryAfterCap = 10, 30*time.Minute
	crossref.Roles = roles(breaker.RolePolicy{ResetTimeout: 20 * time.Second, TrialCalls: 3})
	crossref.Roles["landing"], crossref.Roles["artifact"] = breaker.RolePolicy{}, breaker.RolePolicy{TrialCalls: 2, SuccessThreshold: 3}
	arxiv.ResetTimeout, arxiv.Classify = 2*time.Minute, breaker.Classify{FailureStatuses: []int{403, 429, 503}, NeutralStatuses: []int{}}
	arxiv.Roles = roles(breaker.RolePolicy{FailMax: 3})
	example.FailMax, example.Roles = 2, map[string]breaker.RolePolicy{
		"metadata": {ResetTimeout: 20 * time.Second}, "landing": {}, "artifact": {TrialCalls: 2, SuccessThreshold: 3}}
	openalex.FailMax, openalex.ResetTimeout = 7, 10*time.Second
	openalex.Roles = map[string]breaker.RolePolicy{"metadata": {}, "landing": {}, "artifact": {TrialCalls: 2, SuccessThreshold: 3}}
	scholar.Roles = roles(breaker.RolePolicy{FailMax: 2, ResetTimeout: 20 * time.Second})
	for key, want := range map[breaker.Key]breaker.Policy{
		"host:a.example":            want,
		"host:doi.org":              want, // named, and nothing said
		"host:api.crossref.org":     crossref,
		"host:export.arxiv.org":     arxiv,
		"host:www.example.com":      example,
		"resolver:openalex":         openalex,
		"resolver:semantic_scholar": scholar,
	} {
		if diff := cmp.Diff(want, *c.Breakers.Policy(key)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
	if c.Node != config.Default().Node || c.HTTP.ListenAddress != config.Default().HTTP.ListenAddress {
		t.Errorf("a file of policies changed the node: %+v %+v", c.Node, c.HTTP)
	}
}

func TestExampleFile(t *testing.T) {
	if found := config.Check([]string{"../fleetfuse.example.yaml"}); len(found) > 0 {
		t.Fatalf("found %+v", found)
	}
	c, err := load(t, "", nil, "--config=../fleetfuse.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b := &c.Breakers
	for _, tt := range []struct {
		what      string
		got, want any
	}{
		{"profile", c.Profile, config.ProfileConservative},
		{"what only the profile sets", b.Defaults.SuccessThreshold, 2},
		{"fail_max over the profile", b.Defaults.FailMax, 5},
		{"host", b.Policy("host:api.example.org").FailMax, 10},
		{"role", b.Policy("host:api.example.org").ForRole("metadata").TrialCalls, 3},
		{"wildcard", b.Policy("host:a.slow.example.org").ResetTimeout, 5 * time.Minute},
		{"resolver", b.Policy("resolver:crossref").FailMax, 10},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.what, tt.got, tt.want)
		}
	}
}

// Each spelling in a file, with what it changes.
func TestSpellings(t *testing.T) {
	for _, tt := range []struct {
		files  []string
		change func(*breaker.Policy)
	}{
		{[]string{"defaults: {reset_timeout: 7}", "defaults: {reset_timeout_s: 7}", "defaults: {reset: 7}", "defaults: {reset_s: 7.0}", "defaults: {reset: 7s}"},
			func(p *breaker.Policy) { p.ResetTimeout = 7 * time.Second }},
		{[]string{"defaults: {retry_after_cap: 70}", "defaults: {retry_after_cap_s: 70}", "defaults: {retry_after_cap: 1m10s}"},
			func(p *breaker.Policy) { p.RetryAfterCap = 70 * time.Second }},
		{[]string{"defaults: {fail_max: 1_000, success_threshold: 9, trial_calls: 8}", "defaults: {fail_max: '1000', success_threshold: 9, trial_calls: 8}"},
			func(p *breaker.Policy) { p.FailMax, p.SuccessThreshold, p.TrialCalls = 1000, 9, 8 }},
		{[]string{"defaults: {failure_statuses: [500], neutral_statuses: [429]}", "defaults: {classify: {failure_statuses: [500], neutral_statuses: [429]}}",
			"defaults: {classify: {failure: 500, neutral: 429}}", "defaults: {classify.failure_statuses: '500', classify: {neutral: [\"429\"]}}"},
			func(p *breaker.Policy) {
				p.Classify = breaker.Classify{FailureStatuses: []int{500}, NeutralStatuses: []int{429}}
			}},
		{[]string{"defaults: {half_open: {jitter_ms: 20}}", "defaults: {half_open: {jitter: 0.02}}", "defaults: {half_open: {jitter_s: 0.02}}",
			"defaults: {half_open: {jitter: 20ms}}", "defaults: {half_open_jitter_ms: 20}", "defaults: {half_open_jitter: 0.02}"},
			func(p *breaker.Policy) { p.HalfOpenJitter = 20 * time.Millisecond }},
		{[]string{"advanced: {rolling: {enabled: true, window_s: 5, threshold_failures: 4, cooldown_s: 3}}",
			"advanced: {rolling: {enabled: yes, window: 5, thresh: 4, cooldown: 3}}", "defaults: {rolling: {enabled: on, window: 5s, threshold: 4, cooldown: 3s}}"},
			func(p *breaker.Policy) {
				p.Rolling = breaker.Rolling{Enabled: true, Window: 5 * time.Second, ThresholdFailures: 4, Cooldown: 3 * time.Second}
			}},
		{[]string{"defaults: {roles: {meta: {fail_max: 2}}}", "defaults: {roles: {metadata: {fail_max: 2}}}"},
			func(p *breaker.Policy) { p.Roles = map[string]breaker.RolePolicy{"metadata": {FailMax: 2}} }},
		{[]string{"defaults:\nhosts:\nadvanced: {rolling: }\nresolvers: {}\ntelemetry: \ntuner: {}\nhttp:", "defaults: {roles: , classify: {}, half_open: , rolling: {}}"},
			func(*breaker.Policy) {}},
	} {
		want := breaker.DefaultPolicy()
		tt.change(&want)
		for _, file := range tt.files {
			c, err := load(t, file, nil)
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			if diff := cmp.Diff(want, c.Breakers.Defaults); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		}
	}
}

// Of three files each may say another part of one host, and the last word on a
// part counts.
func TestThreeFilesMergeFieldByField(t *testing.T) {
	files := []string{
		write(t, "defaults: {fail_max: 2, classify: {failure: [500], neutral: [404]}}\nhosts: {a.example: {fail_max: 3, reset: 3, roles: {meta: {fail_max: 9}}}}"),
		write(t, "hosts: {a.example: {reset: 4, trial_calls: 4}, '*.example': {witnesses: 5}}"),
		write(t, "defaults: {classify: {failure: [502]}}\nhosts: {A.EXAMPLE: {trial_calls: 6}, '*.example': {witnesses: 7}}"),
	}
	var args []string
	for _, f := range files {
		args = append(args, "--config="+f)
	}
	c, err := load(t, "", nil, args...)
	if err != nil {
		t.Fatal(err)
	}
	want := breaker.DefaultPolicy()
	want.FailMax, want.ResetTimeout, want.TrialCalls, want.Witnesses = 3, 4*time.Second, 6, 7
	want.Roles = map[string]breaker.RolePolicy{"metadata": {FailMax: 9}}
	want.Classify = breaker.Classify{FailureStatuses: []int{502}, NeutralStatuses: []int{404}}
	if diff := cmp.Diff(want, *c.Breakers.Policy("host:a.example")); diff != "" {
		t.Errorf("a.example (-want +got):\n%s", diff)
	}
	for field, file := range map[string]string{"fail_max": files[0], "reset_timeout": files[1], "trial_calls": files[2], "witnesses": files[2], "classify.neutral_statuses": files[0]} {
		if got := c.Breakers.Origin("host:a.example", "", field).Source; got != file {
			t.Errorf("%s comes from file %d, want %d", field, slices.Index(files, got)+1, slices.Index(files, file)+1)
		}
	}
}
