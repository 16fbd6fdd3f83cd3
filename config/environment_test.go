package config_test

import (
	"strings"
	"testing"

	"fleetfuse/breaker"
)

func TestVariablesOfBreakers(t *testing.T) {
	environ := []string{
		"FLEETFUSE_BREAKER__API.Example.org=fail_max:10,reset:7",
		"FLEETFUSE_BREAKER__a.example.org:8443=fail_max:11",
		"FLEETFUSE_BREAKER__[2001:db8::1]:8443=fail_max:12",
		"FLEETFUSE_BREAKER__*.wild.example=fail_max:13",
		"FLEETFUSE_BREAKER__r3---sn.example=fail_max:14",
		"FLEETFUSE_BREAKER__bücher.example=fail_max:15",
		"FLEETFUSE_BREAKER_ROLE__api.example.org__meta=fail_max:20",
		"FLEETFUSE_BREAKER_ROLE__*.wild.example__my_own__role=fail_max:21",
		"FLEETFUSE_BREAKER_RESOLVER__Cross_ref=fail_max:30",
		"FLEETFUSE_BREAKERS=b.example=fail_max:40; b.example:meta=fail_max:41;;c.example:8443=fail_max:42;c.example:8443:meta=fail_max:43" +
			";2001:db8::7=fail_max:44;[2001:db8::8]:meta=fail_max:45;[2001:db8::8]=fail_max:46;resolver:x=fail_max:47;resolver:x:meta=fail_max:48" +
			";my_host.example=fail_max:49;*.c.example:meta=fail_max:50;resolver:SHOUT=fail_max:51",
	}
	c, err := load(t, "", environ)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		key    breaker.Key
		role   string
		want   int
		origin string // without "env FLEETFUSE_"
	}{
		{"host:api.example.org", "", 10, "BREAKER__API.Example.org"},
		{"host:a.example.org:8443", "", 11, "BREAKER__a.example.org:8443"},
		{"host:[2001:db8::1]:8443", "", 12, "BREAKER__[2001:db8::1]:8443"},
		{"host:a.wild.example", "", 13, "BREAKER__*.wild.example"},
		{"host:r3---sn.example", "", 14, "BREAKER__r3---sn.example"},
		{"host:xn--bcher-kva.example", "", 15, "BREAKER__bücher.example"},
		{"host:api.example.org", "metadata", 20, "BREAKER_ROLE__api.example.org__meta"},
		{"host:a.wild.example", "my_own__role", 21, "BREAKER_ROLE__*.wild.example__my_own__role"},
		{"resolver:Cross_ref", "", 30, "BREAKER_RESOLVER__Cross_ref"},
		{"host:b.example", "", 40, "BREAKERS"},
		{"host:b.example", "metadata", 41, "BREAKERS"},
		{"host:c.example:8443", "", 42, "BREAKERS"},
		{"host:c.example:8443", "metadata", 43, "BREAKERS"},
		{"host:2001:db8::7", "", 44, "BREAKERS"},
		{"host:2001:db8::8", "metadata", 45, "BREAKERS"},
		{"host:2001:db8::8", "", 46, "BREAKERS"},
		{"resolver:x", "", 47, "BREAKERS"},
		{"resolver:x", "metadata", 48, "BREAKERS"},
		{"host:my_host.example", "", 49, "BREAKERS"},
		{"host:a.c.example", "metadata", 50, "BREAKERS"},
		{"resolver:SHOUT", "", 51, "BREAKERS"},
	} {
		origin := c.Breakers.Origin(tt.key, tt.role, "fail_max").String()
		if got := c.Breakers.Policy(tt.key).ForRole(tt.role).FailMax; got != tt.want || origin != "env FLEETFUSE_"+tt.origin {
			t.Errorf("%s %q: fail_max %d from %q, want %d from %q", tt.key, tt.role, got, origin, tt.want, "env FLEETFUSE_"+tt.origin)
		}
	}
}

// Each variable is stronger than those before it here, in whatever order they
// come; of the fields it says nothing about the others stay.
func TestStrengthOfVariables(t *testing.T) {
	const key = breaker.Key("host:a.example")
	all := []string{
		"FLEETFUSE_BREAKER=a.example=fail_max:10,roles.metadata.reset:10,reset:10",
		"FLEETFUSE_BREAKER_ROLE=a.example:meta=fail_max:11,reset:11",
		"FLEETFUSE_BREAKERS=a.example=fail_max:12,roles.metadata.reset:12",
		"FLEETFUSE_BREAKER__a.example=fail_max:13,roles.metadata.reset:13",
		"FLEETFUSE_BREAKER_ROLE__a.example__meta=reset:14",
	}
	for n, wantFail := range []int{10, 10, 12, 13, 13} {
		wantReset := 10 + n
		var environ []string
		for i := range n + 1 {
			environ = append(environ, all[n-i])
		}
		c, err := load(t, "", environ)
		if err != nil {
			t.Fatal(err)
		}
		p := c.Breakers.Policy(key)
		if got := int(p.ForRole("metadata").ResetTimeout.Seconds()); p.FailMax != wantFail || got != wantReset || p.ResetTimeout.Seconds() != 10 {
			t.Errorf("%d variables: fail_max %d, reset of metadata %d, reset %v; want %d, %d, 10s", n+1, p.FailMax, got, p.ResetTimeout, wantFail, wantReset)
		}
	}
}

func TestVariablesAreRefused(t *testing.T) {
	for _, tt := range []struct{ variable, want string }{
		{"FLEETFUSE_BREAKER__API_EXAMPLE_ORG=fail_max:3",
			`env FLEETFUSE_BREAKER__API_EXAMPLE_ORG: host "API_EXAMPLE_ORG" has an underscore, which stands for no dot and no dash here; where a dot cannot be written use FLEETFUSE_BREAKERS="HOST=FIELDS"`},
		{"FLEETFUSE_BREAKER__a.example__meta=fail_max:3", `host "a.example__meta" has an underscore`},
		{"FLEETFUSE_BREAKER__=fail_max:3", "env FLEETFUSE_BREAKER__: the host is empty"},
		{"FLEETFUSE_BREAKER__a b=fail_max:3", "env FLEETFUSE_BREAKER__a b: host \"a b\" has a blank"},
		{"FLEETFUSE_BREAKER__*=fail_max:3", `env FLEETFUSE_BREAKER__*: wildcard "*": what applies to every host are the defaults`},
		{"FLEETFUSE_BREAKER__127.1=fail_max:3", "env FLEETFUSE_BREAKER__127.1: host \"127.1\": it ends in a number"},
		{"FLEETFUSE_BREAKER__a.example=fial_max:3", `env FLEETFUSE_BREAKER__a.example: unknown policy field "fial_max"; did you mean "fail_max"?`},
		{"FLEETFUSE_BREAKER__a.example=fail_max:0", "env FLEETFUSE_BREAKER__a.example: fail_max is 0; want 1 to 10000"},
		{"FLEETFUSE_BREAKER__a.example= ", "env FLEETFUSE_BREAKER__a.example: sets nothing"},
		{"FLEETFUSE_BREAKER_ROLE__a.example=fail_max:3", `env FLEETFUSE_BREAKER_ROLE__a.example: "a.example" names no role; write FLEETFUSE_BREAKER_ROLE__HOST__ROLE`},
		{"FLEETFUSE_BREAKER_ROLE__a.example__=fail_max:3", "env FLEETFUSE_BREAKER_ROLE__a.example__: a role needs a name"},
		{"FLEETFUSE_BREAKER_ROLE__A_EXAMPLE__META=fail_max:3", `host "A_EXAMPLE" has an underscore`},
		{"FLEETFUSE_BREAKER_ROLE__a.example__METADATA=fail_max:3", `role "METADATA" is in capitals, and case counts`},
		{"FLEETFUSE_BREAKER_ROLE__a.example__x=mode:off", "env FLEETFUSE_BREAKER_ROLE__a.example__x: mode cannot be set for a role"},
		{"FLEETFUSE_BREAKER_RESOLVER__CROSSREF=fail_max:3", `env FLEETFUSE_BREAKER_RESOLVER__CROSSREF: resolver "CROSSREF" is in capitals, and case counts; write it as it is called; one in capitals is set by FLEETFUSE_BREAKERS`},
		{"FLEETFUSE_BREAKER_RESOLVER__a/b=fail_max:3", "env FLEETFUSE_BREAKER_RESOLVER__a/b: resolver"},
		{"FLEETFUSE_BREAKER_RESOLVER__*.x=fail_max:3", "wildcards are for hosts"},
		{"FLEETFUSE_BREAKERS=x", `env FLEETFUSE_BREAKERS "x": want HOST=FIELD:VALUE,... or HOST:ROLE=`},
		{"FLEETFUSE_BREAKERS=a.example=fail_max:3;a b=fail_max:3", `env FLEETFUSE_BREAKERS "a b=fail_max:3": host "a b" has a blank`},
		{"FLEETFUSE_BREAKERS=::1:ab=fail_max:3", `"::1:ab" may be an address, or the role "ab" of one; write [::1:ab] or [::1]:ab`},
		{"FLEETFUSE_BREAKERS=a.example:=fail_max:3", "a role needs a name"},
		{"FLEETFUSE_BREAKERS=a.example:70000=fail_max:3", "is not a number from 1 to 65535"},
		{"FLEETFUSE_BREAKER_ROL__a.example__meta=fail_max:3", "env FLEETFUSE_BREAKER_ROL__a.example__meta: unknown; did you mean FLEETFUSE_BREAKER_ROLE__HOST__ROLE?"},
		{"FLEETFUSE_BRAEKER__a.example=fail_max:3", "unknown; did you mean FLEETFUSE_BREAKER__HOST?"},
		{"FLEETFUSE_BREAKER_a.example=fail_max:3", "env FLEETFUSE_BREAKER_a.example: unknown; the policy of one breaker is set by FLEETFUSE_BREAKER__HOST, "},
		{"FLEETFUSE_BREAKER_DEFALTS=fail_max:3", "env FLEETFUSE_BREAKER_DEFALTS: unknown; did you mean FLEETFUSE_BREAKER_DEFAULTS?"},
		{"FLEETFUSE_PROFIL=aggressive", "env FLEETFUSE_PROFIL: unknown; did you mean FLEETFUSE_PROFILE?"},
	} {
		_, err := load(t, "", []string{tt.variable})
		if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "env "+tt.variable[:strings.IndexByte(tt.variable, '=')]) {
			t.Errorf("%s: error %v, want %q", tt.variable, err, tt.want)
		}
	}
}

func TestVariablesAreShownReadably(t *testing.T) {
	for name, want := range map[string]string{
		"FLEETFUSE_BREAKER__a\x9a":                          `env "FLEETFUSE_BREAKER__a\x9a": host "a\x9a" is not UTF-8`,
		"FLEETFUSE_BREAKER_a\nb":                            `env "FLEETFUSE_BREAKER_a\nb": unknown; the policy`,
		"FLEETFUSE_BREAKER__" + strings.Repeat("a", 10_000): `env "FLEETFUSE_BREAKER__aaaaaaa`,
	} {
		_, err := load(t, "", []string{name + "=fail_max:3"})
		if err == nil || !strings.HasPrefix(err.Error(), want) || len(err.Error()) > 600 {
			t.Errorf("%.60q: error %.600v, want %q", name, err, want)
		}
	}
}

func TestTwoSpellingsInVariablesAreRefused(t *testing.T) {
	for _, environ := range [][]string{
		{"FLEETFUSE_BREAKER__A.example=fail_max:3", "FLEETFUSE_BREAKER__a.example=fail_max:3"},
		{"FLEETFUSE_BREAKER_ROLE__a.example__meta=fail_max:3", "FLEETFUSE_BREAKER_ROLE__a.example__metadata=reset:3"},
	} {
		first, _, _ := strings.Cut(environ[0], "=")
		second, _, _ := strings.Cut(environ[1], "=")
		want := "env " + second + ": is " + first + " in another spelling; keep one"
		if _, err := load(t, "", environ); err == nil || err.Error() != want {
			t.Errorf("%q: error %v, want %q", environ, err, want)
		}
	}
}

func TestOtherVariablesAreLeftAlone(t *testing.T) {
	environ := []string{"FLEETFUSE_PORT=tcp://x", "FLEETFUSE_SERVICE_HOST=x", "FLEETFUSE_SERVICE_PORT=1", "FLEETFUSE_PORT_7140_TCP_ADDR=x",
		"FLEETFUSE_CLUSTER_SERVICE_HOST=x", "FLEETFUSE_CLUSTER_PORT=tcp://10.0.0.1:7141", "FLEETFUSE_BREAKER_SERVICE_HOST=x",
		"FLEETFUSE_ADDR=x", "FLEETFUSE_BREAKER__a b=", "FLEETFUSE_SOMETHING__ELSE=x", "OTHER__x=y"}
	if _, err := load(t, "", environ); err != nil {
		t.Errorf("of Kubernetes, of ctl, and empty: %v", err)
	}
}
