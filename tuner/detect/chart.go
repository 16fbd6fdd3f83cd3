package detect

import "math"

// ChartSettings says what a Chart takes for a change.
type ChartSettings struct {
	Weight float64 // of the newest value in the moving average (0.001 to 1)
	Limit  float64 // how far it may be from the mean, in its own deviations (0.1 to 1e6)
	Warmup int     // how many values are looked at before anything is told (2 to 10,000)
}

// Chart finds changes of level: the exponentially weighted moving average of
// values, standardized by those before them in the same stretch, leaves its
// limits. The change began where the average last was on the other side of zero.
//
// Sources: Roberts, Control chart tests based on geometric moving averages,
// 1959 (the chart and its limits, which widen with the number of values);
// Hawkins, 1987, and Wallace, 1959, as in CUSUM (standardizing).
type Chart struct {
	settings ChartSettings
	past     moments
	n        int
	average  float64 // of standardized values
	fading   float64 // (1-Weight) to the power of twice the number of those
	since    int     // how many values since it last crossed zero
	about    moments // of those
}

// NewChart makes a detector that has seen nothing.
func NewChart(s ChartSettings) Chart {
	s.Weight = within(s.Weight, 0.001, 1)
	s.Limit = within(s.Limit, 0.1, 1e6)
	s.Warmup = max(2, min(s.Warmup, 10_000))
	return Chart{settings: s, fading: 1}
}

// Update takes the next value; see the package for what it answers.
func (c *Chart) Update(x float64) (ago int, changed bool) {
	x, ok := usable(x)
	if !ok {
		return 0, false
	}
	if c.n >= c.settings.Warmup && c.outside(x) {
		ago := c.since - 1
		*c = Chart{settings: c.settings, fading: 1, past: c.about, n: c.since}
		return ago, true
	}
	c.past.add(x, float64(c.n))
	c.n++
	return 0, false
}

// outside moves the average and says whether it is outside of its limits.
func (c *Chart) outside(x float64) bool {
	w, before := c.settings.Weight, c.average
	c.average = (1-w)*before + w*standardize(&c.past, x, c.n)
	if before*c.average <= 0 {
		c.since, c.about = 0, moments{}
	}
	c.about.add(x, float64(c.since))
	c.since++
	c.fading *= (1 - w) * (1 - w)
	return math.Abs(c.average) > c.settings.Limit*math.Sqrt(w/(2-w)*(1-c.fading))
}
