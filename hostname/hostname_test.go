package hostname_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"fleetfuse/breaker"
	"fleetfuse/hostname"
)

// long63 and long253 are as long as a label and a name may be.
var (
	long63  = strings.Repeat("a", 63)
	long253 = strings.Repeat(long63+".", 3) + strings.Repeat("b", 61)
)

func TestNormalize(t *testing.T) {
	for in, want := range map[string]string{
		"api.crossref.org":                  "api.crossref.org",
		"API.Crossref.ORG.":                 "api.crossref.org",
		"api.crossref.org.":                 "api.crossref.org",
		"localhost":                         "localhost",
		"my_host.example.org":               "my_host.example.org",
		"_dns.Example.org":                  "_dns.example.org",
		"r3---sn-4g5e6nsk.example":          "r3---sn-4g5e6nsk.example",
		"R3---sn-4g5e6nsk.example":          "r3---sn-4g5e6nsk.example",
		"a-.Tumblr.example":                 "a-.tumblr.example",
		"3com.example.2go":                  "3com.example.2go",
		"1.2.3.4.example":                   "1.2.3.4.example",
		long63 + ".example":                 long63 + ".example",
		long253:                             long253,
		long253 + ".":                       long253,
		"api.crossref.org:443":              "api.crossref.org",
		"api.crossref.org:80":               "api.crossref.org",
		"api.crossref.org.:443":             "api.crossref.org",
		"api.crossref.org:8080":             "api.crossref.org:8080",
		"Api.crossref.org.:08080":           "api.crossref.org:8080",
		"a:1":                               "a:1",
		"a:65535":                           "a:65535",
		"bücher.example":                    "xn--bcher-kva.example",
		"BÜCHER.example:8080":               "xn--bcher-kva.example:8080",
		"xn--bcher-kva.example":             "xn--bcher-kva.example",
		"XN--BCHER-KVA.example":             "xn--bcher-kva.example",
		"straße.example":                    "xn--strae-oqa.example",
		"i❤.example":                        "xn--i-7iq.example",
		"例え。テスト。":                           "xn--r8jz45g.xn--zckzah",
		"ａｐｉ．example":                       "api.example",
		"127.0.0.1":                         "127.0.0.1",
		"127.0.0.1.":                        "127.0.0.1",
		"127.0.0.1:9000":                    "127.0.0.1:9000",
		"１２７.0.0.1":                         "127.0.0.1",
		"2001:db8:0::1":                     "2001:db8::1",
		"2001:DB8:0:0:0:0:0:1":              "2001:db8::1",
		"[2001:DB8::1]":                     "2001:db8::1",
		"[2001:db8::1]:443":                 "2001:db8::1",
		"[2001:db8::1]:8443":                "[2001:db8::1]:8443",
		"::1":                               "::1",
		"::":                                "::",
		"::ffff:10.0.0.1":                   "10.0.0.1",
		"[::ffff:a00:1]:81":                 "10.0.0.1:81",
		"a\u00adb.example":                  "ab.example", // a soft hyphen is mapped to nothing
		strings.Repeat("\u00ad", 500) + "a": "a",
	} {
		got, err := hostname.Normalize(in)
		if err != nil || got != want {
			t.Errorf("Normalize(%q) = %q, %v; want %q", in, got, err, want)
		}
		again, err := hostname.Normalize(got)
		if err != nil || again != got {
			t.Errorf("Normalize(%q) = %q, %v; want it unchanged", got, again, err)
		}
	}
}

// Every refusal says what is wrong and what to do.
func TestNormalizeRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                           "the host is empty; give a name",
		".":                          "no name is left",
		"..":                         "label 1 of 2 is empty",
		"a..b":                       "label 2 of 3 is empty; write one dot",
		".a":                         "label 1 of 2 is empty",
		"a..":                        "label 2 of 2 is empty",
		"a.。":                        "label 2 of 2 is empty",
		":8080":                      "no name is left",
		"xn--":                       "no name is left",
		"a b":                        "blank or control character at byte 1; remove it",
		" a":                         "at byte 0",
		"a\r\nX-Evil: y":             "blank or control character at byte 1",
		"a\x00":                      "blank or control character",
		"a\u0085":                    "blank or control character",
		"a\u00a0b":                   "blank or control character",
		"\xff\xfe":                   "not UTF-8",
		"a%41":                       `has the character '%'`,
		"*.example.org":              `label 1 of 3 has the character '*'; letters, digits`,
		"℀.example":                  `has the character '/'`,
		"a：80":                       `has the character ':'`,
		"a\u202eb":                   "not a host name (idna: disallowed rune U+202E); check it",
		"xn--a":                      "not a host name",
		long63 + "a.org":             "label 1 of 2 has 64 bytes; at most 63",
		strings.Repeat("ü", 60):      "label 1 of 1 has",
		long253 + "b":                "it has 254 bytes; at most 253",
		long253 + ":81":              "it has 256 bytes; at most 253",
		strings.Repeat("x", 1025):    "the host has 1025 bytes; at most 1024",
		"a:":                         `the port "" is not a number from 1 to 65535`,
		"a:0":                        `the port "0" is not`,
		"a:65536":                    `the port "65536" is not`,
		"a:+1":                       `the port "+1" is not`,
		"host:api.crossref.org":      `the port "api.crossref.org" is not`,
		"127.1":                      "ends in a number but is not an IPv4 address; write four decimals",
		"0x7f.1":                     "ends in a number",
		"2130706433":                 "ends in a number",
		"0x7f000001":                 "ends in a number",
		"127.0.0.01":                 "ends in a number",
		"1.2.3.256":                  "ends in a number",
		"fe80::1%eth0":               "the zone %eth0 means something on one machine only; leave it out",
		"[fe80::1%25eth0]:81":        "the zone",
		"[::1":                       "its brackets do not match",
		"[::1]x":                     "its brackets do not match",
		"[::1]:x":                    `the port "x" is not`,
		"::1]":                       "not an IPv6 address",
		"[[::1]]":                    "not an IPv6 address",
		"[192.0.2.1]":                "not an IPv6 address",
		"1:2:3":                      "not an IPv6 address; write it as 2001:db8::1, with a port as [2001:db8::1]:8443",
		"https://API.example.org./x": "give the host, not the URL: api.example.org",
		"http://a.example:8080":      "give the host, not the URL: a.example:8080",
		"api.example.org/works?q=1":  "give the host, not the URL: api.example.org",
		"a?b":                        "give the host, not the URL: a",
		"a#b":                        "give the host, not the URL: a",
		"user@a.example":             "give the host, not the URL: a.example",
		`a\b`:                        "give the host, not the URL, as in api.example.org",
		"https://":                   "give the host, not the URL, as in api.example.org",
		"/":                          "give the host, not the URL, as in api.example.org",
	} {
		got, err := hostname.Normalize(in)
		if err == nil || got != "" {
			t.Errorf("Normalize(%q) = %q, %v; want an error", in, got, err)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("Normalize(%q): error %q; want it to contain %q", in, err, want)
		}
	}
}

func TestNormalizeKeepsSecretsToItself(t *testing.T) {
	for _, in := range []string{"https://me:hunter2@a.example/", "me:hunter2@", "//a/?key=hunter2"} {
		if _, err := hostname.Normalize(in); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Normalize(%q): error %v; want one without the password", in, err)
		}
	}
}

// A spelling must fit into the key of a breaker.
func TestNormalizeFitsKey(t *testing.T) {
	name, err := hostname.Normalize(long253)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := breaker.ParseKey(string(breaker.HostKey(name))); err != nil {
		t.Errorf("ParseKey of a name of %d bytes: %v", len(name), err)
	}
}

func TestNormalizeCommonCaseDoesNotAllocate(t *testing.T) {
	for _, in := range []string{"api.crossref.org", "api.crossref.org.", "my_host.a-b.example", "localhost"} {
		if got := testing.AllocsPerRun(100, func() { _, _ = hostname.Normalize(in) }); got != 0 {
			t.Errorf("Normalize(%q): %v allocations; want 0", in, got)
		}
	}
}

// Case, a trailing dot and a default port never make a second breaker.
func TestNormalizeOneSpelling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		host := rapid.StringMatching(`[a-z0-9_]([a-z0-9_-]{0,20}[a-z0-9])?(\.[a-z0-9äßé-]{1,20}){0,3}\.[a-z]{2,6}`).Draw(t, "host")
		port := rapid.SampledFrom([]string{"", ":80", ":443", ":8080"}).Draw(t, "port")
		want, err := hostname.Normalize(host + port)
		if err != nil {
			t.Skip(err) // "xn--" by chance
		}
		other := rapid.SampledFrom([]string{host, host + "."}).Draw(t, "dot")
		if rapid.Bool().Draw(t, "upper") {
			other = upper(other)
		}
		if port != ":8080" {
			port = rapid.SampledFrom([]string{"", ":80", ":443", ":0443"}).Draw(t, "other port")
		}
		got, err := hostname.Normalize(other + port)
		if err != nil || got != want {
			t.Fatalf("Normalize(%q) = %q, %v; want %q as for %q", other+port, got, err, want, host)
		}
	})
}

// upper leaves the sharp s, whose capital is two letters.
func upper(s string) string {
	return strings.ReplaceAll(strings.ToUpper(strings.ReplaceAll(s, "ß", "\x00")), "\x00", "ß")
}

func FuzzNormalize(f *testing.F) {
	for _, s := range []string{
		"a.b", "Bücher.example:80", "[::1]:443", "[::ffff:1.2.3.4]:81", "1.2.3.4.", "xn--a", "xn--bcher-kva.x",
		"℀.x", "例。", "a\u200db", "0x1", "https://a/b", "fe80::1%a", "ß.x", "xn--ab-", "\u0300a", "א1.x", "ẞ", "a\u00ad",
		strings.Repeat("ﷺ", 340), // maps to 18 letters each
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, err := hostname.Normalize(s)
		if err != nil {
			if once != "" || len(err.Error()) > 2000 {
				t.Fatalf("Normalize(%q) = %q with error %v", s, once, err)
			}
			return
		}
		twice, err := hostname.Normalize(once)
		if err != nil || twice != once {
			t.Fatalf("Normalize(%q) = %q, then %q, %v", s, once, twice, err)
		}
		if once == "" || len(once) > 253 {
			t.Fatalf("Normalize(%q) has %d bytes", s, len(once))
		}
		if i := strings.IndexFunc(once, foreign); i >= 0 {
			t.Fatalf("Normalize(%q) = %q with a foreign character at %d", s, once, i)
		}
	})
}

// foreign finds what no spelling may have.
func foreign(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("._-:[]", r))
}

func BenchmarkNormalize(b *testing.B) {
	for _, in := range []string{"api.crossref.org", "API.crossref.org", "api.crossref.org:8443", "bücher.example", "192.0.2.1", "[2001:db8::1]:8443"} {
		b.Run(in, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := hostname.Normalize(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
