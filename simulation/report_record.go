package simulation

import (
	"time"

	"fleetfuse/breaker"
	"fleetfuse/gate"
)

// buckets are the columns of a timeline.
const buckets = 120

// samplesPerBucket is how often the states are looked at.
const samplesPerBucket = 50

// A Recorder writes down what a report shows, while a world runs. It changes
// nothing in it: a world with a recorder has the hash of one without.
type Recorder struct {
	world    *World
	width    time.Duration // of a bucket
	sample   time.Duration
	total    [buckets]Tally
	hosts    []hostRecord
	degraded []DegradedBand
	wrongBy  []uint64 // calls of healthy hosts that a node rejected, by node
	progress func(done float64) bool
}

// Tally is what became of the calls of some time.
type Tally struct {
	Wanted    uint64 `json:"wanted"`
	Called    uint64 `json:"called"`
	Succeeded uint64 `json:"succeeded"`
	Failed    uint64 `json:"failed"`
	Rejected  uint64 `json:"rejected"`
	Probes    uint64 `json:"probes"`
}

func (t *Tally) add(u Tally) {
	t.Wanted += u.Wanted
	t.Called += u.Called
	t.Succeeded += u.Succeeded
	t.Failed += u.Failed
	t.Rejected += u.Rejected
	t.Probes += u.Probes
}

// hostRecord is what happened to the calls of one host.
type hostRecord struct {
	spared, obeyed, wrongly uint64
	late                    uint64 // of the wrongly rejected, those after an outage until the host was called again
	total                   [buckets]Tally
	bands                   []Band
	episodes                []episode
	next                    int // of the episodes, the first that is not over
}

// An episode is a time in which a host was not well, and what came of it.
type episode struct {
	from, until time.Duration
	mode        Mode
	rejects     map[int]bool // nodes that rejected a call since it began
	overshoot   uint64
	rejectedAt  time.Duration // the last node that called it did so; 0: not yet
	closed      time.Duration // after until; negative: not seen
	allowed     time.Duration
	recent      [recoveryCalls]bool // of the last calls that were wanted, whether they were allowed
	began       [recoveryCalls]time.Duration
	calls       int
}

// A host is called again when so many of so many calls in a row are allowed.
const (
	recoveryCalls   = 20
	recoveryAllowed = 19
)

// Record has a world written down that has not run yet. progress is told from
// time to time which part is done, and ends the run at once by returning false:
// then what was recorded is of no use.
func (w *World) Record(progress func(done float64) bool) *Recorder {
	total := w.plan.Length + w.plan.Quiet
	r := &Recorder{world: w, width: max(total/buckets, 1), progress: progress, hosts: make([]hostRecord, len(w.plan.Hosts)), wrongBy: make([]uint64, w.plan.Nodes)}
	r.sample = max(r.width/samplesPerBucket, time.Millisecond)
	for i := range r.hosts {
		r.hosts[i].episodes = episodesOf(&w.plan.Hosts[i])
	}
	w.recorder = r
	w.after(0, r.look)
	return r
}

// episodesOf are the times in which a host is not well.
func episodesOf(h *Host) (list []episode) {
	from := time.Duration(0)
	for _, p := range h.Phases {
		last := len(list) - 1
		switch {
		case !unwell(p):
		case last >= 0 && list[last].until == from: // it goes on, otherwise
			list[last].until = p.Until
		default:
			list = append(list, episode{from: from, until: p.Until, mode: p.Mode, rejects: map[int]bool{}, closed: -1, allowed: -1})
		}
		from = p.Until
	}
	return list
}

func (r *Recorder) bucket() int { return min(int(r.world.now/r.width), buckets-1) }

// both adds to the tally of all and of the host.
func (r *Recorder) both(h int, t Tally) {
	i := r.bucket()
	r.total[i].add(t)
	r.hosts[h].total[i].add(t)
}

func (r *Recorder) rejected(n *node, h int, why *gate.Rejection) {
	if r == nil {
		return
	}
	r.both(h, Tally{Wanted: 1, Rejected: 1})
	rec := &r.hosts[h]
	switch {
	case unwell(r.world.plan.Hosts[h].phase(r.world.now)) || n.sick:
		rec.spared++
	case why.Reason == breaker.ReasonRetryAfter || why.Reason == breaker.ReasonCLIOpen:
		rec.obeyed++
	default:
		rec.wrongly++
		r.wrongBy[n.index]++
		if e := rec.recovering(r.world.now); e != nil && e.allowed < 0 {
			rec.late++
		}
	}
	if e := rec.episode(r.world.now); e != nil {
		e.reject(r.world, n)
	}
	rec.wanted(r.world.now, false, n.sick)
}

func (r *Recorder) called(n *node, h int, c *call) {
	if r == nil {
		return
	}
	t := Tally{Wanted: 1, Called: 1}
	if c.decision.Probe() {
		t.Probes = 1
	}
	r.both(h, t)
	rec := &r.hosts[h]
	if e := rec.episode(r.world.now); e != nil && t.Probes == 0 && !n.sick && !e.rejects[n.index] {
		e.overshoot++
	}
	rec.wanted(r.world.now, true, n.sick)
}

func (r *Recorder) ended(c *call) {
	if r == nil {
		return
	}
	t := Tally{Succeeded: 1}
	if c.answer.failed() {
		t = Tally{Failed: 1}
	}
	r.both(int(c.host), t)
}

// failed reports whether a worker got nothing of use.
func (a *answer) failed() bool {
	return a.result.Error != "" || a.result.Status >= 500 || a.result.Status == 429
}

// episode is the one that is under way.
func (rec *hostRecord) episode(now time.Duration) *episode {
	for rec.next < len(rec.episodes) && rec.episodes[rec.next].until <= now {
		rec.next++
	}
	if rec.next < len(rec.episodes) && rec.episodes[rec.next].from <= now {
		return &rec.episodes[rec.next]
	}
	return nil
}

// reject notes that a node has heard of the episode, or found out.
func (e *episode) reject(w *World, n *node) {
	if e.rejects[n.index] {
		return
	}
	e.rejects[n.index] = true
	e.rejectedAt = w.now
}

// recovering is the latest episode that is over, if none is under way.
func (rec *hostRecord) recovering(now time.Duration) *episode {
	if rec.episode(now) != nil || rec.next == 0 {
		return nil
	}
	return &rec.episodes[rec.next-1]
}

// wanted follows how the calls of a host that is healthy again fare. Those of a
// machine that reaches nobody say nothing.
func (rec *hostRecord) wanted(now time.Duration, allowed, sick bool) {
	e := rec.recovering(now)
	if e == nil || e.allowed >= 0 || sick {
		return
	}
	i := e.calls % recoveryCalls
	e.recent[i], e.began[i] = allowed, now
	e.calls++
	if e.calls < recoveryCalls {
		return
	}
	good := 0
	for _, ok := range e.recent {
		if ok {
			good++
		}
	}
	if good < recoveryAllowed {
		return
	}
	first := e.calls % recoveryCalls // the oldest
	for !e.recent[first] {
		first = (first + 1) % recoveryCalls
	}
	e.allowed = e.began[first] - e.until
}

// A Band is a time in which a breaker was in one state, where its owner is.
type Band struct {
	From  time.Duration
	Until time.Duration
	State breaker.State
}

// look samples the states.
func (r *Recorder) look() {
	w := r.world
	end := w.plan.Length + w.plan.Quiet
	if r.progress != nil && !r.progress(float64(w.now)/float64(max(end, 1))) {
		w.queue.heap = nil
		return
	}
	for h := range r.hosts {
		state, known := w.stateOf(h)
		if known {
			r.hosts[h].saw(w.now, w.now+r.sample, state)
		}
	}
	r.lookAtStore()
	if w.now+r.sample <= end {
		w.after(r.sample, r.look)
	}
}

// saw adds a sample to the bands.
func (rec *hostRecord) saw(now, until time.Duration, state breaker.State) {
	last := len(rec.bands) - 1
	if last >= 0 && rec.bands[last].State == state {
		rec.bands[last].Until = until
	} else {
		rec.bands = append(rec.bands, Band{From: now, Until: until, State: state})
	}
	if e := rec.recovering(now); e != nil && e.closed < 0 && state == breaker.Closed {
		e.closed = now - e.until
	}
}

// stateOf is the state of a host's breaker as its owner believes it, in the eyes
// of the first node that is there.
func (w *World) stateOf(h int) (breaker.State, bool) {
	key := breaker.HostKey(w.plan.Hosts[h].Name)
	for _, n := range w.nodes {
		if !n.up || n.paused {
			continue
		}
		at := n
		if i, ok := w.index[n.spread.Owner(key)]; ok && w.nodes[i].up && !w.nodes[i].paused {
			at = w.nodes[i]
		}
		s := at.spread.View().Of(key)
		return s.At(at.machine.at(w.now)).State, true
	}
	return breaker.Closed, false
}
