package hostname_test

import (
	"strings"
	"testing"

	"fleetfuse/breaker"
	"fleetfuse/hostname"
)

func TestKey(t *testing.T) {
	for _, x := range []struct {
		in   string
		want breaker.Key
		err  string // part of it
	}{
		{"API.Example.org.", "host:api.example.org", ""},
		{"host:API.Example.org", "host:api.example.org", ""},
		{"a.example:8443", "host:a.example:8443", ""},
		{"host:a.example:8443", "host:a.example:8443", ""},
		{"host:resolver:8080", "host:resolver:8080", ""},
		{"host", "host:host", ""},
		{"2001:db8::1", "host:2001:db8::1", ""},
		{"host:[2001:db8::1]:8443", "host:[2001:db8::1]:8443", ""},
		{"resolver:Crossref", "resolver:Crossref", ""},
		{"", "", "the host is empty"},
		{"host:", "", "the host is empty"},
		{"resolver:", "", "the resolver is empty"},
		{"resolver:a b", "", "blank"},
		{"host:8080", "", "ends in a number"},
		{"https://a.example/x", "", "give the host, not the URL: a.example"},
		{"host:*.example.org", "", "has the character '*'"},
	} {
		got, err := hostname.Key(x.in)
		if got != x.want || (err == nil) != (x.err == "") || err != nil && !strings.Contains(err.Error(), x.err) {
			t.Errorf("Key(%q) = %q, %v; want %q, %q", x.in, got, err, x.want, x.err)
		}
		if err != nil {
			continue
		}
		if again, err := hostname.Key(string(got)); again != got || err != nil {
			t.Errorf("Key(%q) = %q, %v; want it unchanged", got, again, err)
		}
	}
	if _, err := hostname.KeyIn(strings.Repeat("x", 1000), "a"); err == nil || len(err.Error()) > 200 {
		t.Errorf("an unknown scope: %v", err)
	}
}
