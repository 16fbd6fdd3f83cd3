package detect

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unsafe"
)

type detector interface {
	Update(x float64) (ago int, changed bool)
}

// settled makes one of each, set to tell changes of about a deviation or two.
func settled() map[string]detector {
	level := NewBOCPD(BOCPDSettings{Scale: 1, Floor: 0.3, Hazard: 1e-3, MinRun: 3, Odds: 7})
	trend := NewBOCPD(BOCPDSettings{Trend: true, Scale: 1, Floor: 0.3, Hazard: 1e-4, MinRun: 5, Odds: 7})
	cusum := NewCUSUM(CUSUMSettings{Slack: 0.5, Threshold: 12, Warmup: 20})
	hinkley := NewPageHinkley(PageHinkleySettings{Slack: 0.5, Threshold: 20, Warmup: 20})
	chart := NewChart(ChartSettings{Weight: 0.1, Limit: 6, Warmup: 20})
	return map[string]detector{
		"BOCPD level": &level, "BOCPD trend": &trend, "CUSUM": &cusum, "Page-Hinkley": &hinkley, "chart": &chart,
	}
}

func noise(seed uint64, n int, level func(i int) float64) []float64 {
	r := rand.New(rand.NewPCG(seed, 0))
	values := make([]float64, n)
	for i := range values {
		values[i] = level(i) + r.NormFloat64()
	}
	return values
}

// In noise nothing is certain: of 40 series with one step of five deviations, 36
// must have exactly that told, within five values (of the chart's 24: where its
// average crossed zero is a poor guess).
func TestOneStepIsToldOnceAndInPlace(t *testing.T) {
	right := map[string]int{}
	for seed := range uint64(40) {
		for name, d := range settled() {
			var found []int
			for i, x := range noise(seed, 400, func(i int) float64 { return map[bool]float64{true: 5}[i >= 150] }) {
				if ago, changed := d.Update(x); changed {
					found = append(found, i-ago)
				}
			}
			if len(found) == 1 && found[0] >= 145 && found[0] <= 155 {
				right[name]++
			}
		}
	}
	for name := range settled() {
		if enough := map[bool]int{false: 36, true: 24}[name == "chart"]; right[name] < enough {
			t.Errorf("%s: right on %d of 40 series", name, right[name])
		}
	}
}

func TestNoiseTellsLittle(t *testing.T) {
	for name := range settled() {
		false20 := 0
		for seed := range uint64(20) {
			d := settled()[name]
			for _, x := range noise(seed, 500, func(int) float64 { return 100 }) {
				if _, changed := d.Update(x); changed {
					false20++
				}
			}
		}
		if false20 > 4 {
			t.Errorf("%s: %d changes in 10,000 values of noise", name, false20)
		}
	}
}

func TestConstantTellsNothing(t *testing.T) {
	for name, d := range settled() {
		for i := range 10_000 {
			if _, changed := d.Update(7e8); changed {
				t.Fatalf("%s: a change at %d of a constant", name, i)
			}
		}
	}
}

func TestTrendIsNoChange(t *testing.T) {
	d := NewBOCPD(BOCPDSettings{Trend: true, Floor: 0.01, Hazard: 0.001, MinRun: 5, Odds: 7})
	turn := func(i int) float64 { return float64(min(i, 200)) }
	var found []int
	for i, x := range noise(1, 400, turn) {
		if ago, changed := d.Update(x); changed {
			found = append(found, i-ago)
		}
	}
	if len(found) != 1 || found[0] < 190 || found[0] > 210 {
		t.Errorf("changes at %v, want one where the line bends, at 200", found)
	}
}

// hostile is what no sensible series has.
var hostile = []float64{
	math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, 1e100, -1e100, 1e-300,
	math.SmallestNonzeroFloat64, 0, math.Copysign(0, -1), 1, 1, 1, 1e15, 1e15 + 1,
}

// sound checks that a state holds nothing infinite.
func sound(t *testing.T, name string, state any) {
	t.Helper()
	if text := fmt.Sprintf("%+v", state); strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
		t.Fatalf("%s is not finite: %s", name, text)
	}
}

func feed(t *testing.T, values []float64) {
	t.Helper()
	for name, d := range settled() {
		for i, x := range values {
			if ago, changed := d.Update(x); ago < 0 || ago > i || !changed && ago != 0 {
				t.Fatalf("%s answered %d, %v to value %d", name, ago, changed, i)
			}
			if i%20 == 0 { // printing is slow
				sound(t, name, d)
			}
		}
		sound(t, name, d)
	}
	latency, share, ewma := NewLatencyBaseline(ForLatency()), NewShareBaseline(ForFailures()), EWMA{Weight: 0.1}
	for _, x := range values {
		ewma.Update(x)
		latency.Update(x, int(max(-5, min(1e6, x))))
		share.Update(int(max(-1e9, min(1e9, x/3))), int(max(-5, min(1e9, x))))
		if p := share.Usual(); p < 0 || p > 1 {
			t.Fatalf("the usual share is %v", p)
		}
	}
	sound(t, "EWMA", ewma)
	sound(t, "latency", latency)
	sound(t, "share", share)
}

func TestHostileValues(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 30 {
		values := make([]float64, 200)
		for i := range values {
			values[i] = hostile[r.IntN(len(hostile))]
		}
		feed(t, values)
	}
}

func FuzzUpdate(f *testing.F) {
	var seed []byte
	for _, x := range hostile {
		seed = binary.LittleEndian.AppendUint64(seed, math.Float64bits(x))
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, text []byte) {
		var values []float64
		for ; len(text) >= 8 && len(values) < 300; text = text[8:] {
			values = append(values, math.Float64frombits(binary.LittleEndian.Uint64(text)))
		}
		feed(t, values)
	})
}

// Settings that make no sense count as the nearest that do.
func TestHostileSettings(t *testing.T) {
	for _, x := range hostile {
		n := int(max(-1e6, min(1e6, x)))
		bocpd := NewBOCPD(BOCPDSettings{Scale: x, Floor: x, Hazard: x, MinRun: n, Odds: x, Runs: n})
		cusum := NewCUSUM(CUSUMSettings{x, x, n})
		hinkley := NewPageHinkley(PageHinkleySettings{x, x, n})
		chart := NewChart(ChartSettings{x, x, n})
		share := NewShareBaseline(ShareSettings{BernoulliSettings{x, x, x}, x, x, x})
		for i := range 100 {
			for _, d := range []detector{&bocpd, &cusum, &hinkley, &chart} {
				d.Update(float64(i % 7))
			}
			share.Update(i%7, 10)
		}
		for _, state := range []any{cusum, hinkley, chart, share, bocpd.runs} {
			sound(t, fmt.Sprintf("%T set to %v", state, x), state)
		}
	}
}

// A state is bounded: it has no pointer, and its size is at most 2 KB.
func TestStateSize(t *testing.T) {
	for name, size := range map[string]uintptr{
		"BOCPD": unsafe.Sizeof(BOCPD{}), "CUSUM": unsafe.Sizeof(CUSUM{}), "PageHinkley": unsafe.Sizeof(PageHinkley{}),
		"Chart": unsafe.Sizeof(Chart{}), "Bernoulli": unsafe.Sizeof(Bernoulli{}), "EWMA": unsafe.Sizeof(EWMA{}),
		"ShareBaseline": unsafe.Sizeof(ShareBaseline{}), "LatencyBaseline": unsafe.Sizeof(LatencyBaseline{}),
	} {
		t.Logf("%-16s %5d B", name, size)
		if size > 2048 {
			t.Errorf("%s has %d B, more than 2 KB", name, size)
		}
	}
}
