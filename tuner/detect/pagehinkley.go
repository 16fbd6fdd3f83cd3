package detect

// PageHinkleySettings says what a PageHinkley takes for a change, in standard
// deviations of the values since the last one.
type PageHinkleySettings struct {
	Slack     float64 // a difference that is tolerated (0 to 10)
	Threshold float64 // how far the sum may be from its extreme (0.1 to 1e6)
	Warmup    int     // how many values are looked at before anything is told (2 to 10,000)
}

// PageHinkley finds changes of level: it sums up the differences between each
// value and the mean so far, and tells a rise when the sum is far above its lowest
// point, which is where the rise began; and the same downwards. Unlike in a CUSUM
// the mean and the deviation are those with the new value in them, so a single
// wild value tells less.
//
// Sources: Page, Continuous inspection schemes, 1954; Hinkley, Inference about the
// change-point from cumulative sum tests, 1971; the running mean as in Mouss et
// al., Test of Page-Hinkley, an approach for fault detection, 2004.
type PageHinkley struct {
	settings PageHinkleySettings
	past     moments
	n        int
	rise     side // the sum above its lowest point is Page's cumulative sum
	fall     side
}

// NewPageHinkley makes a detector that has seen nothing.
func NewPageHinkley(s PageHinkleySettings) PageHinkley {
	s.Slack = within(s.Slack, 0, 10)
	s.Threshold = within(s.Threshold, 0.1, 1e6)
	s.Warmup = max(2, min(s.Warmup, 10_000))
	return PageHinkley{settings: s}
}

// Update takes the next value; see the package for what it answers.
func (p *PageHinkley) Update(x float64) (ago int, changed bool) {
	x, ok := usable(x)
	if !ok {
		return 0, false
	}
	p.past.add(x, float64(p.n))
	p.n++
	deviation := p.past.deviation(float64(p.n))
	if p.n <= p.settings.Warmup || deviation == 0 {
		return 0, false
	}
	z := (x - p.past.mean) / deviation
	p.rise.add(z-p.settings.Slack, x)
	p.fall.add(-z-p.settings.Slack, x)
	for _, s := range []*side{&p.rise, &p.fall} {
		if s.sum > p.settings.Threshold {
			ago := s.since - 1
			*p = PageHinkley{settings: p.settings, past: s.about, n: s.since}
			return ago, true
		}
	}
	return 0, false
}
