package hostname_test

import (
	"strings"
	"testing"

	"fleetfuse/hostname"
)

func TestWords(t *testing.T) {
	tests := []struct {
		name  string
		check func(string) (string, error)
		in    string
		want  string
		err   string // part of it; "" for none
	}{
		{"resolver", hostname.Resolver, "crossref", "crossref", ""},
		{"resolver keeps case", hostname.Resolver, "Europe_PMC-v2.1", "Europe_PMC-v2.1", ""},
		{"longest resolver", hostname.Resolver, strings.Repeat("r", 253), strings.Repeat("r", 253), ""},
		{"resolver too long", hostname.Resolver, strings.Repeat("r", 254), "", "the resolver has 254 bytes; at most 253"},
		{"no resolver", hostname.Resolver, "", "", "the resolver is empty; give a name"},
		{"resolver with a blank", hostname.Resolver, "a b", "", "at byte 1; remove it"},
		{"resolver with a newline", hostname.Resolver, "a\nb", "", "at byte 1; remove it"},
		{"resolver with a slash", hostname.Resolver, "a/b", "", `has '/' at byte 1; use letters`},
		{"resolver with a colon", hostname.Resolver, "resolver:a", "", `has ':' at byte 8; use letters`},
		{"resolver that is a path", hostname.Resolver, "..", "", `has '.' at byte 0; use letters`},
		{"resolver that is a flag", hostname.Resolver, "-a", "", `has '-' at byte 0; use letters`},
		{"resolver not ASCII", hostname.Resolver, "é", "", `has 'é' at byte 0; use letters`},
		{"resolver not UTF-8", hostname.Resolver, "\xff", "", "not UTF-8"},
		{"no role", hostname.Role, "", "", ""},
		{"metadata", hostname.Role, "metadata", "metadata", ""},
		{"short for metadata", hostname.Role, "meta", "metadata", ""},
		{"own role", hostname.Role, "thumb_nail.v2", "thumb_nail.v2", ""},
		{"longest role", hostname.Role, strings.Repeat("r", 64), strings.Repeat("r", 64), ""},
		{"role too long", hostname.Role, strings.Repeat("r", 65), "", "the role has 65 bytes; at most 64"},
		{"role with a tab", hostname.Role, "a\t", "", "at byte 1; remove it"},
		{"role with a quote", hostname.Role, `a"`, "", `has '"' at byte 1`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.check(tt.in)
			if got != tt.want || (err == nil) != (tt.err == "") {
				t.Fatalf("got %q, %v; want %q, error %q", got, err, tt.want, tt.err)
			}
			if err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %q; want it to contain %q", err, tt.err)
			}
		})
	}
}
