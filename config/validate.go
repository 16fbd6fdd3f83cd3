package config

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"fleetfuse/breaker"
	"fleetfuse/hostname"
)

// Limits in bytes.
const (
	maxNodeNameBytes = 128
	maxLabelBytes    = 255  // of memberlist
	maxPathBytes     = 4095 // PATH_MAX of Linux, without the final NUL
	maxSocketBytes   = 107  // sun_path of Linux, without the final NUL
)

// Validate returns all that is wrong, joined, each problem with the place the
// value came from, or with its flag if nobody set it.
func (c *Config) Validate() error {
	var problems []error
	for i := range options {
		for _, err := range unjoin(options[i].check(c)) {
			problems = append(problems, c.problem(options[i].flag, err))
		}
	}
	problems = append(problems, c.validateTLS()...)
	problems = append(problems, c.validateReach()...)
	return errors.Join(append(problems, c.Breakers.validate()...)...)
}

// problem puts before err where an option was set and its key in a file.
func (c *Config) problem(flag string, err error) error {
	i := slices.IndexFunc(options, func(o option) bool { return o.flag == flag })
	return fmt.Errorf("%s: %s %w", c.place(flag), options[i].key, err)
}

// place is where an option was set, or its flag.
func (c *Config) place(flag string) string {
	if o, ok := c.origins[flag]; ok {
		return o.String()
	}
	return "--" + flag
}

// validate holds every policy to its limits. A problem that a policy inherits
// is reported once, where it comes from.
func (b *Breakers) validate() []error {
	var problems []error
	for _, p := range unjoin(b.Defaults.Validate()) {
		problems = append(problems, fmt.Errorf("%s: %w", placeIn(b.levels("", nil), p, "--breaker-defaults"), p))
	}
	for _, k := range b.invalid() {
		inherited := map[string]bool{}
		for _, p := range unjoin(b.inherited(k).Validate()) {
			inherited[p.Error()] = true
		}
		for _, p := range unjoin(b.Policy(k).Validate()) {
			if !inherited[p.Error()] {
				problems = append(problems, fmt.Errorf("%s: %s: %w", placeIn(b.levels(k, nil), p, "policy"), k, p))
			}
		}
	}
	return problems
}

// invalid lists the keys with a policy that is not valid, sorted: few or none
// of what may be a million.
func (b *Breakers) invalid() (keys []breaker.Key) {
	for name, p := range b.Hosts {
		if p.Validate() != nil {
			keys = append(keys, breaker.HostKey(name))
		}
	}
	for suffix, p := range b.wildcards {
		if p.Validate() != nil {
			keys = append(keys, breaker.HostKey(wildcardPrefix+suffix))
		}
	}
	for name, p := range b.Resolvers {
		if p.Validate() != nil {
			keys = append(keys, breaker.ResolverKey(name))
		}
	}
	slices.Sort(keys)
	return keys
}

// placeIn lists where the fields were set that a problem of breaker is about;
// the problem starts with their names or with what they have in common.
func placeIn(levels [][]setting, problem error, otherwise string) string {
	subject := strings.TrimRight(strings.SplitN(problem.Error(), " ", 2)[0], ":")
	var places []string
	for i := range fields {
		if f := &fields[i]; f.name == subject || strings.HasPrefix(f.name, subject+".") {
			if o := originIn(levels, "", f); o != (Origin{}) {
				places = append(places, o.String())
			}
		}
	}
	if len(places) == 0 {
		return otherwise
	}
	slices.Sort(places)
	return strings.Join(slices.Compact(places), " and ")
}

// The checks below return an error that goes on after the name of the option.

func checkWord(word string, allowed ...string) error {
	if slices.Contains(allowed, word) {
		return nil
	}
	return fmt.Errorf("is %s; want one of %s%s", quote(word), strings.Join(allowed, ", "), didYouMean(word, allowed))
}

func checkPath(path string, needed bool) error {
	switch {
	case path == "" && needed:
		return errors.New("is empty; want a path")
	case strings.ContainsRune(path, 0):
		return fmt.Errorf("is %s; a path has no NUL", quote(path))
	case len(path) > maxPathBytes:
		return fmt.Errorf("has %d bytes; a path has at most %d", len(path), maxPathBytes)
	}
	return nil
}

func checkSocket(path string) error {
	if len(path) > maxSocketBytes {
		return fmt.Errorf("has %d bytes; the path of a Unix socket has at most %d", len(path), maxSocketBytes)
	}
	return checkPath(path, false)
}

func checkToken(word string, maxBytes int) error {
	if len(word) > maxBytes {
		return fmt.Errorf("has %d bytes; at most %d are allowed", len(word), maxBytes)
	}
	for _, c := range []byte(word) {
		if c <= ' ' || c > '~' {
			return fmt.Errorf("is %s; want printable ASCII without blanks", quote(word))
		}
	}
	return nil
}

func checkHosts(names []string) error {
	for _, name := range names {
		if strings.Contains(name, "*") {
			return fmt.Errorf("has %s; wildcards are not accepted, name each host", quote(name))
		}
		spelled, err := hostname.Normalize(name)
		if err != nil {
			return fmt.Errorf("has a bad name: %w", err)
		}
		if host, _, err := net.SplitHostPort(spelled); err == nil {
			return fmt.Errorf("has %s; a Host header counts without its port: give %s", quote(name), host)
		}
	}
	return nil
}

// checkStore looks at the scheme alone: who opens the store reads the rest.
func checkStore(store string) error {
	if store == StoreSQLite || store == StoreMemory {
		return nil
	}
	const want = "want sqlite, sqlite:///abs/path, redis://host:6379, rediss://, redis+sentinel://, redis+cluster:// or memory:"
	scheme, rest, isURL := strings.Cut(store, ":")
	switch {
	case !isURL:
		return fmt.Errorf("%s; %s%s", startOf(store, "is", store), want, didYouMean(store, []string{StoreSQLite, StoreMemory}))
	case !slices.Contains(sharedSchemes, scheme):
		return fmt.Errorf("%s; %s%s", startOf(store, "starts with", scheme+":"), want, didYouMean(scheme, sharedSchemes))
	case !strings.HasPrefix(rest, "//"):
		return fmt.Errorf("starts with %s but not with %s; %s", quote(scheme+":"), quote(scheme+"://"), want)
	case scheme == "sqlite" && !strings.HasPrefix(rest, "///"):
		return errors.New("names no absolute path; want sqlite:///abs/path, with three slashes")
	}
	return nil
}

// startOf says how a store starts that is none we know. It may be a password,
// of a URL whose scheme was forgotten: only what looks like a scheme is repeated.
func startOf(store, says, start string) string {
	const letters = "abcdefghijklmnopqrstuvwxyz+"
	if strings.Contains(store, "@") || strings.Trim(strings.TrimSuffix(start, ":"), letters) != "" {
		return "has no scheme that is known"
	}
	return says + " " + quote(start)
}
