package config

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"fleetfuse/breaker"
)

// breakersVariable sets any policies in one text. It is for shells, which
// refuse a variable with a dot in its name.
const breakersVariable = variablePrefix + "BREAKERS"

// namesApart stands in the name of a variable before each name of a breaker or
// a role.
const namesApart = "__"

// A family is the variables that set the policy of one breaker each, the name
// of which is in the name of the variable.
type family struct {
	form   string // how such a variable is written, for errors
	prefix string
	target func(name string) (breaker.Key, string, error) // the key and the role that a name after the prefix means
}

// families are the families of variables. A later one is stronger where two
// set the same field.
var families = []family{
	{"FLEETFUSE_BREAKER__HOST", "FLEETFUSE_BREAKER__", hostVariable},
	{"FLEETFUSE_BREAKER_ROLE__HOST__ROLE", "FLEETFUSE_BREAKER_ROLE__", hostRoleVariable},
	{"FLEETFUSE_BREAKER_RESOLVER__NAME", "FLEETFUSE_BREAKER_RESOLVER__", resolverVariable},
}

const familyForms = `FLEETFUSE_BREAKER__HOST, FLEETFUSE_BREAKER_ROLE__HOST__ROLE, FLEETFUSE_BREAKER_RESOLVER__NAME or FLEETFUSE_BREAKERS="HOST=FIELDS;HOST:ROLE=FIELDS"`

// familyOf is the family a variable belongs to, nil if it is in none.
func familyOf(variable string) *family {
	for i := range families {
		if strings.HasPrefix(variable, families[i].prefix) {
			return &families[i]
		}
	}
	return nil
}

// readFamilies takes the settings of the variables of single breakers, family
// by family. Two of a family never set the same: that is refused.
func (l *loader) readFamilies() {
	variables := slices.Sorted(maps.Keys(l.env))
	for i := range families {
		targets := map[string]string{} // key and role → the variable
		for _, variable := range variables {
			if name, ok := strings.CutPrefix(variable, families[i].prefix); ok {
				l.readVariable(&families[i], variable, name, targets)
			}
		}
	}
}

func (l *loader) readVariable(f *family, variable, name string, targets map[string]string) {
	origin := environmentOrigin(variable)
	key, role, err := f.target(name)
	target := string(key) + " " + role
	if earlier, ok := targets[target]; ok && err == nil {
		err = fmt.Errorf("is %s in another spelling; keep one", shownName(earlier))
	}
	targets[target] = variable
	list, problems := parseFields(l.env[variable], "", role)
	for _, problem := range unjoin(errors.Join(err, problems)) {
		l.add(fmt.Errorf("%s: %w", origin, problem))
	}
	if err != nil || problems != nil {
		return
	}
	for _, s := range list {
		s.origin = origin
		l.set(key, s)
	}
}

// hostVariable reads the host in the name of a variable: as it is, in letters
// of either case. An underscore may be a dot, a dash or itself; nobody can tell.
func hostVariable(name string) (key breaker.Key, role string, err error) {
	if strings.Contains(name, "_") {
		return "", "", fmt.Errorf("host %s has an underscore, which stands for no dot and no dash here; "+
			`where a dot cannot be written use %s="HOST=FIELDS"`, quote(name), breakersVariable)
	}
	key, err = hostKey(name)
	return key, "", err
}

// hostRoleVariable reads HOST__ROLE. A host has no underscore here, so the
// first two end it.
func hostRoleVariable(name string) (key breaker.Key, role string, err error) {
	host, role, ok := strings.Cut(name, namesApart)
	if !ok {
		return "", "", fmt.Errorf("%s names no role; write FLEETFUSE_BREAKER_ROLE__HOST__ROLE, two underscores before each", quote(name))
	}
	key, _, err = hostVariable(host)
	role, roleErr := roleName(role)
	return key, role, errors.Join(err, roleErr, lowerCase("role", role))
}

func resolverVariable(name string) (key breaker.Key, role string, err error) {
	key, err = resolverKey(name)
	return key, "", errors.Join(err, lowerCase("resolver", name))
}

// lowerCase refuses a name in capitals: it may be meant so, or only because
// variables are written so, and case counts.
func lowerCase(what, name string) error {
	if name == strings.ToUpper(name) && name != strings.ToLower(name) {
		return fmt.Errorf(`%s %s is in capitals, and case counts; write it as it is called; one in capitals is set by %s`,
			what, quote(name), breakersVariable)
	}
	return nil
}

// parseAnyHost reads "HOST=fail_max:3" and "HOST:ROLE=fail_max:3".
func parseAnyHost(text string) (breaker.Key, []setting, error) {
	name, _, ok := strings.Cut(text, "=")
	if !ok {
		return "", nil, errors.New("want HOST=FIELD:VALUE,... or HOST:ROLE=FIELD:VALUE,... as in api.example.org=fail_max:3")
	}
	hasRole, err := namesRole(strings.TrimSpace(name))
	switch {
	case err != nil:
		return "", nil, err
	case hasRole:
		return parseHostRole(text)
	}
	return parseHost(text)
}

// namesRole reports whether what follows the last colon of HOST or HOST:ROLE
// is a role. A number is a port, or the end of an IPv6 address, and no role.
func namesRole(name string) (bool, error) {
	resolver, isResolver := strings.CutPrefix(name, resolverPrefix)
	if isResolver {
		return strings.Contains(resolver, ":"), nil
	}
	name = strings.TrimPrefix(name, hostPrefix)
	colon := strings.LastIndexByte(name, ':')
	if colon < 0 || allDigits(name[colon+1:]) || strings.HasSuffix(name, "]") {
		return false, nil
	}
	if _, err := netip.ParseAddr(name); err != nil {
		return true, nil
	}
	if _, err := netip.ParseAddr(name[:colon]); err == nil {
		return false, fmt.Errorf("%s may be an address, or the role %s of one; write [%s] or [%s]:%s",
			quote(name), quote(name[colon+1:]), name, name[:colon], name[colon+1:])
	}
	return false, nil
}
