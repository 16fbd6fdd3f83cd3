package config

import (
	"errors"
	"fmt"
	"strings"

	"fleetfuse/breaker"
)

// A setting is one policy field that somebody set for the defaults, a host or
// a resolver, perhaps for one role of it.
type setting struct {
	role   string // "" is the breaker itself
	field  *field // nil names the role and sets nothing
	value  any
	origin Origin
}

// name is the full name of the field, or of the role that is named.
func (s setting) name() string {
	if s.field == nil {
		return rolesPrefix + s.role
	}
	return s.field.nameIn(s.role)
}

// settings are what was set, by breaker; the empty key is the defaults, that of
// a wildcard is host:*.example.org. Each
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
	value, err := parseValue(f.kind(), text, unitOf(path))
	if err != nil {
		return setting{}, fmt.Errorf("%s %w", path, err)
	}
	if err := f.check(value); err != nil {
		return setting{}, inRole(role, err)
	}
	return setting{role: role, field: f, value: value}, nil
}

// splitPath takes the role from the full name or alias of a field; without
// roles. in front it is "".
func splitPath(name string) (role, path string, err error) {
	rest, ok := strings.CutPrefix(name, rolesPrefix)
	if !ok {
		return "", name, nil
	}
	role, path, found := cutRole(rest)
	if !found {
		return "", "", fmt.Errorf("%s: want roles.ROLE.FIELD", quote(name))
	}
	role, err = roleName(role)
	return role, path, err
}

// cutRole cuts ROLE.FIELD. Both may have dots: the field is the longest that
// there is, else what follows the first dot.
func cutRole(text string) (role, path string, found bool) {
	for i, c := range text {
		if c == '.' && fieldsByPath[text[i+1:]] != nil {
			return text[:i], text[i+1:], true
		}
	}
	return strings.Cut(text, ".")
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
