package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"fleetfuse/api"
)

// parseSets reads every --set FIELD=VALUE and --unset FIELD.
func parseSets(sets, unsets []string) (map[string]any, error) {
	fields := map[string]any{}
	for _, text := range sets {
		name, value, ok := strings.Cut(text, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch _, twice := fields[name]; {
		case !ok || name == "":
			return nil, fmt.Errorf("--set %q: want FIELD=VALUE, such as fail_max=3", text)
		case value == "":
			return nil, fmt.Errorf("--set %q has no value (to take a field out of the overlay: --unset %s)", text, name)
		case twice:
			return nil, fmt.Errorf("--set gives %s twice; once is enough", name)
		}
		fields[name] = parseValue(value)
	}
	for i, name := range unsets {
		_, set := fields[name]
		switch {
		case name == "" || strings.Contains(name, "="):
			return nil, fmt.Errorf("--unset %q: want the name of a field alone, such as fail_max", name)
		case set:
			return nil, fmt.Errorf("%s is both --set and --unset: which of them?", name)
		case slices.Contains(unsets[:i], name):
			return nil, fmt.Errorf("--unset gives %s twice; once is enough", name)
		}
	}
	if len(fields)+len(unsets) == 0 {
		return nil, fmt.Errorf("what is to be replaced? Give --set FIELD=VALUE or --unset FIELD")
	}
	return fields, nil
}

// parseValue reads a value of --set: a number, true or false, a list of
// numbers ("429,503", "429," for one), else text, such as 90s or none. What it
// means is for the node.
func parseValue(text string) any {
	if text == "true" || text == "false" {
		return text == "true"
	}
	if n, ok := parseNumber(text); ok {
		return n
	}
	if !strings.Contains(text, ",") {
		return text
	}
	var list []any
	for part := range strings.SplitSeq(strings.TrimSuffix(text, ","), ",") {
		n, ok := parseNumber(strings.TrimSpace(part))
		if !ok {
			return text
		}
		list = append(list, n)
	}
	return list
}

// parseNumber takes what JSON has as a number and a float64 can hold, and
// keeps it as it was typed.
func parseNumber(text string) (json.Number, bool) {
	_, err := strconv.ParseFloat(text, 64)
	digit := strings.ContainsAny(text[:min(1, len(text))], "-0123456789")
	return json.Number(text), err == nil && digit && json.Valid([]byte(text))
}

// temporaryLength reads --for.
func temporaryLength(length string, fields int) (time.Duration, error) {
	if length == "" {
		return 0, nil
	}
	d, err := parseLength(length)
	switch {
	case err != nil:
		return 0, fmt.Errorf("--for %q is not a duration such as 90s, 10m, 1h30m or 2d", length)
	case d < api.MinTemporary || d > api.MaxTemporary:
		return 0, fmt.Errorf("--for %s: a change is temporary for a second to 30 days", length)
	case fields == 0:
		return 0, fmt.Errorf("--for is about the fields of --set, of which there is none")
	}
	return d, nil
}
