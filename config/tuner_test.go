package config_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/config"
	"fleetfuse/tuner/planner"
)

// The same tuner from a file, from the environment and from flags.
func TestTunerIsRead(t *testing.T) {
	want := config.Tuner{Mode: "enforce", Window: 5 * time.Minute, ProbePrice: 2.5, Hold: time.Hour, MaxChanges: 3, Canary: 0.05, Interval: 20 * time.Second}
	for from, read := range map[string]func() (config.Config, error){
		"a file": func() (config.Config, error) {
			return load(t, "tuner: {mode: enforce, window: 300, probe_price: 2.5, hold: 1h, max_changes: 3, canary: 0.05, interval: 20}", nil)
		},
		"the environment": func() (config.Config, error) {
			return load(t, "", []string{"FLEETFUSE_TUNER_MODE=enforce", "FLEETFUSE_TUNER_WINDOW=5m", "FLEETFUSE_TUNER_PROBE_PRICE= 2.5 ",
				"FLEETFUSE_TUNER_HOLD=3600", "FLEETFUSE_TUNER_MAX_CHANGES= 3 ", "FLEETFUSE_TUNER_CANARY=.05", "FLEETFUSE_TUNER_INTERVAL=20"})
		},
		"flags, over both": func() (config.Config, error) {
			return load(t, "tuner: {mode: observe, max_changes: 9}", []string{"FLEETFUSE_TUNER_CANARY=0.1"}, "--tuner.mode=enforce", "--tuner.window=300s",
				"--tuner.probe-price=25e-1", "--tuner.hold=60m", "--tuner.max-changes=3", "--tuner.canary=0.05", "--tuner.interval=20s")
		},
	} {
		c, err := read()
		if err != nil {
			t.Errorf("%s: %v", from, err)
			continue
		}
		if diff := cmp.Diff(want, c.Tuner); diff != "" {
			t.Errorf("%s (-want +got):\n%s", from, diff)
		}
	}
}

// Nobody's tuner changes anything who did not say so.
func TestTunerDoesNotEnforceUnasked(t *testing.T) {
	c, err := load(t, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Tuner{Mode: config.TunerSuggest, Window: 600 * time.Second, ProbePrice: 10, Hold: 10 * time.Minute, MaxChanges: 6, Canary: 0.1, Interval: time.Minute}
	if diff := cmp.Diff(want, c.Tuner); diff != "" {
		t.Errorf("the tuner nobody configured (-want +got):\n%s", diff)
	}
	if c.Tuner != config.DefaultTuner() {
		t.Error("loading nothing gives another tuner than the default")
	}
	if diff := cmp.Diff(planner.DefaultSettings(), c.Tuner.Settings()); diff != "" {
		t.Errorf("what a planner works by then (-want +got):\n%s", diff)
	}
	c.Tuner = want
	c.Tuner.Window, c.Tuner.Hold, c.Tuner.MaxChanges, c.Tuner.Canary = time.Hour, time.Hour, 1, 0.05
	if s := c.Tuner.Settings(); s.Tuner.Window != time.Hour || s.Guard.Hold != time.Hour || s.Guard.HostBudget != 1 || s.Trial.Share != 0.05 {
		t.Errorf("what is configured is not what a planner works by: %+v", s)
	}
}

func TestTunerLimits(t *testing.T) {
	for _, tt := range []struct {
		flag          string
		least, most   string
		below, beyond string
		want          string
	}{
		{"window", "60", "1h", "59.9s", "3601", "want 1m0s to 1h0m0s"},
		{"probe-price", "0.1", "3600", "0.09", "3600.5", "want 0.1 to 3600"},
		{"hold", "1m", "24h", "0", "1441m", "want 1m0s to 24h0m0s"},
		{"max-changes", "1", "100", "0", "101", "want 1 to 100"},
		{"interval", "10s", "10m", "0", "11m", "want 10s to 10m0s"},
		{"canary", "0.01", "0.1", "-0.1", "0.11", "want 0.01 to 0.1"},
	} {
		for _, value := range []string{tt.least, tt.most} {
			if _, err := load(t, "", nil, "--tuner."+tt.flag+"="+value); err != nil {
				t.Errorf("%s %s: %v", tt.flag, value, err)
			}
		}
		for _, value := range []string{tt.below, tt.beyond} {
			_, err := load(t, "", nil, "--tuner."+tt.flag+"="+value)
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "flag --tuner."+tt.flag) {
				t.Errorf("%s %s: %v; want %q and the flag", tt.flag, value, err, tt.want)
			}
		}
	}
	for _, text := range []string{"NaN", "Inf", "0x1p3", "ten", ""} {
		if _, err := load(t, "", nil, "--tuner.probe-price="+text, "--tuner.canary="+text); err == nil || strings.Count(err.Error(), "flag --tuner.") != 2 {
			t.Errorf("%q: %v; want both refused", text, err)
		}
	}
}

// A reload takes the tuner's options over, and says so.
func TestTunerIsReloaded(t *testing.T) {
	running, err := load(t, "tuner: {mode: suggest, window: 5m}\nlog: {level: warn}", nil)
	if err != nil {
		t.Fatal(err)
	}
	read, err := load(t, "tuner: {mode: enforce}\nlog: {level: info}\nhosts: {a.org: {fail_max: 3}}", nil, "--tuner.canary=0.05")
	if err != nil {
		t.Fatal(err)
	}
	next := running.Reloaded(&read)
	if next.Tuner != read.Tuner || next.Log.Level != "warn" || next.Origin("tuner.canary").String() != "flag --tuner.canary" || next.Origin("tuner.window") != (config.Origin{}) {
		t.Errorf("reloaded: %+v, log %s, canary from %s, window from %s", next.Tuner, next.Log.Level, next.Origin("tuner.canary"), next.Origin("tuner.window"))
	}
	if diff := cmp.Diff([]string{"log.level"}, read.Restart(&running)); diff != "" {
		t.Errorf("what needs a restart (-want +got):\n%s", diff)
	}
	var got []string
	for _, c := range config.DiffReloaded(&running, &next) {
		got = append(got, strings.Join([]string{c.Scope, c.Field, c.From, c.To, filepath.Base(c.Origin.String())}, " "))
	}
	want := []string{
		"host:a.org fail_max  3 breakers.yaml:3:27",
		"tuner tuner.mode suggest enforce breakers.yaml:1:15",
		"tuner tuner.window 5m0s 10m0s breakers.yaml:1:32",
		"tuner tuner.canary 0.1 0.05 flag --tuner.canary",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if changes := config.DiffReloaded(&next, &next); len(changes) > 0 {
		t.Errorf("nothing changed, and there are changes: %v", changes)
	}
}
