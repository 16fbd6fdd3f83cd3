package config

import (
	"fmt"
	"maps"
	"slices"
)

// The profiles: what a node does with hosts nobody said anything about. They lie
// below everything that is set.
const (
	// ProfileConservative is for hosts whose patience matters more than your
	// calls: other people's servers that you crawl. A host that fails one call in
	// ten makes a run of 3 once in a thousand calls, so it opens breakers that
	// need not open; that is the price for 2 wasted calls less of each outage. It
	// probes after two minutes, then after twice as long each time up to ten, and
	// wants two good answers before it trusts a host again.
	ProfileConservative = "conservative"
	// ProfileBalanced is what is built in: see breaker.DefaultPolicy.
	ProfileBalanced = "balanced"
	// ProfileAggressive is for hosts you pay for, or that are many machines of
	// which some fail: a call that is not made costs more than one that fails. A
	// host must fail one call in two for a run of 10 to come once in a thousand
	// calls. It probes after 15 s, which is the least that the tuner proposes too,
	// with three calls at once, so that one slow answer does not prolong an outage.
	ProfileAggressive = "aggressive"
)

// profiles are what each of them sets, in the grammar of --breaker-defaults.
var profiles = map[string]string{
	ProfileConservative: "fail_max:3,reset_timeout:120,backoff.multiplier:2,backoff.max:600,success_threshold:2",
	ProfileBalanced:     "",
	ProfileAggressive:   "fail_max:10,reset_timeout:15,trial_calls:3",
}

func checkProfile(name string) error {
	return checkWord(name, slices.Sorted(maps.Keys(profiles))...)
}

// layProfile puts the profile below all other defaults.
func (l *loader) layProfile() {
	text, known := profiles[l.config.Profile]
	if !known || text == "" {
		return // Validate says what is wrong
	}
	list, err := parseFields(text, "", "")
	if err != nil {
		panic(fmt.Sprintf("profile %s: %v", l.config.Profile, err)) // a test loads each
	}
	for i := range list {
		list[i].origin = Origin{Source: "profile " + l.config.Profile}
	}
	l.settings[""] = append(list, l.settings[""]...)
}
