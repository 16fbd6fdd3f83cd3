package hostname_test

import (
	"strings"
	"testing"

	"fleetfuse/hostname"
)

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		"api.crossref.org":      "api.crossref.org",
		"API.Crossref.ORG.":     "api.crossref.org",
		"api.crossref.org:443":  "api.crossref.org",
		"api.crossref.org:80":   "api.crossref.org",
		"api.crossref.org:8080": "api.crossref.org:8080",
		"bücher.example":        "xn--bcher-kva.example",
		"xn--bcher-kva.example": "xn--bcher-kva.example",
		"my_host.example.org":   "my_host.example.org",
		"127.0.0.1":             "127.0.0.1",
		"127.0.0.1:9000":        "127.0.0.1:9000",
		"[2001:DB8::1]":         "2001:db8::1",
		"2001:db8:0::1":         "2001:db8::1",
		"[2001:db8::1]:8443":    "[2001:db8::1]:8443",
		"::ffff:10.0.0.1":       "10.0.0.1",
		"localhost":             "localhost",
	} {
		got, err := hostname.Normalize(in)
		if err != nil || got != want {
			t.Errorf("Normalize(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestNormalizeRefuses(t *testing.T) {
	for _, in := range []string{
		"", ".", "..", "a..b", ".a", "a b", "a\r\nX: y", "a\x00", "\xff\xfe", "https://a.example/x", "a/b", "u@a",
		"a:0", "a:99999", "a:x", "a:", strings.Repeat("a", 64) + ".org", strings.Repeat("a.", 200) + "org",
		strings.Repeat("x", 5000), "fe80::1%eth0", "a?b", "a#b",
	} {
		if got, err := hostname.Normalize(in); err == nil {
			t.Errorf("Normalize(%q) = %q; want an error", in, got)
		}
	}
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{"a.b", "Bücher.example:80", "[::1]:443", "1.2.3.4.", "xn--a"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, err := hostname.Normalize(s)
		if err != nil {
			return
		}
		twice, err := hostname.Normalize(once)
		if err != nil || twice != once {
			t.Fatalf("Normalize(%q) = %q, then %q, %v", s, once, twice, err)
		}
		if len(once) > 253+2 {
			t.Fatalf("Normalize(%q) has %d bytes", s, len(once))
		}
	})
}
