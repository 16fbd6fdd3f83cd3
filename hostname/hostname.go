// Package hostname gives every host one spelling, at the edge: whatever a
// worker or an operator typed, one host has one breaker.
package hostname

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Limits of RFC 1035 section 2.3.4, and of a role.
const (
	maxNameBytes  = 253
	maxLabelBytes = 63
	maxRoleBytes  = 64
	maxInputBytes = 1024
)

// profile maps like a browser's look-up but allows underscores, which real
// host names have.
var profile = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

// Normalize returns the one spelling of a host: lower-case punycode without a
// trailing dot, IP literals as net/netip writes them (no zone), without the
// ports 80 and 443. Another port stays. It is idempotent. The error says what
// is wrong and what to give instead.
func Normalize(s string) (string, error) {
	if plain(s) {
		return s, nil
	}
	if err := printable("host", s, maxInputBytes); err != nil {
		return "", err
	}
	if strings.Contains(s, "://") || strings.ContainsAny(s, "/?#@\\") {
		return "", fmt.Errorf("host %q looks like a URL; give the host alone, as in api.example.org", s)
	}
	if a, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return literal(s, a, "")
	}
	host, port, err := splitPort(s)
	if err != nil {
		return "", err
	}
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return literal(s, a, port)
	}
	name, err := domain(host)
	if err != nil {
		return "", fmt.Errorf("host %q: %w", s, err)
	}
	if len(name)+len(port) > maxNameBytes {
		return "", fmt.Errorf("host %q is longer than %d bytes", s, maxNameBytes)
	}
	return name + port, nil
}

// plain recognises the common case, a name already in its one spelling.
func plain(s string) bool {
	if len(s) > maxNameBytes || s == "" {
		return false
	}
	label, letter := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '.':
			if label == 0 {
				return false
			}
			label = 0
			continue
		case c >= 'a' && c <= 'z':
			letter = true
		case c >= '0' && c <= '9', c == '_':
		case c == '-':
			if label == 2 || label == 3 { // maybe punycode: leave it to idna
				return false
			}
		default:
			return false
		}
		if label++; label > maxLabelBytes {
			return false
		}
	}
	return label > 0 && letter // without a letter it may be an IP literal
}

func printable(what, s string, limit int) error {
	switch {
	case s == "":
		return fmt.Errorf("the %s is empty", what)
	case len(s) > limit:
		return fmt.Errorf("the %s has %d bytes; at most %d are allowed", what, len(s), limit)
	case !utf8.ValidString(s):
		return fmt.Errorf("the %s %q is not UTF-8", what, s)
	}
	for _, r := range s {
		if r <= ' ' || r == 0x7f {
			return fmt.Errorf("the %s %q has a blank or control character", what, s)
		}
	}
	return nil
}

func literal(s string, a netip.Addr, port string) (string, error) {
	if a.Zone() != "" {
		return "", fmt.Errorf("host %q has a zone, which means something on one machine only; leave it out", s)
	}
	a = a.Unmap()
	if a.Is6() && port != "" {
		return "[" + a.String() + "]" + port, nil
	}
	return a.String() + port, nil
}

// splitPort cuts ":port" off; the default ports vanish.
func splitPort(s string) (host, port string, err error) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 || strings.HasSuffix(s, "]") {
		return s, "", nil
	}
	host, digits := s[:i], s[i+1:]
	n := 0
	for _, c := range digits {
		if c < '0' || c > '9' || n > 65535 {
			return "", "", fmt.Errorf("host %q: %q is not a port", s, digits)
		}
		n = n*10 + int(c-'0')
	}
	switch {
	case digits == "" || n < 1 || n > 65535:
		return "", "", fmt.Errorf("host %q: the port is not in 1 to 65535", s)
	case n == 80 || n == 443:
		return host, "", nil
	}
	return host, fmt.Sprintf(":%d", n), nil
}

func domain(s string) (string, error) {
	s = strings.TrimSuffix(s, ".")
	name, err := profile.ToASCII(s)
	if err != nil {
		return "", errors.New("not a host name (" + err.Error() + ")")
	}
	name = strings.TrimSuffix(name, ".")
	if name == "" {
		return "", errors.New("no name is left")
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" {
			return "", errors.New("an empty label (two dots, or a dot in front)")
		}
		if len(label) > maxLabelBytes {
			return "", fmt.Errorf("the label %q is longer than %d bytes", label, maxLabelBytes)
		}
	}
	for i := 0; i < len(name); i++ {
		if c := name[i]; !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.') {
			return "", fmt.Errorf("the character %q has no place in a host name", c)
		}
	}
	if a, err := netip.ParseAddr(name); err == nil && a.Is4() {
		return a.String(), nil
	}
	return name, nil
}

// Resolver checks the name of a resolver. Case counts.
func Resolver(s string) (string, error) { return word("resolver", s, maxNameBytes) }

// Role checks a role; "" is the nameless role and "meta" means "metadata".
func Role(s string) (string, error) {
	switch s {
	case "", "metadata":
		return s, nil
	case "meta":
		return "metadata", nil
	}
	return word("role", s, maxRoleBytes)
}

func word(what, s string, limit int) (string, error) {
	if err := printable(what, s, limit); err != nil {
		return "", err
	}
	for _, c := range s {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("._-", c)) {
			return "", fmt.Errorf("the %s %q may have letters, digits and . _ - only", what, s)
		}
	}
	return s, nil
}
