package config_test

import (
	"path/filepath"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/config"
)

func TestProfileLiesBelowEverything(t *testing.T) {
	const host = breaker.Key("host:a.example")
	for _, tt := range []struct {
		what, file string
		environ    []string
		args       []string
		failMax    int
		origin     string
	}{
		{"none named", "", nil, nil, 5, "default"},
		{"balanced", "profile: balanced", nil, nil, 5, "default"},
		{"conservative", "profile: conservative", nil, nil, 3, "profile conservative"},
		{"aggressive", "profile: aggressive", nil, nil, 10, "profile aggressive"},
		{"the file over it", "profile: aggressive\ndefaults: {fail_max: 7}", nil, nil, 7, "breakers.yaml:2:22"},
		{"a host of the file over it", "profile: aggressive\nhosts: {a.example: {fail_max: 8}}", nil, nil, 8, "breakers.yaml:2:31"},
		{"the environment over the file's", "profile: aggressive", []string{"FLEETFUSE_PROFILE=conservative"}, nil, 3, "profile conservative"},
		{"a flag over the environment", "", []string{"FLEETFUSE_PROFILE=conservative"}, []string{"--profile=aggressive"}, 10, "profile aggressive"},
		{"a flag's default over it", "", nil, []string{"--profile=aggressive", "--breaker-defaults=fail_max:4"}, 4, "flag --breaker-defaults"},
	} {
		c, err := load(t, tt.file, tt.environ, tt.args...)
		if err != nil {
			t.Errorf("%s: %v", tt.what, err)
			continue
		}
		if got := c.Breakers.Policy(host).FailMax; got != tt.failMax {
			t.Errorf("%s: fail_max %d, want %d", tt.what, got, tt.failMax)
		}
		if got := c.Breakers.Origin(host, "", "fail_max").String(); filepath.Base(got) != tt.origin {
			t.Errorf("%s: fail_max comes from %q, want %q", tt.what, got, tt.origin)
		}
	}
}

// What a profile sets in the README's words.
func TestProfiles(t *testing.T) {
	for name, want := range map[string]func(*breaker.Policy){
		config.ProfileBalanced: func(*breaker.Policy) {},
		config.ProfileConservative: func(p *breaker.Policy) {
			p.FailMax, p.ResetTimeout, p.SuccessThreshold = 3, 2*time.Minute, 2
			p.Backoff = breaker.Backoff{Multiplier: 2, Max: 10 * time.Minute}
		},
		config.ProfileAggressive: func(p *breaker.Policy) { p.FailMax, p.ResetTimeout, p.TrialCalls = 10, 15*time.Second, 3 },
	} {
		c, err := load(t, "profile: "+name, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		policy := breaker.DefaultPolicy()
		want(&policy)
		own := config.Default()
		own.Breakers.Defaults = policy
		if c.Hash() != own.Hash() {
			t.Errorf("%s: the defaults are %+v, want %+v", name, c.Breakers.Defaults, policy)
		}
	}
}
