package hostname

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// Limits in bytes.
const (
	maxNameBytes  = 253  // of a whole spelling, its port included; RFC 1035 section 2.3.4
	maxLabelBytes = 63   // RFC 1035 section 2.3.4
	maxInputBytes = 1024 // what is looked at at all: a name of wide runes, mapped, may still fit
)

// profile maps a name as browsers do (UTS 46, non-transitional). Host names in
// use break the rules it relaxes: my_host.example.org has an underscore,
// r3---sn-4g5e6nsk.googlevideo.com has hyphens in the third and fourth place.
var profile = idna.New(
	idna.MapForLookup(),
	idna.Transitional(false),
	idna.StrictDomainName(false),
	idna.CheckHyphens(false),
)

// Normalize returns the one spelling of a host: lower-case punycode without a
// trailing dot, an IP address as net/netip writes it, without the ports 80 and
// 443. Another port stays; an IPv6 address has brackets only before a port. A
// spelling has at most 253 bytes and is its own spelling. The error says what
// is wrong, where, and what to give instead.
func Normalize(s string) (string, error) {
	if name := strings.TrimSuffix(s, "."); plain(name) {
		return name, nil
	}
	if err := presentable("host", s, maxInputBytes); err != nil {
		return "", err
	}
	if strings.ContainsAny(s, `/\?#@`) {
		return "", urlError(s)
	}
	name, err := spell(s)
	if err != nil {
		return "", fmt.Errorf("host %.80q: %w", s, err)
	}
	return name, nil
}

// plain recognises the common case, a name already in its one spelling,
// without allocating. What it does not recognise is not yet wrong.
func plain(s string) bool {
	if s == "" || len(s) > maxNameBytes {
		return false
	}
	start := 0 // of the label
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '.':
			if i == start || i-start > maxLabelBytes {
				return false
			}
			start = i + 1
		case c == '-' && i == start+3 && s[start:i] == "xn-": // punycode must be checked
			return false
		case !allowed(c):
			return false
		}
	}
	last := s[start:]
	return last != "" && len(last) <= maxLabelBytes && !digit(last[0]) // else it may be an IP address
}

// allowed reports whether a spelled name may have the byte, dots apart.
func allowed(c byte) bool {
	return c >= 'a' && c <= 'z' || digit(c) || c == '-' || c == '_'
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// urlError refuses a URL and names the host in it if that can be told. It
// quotes nothing else: a URL may hold a password or a key.
func urlError(s string) error {
	const text = "give the host, not the URL"
	if !strings.Contains(s, "://") {
		s = "//" + s
	}
	if u, err := url.Parse(s); err == nil {
		if name, err := spell(u.Host); err == nil {
			return fmt.Errorf("%s: %s", text, name)
		}
	}
	return fmt.Errorf("%s, as in api.example.org", text)
}

// spell spells a host with or without a port.
func spell(s string) (string, error) {
	host, port := cutPort(s)
	port, err := spellPort(port)
	if err != nil {
		return "", err
	}
	var name string
	if strings.ContainsAny(host, ":[]") {
		name, err = spellIPv6(host)
	} else {
		name, err = spellName(host)
	}
	if err != nil {
		return "", err
	}
	if port != "" && strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	if n := len(name) + len(port); n > maxNameBytes {
		return "", fmt.Errorf("it has %d bytes; at most %d are allowed", n, maxNameBytes)
	}
	return name + port, nil
}

// cutPort splits off ":port", colon included. The colons of an IPv6 address
// without brackets do not start a port.
func cutPort(s string) (host, port string) {
	i := strings.LastIndexByte(s, ':')
	switch {
	case i < 0, s[0] != '[' && strings.IndexByte(s, ':') != i:
		return s, ""
	case s[0] == '[' && s[i-1] != ']':
		return s, ""
	}
	return s[:i], s[i:]
}

// spellPort writes ":port" without leading zeros; the default ports vanish.
func spellPort(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	digits := strings.TrimLeft(s[1:], "0")
	n, err := strconv.ParseUint(digits, 10, 16)
	switch {
	case err != nil || n == 0:
		return "", fmt.Errorf("the port %.20q is not a number from 1 to 65535; correct it or leave it out", s[1:])
	case n == 80 || n == 443:
		return "", nil
	}
	return ":" + digits, nil
}

func spellIPv6(s string) (string, error) {
	inner, ok := strings.CutPrefix(s, "[")
	if ok {
		inner, ok = strings.CutSuffix(inner, "]")
		if !ok {
			return "", errors.New("its brackets do not match; write [2001:db8::1] or [2001:db8::1]:8443")
		}
	}
	a, err := netip.ParseAddr(inner)
	switch {
	case err != nil || a.Is4():
		return "", errors.New("not an IPv6 address; write it as 2001:db8::1, with a port as [2001:db8::1]:8443")
	case a.Zone() != "":
		return "", fmt.Errorf("the zone %%%s means something on one machine only; leave it out", a.Zone())
	}
	return a.Unmap().String(), nil
}

// spellName spells a domain name or an IPv4 address.
func spellName(s string) (string, error) {
	name, err := profile.ToASCII(s)
	if err != nil {
		return "", fmt.Errorf("not a host name (%.120v); check it for a typing error", err)
	}
	// After mapping: an ideographic full stop is a dot too.
	name = strings.TrimSuffix(name, ".")
	if name == "" {
		return "", errors.New("no name is left; give one, as in api.example.org")
	}
	labels := strings.Split(name, ".")
	for i, label := range labels {
		if err := checkLabel(label); err != nil {
			return "", fmt.Errorf("label %d of %d %w", i+1, len(labels), err)
		}
	}
	if !number(labels[len(labels)-1]) {
		return name, nil
	}
	a, err := netip.ParseAddr(name)
	if err != nil {
		return "", errors.New("it ends in a number but is not an IPv4 address; write four decimals, as in 192.0.2.1")
	}
	return a.String(), nil
}

// checkLabel looks at a label after mapping, which may produce any ASCII
// character: U+2100 becomes "a/c".
func checkLabel(s string) error {
	switch {
	case s == "":
		return errors.New("is empty; write one dot between labels and none in front")
	case len(s) > maxLabelBytes:
		return fmt.Errorf("has %d bytes; at most %d are allowed", len(s), maxLabelBytes)
	}
	for i := 0; i < len(s); i++ {
		if !allowed(s[i]) {
			return fmt.Errorf("has the character %q; letters, digits, - and _ are allowed", s[i])
		}
	}
	return nil
}

// number reports whether a last label makes resolvers read the whole name as
// an IPv4 address (WHATWG URL, "ends in a number"): no top-level domain does.
func number(label string) bool {
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}
