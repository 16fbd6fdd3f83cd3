package detect

import (
	"math"
	"testing"
)

// With few values nothing is pruned, and the weights must be those of adding up
// all 2^(n-1) segmentations one by one.
func TestBOCPDAgainstAllSegmentations(t *testing.T) {
	for _, trend := range []bool{false, true} {
		s := BOCPDSettings{Trend: trend, Scale: 1, Floor: 0.1, Hazard: 0.2, MinRun: 1, Odds: math.Inf(1)}
		values := noise(3, 11, func(i int) float64 { return float64(i / 4) })
		b := NewBOCPD(s)
		for _, x := range values {
			b.Update(x)
		}
		want := make([]float64, len(values)) // by start of the last stretch
		for cuts := range 1 << (len(values) - 1) {
			start, weight := 0, 1.0
			for i := range values {
				last := i == len(values)-1
				if !last && cuts&(1<<i) == 0 {
					weight *= 1 - s.Hazard
					continue
				}
				weight *= math.Exp(b.evidenceOf(values[start : i+1]))
				if last {
					want[start] += weight
				} else {
					weight *= s.Hazard
					start = i + 1
				}
			}
		}
		for i := range b.runs[:b.count] {
			got := b.runs[i].weight - b.runs[0].weight
			if exact := math.Log(want[i]) - math.Log(want[0]); math.Abs(got-exact) > 1e-9 {
				t.Errorf("trend %v, start %d: log weight %v, want %v", trend, i, got, exact)
			}
		}
	}
}

func (b *BOCPD) evidenceOf(values []float64) float64 {
	var m moments
	for i, x := range values {
		m.add(x, float64(i))
	}
	return b.evidence(&m, float64(len(values)), 1)
}

// A detector that finds its own scale answers the same in any units.
func TestBOCPDKnowsNoUnits(t *testing.T) {
	s := BOCPDSettings{Trend: true, Floor: 0.03, Hazard: 0.01, MinRun: 3, Odds: 4}
	values := noise(5, 600, func(i int) float64 { return 4 * float64(i/100%2) })
	plain, scaled := NewBOCPD(s), NewBOCPD(s)
	told := 0
	for i, x := range values {
		ago, changed := plain.Update(x)
		if ago2, changed2 := scaled.Update(1024*x - 4096); ago != ago2 || changed != changed2 {
			t.Fatalf("value %d: %d %v, and in other units %d %v", i, ago, changed, ago2, changed2)
		}
		if changed {
			told++
		}
	}
	if told < 5 || told > 8 {
		t.Errorf("%d changes told of 5", told)
	}
}

// The residual about the line is that of a least-squares fit.
func TestMoments(t *testing.T) {
	values := []float64{3, 1, 4, 1, 5, 9, 2, 6}
	var m moments
	for i, x := range values {
		m.add(x, float64(i))
	}
	n, slope := float64(len(values)), m.slope/(8*63/12.)
	level, line := 0.0, 0.0
	for i, x := range values {
		level += (x - m.mean) * (x - m.mean)
		d := x - m.mean - slope*(float64(i)-3.5)
		line += d * d
	}
	if math.Abs(m.square-level) > 1e-12 || math.Abs(m.aboutLine(n)-line) > 1e-12 {
		t.Errorf("about the level %v, the line %v; want %v, %v", m.square, m.aboutLine(n), level, line)
	}
}

func TestStretches(t *testing.T) {
	b := NewBOCPD(BOCPDSettings{Scale: 1, Floor: 0.01, Hazard: 0.01, MinRun: 3, Odds: math.Inf(1)})
	if b.Likeliest() != (Stretch{0, -1}) || b.Newest() != (Stretch{0, -1}) {
		t.Errorf("before the first value: %v, %v", b.Likeliest(), b.Newest())
	}
	for _, x := range noise(2, 100, func(i int) float64 { return 9 * float64(i/40) }) {
		b.Update(x)
	}
	if got := b.Likeliest(); got != (Stretch{80, 40}) {
		t.Errorf("the likeliest stretch is %+v, want that from 80, after that from 40", got)
	}
}
