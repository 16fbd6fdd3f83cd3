package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// scenarioKeys are what every scenario of the simulation has at its top, and no
// configuration.
var scenarioKeys = []string{"nodes", "length"}

// isScenario reports whether a file of a configuration looks like a scenario, in
// which all else would be wrong too.
func isScenario(root *yaml.Node) bool {
	keys := topKeys(root)
	return !slices.ContainsFunc(scenarioKeys, func(k string) bool { return keys[k] == nil })
}

// IsConfiguration reports whether a form looks like a configuration: it has sections of
// one, and nothing that every scenario has.
func (f *Form) IsConfiguration() bool {
	keys := topKeys(f.root)
	if slices.ContainsFunc(scenarioKeys, func(k string) bool { return keys[k] != nil }) {
		return false
	}
	for key, value := range keys {
		switch {
		case key == hostsSection: // a scenario has a list of them
			if value.Kind == yaml.MappingNode {
				return true
			}
		case isSection(key):
			return true
		}
	}
	return false
}

// isSection reports whether a configuration may have a key at its top.
func isSection(key string) bool {
	return slices.Contains(policySections, key) || slices.ContainsFunc(options, func(o option) bool {
		return o.key == key || strings.HasPrefix(o.key, key+".")
	})
}

// topKeys are the values of a mapping, by its keys.
func topKeys(n *yaml.Node) map[string]*yaml.Node {
	keys := map[string]*yaml.Node{}
	if n == nil || n.Kind != yaml.MappingNode {
		return keys
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		keys[n.Content[i].Value] = followed(n.Content[i+1])
	}
	return keys
}
