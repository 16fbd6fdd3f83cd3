package detect

import "math"

// CUSUMSettings says what a CUSUM takes for a change, in standard deviations
// of the values since the last one.
type CUSUMSettings struct {
	Slack     float64 // a difference that is tolerated: half of the smallest shift worth telling (0 to 10)
	Threshold float64 // how much beyond it must add up (0.1 to 1e6)
	Warmup    int     // how many values are looked at before anything is told (2 to 10,000)
}

// CUSUM finds changes of level by two cumulative sums, one of rises and one of
// falls, of values standardized by those before them in the same stretch.
//
// Sources: Page, Continuous inspection schemes, 1954 (the sums; a change began
// where the sum last was zero); Hawkins, Self-starting CUSUM charts for location
// and scale, 1987 (values standardized by their predecessors); Wallace, Bounds
// on normal approximations to Student's distributions, 1959 (which makes those
// as normal as if the deviation were known).
type CUSUM struct {
	settings CUSUMSettings
	past     moments
	n        int
	rise     side
	fall     side
}

// side is one cumulative sum.
type side struct {
	sum   float64
	since int // how many values since it last was zero
	about moments
}

// NewCUSUM makes a detector that has seen nothing.
func NewCUSUM(s CUSUMSettings) CUSUM {
	s.Slack = within(s.Slack, 0, 10)
	s.Threshold = within(s.Threshold, 0.1, 1e6)
	s.Warmup = max(2, min(s.Warmup, 10_000))
	return CUSUM{settings: s}
}

// Update takes the next value; see the package for what it answers.
func (c *CUSUM) Update(x float64) (ago int, changed bool) {
	x, ok := usable(x)
	if !ok {
		return 0, false
	}
	if c.n >= c.settings.Warmup {
		z := standardize(&c.past, x, c.n)
		c.rise.add(z-c.settings.Slack, x)
		c.fall.add(-z-c.settings.Slack, x)
	}
	c.past.add(x, float64(c.n))
	c.n++
	for _, s := range []*side{&c.rise, &c.fall} {
		if s.sum > c.settings.Threshold {
			ago := s.since - 1
			*c = CUSUM{settings: c.settings, past: s.about, n: s.since}
			return ago, true
		}
	}
	return 0, false
}

// standardize says how many deviations x is from the n values in m, allowing for
// how little is known of them.
func standardize(m *moments, x float64, n int) float64 {
	known := float64(n)
	return wallace((x-m.mean)/(m.deviation(known)*math.Sqrt(1+1/known)), known-1)
}

// wallace turns a Student variable with v degrees of freedom into one that is
// nearly normal. A value that differs where all were equal is 10 deviations off.
func wallace(t, v float64) float64 {
	if math.IsNaN(t) { // 0/0: a value like all before it
		return 0
	}
	if math.IsInf(t*t, 1) {
		return math.Copysign(10, t)
	}
	z := (8*v + 1) / (8*v + 3) * math.Sqrt(v*math.Log1p(t*t/v))
	return math.Copysign(min(z, 10), t)
}

// add adds a standardized value to the sum, and the value it was to those since
// the sum was zero.
func (s *side) add(z, x float64) {
	if s.sum+z <= 0 {
		*s = side{}
		return
	}
	s.sum += z
	s.about.add(x, float64(s.since))
	s.since++
}
