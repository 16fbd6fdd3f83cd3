package config

import (
	"errors"
	"fmt"
	"strings"

	"fleetfuse/breaker"
	"fleetfuse/hostname"
)

// A setting is one policy field that somebody set for the defaults, a host or
// a resolver, perhaps for one role of it.
type setting struct {
	role   string // "" is the breaker itself
	field  *field // nil names the role and sets nothing
	value  any
	origin Origin
}

// settings are what was set, by breaker; the empty key is the defaults. Each
// list runs from the weakest source to the strongest, so that the last word
// on a field wins.
type settings map[breaker.Key][]setting

// settingFor reads text as the value of the field at path. It does not know
// where the text is from: the caller sets the origin.
func settingFor(role, path, text string) (setting, error) {
	f, err := fieldFor(role, path)
	if err != nil {
		return setting{}, err
	}
	// A pointer into a policy of its own tells parseValue the kind.
	value, err := parseValue(f.at(new(breaker.Policy)), text, unitOf(path))
	if err != nil {
		return setting{}, fmt.Errorf("%s %w", path, err)
	}
	if err := f.check(value); err != nil {
		return setting{}, inRole(role, err)
	}
	return setting{role: role, field: f, value: value}, nil
}

// fieldFor finds the field at path, which a role must be able to set if role
// is not empty.
func fieldFor(role, path string) (*field, error) {
	f, ok := fieldsByPath[path]
	if !ok {
		return nil, fmt.Errorf("unknown policy field %s%s", quote(path), didYouMean(path, pathsBelow("", role != "")))
	}
	if role != "" && f.atRole == nil {
		return nil, fmt.Errorf("%s cannot be set for a role: only %s can", path, strings.Join(roleFields(), ", "))
	}
	return f, nil
}

// roleFields are the canonical names of the fields a role can set.
func roleFields() []string {
	var names []string
	for i := range fields {
		if fields[i].atRole != nil {
			names = append(names, fields[i].name)
		}
	}
	return names
}

// inRole puts the role before each problem breaker found with a field.
func inRole(role string, err error) error {
	if role == "" || err == nil {
		return err
	}
	var problems []error
	for _, p := range unjoin(err) {
		problems = append(problems, fmt.Errorf("roles.%s.%w", role, p))
	}
	return errors.Join(problems...)
}

// unjoin takes apart what errors.Join put together, at every level.
func unjoin(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, unjoin(e)...)
	}
	return all
}

// resolverPrefix marks a resolver where a host is expected.
const resolverPrefix = breaker.ScopeResolver + ":"

// hostKey is the key of a host as a person writes it, or of resolver:NAME.
func hostKey(name string) (breaker.Key, error) {
	if resolver, ok := strings.CutPrefix(name, resolverPrefix); ok {
		return resolverKey(resolver)
	}
	if strings.Contains(name, "*") {
		return "", fmt.Errorf("host %s: wildcards come with the policies version; name the hosts one by one", quote(name))
	}
	host, err := hostname.Normalize(name)
	if err != nil {
		return "", err
	}
	return breaker.HostKey(host), nil
}

// resolverKey is the key of a resolver as a person writes it.
func resolverKey(name string) (breaker.Key, error) {
	resolver, err := hostname.Resolver(name)
	if err != nil {
		return "", err
	}
	return breaker.ResolverKey(resolver), nil
}

// roleName is the spelling of a role that has a name.
func roleName(name string) (string, error) {
	if name == "" {
		return "", errors.New("a role needs a name, as in metadata")
	}
	return hostname.Role(name)
}
