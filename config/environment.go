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

// check returns a problem for each variable that is probably a misspelt one.
// Other unknown ones are none: ctl and SDKs have variables of their own.
func (e environment) check() error {
	known := []string{Variable(configFlag), breakersVariable}
	for i := range options {
		known = append(known, Variable(options[i].flag))
	}
	for _, o := range breakerOptions {
		known = append(known, Variable(o.flag))
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(e)) {
		if familyOf(name) != nil || slices.Contains(known, name) || isServiceLink(name, e[name]) {
			continue
		}
		if best := closestVariable(name, known); best != "" {
			problems = append(problems, fmt.Errorf("%s: unknown; did you mean %s?", environmentOrigin(name), best))
		} else if strings.HasPrefix(name, Variable("breaker")) {
			problems = append(problems, fmt.Errorf("%s: unknown; the policy of one breaker is set by %s", environmentOrigin(name), familyForms))
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

// closestVariable is what name was probably meant to be. Names are compared
// without the prefix, which all share; of the variable of a single breaker only
// what stands before its name.
func closestVariable(name string, known []string) string {
	rest := make([]string, len(known))
	for i, k := range known {
		rest[i] = strings.TrimPrefix(k, variablePrefix)
	}
	word := strings.TrimPrefix(name, variablePrefix)
	if best := closest(word, rest); best != "" {
		return variablePrefix + best
	}
	family, _, hasName := strings.Cut(word, namesApart)
	if !hasName {
		return ""
	}
	for i := range families {
		form := strings.TrimPrefix(families[i].form, variablePrefix)
		if before, _, _ := strings.Cut(form, namesApart); closest(family, []string{before}) != "" {
			return families[i].form
		}
	}
	return ""
}
