package hostname

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	maxResolverBytes = 253
	maxRoleBytes     = 64
)

// Resolver checks the name of a resolver: 1 to 253 letters, digits and . _ -
// of ASCII, a letter or digit first, so that it needs no quoting in a URL path, a
// shell or a store's key. Case counts.
func Resolver(s string) (string, error) { return word("resolver", s, maxResolverBytes) }

// Role checks a role, at most 64 bytes spelled like a resolver; "" is the
// nameless role and "meta" means "metadata".
func Role(s string) (string, error) {
	switch s {
	case "":
		return "", nil
	case "meta":
		return "metadata", nil
	}
	return word("role", s, maxRoleBytes)
}

func word(what, s string, limit int) (string, error) {
	if err := presentable(what, s, limit); err != nil {
		return "", err
	}
	for i, r := range s {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && (i == 0 || !strings.ContainsRune("._-", r)) {
			return "", fmt.Errorf("%s %.80q has %q at byte %d; use letters, digits and . _ - with a letter or digit first",
				what, s, r, i)
		}
	}
	return s, nil
}

// presentable refuses what could not be logged, shown or put in a header as
// it is.
func presentable(what, s string, limit int) error {
	switch {
	case s == "":
		return fmt.Errorf("the %s is empty; give a name", what)
	case len(s) > limit:
		return fmt.Errorf("the %s has %d bytes; at most %d are allowed", what, len(s), limit)
	case !utf8.ValidString(s):
		return fmt.Errorf("%s %.80q is not UTF-8; send it as UTF-8 or in punycode", what, s)
	}
	for i, r := range s {
		if unicode.IsSpace(r) || unicode.IsControl(r) {
			return fmt.Errorf("%s %.80q has a blank or control character at byte %d; remove it", what, s, i)
		}
	}
	return nil
}
