package tuner

import (
	"math"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
)

// policyWith is the default policy with some fields changed.
func policyWith(change func(*breaker.Policy)) *breaker.Policy {
	p := breaker.DefaultPolicy()
	if change != nil {
		change(&p)
	}
	return &p
}

func rate(x float64) *breaker.Policy {
	return policyWith(func(p *breaker.Policy) { p.RateMultiplier = x })
}

// seen is what three nodes saw in ten minutes.
func seen(c Counts) *HostMetrics {
	return &HostMetrics{Key: "host:a.example", Window: 10 * time.Minute, All: c, Nodes: []string{"n1", "n2", "n3"}}
}

// only is the one suggestion for a field, nil if there is none.
func only(t *testing.T, a HostAdvice, field, role string) *Suggestion {
	t.Helper()
	var found *Suggestion
	for i := range a.Suggestions {
		if s := &a.Suggestions[i]; s.Field == field && s.Role == role {
			if found != nil {
				t.Fatalf("two suggestions for %s", field)
			}
			found = s
		}
	}
	return found
}

// want checks the one suggestion for a field: its rule and value, "" for none.
func want(t *testing.T, a HostAdvice, field, role string, rule Rule, proposed float64) {
	t.Helper()
	s := only(t, a, field, role)
	switch {
	case s == nil && rule == "":
	case s == nil:
		t.Errorf("%s: nothing is proposed, want %v for %s; notes: %q", FieldName(field, role), proposed, rule, a.Notes)
	case s.Rule != rule || math.Abs(s.Proposed-proposed) > 1e-9:
		t.Errorf("%s: %v for %s, want %v for %q (%s)", FieldName(field, role), s.Proposed, s.Rule, proposed, rule, s.Why)
	}
}

func noted(t *testing.T, a HostAdvice, words string) {
	t.Helper()
	if !strings.Contains(strings.Join(a.Notes, "\n"), words) {
		t.Errorf("no note says %q: %q", words, a.Notes)
	}
}

func TestLimitedShare(t *testing.T) {
	for name, tc := range map[string]struct {
		current float64
		counts  Counts
		rule    Rule
		want    float64
	}{
		"nothing seen":              {1, Counts{}, "", 0},
		"no 429":                    {1, Counts{Successes: 1000}, "", 0},
		"surely too many":           {1, Counts{Successes: 900, Limited: 100}, RuleLimited, 0.8},
		"5.5 % is not sure":         {1, Counts{Successes: 945, Limited: 55}, "", 0},
		"one call is no rate":       {1, Counts{Limited: 1}, "", 0}, // though above 5 % with 99.5 %
		"two are none":              {1, Counts{Limited: 2}, "", 0},
		"three of three":            {1, Counts{Limited: 3}, RuleLimited, 0.8},
		"one of ten is not sure":    {1, Counts{Successes: 9, Limited: 1}, "", 0},
		"all":                       {1, Counts{Limited: 500}, RuleLimited, 0.8},
		"again":                     {0.8, Counts{Limited: 500}, RuleLimited, 0.64},
		"down to the least":         {0.12, Counts{Limited: 500}, RuleLimited, 0.1},
		"not below it":              {0.1, Counts{Limited: 500}, "", 0},
		"quiet again":               {0.64, Counts{Successes: 500}, RuleQuiet, 0.74},
		"quiet, nearly there":       {0.84, Counts{Successes: 500}, RuleQuiet, 1},
		"quiet, from the least":     {0.1, Counts{Successes: 500}, RuleQuiet, 0.125},
		"quiet is not sure":         {0.64, Counts{Successes: 20}, "", 0},
		"between the two":           {0.64, Counts{Successes: 960, Limited: 40}, "", 0},
		"failures are no 429s":      {1, Counts{Server: 500, Timeouts: 100}, "", 0},
		"nobody called":             {0.64, Counts{Rejected: 1000, FromCache: 50, Neutral: 9}, "", 0},
		"the operator's is greater": {1.5, Counts{Limited: 500}, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			want(t, Advise(seen(tc.counts), rate(tc.current), nil, DefaultSettings()), FieldRateMultiplier, "", tc.rule, tc.want)
		})
	}
}

// However little is asked for, nothing is proposed for nothing.
func TestHardlySure(t *testing.T) {
	s := DefaultSettings()
	s.Sure = 0.5
	a := Advise(seen(Counts{}), policyWith(nil), NewMemory(), s)
	if len(a.Suggestions) != 0 {
		t.Errorf("%+v", a.Suggestions)
	}
}

// Up and down, from wherever it was lowered to, the rate returns to 1.
func TestRateIsNoRatchet(t *testing.T) {
	for start := 100; start < 1000; start++ {
		x := float64(start) / 1000
		for range 40 {
			s := only(t, Advise(seen(Counts{Successes: 5000}), rate(x), nil, DefaultSettings()), FieldRateMultiplier, "")
			if s == nil {
				break
			}
			x = s.Proposed
		}
		if x < 1 && start <= 909 { // above that, back to 1 is within the dead band
			t.Fatalf("from %v it came to %v only", float64(start)/1000, x)
		}
	}
}

// The way back ends where the policy stood before the tuner.
func TestRateGoesHomeOnly(t *testing.T) {
	m := seen(Counts{Successes: 5000})
	m.Home = rate(0.5)
	want(t, Advise(m, rate(0.5), nil, DefaultSettings()), FieldRateMultiplier, "", "", 0)
	x := 0.15
	for range 40 {
		if s := only(t, Advise(m, rate(x), nil, DefaultSettings()), FieldRateMultiplier, ""); s != nil {
			x = s.Proposed
		}
	}
	if x != 0.5 {
		t.Errorf("it came to %v, want 0.5", x)
	}
}

// A host called ten times in ten minutes is never quiet for sure in one window, but
// is, as far as it is remembered.
func TestQuietByMemory(t *testing.T) {
	m := NewMemory()
	for at := range int64(300) {
		m.Observe(Bucket{At: at * 6, Judged: 1})
	}
	few := seen(Counts{Successes: 10})
	want(t, Advise(few, rate(0.8), nil, DefaultSettings()), FieldRateMultiplier, "", "", 0)
	want(t, Advise(few, rate(0.8), m, DefaultSettings()), FieldRateMultiplier, "", RuleQuiet, 0.9)
	few.All.Limited = 1
	want(t, Advise(few, rate(0.8), m, DefaultSettings()), FieldRateMultiplier, "", "", 0)
}

func TestRatePerRole(t *testing.T) {
	m := seen(Counts{Successes: 1700, Limited: 300})
	m.Roles = []RoleMetrics{
		{Role: "artifact", Counts: Counts{Successes: 700, Limited: 300}},
		{Role: "metadata", Counts: Counts{Successes: 1000}},
	}
	a := Advise(m, policyWith(nil), nil, DefaultSettings())
	want(t, a, FieldRateMultiplier, "artifact", RuleLimited, 0.8)
	want(t, a, FieldRateMultiplier, "", "", 0)

	// Once it has a number of its own, that one moves on.
	own := policyWith(func(p *breaker.Policy) {
		p.Roles = map[string]breaker.RolePolicy{"artifact": {RateMultiplier: 0.8}}
	})
	a = Advise(m, own, nil, DefaultSettings())
	want(t, a, FieldRateMultiplier, "artifact", RuleLimited, 0.64)
	want(t, a, FieldRateMultiplier, "", "", 0)

	// Where all are over, it is a matter of the host.
	m.Roles[1].Counts = Counts{Successes: 700, Limited: 300}
	m.All = Counts{Successes: 1400, Limited: 600}
	a = Advise(m, policyWith(nil), nil, DefaultSettings())
	want(t, a, FieldRateMultiplier, "", RuleLimited, 0.8)
	want(t, a, FieldRateMultiplier, "artifact", "", 0)
}

// Bursts of 429s prove less than as many that come alone.
func TestBurstsAreWeakerEvidence(t *testing.T) {
	m := NewMemory()
	for at := range int64(400) {
		b := Bucket{At: at, Judged: 50}
		if at%20 == 0 {
			b.Limited, b.Failures = 45, 45
		}
		m.Observe(b)
	}
	c := Counts{Successes: 938, Limited: 62}
	want(t, Advise(seen(c), policyWith(nil), nil, DefaultSettings()), FieldRateMultiplier, "", RuleLimited, 0.8)
	want(t, Advise(seen(c), policyWith(nil), m, DefaultSettings()), FieldRateMultiplier, "", "", 0)
}

// byNode is what several nodes saw.
func byNode(counts ...Counts) *HostMetrics {
	m := seen(Counts{})
	m.Nodes = nil
	for i, c := range counts {
		name := string(rune('a' + i))
		m.Nodes = append(m.Nodes, name)
		m.ByNode = append(m.ByNode, NodeCounts{Node: name, Counts: c})
		m.All.Successes += c.Successes
		m.All.Limited += c.Limited
	}
	return m
}

func TestOneNodeAgainstTheOthers(t *testing.T) {
	fine := Counts{Successes: 200}
	sick := byNode(fine, fine, Counts{Limited: 1e15})
	a := Advise(sick, policyWith(nil), nil, DefaultSettings())
	want(t, a, FieldRateMultiplier, "", "", 0)
	noted(t, a, "only node c is answered 429")

	// What one invents does not hide what the others see.
	limited := Counts{Successes: 150, Limited: 50}
	hidden := byNode(Counts{Successes: 1e15}, limited, limited, limited, limited)
	a = Advise(hidden, rate(0.8), nil, DefaultSettings())
	want(t, a, FieldRateMultiplier, "", RuleLimited, 0.64)

	// One that does nearly all the work is believed.
	uneven := byNode(Counts{Successes: 5e5, Limited: 1e5}, Counts{Successes: 3})
	want(t, Advise(uneven, policyWith(nil), nil, DefaultSettings()), FieldRateMultiplier, "", RuleLimited, 0.8)

	// Two that see it are no exception.
	two := byNode(fine, limited, limited)
	want(t, Advise(two, policyWith(nil), nil, DefaultSettings()), FieldRateMultiplier, "", RuleLimited, 0.8)
}

func TestNodesAreNamed(t *testing.T) {
	m := seen(Counts{Successes: 880, Limited: 120})
	m.Nodes, m.Missing = []string{"n7"}, []string{"n1", "n2", "n3", "n4", "n5", "n6", "n8"}
	m.Changed = true
	a := Advise(m, policyWith(nil), nil, DefaultSettings())
	noted(t, a, "only node n7 called it")
	noted(t, a, "no answer from n1, n2, n3, n4, n5 and 2 more")
	noted(t, a, "only the 10 min since then")
	alone := only(t, a, FieldRateMultiplier, "")
	m.Nodes = []string{"n7", "n9"}
	both := only(t, Advise(m, policyWith(nil), nil, DefaultSettings()), FieldRateMultiplier, "")
	if alone == nil || both == nil || alone.Confidence >= both.Confidence {
		t.Errorf("one node's word is worth %+v, that of two %+v", alone, both)
	}
	m.Nodes, m.All = []string{"n7"}, Counts{Successes: 92, Limited: 8} // 91 %
	a = Advise(m, policyWith(nil), nil, DefaultSettings())
	want(t, a, FieldRateMultiplier, "", "", 0)
	noted(t, a, "one node's word is not enough")
	m.Members = 1 // it is the fleet
	want(t, Advise(m, policyWith(nil), nil, DefaultSettings()), FieldRateMultiplier, "", RuleLimited, 0.8)
}

func TestNothingToGoBy(t *testing.T) {
	for name, a := range map[string]HostAdvice{
		"no metrics":   Advise(nil, policyWith(nil), NewMemory(), DefaultSettings()),
		"no policy":    Advise(seen(Counts{Limited: 500}), nil, NewMemory(), DefaultSettings()),
		"no counts":    Advise(seen(Counts{}), policyWith(nil), NewMemory(), DefaultSettings()),
		"empty":        Advise(&HostMetrics{}, &breaker.Policy{}, nil, Settings{}),
		"one sample":   Advise(seen(Counts{Successes: 1}), policyWith(nil), NewMemory(), DefaultSettings()),
		"one failure":  Advise(seen(Counts{Server: 1}), policyWith(nil), NewMemory(), DefaultSettings()),
		"all failures": Advise(seen(Counts{Server: 1e6, LongestRun: 1e6}), policyWith(nil), NewMemory(), DefaultSettings()),
	} {
		if len(a.Suggestions) != 0 {
			t.Errorf("%s: %+v", name, a.Suggestions)
		}
	}
}
