package changepoint

import (
	"io/fs"
	"math"
	"os"
	"testing"
)

// recorded opens the folder with other people's recordings, or skips.
func recorded(t testing.TB) fs.FS {
	t.Helper()
	dir := os.Getenv("FLEETFUSE_DATA")
	if dir == "" {
		t.Skip("FLEETFUSE_DATA does not name a folder with tcpd and tcpdbench")
	}
	return os.DirFS(dir)
}

// same allows for another order of additions only.
func same(a, b float64) bool { return math.Abs(a-b) < 1e-12 }

// The paper stored scores, not the change points they were given for. What "no
// change" and three simple peers report is known, so their stored scores check
// the metric.
func TestStoredScores(t *testing.T) {
	data := recorded(t)
	all, err := Read(data, append(controls, Redistributable...))
	if err != nil {
		t.Fatal(err)
	}
	p, err := ReadPublished(data)
	if err != nil {
		t.Fatal(err)
	}
	for name, detect := range map[string]func([]float64) []int{
		"zero": func([]float64) []int { return nil }, "amoc": amoc, "binseg": binseg, "pelt": pelt,
	} {
		for _, s := range all {
			got := Of(s, detect(s.Values))
			f1, cover := *p["default_f1"][s.Name][name], *p["default_cover"][s.Name][name]
			if !same(got.F1, f1) || !same(got.Cover, cover) {
				t.Errorf("%s on %s: F1 %v, cover %v; stored are %v, %v", name, s.Name, got.F1, got.Cover, f1, cover)
			}
		}
	}
}

// The means over all methods are those the benchmark's table was made from.
func TestPublishedMeans(t *testing.T) {
	p, err := ReadPublished(recorded(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []struct {
		measure, method string
		mean            float64
	}{
		{"default_f1", "binseg", .690}, {"default_cover", "binseg", .655}, {"oracle_f1", "bocpd", .876},
		{"oracle_cover", "bocpd", .764}, {"default_f1", "zero", .647},
	} {
		got, err := p.Mean(want.measure, want.method, Redistributable)
		if err != nil || math.Abs(got-want.mean) > 0.0005 {
			t.Errorf("%s of %s: %.4f, %v; want %.3f", want.measure, want.method, got, err, want.mean)
		}
	}
}

// The examples are those in the benchmark's own documentation.
func TestScoreExamples(t *testing.T) {
	long := func(n int, annotations ...[]int) Series {
		return Series{Values: make([]float64, n), Annotations: annotations}
	}
	for _, c := range []struct {
		series   Series
		reported []int
		want     Score
	}{
		{long(45, []int{10, 20}, []int{10}, []int{0, 5}), []int{10, 20}, Score{F1: 1, Cover: 0.7962962962962963}},
		{long(45, nil, []int{10}, []int{40}), []int{10}, Score{F1: 0.9090909090909091, Cover: 0.7954144620811286}},
		{long(45, nil, []int{10}, []int{40}), nil, Score{F1: 0.8, Cover: 0.8189300411522634}},
		{long(60, []int{10, 20}, []int{11, 20}, []int{10}, []int{0, 5}), []int{20, 10, 20}, Score{F1: 1}},
	} {
		got := Of(c.series, c.reported)
		if !same(got.F1, c.want.F1) || c.want.Cover > 0 && !same(got.Cover, c.want.Cover) {
			t.Errorf("%v reported for %v: %+v, want %+v", c.reported, c.series.Annotations, got, c.want)
		}
	}
}
