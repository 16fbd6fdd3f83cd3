package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/breaker"
	"fleetfuse/config"
)

func TestWildcardMatches(t *testing.T) {
	const file = `hosts:
  '*.example.org': {fail_max: 10}
  '*.API.Example.ORG.': {fail_max: 20}
  '*.example.org:8443': {fail_max: 30}
  '*.bücher.example:443': {fail_max: 40}
  '*.com': {fail_max: 50}
  exact.example.org: {reset: 9}
resolvers:
  a.example.org: {reset: 9}
`
	c, err := load(t, file, nil, "--breaker=*.org=fail_max:60")
	if err != nil {
		t.Fatal(err)
	}
	b := &c.Breakers
	for _, tt := range []struct {
		key  breaker.Key
		want int
	}{
		{"host:a.example.org", 10},
		{"host:a.b.c.example.org", 10},
		{"host:exact.example.org", 10}, // what it says nothing about
		{"host:below.exact.example.org", 10},
		{"host:api.example.org", 10}, // never the suffix itself
		{"host:a.api.example.org", 20},
		{"host:example.org", 60},
		{"host:myexample.org", 60},
		{"host:org", 5},
		{"host:a.example.org:8443", 30},
		{"host:a.api.example.org:8443", 30}, // no wildcard of that port is longer
		{"host:a.example.org:8080", 5},      // another port has a name of its own
		{"host:a.xn--bcher-kva.example", 40},
		{"host:xn--bcher-kva.example", 5},
		{"host:192.0.2.1", 5},
		{"host:2001:db8::1", 5},
		{"resolver:a.example.org", 5},
		{"resolver:b.example.org", 5},
		{"", 5},
	} {
		if got := b.Policy(tt.key).FailMax; got != tt.want {
			t.Errorf("%s: fail_max %d, want %d", tt.key, got, tt.want)
		}
	}
	wildcards := []string{"*.api.example.org", "*.com", "*.example.org", "*.example.org:8443", "*.org", "*.xn--bcher-kva.example"}
	if diff := cmp.Diff(wildcards, b.Wildcards()); diff != "" {
		t.Errorf("wildcards (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]breaker.Key{"host:exact.example.org", "resolver:a.example.org"}, b.Keys()); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for _, pattern := range wildcards {
		host := breaker.Key("host:x" + strings.TrimPrefix(pattern, "*"))
		if p := b.WildcardPolicy(pattern); p == nil || p != b.Policy(host) || p != b.Policy(breaker.HostKey(pattern)) {
			t.Errorf("%s: WildcardPolicy is %p, Policy of %s %p", pattern, p, host, b.Policy(host))
		}
	}
	for _, pattern := range []string{"*.net", "example.org", "*", "", "exact.example.org"} {
		if p := b.WildcardPolicy(pattern); p != nil {
			t.Errorf("%q has the policy %+v, want none", pattern, p)
		}
	}
	if got := b.Origin("host:exact.example.org", "", "fail_max").String(); !strings.HasSuffix(got, "breakers.yaml:2:31") {
		t.Errorf("origin %q, want that of the wildcard", got)
	}
}

// A wildcard that names a role gives the hosts below it a budget of that name,
// and a longer one inherits it.
func TestWildcardsInheritRoles(t *testing.T) {
	c, err := load(t, "hosts:\n  '*.org': {roles: {preview: {}, metadata: {fail_max: 2}}}\n  '*.a.org': {roles: {landing: {fail_max: 3}}}\n  '*.b.org': {fail_max: 9}", nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &c.Breakers
	for _, tt := range []struct {
		key                       breaker.Key
		budget                    string
		bare, metadata, ofLanding int
	}{
		{"host:x.org", "preview", 5, 2, 5},
		{"host:x.a.org", "preview", 5, 2, 3},
		{"host:x.b.org", "preview", 9, 9, 9},
		{"host:x.com", "", 5, 5, 5},
	} {
		p := b.Policy(tt.key)
		got := []int{p.FailMax, p.ForRole("metadata").FailMax, p.ForRole("landing").FailMax}
		if want := []int{tt.bare, tt.metadata, tt.ofLanding}; !slices.Equal(got, want) || p.BudgetRole("preview") != tt.budget {
			t.Errorf("%s: got %v and the budget of %q, want %v and %q", tt.key, got, p.BudgetRole("preview"), want, tt.budget)
		}
	}
}

func TestHashKnowsWildcards(t *testing.T) {
	const file = "hosts:\n  '*.org': {fail_max: 3}\n"
	base := hashOf(t, file, nil)
	for _, tt := range []struct {
		what string
		same bool
		got  uint64
	}{
		{"no wildcard", false, hashOf(t, "", nil)},
		{"another wildcard", false, hashOf(t, "hosts:\n  '*.com': {fail_max: 3}\n", nil)},
		{"a host of that policy", false, hashOf(t, "hosts:\n  org: {fail_max: 3}\n", nil)},
		{"another value", false, hashOf(t, file, nil, "--breaker=*.org=fail_max:4")},
		{"the same by flag", true, hashOf(t, "", nil, "--breaker=*.org.=fail_max:3")},
		{"a host given what it has anyway", true, hashOf(t, file+"  a.org: {fail_max: 3}", nil)},
		{"a longer wildcard given what it has anyway", true, hashOf(t, file+"  '*.a.org': {fail_max: 3}\n  b.a.org: {fail_max: 3}", nil)},
		{"a host given the default under a wildcard", false, hashOf(t, file+"  a.org: {fail_max: 5}", nil)},
		{"a wildcard given the default under a wildcard", false, hashOf(t, file+"  '*.a.org': {fail_max: 5}", nil)},
		{"a wildcard given the default", true, hashOf(t, file+"  '*.com': {fail_max: 5}", nil)},
	} {
		if (tt.got == base) != tt.same {
			t.Errorf("%s: same hash is %v, want %v", tt.what, tt.got == base, tt.same)
		}
	}
}

func TestProblemOfAWildcardIsReportedOnce(t *testing.T) {
	_, err := load(t, "hosts:\n  '*.org': {neutral_statuses: [500]}\n  a.org: {fail_max: 3}\n  '*.b.org': {fail_max: 4}\n", nil)
	if err == nil || strings.Count(err.Error(), "\n") != 0 ||
		!strings.HasSuffix(err.Error(), "breakers.yaml:2:31: host:*.org: classify: status 500 is both a failure and neutral") {
		t.Errorf("error %v, want one, of the wildcard", err)
	}
}

func TestCheckWarnsOfWildcards(t *testing.T) {
	const silent = "failure_statuses: [500]"
	for _, tt := range []struct {
		file string
		want []string // how the warnings start
	}{
		{"hosts:\n  '*.org': {" + silent + "}\n  a.org: {fail_max: 3}\n  a.com: {" + silent + "}\n", []string{"host:*.org: 429", "host:a.com: 429"}},
		{"hosts:\n  '*.org': {fail_max: 3}\n", nil},
		{"defaults: {" + silent + "}\nhosts:\n  '*.org': {fail_max: 3}\n", []string{"429 is named neither"}},
	} {
		found := config.Check([]string{write(t, tt.file)})
		ok := len(found) == len(tt.want)
		for i := range found {
			ok = ok && found[i].Warning && strings.HasPrefix(found[i].Text, tt.want[i])
		}
		if !ok {
			t.Errorf("%q: found %+v, want warnings %q", tt.file, found, tt.want)
		}
	}
}

func TestPolicyBelowWildcardsDoesNotAllocate(t *testing.T) {
	c, err := load(t, "", nil, "--breaker=*.example.org=fail_max:3", "--breaker=a.example.org=fail_max:4", "--breaker=*.b.example.org=fail_max:4")
	if err != nil {
		t.Fatal(err)
	}
	keys := []breaker.Key{"host:a.example.org", "host:x.y.z.example.org", "host:x.b.example.org", "host:a.b.c.d.e.f", "resolver:a.b", "host:*.example.org"}
	if n := testing.AllocsPerRun(100, func() {
		for _, k := range keys {
			c.Breakers.Policy(k)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkPolicyBelowWildcards(b *testing.B) {
	c, err := load(b, "", nil, "--breaker=*.example.org=fail_max:3", "--breaker=a.example.org=fail_max:4")
	if err != nil {
		b.Fatal(err)
	}
	for _, key := range []breaker.Key{"host:a.example.org", "host:b.api.example.org", "host:a.b.c.d.e.f.g.h"} {
		b.Run(key.Name(), func(b *testing.B) {
			for b.Loop() {
				c.Breakers.Policy(key)
			}
		})
	}
}
