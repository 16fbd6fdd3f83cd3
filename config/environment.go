package config

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// environment holds the FLEETFUSE_ variables that have a value. An empty one
// counts as not set: that is how container files unset a variable.
type environment map[string]string

func newEnvironment(environ []string) environment {
	env := environment{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, variablePrefix) && value != "" {
			env[name] = value
		}
	}
	return env
}

// texts are the values of a repeatable flag's variable, separated by
// semicolons.
func (e environment) texts(name string) []string {
	var texts []string
	for text := range strings.SplitSeq(e[name], ";") {
		if text = strings.TrimSpace(text); text != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

// laterPrefixes start the variables of single breakers, which later versions
// read. Ignored here, they would leave a host with a policy nobody wanted.
var laterPrefixes = []string{"FLEETFUSE_BREAKER__", "FLEETFUSE_BREAKER_ROLE__", "FLEETFUSE_BREAKER_RESOLVER__", "FLEETFUSE_BREAKERS"}

// check returns a problem for each variable that is probably a misspelt one.
// Other unknown ones are none: ctl and SDKs have variables of their own.
func (e environment) check() error {
	known := []string{Variable(configFlag)}
	for i := range options {
		known = append(known, Variable(options[i].flag))
	}
	for _, o := range breakerOptions {
		known = append(known, Variable(o.flag))
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(e)) {
		if slices.Contains(known, name) || isServiceLink(name, e[name]) {
			continue
		}
		startsName := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
		switch best := closestVariable(name, known); {
		case slices.ContainsFunc(laterPrefixes, startsName):
			problems = append(problems, fmt.Errorf("env %s: such variables come with the policies version; use %s",
				name, Variable("breaker")))
		case best != "":
			problems = append(problems, fmt.Errorf("env %s: unknown; did you mean %s?", name, best))
		}
	}
	return errors.Join(problems...)
}

// isServiceLink reports whether Kubernetes set a variable for a service whose
// name starts with ours: FLEETFUSE_CLUSTER_PORT=tcp://10.0.0.1:7141, which is
// no misspelt FLEETFUSE_CLUSTER_PEER, and more.
func isServiceLink(name, value string) bool {
	return strings.HasSuffix(name, "_PORT") && strings.Contains(value, "://") ||
		strings.Contains(name, "_SERVICE_") || strings.Contains(name, "_PORT_")
}

// closestVariable compares names without the prefix, which all share.
func closestVariable(name string, known []string) string {
	rest := make([]string, len(known))
	for i, k := range known {
		rest[i] = strings.TrimPrefix(k, variablePrefix)
	}
	if best := closest(strings.TrimPrefix(name, variablePrefix), rest); best != "" {
		return variablePrefix + best
	}
	return ""
}
