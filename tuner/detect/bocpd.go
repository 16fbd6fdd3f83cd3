package detect

import "math"

// maxRuns is how many run lengths a BOCPD remembers.
const maxRuns = 32

// BOCPDSettings says what a BOCPD takes for a change. Numbers out of their
// limits count as the nearest limit.
type BOCPDSettings struct {
	// Trend says what a stretch without a change looks like: a straight line
	// with noise, or, if false, a level with noise.
	Trend bool

	// Scale is the variance that counts as 1, in squared units of the values.
	// 0 is the variance of all values seen so far: then the detector needs
	// to know nothing of the units.
	Scale float64

	// Floor is the variance, as a share of Scale, that is noise and never
	// evidence (1e-9 to 1e9).
	Floor float64

	// Hazard is how probable it is that a stretch begins at a given step,
	// before looking at values (1e-9 to 0.5).
	Hazard float64

	// MinRun is how many values a stretch has at least (1 to 10,000). A change
	// is not told before its stretch has so many.
	MinRun int

	// Odds is the logarithm of how much likelier a change must be than none
	// to be told (0 or more). With +Inf nothing is told, and nothing forgotten; Likeliest
	// and Newest let the caller look back.
	Odds float64

	// Runs is how many run lengths are remembered (4 to 32; 0 is 32): about half
	// of them the last ones, the others the likeliest. The time of an Update is
	// proportional to it.
	Runs int
}

// BOCPD finds changes of level or of trend by Bayesian online change-point
// detection: it weighs, for each step it remembers, the hypothesis that the
// present stretch began there, and tells a change when the younger stretches
// together outweigh the one it believed in.
//
// Sources: Adams and MacKay, Bayesian Online Changepoint Detection, 2007
// (arXiv 0710.3742): the recursion over run lengths. Fearnhead and Liu, On-line
// inference for multiple changepoint problems, 2007: stretches that are
// regressions, and pruning. Patterson and Thompson, Recovery of inter-block
// information when block sizes are unequal, 1971, and Schwarz, Estimating the
// dimension of a model, 1978: the evidence for one stretch of n values about a
// level or a line of p parameters, -(n-p)/2·log(residual variance) - p/2·log(n+1).
// The floor below the variance is ours: what lies within it is noise, however
// regular.
type BOCPD struct {
	settings BOCPDSettings
	begin    float64 // log probability that a stretch begins
	stay     float64 // and that it does not
	all      moments // of all values since the first
	total    float64 // log of the summed weights of the runs that are long enough to end
	heaviest int32   // index of the heaviest of them, -1 if there is none
	count    int32
	steps    uint32
	told     uint32       // where the stretch begins that is believed in
	runs     [maxRuns]run // by start, oldest first
}

// run is the hypothesis that the present stretch began at start, and the one
// before it at before.
type run struct {
	start, before uint32
	prior         float64 // log weight of all before start and of a change there
	weight        float64 // log weight with the values since; the heaviest has 0
	line          moments
}

// Stretch is a hypothesis about the present stretch: that it began with value
// number Began (the first has 0), and the one before it with number Before
// (-1: there is none before it).
type Stretch struct{ Began, Before int }

// NewBOCPD makes a detector that has seen nothing.
func NewBOCPD(s BOCPDSettings) BOCPD {
	s.Scale = within(s.Scale, 0, limit)
	s.Floor = within(s.Floor, 1e-9, 1e9)
	s.Hazard = within(s.Hazard, 1e-9, 0.5)
	s.MinRun = max(1, min(s.MinRun, 10_000))
	if s.Runs == 0 {
		s.Runs = maxRuns
	}
	s.Runs = max(4, min(s.Runs, maxRuns))
	s.Odds = within(s.Odds, 0, math.Inf(1))
	return BOCPD{settings: s, begin: math.Log(s.Hazard), stay: math.Log1p(-s.Hazard), heaviest: -1}
}

// Update takes the next value. changed says that a change is told now; the
// stretch it began has ago values before this one.
func (b *BOCPD) Update(x float64) (ago int, changed bool) {
	x, ok := usable(x)
	if !ok {
		return 0, false
	}
	b.all.add(x, float64(b.steps))
	b.open()
	b.steps++
	b.weigh(x)
	return b.tell()
}

// open begins a run at the present step.
func (b *BOCPD) open() {
	if b.steps == 0 {
		b.count = 1
		return
	}
	if b.heaviest < 0 {
		return // no run is long enough to end here
	}
	prior, before := b.total+b.begin, b.runs[b.heaviest].start
	if int(b.count) == b.settings.Runs {
		b.prune()
	}
	b.runs[b.count] = run{start: b.steps, before: before, prior: prior}
	b.count++
}

// prune forgets the lightest run, but neither the oldest nor a young one, which
// was not given the time to be right.
func (b *BOCPD) prune() {
	youth := uint32(b.settings.Runs / 2)
	worst := int32(1)
	for i := int32(2); i < b.count && b.runs[i].start+youth <= b.steps; i++ {
		if b.runs[i].weight < b.runs[worst].weight {
			worst = i
		}
	}
	copy(b.runs[worst:], b.runs[worst+1:b.count])
	b.count--
}

// weigh gives the value to each run and weighs it anew.
func (b *BOCPD) weigh(x float64) {
	scale := b.settings.Scale
	if scale == 0 && b.steps > 1 {
		scale = b.all.square / float64(b.steps-1)
	}
	top := math.Inf(-1)
	for i := range b.runs[:b.count] {
		r := &b.runs[i]
		n := float64(b.steps - r.start)
		r.line.add(x, n-1)
		r.weight = r.prior + (n-1)*b.stay + b.evidence(&r.line, n, scale)
		top = max(top, r.weight)
	}
	b.heaviest = -1
	for i := range b.runs[:b.count] {
		r := &b.runs[i]
		r.weight -= top
		r.prior -= top // keeps both from growing without end
		if b.long(r) && (b.heaviest < 0 || r.weight > b.runs[b.heaviest].weight) {
			b.heaviest = int32(i)
		}
	}
	if b.heaviest >= 0 {
		b.total = b.sum(0, math.MaxUint32)
	}
}

// evidence is the log evidence of one stretch of n values. The first values,
// one to a parameter, count with the variance of the scale: they tell where the
// stretch is, not how noisy it is. Without that three values that happen to lie
// close together look like a stretch.
func (b *BOCPD) evidence(m *moments, n, scale float64) float64 {
	sum, parameters := m.square, 1.0
	if b.settings.Trend {
		sum, parameters = m.aboutLine(n), 2
	}
	free := n - parameters
	if free <= 0 {
		return -parameters / 2 * logAfter(n)
	}
	relative := 0.0 // the values were all equal so far, whatever the scale
	if scale > 0 {
		relative = min(sum/free/scale, 1e300)
	}
	return -free/2*math.Log(relative+b.settings.Floor) - parameters/2*logAfter(n)
}

// long says whether the run is long enough for a stretch.
func (b *BOCPD) long(r *run) bool {
	return int64(b.steps)-int64(r.start) >= int64(b.settings.MinRun)
}

// sum is the log of the summed weights of the long runs that start at the
// steps from first to last, -Inf if there are none. What is e⁻²⁰ of the heaviest
// is left out.
func (b *BOCPD) sum(first, last uint32) float64 {
	top, total := b.runs[b.heaviest].weight, 0.0
	for i := range b.runs[:b.count] {
		r := &b.runs[i]
		if r.start < first || r.start > last || r.weight < top-20 || !b.long(r) {
			continue
		}
		total += math.Exp(r.weight - top)
	}
	return top + math.Log(total)
}

// tell decides whether the stretch that is believed in has ended, and if so
// forgets all that began before the next.
func (b *BOCPD) tell() (ago int, changed bool) {
	if b.heaviest < 0 || b.runs[b.heaviest].start <= b.told || math.IsInf(b.settings.Odds, 1) {
		return 0, false
	}
	if b.runs[b.heaviest].weight < 0 {
		return 0, false // a run that is too short yet is likelier: its turn will come
	}
	if b.sum(b.told+1, math.MaxUint32)-b.sum(0, b.told) < b.settings.Odds {
		return 0, false
	}
	b.told = b.runs[b.heaviest].start
	b.count = int32(copy(b.runs[:], b.runs[b.heaviest:b.count]))
	b.heaviest = 0
	b.total = b.sum(0, math.MaxUint32)
	return int(b.steps - 1 - b.told), true
}

// Likeliest is the hypothesis that weighs most, among those long enough.
func (b *BOCPD) Likeliest() Stretch { return b.stretch(max(b.heaviest, 0)) }

// Newest is the hypothesis that the present stretch began with the last value,
// or if no stretch can have, the youngest there is.
func (b *BOCPD) Newest() Stretch { return b.stretch(max(b.count-1, 0)) }

func (b *BOCPD) stretch(i int32) Stretch {
	r := &b.runs[i]
	if r.start == 0 {
		return Stretch{0, -1}
	}
	return Stretch{int(r.start), int(r.before)}
}

// logs holds log(1+n): half of an Update's time went into this logarithm.
var logs = func() (t [512]float64) {
	for n := range t {
		t[n] = math.Log1p(float64(n))
	}
	return t
}()

// logAfter is log(1+n) of a whole number n.
func logAfter(n float64) float64 {
	if n < float64(len(logs)) {
		return logs[int(n)]
	}
	return math.Log1p(n)
}
