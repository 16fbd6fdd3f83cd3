package config

import (
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
)

// overlayOf reads an overlay that is right.
func overlayOf(t *testing.T, text string) Overlay {
	t.Helper()
	o, err := ParseOverlay(text)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestAmend(t *testing.T) {
	for _, x := range []struct {
		what                string
		lasting, temporary  string
		amendment           Amendment
		set                 string
		wantLasting, wantTo string
		restarts            bool
		problem             string
	}{
		{what: "a first field", set: "fail_max:3", wantLasting: "fail_max:3"},
		{what: "one more", lasting: "fail_max:3", set: "trial_calls:2", wantLasting: "fail_max:3,trial_calls:2"},
		{what: "another value", lasting: "fail_max:3", set: "fail_max:4", wantLasting: "fail_max:4"},
		{what: "the whole", lasting: "fail_max:3", temporary: "mode:off", amendment: Amendment{Whole: true}, set: "trial_calls:2", wantLasting: "trial_calls:2"},
		{what: "a reset", lasting: "fail_max:3", temporary: "mode:off", amendment: Amendment{Whole: true}},
		{what: "for a while", lasting: "fail_max:3", amendment: Amendment{Length: time.Hour}, set: "mode:off", wantLasting: "fail_max:3", wantTo: "mode:off", restarts: true},
		{what: "again for a while", temporary: "mode:off", amendment: Amendment{Length: time.Hour}, set: "mode:off,fail_max:9", wantTo: "fail_max:9,mode:off", restarts: true},
		{what: "another end beside it", temporary: "mode:off", amendment: Amendment{Length: time.Hour}, set: "fail_max:9", problem: "already mode"},
		{what: "another end instead", temporary: "mode:off", amendment: Amendment{Length: time.Hour, Unset: []string{"mode"}}, set: "fail_max:9", wantTo: "fail_max:9", restarts: true},
		{what: "for good what was for a while", temporary: "mode:off,fail_max:9", set: "mode:shadow", wantLasting: "mode:shadow", wantTo: "fail_max:9"},
		{what: "for good beside it", temporary: "mode:off", set: "fail_max:9", wantLasting: "fail_max:9", wantTo: "mode:off"},
		{what: "unset in both", lasting: "fail_max:3,trial_calls:2", temporary: "fail_max:9", amendment: Amendment{Unset: []string{"fail_max"}}, wantLasting: "trial_calls:2"},
		{what: "unset by an alias", lasting: "reset_timeout:10s", amendment: Amendment{Unset: []string{"reset"}}},
		{what: "unset of nothing", lasting: "fail_max:3", amendment: Amendment{Unset: []string{"mode"}}, problem: "replaced are fail_max"},
		{what: "unset of no field", lasting: "fail_max:3", amendment: Amendment{Unset: []string{"fail_mx"}}, problem: `did you mean "fail_max"`},
		{what: "unset of the whole", lasting: "fail_max:3", amendment: Amendment{Whole: true, Unset: []string{"fail_max"}}, problem: "nothing to unset"},
	} {
		x.amendment.Set = overlayOf(t, x.set)
		lasting, temporary, restarts, err := x.amendment.apply(overlayOf(t, x.lasting), overlayOf(t, x.temporary))
		if x.problem != "" {
			if err == nil || !strings.Contains(err.Error(), x.problem) {
				t.Errorf("%s: %v, want a problem with %q", x.what, err, x.problem)
			}
			continue
		}
		if err != nil || lasting.String() != overlayOf(t, x.wantLasting).String() || temporary.String() != overlayOf(t, x.wantTo).String() || restarts != x.restarts {
			t.Errorf("%s: for good %q, for a while %q, restarts %v, %v; want %q, %q, %v", x.what, lasting, temporary, restarts, err, x.wantLasting, x.wantTo, x.restarts)
		}
	}
}

// TestReloaded: what is read again gives the policies and the profile, with
// their origins; the options stay what the node runs with.
func TestReloaded(t *testing.T) {
	load := func(environ ...string) Config {
		t.Helper()
		c, err := Load(Default(), nil, environ)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	running := load("FLEETFUSE_NODE_NAME=a", "FLEETFUSE_BREAKER_DEFAULTS=fail_max:3")
	read := load("FLEETFUSE_NODE_NAME=b", "FLEETFUSE_PROFILE=aggressive")
	next := running.Reloaded(&read)
	if next.Node.Name != "a" || next.Profile != ProfileAggressive || next.Breakers.Policy(breaker.HostKey("x")).FailMax != 10 {
		t.Errorf("next is %q with profile %q and fail_max %d", next.Node.Name, next.Profile, next.Breakers.Defaults.FailMax)
	}
	if next.Origin("profile").String() != "env FLEETFUSE_PROFILE" || next.Origin("node.name").String() != "env FLEETFUSE_NODE_NAME" {
		t.Errorf("the profile is from %s, the name from %s", next.Origin("profile"), next.Origin("node.name"))
	}
	if running.Profile != ProfileBalanced || running.Origin("profile") != (Origin{}) {
		t.Error("the running configuration changed")
	}
	if back := next.Reloaded(&running); back.Hash() != running.Hash() || back.Origin("profile") != (Origin{}) {
		t.Error("back again it is another configuration")
	}
}
