package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"fleetfuse/breaker"
	"fleetfuse/hostname"
)

// Limits in bytes.
const (
	maxNodeNameBytes = 128
	maxPathBytes     = 4095 // PATH_MAX of Linux, without the final NUL
	maxSocketBytes   = 107  // sun_path of Linux, without the final NUL
)

// Validate returns all that is wrong, joined, each problem with the place the
// value came from, or with its flag if nobody set it.
func (c *Config) Validate() error {
	var problems []error
	for i := range options {
		if err := options[i].check(c); err != nil {
			problems = append(problems, fmt.Errorf("%s: %s %w", c.place(options[i].flag), options[i].key, err))
		}
	}
	return errors.Join(append(problems, c.Breakers.validate()...)...)
}

// place is where an option was set, or its flag.
func (c *Config) place(flag string) string {
	if o, ok := c.origins[flag]; ok {
		return o.String()
	}
	return "--" + flag
}

// validate holds every policy to its limits. A problem of the defaults is in
// every host too, and reported once.
func (b *Breakers) validate() []error {
	var problems []error
	inDefaults := map[string]bool{}
	for _, p := range unjoin(b.Defaults.Validate()) {
		inDefaults[p.Error()] = true
		problems = append(problems, fmt.Errorf("%s: %w", b.place("", p, "--breaker-defaults"), p))
	}
	for _, k := range b.Keys() {
		if err := b.Policy(k).Validate(); err != nil {
			for _, p := range unjoin(err) {
				if !inDefaults[p.Error()] {
					problems = append(problems, fmt.Errorf("%s: %s: %w", b.place(k, p, "policy"), k, p))
				}
			}
		}
	}
	return problems
}

// place lists where the fields were set that a problem of breaker is about;
// the problem starts with their names or with what they have in common.
func (b *Breakers) place(k breaker.Key, problem error, otherwise string) string {
	subject := strings.TrimRight(strings.SplitN(problem.Error(), " ", 2)[0], ":")
	var places []string
	for _, s := range append(slices.Clone(b.set[""]), b.set[k]...) {
		if s.field != nil && (s.field.name == subject || strings.HasPrefix(s.field.name, subject+".")) {
			places = append(places, s.origin.String())
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

func checkNodeName(name string) error {
	if len(name) > maxNodeNameBytes {
		return fmt.Errorf("has %d bytes; at most %d are allowed", len(name), maxNodeNameBytes)
	}
	for _, c := range []byte(name) {
		if c <= ' ' || c > '~' {
			return fmt.Errorf("is %s; want printable ASCII without blanks", quote(name))
		}
	}
	return nil
}

func checkHosts(names []string) error {
	for _, name := range names {
		if strings.Contains(name, "*") {
			return fmt.Errorf("has %s; wildcards are not accepted, name each host", quote(name))
		}
		if _, err := hostname.Normalize(name); err != nil {
			return fmt.Errorf("has a bad name: %w", err)
		}
	}
	return nil
}

func checkStore(store string) error {
	if store == StoreSQLite || store == StoreMemory {
		return nil
	}
	// Only the scheme is repeated: a store's URL may hold a password.
	scheme, _, isURL := strings.Cut(store, ":")
	switch scheme {
	case "sqlite", "redis", "rediss", "redis+sentinel", "redis+cluster":
		return fmt.Errorf("is a %s: store, which is not yet available in this version; memory: and sqlite are", scheme)
	}
	if isURL {
		return fmt.Errorf("starts with %s; want memory: or sqlite", quote(scheme+":"))
	}
	return fmt.Errorf("is %s; want memory: or sqlite%s", quote(store), didYouMean(store, []string{StoreSQLite, StoreMemory}))
}

// checkLoopback accepts HOST:PORT with a loopback HOST.
func checkLoopback(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("is %s; want HOST:PORT as in 127.0.0.1:7140 or [::1]:7140", quote(address))
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || strconv.FormatUint(n, 10) != port {
		return fmt.Errorf("is %s; the port must be a number from 0 to 65535", quote(address))
	}
	if host == "localhost" {
		return nil
	}
	if a, err := netip.ParseAddr(host); err == nil && a.Unmap().IsLoopback() {
		return nil
	}
	return fmt.Errorf("is %s, which is not loopback: other machines could reach it, "+
		"and the client certificates that guard against that come with the fleet version; want 127.0.0.1:PORT", quote(address))
}
