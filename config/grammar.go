package config

import (
	"errors"
	"fmt"
	"strings"

	"fleetfuse/breaker"
)

// maxTextBytes bounds one text of the grammar: the value of a flag or of an
// environment variable.
const maxTextBytes = 64 << 10

// rolesPrefix starts the path of a role's field: roles.metadata.fail_max.
const rolesPrefix = "roles."

// A pair is one "name:value" of a text.
type pair struct {
	name, value string
	given       bool // a value was written; a bare word has none
}

// parseFields reads settings in the grammar of the flags: "fail_max:5,
// reset=60". A colon or an equals sign separates name and value, commas and
// blanks separate pairs, a bare word is true, and a bare number goes on the
// list of statuses before it ("failure=429,500"). Names are looked up below
// prefix, which is empty or ends in a dot. All problems are returned, joined.
func parseFields(text, prefix, role string) ([]setting, error) {
	pairs, err := splitPairs(text)
	if err != nil {
		return nil, err
	}
	var (
		list     []setting
		problems []error
		seen     = map[string]string{} // role and field → the spelling used
	)
	for _, p := range pairs {
		s, err := p.setting(prefix, role)
		if err != nil {
			problems = append(problems, unjoin(err)...)
			continue
		}
		at := s.role + ":" + s.field.name
		if earlier, ok := seen[at]; ok {
			problems = append(problems, twice(earlier, p.name))
			continue
		}
		seen[at] = p.name
		list = append(list, s)
	}
	return list, errors.Join(problems...)
}

// twice is the problem of a field that is set twice in one place.
func twice(earlier, later string) error {
	if earlier == later {
		return fmt.Errorf("%s is set twice", later)
	}
	return fmt.Errorf("%s and %s set the same field; keep one", earlier, later)
}

func (p pair) setting(prefix, role string) (setting, error) {
	path := prefix + p.name
	if role == "" {
		var err error
		if role, path, err = splitPath(path); err != nil {
			return setting{}, err
		}
	}
	f, err := fieldFor(role, path)
	if err != nil {
		return setting{}, err
	}
	value := p.value
	if _, isBool := f.kind().(*bool); isBool && !p.given {
		value = "true"
	}
	return settingFor(role, path, value)
}

// splitPairs cuts a text into its pairs.
func splitPairs(text string) ([]pair, error) {
	if len(text) > maxTextBytes {
		return nil, fmt.Errorf("has %d bytes; at most %d are read, a file takes more", len(text), maxTextBytes)
	}
	var pairs []pair
	for rest := skipBlanks(text); rest != ""; {
		p, after, err := nextPair(rest)
		if err != nil {
			return nil, err
		}
		if last := len(pairs) - 1; !p.given && allDigits(p.name) && last >= 0 && pairs[last].given {
			pairs[last].value += "," + p.name
		} else {
			pairs = append(pairs, p)
		}
		if after = skipBlanks(after); after == "" {
			break
		}
		rest = skipBlanks(strings.TrimPrefix(after, ","))
		if rest == "" {
			return nil, errors.New("ends with a comma")
		}
	}
	if len(pairs) == 0 {
		return nil, errors.New("sets nothing; want something like fail_max:5,reset:60")
	}
	return pairs, nil
}

// nextPair reads the pair text starts with and returns what follows it.
func nextPair(text string) (p pair, after string, err error) {
	end := indexOrLen(text, ":=, \t\r\n")
	p.name, after = text[:end], skipBlanks(text[end:])
	if p.name == "" {
		return p, "", fmt.Errorf("a name is missing before %s", quote(text))
	}
	if after == "" || !strings.ContainsRune(":=", rune(after[0])) {
		return p, after, nil
	}
	after = skipBlanks(after[1:])
	end = indexOrLen(after, ", \t\r\n")
	p.value, p.given = after[:end], true
	return p, after[end:], nil
}

func indexOrLen(s, chars string) int {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return i
	}
	return len(s)
}

func skipBlanks(s string) string { return strings.TrimLeft(s, " \t\r\n") }

// parseHost reads "HOST=fail_max:3,reset:30"; resolver:NAME may stand for HOST.
func parseHost(text string) (breaker.Key, []setting, error) {
	name, rest, ok := strings.Cut(text, "=")
	if !ok {
		return "", nil, errors.New("want HOST=FIELD:VALUE,... as in api.example.org=fail_max:3")
	}
	key, err := hostKey(strings.TrimSpace(name))
	list, problems := parseFields(rest, "", "")
	return key, list, errors.Join(err, problems)
}

// parseHostRole reads "HOST:ROLE=fail_max:2"; the role is after the last
// colon, for an IPv6 address and a port have colons of their own.
func parseHostRole(text string) (breaker.Key, []setting, error) {
	name, rest, ok := strings.Cut(text, "=")
	name = strings.TrimSpace(name)
	colon := strings.LastIndexByte(name, ':')
	if !ok || !strings.Contains(strings.TrimPrefix(name, hostPrefix), ":") {
		return "", nil, errors.New("want HOST:ROLE=FIELD:VALUE,... as in api.example.org:metadata=fail_max:2")
	}
	key, err := hostKey(strings.TrimSpace(name[:colon]))
	role, roleErr := roleName(strings.TrimSpace(name[colon+1:]))
	if roleErr != nil {
		return "", nil, errors.Join(err, roleErr)
	}
	list, problems := parseFields(rest, "", role)
	return key, list, errors.Join(err, problems)
}

// parseResolver reads "NAME=fail_max:3,reset:30".
func parseResolver(text string) (breaker.Key, []setting, error) {
	name, rest, ok := strings.Cut(text, "=")
	if !ok {
		return "", nil, errors.New("want NAME=FIELD:VALUE,... as in crossref=fail_max:3")
	}
	key, err := resolverKey(strings.TrimSpace(name))
	list, problems := parseFields(rest, "", "")
	return key, list, errors.Join(err, problems)
}

// parseDefaults reads settings of the defaults whose names are below prefix.
func parseDefaults(prefix string) func(string) (breaker.Key, []setting, error) {
	return func(text string) (breaker.Key, []setting, error) {
		list, err := parseFields(text, prefix, "")
		return "", list, err
	}
}
