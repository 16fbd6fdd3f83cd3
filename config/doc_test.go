package config

import (
	"flag"
	"fmt"
	"math"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
)

var update = flag.Bool("update", false, "rewrite the tables in docs/policy.md")

const policyDoc = "../docs/policy.md"

func TestPolicyDocIsCurrent(t *testing.T) {
	text, err := os.ReadFile(policyDoc)
	if err != nil {
		t.Fatal(err)
	}
	want := replaceTable(t, string(text), "fields", fieldTable(t))
	want = replaceTable(t, want, "profiles", profileTable(t))
	if want == string(text) {
		return
	}
	if !*update {
		t.Fatalf("%s is out of date; go test ./config -update writes its tables", policyDoc)
	}
	if err := os.WriteFile(policyDoc, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// replaceTable puts a table between the two marks that name it.
func replaceTable(t *testing.T, text, name, table string) string {
	start, end := "<!-- "+name+": written by go test ./config -update -->\n", "<!-- end of "+name+" -->\n"
	before, rest, hasStart := strings.Cut(text, start)
	_, after, hasEnd := strings.Cut(rest, end)
	if !hasStart || !hasEnd {
		t.Fatalf("%s has no place for the table between %q and %q", policyDoc, start, end)
	}
	return before + start + "\n" + table + "\n" + end + after
}

// fieldTable is the table of fields as Markdown.
func fieldTable(t *testing.T) string {
	def := breaker.DefaultPolicy()
	b := &strings.Builder{}
	b.WriteString("| field | default | limits | meaning | also spelled |\n|---|---|---|---|---|\n")
	for i := range fields {
		f := &fields[i]
		name := "`" + f.name + "`"
		if f.atRole != nil {
			name += " ᴿ"
		}
		also := ""
		for _, a := range f.aliases {
			also += " `" + a + "`"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", name, plainText(valueAt(f.at(&def))), limitsOf(t, f), f.doc, strings.TrimSpace(also))
	}
	return b.String()
}

// profileTable is the table of what profiles set, as Markdown.
func profileTable(t *testing.T) string {
	names := []string{ProfileConservative, ProfileBalanced, ProfileAggressive}
	if len(names) != len(profiles) {
		t.Errorf("%d profiles, the table has %d", len(profiles), len(names))
	}
	b := &strings.Builder{}
	fmt.Fprintf(b, "| field | %s |\n|---|---|---|---|\n", strings.Join(names, " | "))
	for i := range fields {
		var values []string
		isSet := false
		for _, name := range names {
			base := Default()
			base.Profile = name
			c, err := Load(base, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			values = append(values, plainText(valueAt(fields[i].at(&c.Breakers.Defaults))))
			isSet = isSet || c.Breakers.Origin("", "", fields[i].name) != (Origin{})
		}
		if isSet {
			fmt.Fprintf(b, "| `%s` | %s |\n", fields[i].name, strings.Join(values, " | "))
		}
	}
	return b.String()
}

// plainText writes a value as people do: 10m and not 10m0s.
func plainText(value any) string {
	text := valueText(value)
	if _, ok := value.(time.Duration); !ok {
		return text
	}
	if minutes, ok := strings.CutSuffix(text, "m0s"); ok {
		text = minutes + "m"
	}
	if hours, ok := strings.CutSuffix(text, "h0m"); ok {
		text = hours + "h"
	}
	return text
}

// limits are in what breaker says of a value beyond them.
var limits = regexp.MustCompile(`want (?:one of \[(.*)\]|(\S+) to (\S+))$`)

func limitsOf(t *testing.T, f *field) string {
	var beyond any
	switch f.kind().(type) {
	case *bool:
		return "true, false"
	case *int:
		beyond = math.MinInt
	case *float64:
		beyond = math.NaN()
	case *time.Duration:
		beyond = time.Duration(math.MinInt64)
	case *[]int:
		beyond = []int{-1}
	case *breaker.Mode:
		beyond = breaker.Mode("?")
	case *breaker.RetryAfterScope:
		beyond = breaker.RetryAfterScope("?")
	}
	err := f.check(beyond)
	if err == nil {
		t.Errorf("%s has no limits: %v is accepted", f.name, beyond)
		return ""
	}
	m := limits.FindStringSubmatch(err.Error())
	switch {
	case m == nil:
		t.Errorf("%s: no limits in %q", f.name, err)
		return ""
	case m[1] != "":
		return strings.ReplaceAll(strings.ReplaceAll(m[1], `" "`, ", "), `"`, "")
	}
	return plainLimit(t, m[2]) + "–" + plainLimit(t, m[3])
}

func plainLimit(t *testing.T, text string) string {
	if !strings.HasSuffix(text, "s") {
		return text
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return plainText(d)
}
