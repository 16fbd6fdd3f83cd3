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
	Neutral   uint64 `json:"neutral"` // answered by a 4xx other than 429
	Rejected  uint64 `json:"rejected"`
	Probes    uint64 `json:"probes"`
}

func (t *Tally) add(u Tally) {
	t.Wanted += u.Wanted
	t.Called += u.Called
	t.Succeeded += u.Succeeded
	t.Failed += u.Failed
	t.Neutral += u.Neutral
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
	case why.Reason == breaker.ReasonRetryAfter || why.Reason == breaker.ReasonCLIOpen || why.Reason == breaker.ReasonStore:
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
	var t Tally
	switch c.answer.kind() {
	case breaker.Success:
		t.Succeeded = 1
	case breaker.Failure:
		t.Failed = 1
	default:
		t.Neutral = 1
	}
	r.both(int(c.host), t)
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
