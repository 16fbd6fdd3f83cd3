package simulation

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

// One mistake hides no other.
func TestParseErrorsAtOnce(t *testing.T) {
	text := `nodes: 0
length: 1y
rate: -1
hosts: [{name: a.example.org, latency: fast}]
outages: many.csv
faults: [{at: 1m, for: 1s, kind: kil, node: n1}, {at: 1m, for: 1s, kind: kill, node: n4}]
words: [{at: 1m, say: opn, node: n1, host: a.example.org}]
policy: {defaults: {fail_mx: 3}}
`
	csv := "host,start_s,end_s\na.example.org,ten,20\nb.example.org,10\nc.example.org,9,20\nc.example.org,10,20\n"
	_, err := parse("f.yaml", []byte(text), func(string) ([]byte, error) { return []byte(csv), nil })
	var got []string
	for l := range strings.Lines(fmt.Sprint(err)) {
		got = append(got, strings.Join(strings.SplitN(l, " ", 3)[:2], " "))
	}
	want := []string{
		"f.yaml:1:8: nodes", "f.yaml:2:9: length", "f.yaml:3:7: rate", "f.yaml:4:40: latency",
		"f.yaml:5:10: outages:", "f.yaml:5:10: outages:", "f.yaml:5:10: outages:",
		"f.yaml:6:34: kind", "f.yaml:7:23: say", "f.yaml:8:21: unknown",
	}
	if !reflect.DeepEqual(got, want) { // n4 may be one of the nodes that were meant
		t.Errorf("got %q\n%v\nwant %q", got, err, want)
	}
	_, problems := parseOutages("many.csv", []byte("host,start_s,end_s\n"+strings.Repeat("a,b\n", 30)), time.Minute)
	if last := problems[len(problems)-1].Error(); len(problems) != maxOutageProblems+1 || !strings.Contains(last, "the first 20 problems") {
		t.Errorf("%d problems, the last: %s", len(problems), last)
	}
}

// Faults that a world would drop, or that would end with another, are refused:
// the two faults are those of lines 7 and 8.
func TestFaultsThatOverlap(t *testing.T) {
	for _, tt := range []struct {
		first, second string
		want          string // "": they add up
	}{
		{"{at: 1m, for: 30s, kind: split, nodes: [n1]}", "{at: 80s, for: 30s, kind: split, nodes: [n2]}", "f.yaml:8:5: this split overlaps the split of line 7, which lasts until 1m30s"},
		{"{at: 80s, for: 30s, kind: split, nodes: [n1]}", "{at: 1m, for: 30s, kind: split, nodes: [n2]}", "f.yaml:7:5: this split overlaps the split of line 8"},
		{"{at: 1m, for: 30s, kind: split, nodes: [n1]}", "{at: 90s, for: 30s, kind: split, nodes: [n2]}", "f.yaml:8:5: this split overlaps"},
		{"{at: 1m, for: 30s, kind: split, nodes: [n1]}", "{at: 91s, for: 30s, kind: split, nodes: [n2]}", ""},
		{"{at: 1m, for: 30s, kind: kill, node: n1}", "{at: 70s, for: 30s, kind: pause, node: n1}", "this pause overlaps the kill of line 7"},
		{"{at: 1m, for: 30s, kind: suspend, node: n1}", "{at: 70s, for: 5s, kind: wipe, node: n1}", "this wipe overlaps the suspend of line 7"},
		{"{at: 1m, for: 30s, kind: kill, node: n1}", "{at: 70s, for: 30s, kind: power-loss, node: n2}", ""},
		{"{at: 1m, for: 30s, kind: kill, node: n1}", "{at: 70s, for: 30s, kind: sick, node: n1}", ""},
		{"{at: 1m, for: 30s, kind: sick, node: n1}", "{at: 70s, for: 30s, kind: sick, node: n1}", "this sick overlaps"},
		{"{at: 1m, for: 30s, kind: disk-lies, node: n1, part: 1}", "{at: 70s, for: 30s, kind: disk-lies, node: n1, part: 0.5}", "this disk-lies overlaps"},
		{"{at: 1m, for: 30s, kind: store-lies, part: 1}", "{at: 70s, for: 30s, kind: store-lies, part: 0.5}", "this store-lies overlaps"},
		{"{at: 1m, for: 30s, kind: store-hangs}", "{at: 70s, for: 30s, kind: store-hangs}", ""},
		{"{at: 1m, for: 30s, kind: disk-fails, node: n1}", "{at: 70s, for: 30s, kind: disk-fails, node: n1}", ""},
	} {
		text := "name: two\nnodes: 3\nlength: 5m\nhosts: [{name: a.example.org}]\nshared-store: {}\nfaults:\n  - " + tt.first + "\n  - " + tt.second + "\n"
		_, err := parse("f.yaml", []byte(text), beside)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s, %s:\n got %v\nwant %s", tt.first, tt.second, err, tt.want)
		}
	}
}
