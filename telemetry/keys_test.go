package telemetry

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"fleetfuse/breaker"
)

// shown are the series of a metric, each as its labels and value.
func shown(t *testing.T, m *Metrics, name string) map[string]float64 {
	t.Helper()
	families, err := m.Gatherer().Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := map[string]float64{}
	for _, f := range families {
		if f.GetName() != prefix+name {
			continue
		}
		for _, x := range f.Metric {
			var labels []string
			for _, l := range x.Label {
				labels = append(labels, l.GetName()+"="+l.GetValue())
			}
			series[strings.Join(labels, " ")] = valueOf(x)
		}
	}
	return series
}

func valueOf(x *dto.Metric) float64 { return x.GetGauge().GetValue() + x.GetCounter().GetValue() }

// keysOf are metrics of at most limit keys, of which those in standing are not
// closed and none is another node's but foreign.
func keysOf(limit int, standing *[]Standing) *Metrics {
	m := New("test", limit)
	m.Read(func(s *Sample) {
		m.Keys.Sample(s, *standing, func(k breaker.Key) bool { return k != "host:foreign.example" })
	})
	return m
}

func want(t *testing.T, m *Metrics, name string, series map[string]float64) {
	t.Helper()
	got := shown(t, m, name)
	for labels, v := range series {
		if g, ok := got[labels]; !ok || g != v {
			t.Errorf("%s{%s} is %v (there: %v), want %v", name, labels, g, ok, v)
		}
	}
	if len(got) != len(series) {
		t.Errorf("%s has %d series, want %d: %v", name, len(got), len(series), got)
	}
}

func opened(key breaker.Key) Standing {
	return Standing{Key: key, State: breaker.Open, Until: time.Unix(1_800_000_000, 0)}
}

var trip = breaker.Transition{From: breaker.Closed, To: breaker.Open, Reason: breaker.ReasonConsecutive}

func TestKeysComeAndGoWithTheirActors(t *testing.T) {
	var standing []Standing
	m := keysOf(10, &standing)
	want(t, m, "breaker_state", nil)
	m.Keys.Entered("host:a.example")
	want(t, m, "breaker_state", map[string]float64{
		"key=host:a.example state=closed": 1, "key=host:a.example state=half_open": 0, "key=host:a.example state=open": 0,
	})
	m.Keys.Moved("host:a.example", trip)
	standing = []Standing{opened("host:a.example")}
	want(t, m, "breaker_state", map[string]float64{
		"key=host:a.example state=closed": 0, "key=host:a.example state=half_open": 0, "key=host:a.example state=open": 1,
	})
	want(t, m, "breaker_transitions_total", map[string]float64{"from=closed key=host:a.example reason=consecutive-failures to=open": 1})
	want(t, m, "breaker_open_until_timestamp_seconds", map[string]float64{"key=host:a.example": 1_800_000_000})
	m.Keys.Entered("host:a.example") // one takes over ...
	m.Keys.Left("host:a.example")    // ... from another
	want(t, m, "breaker_transitions_total", map[string]float64{"from=closed key=host:a.example reason=consecutive-failures to=open": 1})
	m.Keys.Left("host:a.example")
	standing = nil
	for _, name := range []string{"breaker_state", "breaker_transitions_total", "breaker_open_until_timestamp_seconds"} {
		want(t, m, name, nil)
	}
}

func TestKeysOfOtherNodesHaveNoSeries(t *testing.T) {
	m := keysOf(10, new([]Standing))
	m.Keys.Entered("host:foreign.example")
	want(t, m, "breaker_state", nil)
}

func TestKeysHaveALimit(t *testing.T) {
	var standing []Standing
	m := keysOf(2, &standing)
	for i := range 5 {
		key := breaker.HostKey(fmt.Sprintf("h%d.example", i))
		m.Keys.Entered(key)
		m.Keys.Moved(key, trip)
		standing = append(standing, opened(key))
	}
	m.Keys.Entered("host:well.example")
	want(t, m, "breaker_open_until_timestamp_seconds", map[string]float64{"key=host:h0.example": 1_800_000_000, "key=host:h1.example": 1_800_000_000})
	got := shown(t, m, "breaker_state")
	if len(got) != 9 || got["key=_other state=open"] != 3 || got["key=_other state=closed"] != 1 {
		t.Errorf("%v; want two keys of three states, and of the others 3 open and 1 closed", got)
	}
	const rest = "from=closed key=_other reason=consecutive-failures to=open"
	if got := shown(t, m, "breaker_transitions_total"); len(got) != 3 || got[rest] != 3 {
		t.Errorf("%v; want those of two keys, and 3 of the others", got)
	}
	m.Keys.Left("host:h0.example") // there is room for one that is open
	standing = standing[1:]
	got = shown(t, m, "breaker_state")
	if len(got) != 9 || got["key=host:h2.example state=open"] != 1 || got["key=_other state=open"] != 2 {
		t.Errorf("%v; want h2.example in the room of h0.example", got)
	}
	if got := shown(t, m, "breaker_transitions_total"); got[rest] != 3 {
		t.Errorf("%v; want still 3 of the others: a counter never falls", got)
	}
}

// A breaker that is open and has no actor yet takes no other one's room.
func TestKeysWithoutAnActorTakeNoRoom(t *testing.T) {
	var standing []Standing
	m := keysOf(1, &standing)
	for _, name := range []string{"host:a.example", "host:b.example", "host:c.example"} {
		m.Keys.Entered(breaker.Key(name))
	}
	m.Keys.Left("host:a.example")
	standing = []Standing{opened("host:asleep.example"), opened("host:b.example")}
	shown(t, m, "breaker_state")
	m.Keys.Entered("host:asleep.example")
	m.Keys.Left("host:asleep.example")
	standing = standing[1:]
	if got := shown(t, m, "breaker_state"); got["key=host:b.example state=open"] != 1 || got["key=_other state=closed"] != 1 {
		t.Errorf("%v; want b.example, and one other that is closed", got)
	}
}

// hostile names come from other nodes, from stores, or from nobody at all.
var hostile = []string{
	`<script>alert(1)</script>`, "\x1b[31mred\x1b[0m", "a\nb", `a"b`, `a\b`, "a\xffb", "a\xfeb", "\u202egnp.exe", "a%ffb", "", strings.Repeat("x", 100_000),
}

func TestHostileNames(t *testing.T) {
	var standing []Standing
	m := keysOf(100, &standing)
	for _, name := range hostile {
		key := breaker.HostKey(name)
		m.Keys.Entered(key)
		m.Keys.Moved(key, breaker.Transition{To: breaker.Open, Reason: breaker.Reason(name)})
		standing = append(standing, opened(key))
	}
	got := shown(t, m, "breaker_open_until_timestamp_seconds")
	if len(got) != len(hostile) {
		t.Errorf("%d names have %d series", len(hostile), len(got))
	}
	for labels := range got {
		if strings.ContainsAny(labels, "<>\"\\\x1b\n\u202e\ufffd") {
			t.Errorf("%q is served as it is", labels)
		}
	}
	for labels := range shown(t, m, "breaker_transitions_total") {
		if !strings.Contains(labels, "reason=other ") && !strings.Contains(labels, "reason=none ") {
			t.Errorf("%.80q: the reason is none of the list", labels)
		}
	}
	readable(t, m)
	if got := labelOf("host:[2001:db8::1]:8443"); got != "host:[2001:db8::1]:8443" {
		t.Errorf("an address is written %s", got)
	}
	if got := labelOf("host:a\xff<%"); got != "host:a%FF%3C%25" {
		t.Errorf("written %s", got)
	}
}

// readable fails the test unless what is served is text that Prometheus reads and
// its linter likes, and no terminal obeys.
func readable(t *testing.T, m *Metrics) {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	text := w.Body.String()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	if _, err := parser.TextToMetricFamilies(strings.NewReader(text)); err != nil || w.Code != 200 {
		t.Errorf("served with %d, read with %v", w.Code, err)
	}
	problems, err := promlint.New(strings.NewReader(text)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("the linter says %v, %v", problems, err)
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("a terminal may obey %q", text[i:i+1])
	}
}

func BenchmarkKeysSample(b *testing.B) {
	standing := make([]Standing, 100_000)
	m := keysOf(DefaultMaxKeys, &standing)
	for i := range standing {
		standing[i] = opened(breaker.HostKey(fmt.Sprintf("h%d.example", i)))
		m.Keys.Entered(standing[i].Key)
		m.Keys.Moved(standing[i].Key, trip)
	}
	for b.Loop() {
		if _, err := m.Gatherer().Gather(); err != nil {
			b.Fatal(err)
		}
	}
}
