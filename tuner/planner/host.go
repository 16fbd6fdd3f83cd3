package planner

import (
	"cmp"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/tuner"
)

// A Seen is what the callers of the fleet saw of one host in one bucket.
type Seen struct {
	Key breaker.Key
	tuner.Bucket
	Rejected     uint64
	ProbesFailed uint64
	Opens        uint64 // of its circuit
}

// host is what the planner knows of one host.
type host struct {
	memory *tuner.Memory
	last   int64 // bucket in which it was last called
	costs  costs
	told   time.Time // begin of the last outage whose end was learned
}

// Observe takes what was seen since the last time, and Through, the number of the
// last bucket that was looked at. Buckets that were taken before are passed over,
// unless the clock was set back: then counting begins again with the last hour.
func (p *Planner) Observe(seen []Seen, through int64) {
	p.measure()
	if through <= p.seen-tuner.SetBack {
		p.seen = through - tuner.SetBack
		p.forgetCosts()
		for _, t := range p.trials {
			t.judged = min(t.judged, p.intervalOf(through))
		}
	}
	slices.SortFunc(seen, func(a, b Seen) int { return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Key, b.Key)) })
	for i := range seen {
		s := &seen[i]
		if s.At <= p.seen {
			continue
		}
		h := p.host(s.Key, s.At)
		if h == nil {
			continue
		}
		h.memory.Observe(s.Bucket)
		h.costs.add(p.intervalOf(s.At), s)
		h.last = s.At
	}
	p.seen = max(p.seen, through)
}

// Through is the bucket up to which was observed.
func (p *Planner) Through() int64 { return p.seen }

// host finds or makes what is known of a host that was called in a bucket; nil: there
// are too many.
func (p *Planner) host(key breaker.Key, at int64) *host {
	h := p.hosts[key]
	if h == nil && p.room(at) {
		h = &host{memory: tuner.NewMemory()}
		p.hosts[key] = h
	}
	return h
}

// quiet is for how many buckets nobody called a host that another may take the place
// of. A fleet that calls more hosts all the time follows those it knows: what is
// known of a host for less than that says nothing.
const quiet = 30

// room makes room for another host, if there is any: those not called for longest
// go, about a tenth at once.
func (p *Planner) room(at int64) bool {
	if len(p.hosts) < maxHosts {
		return true
	}
	if p.full == at {
		return false
	}
	last := make([]int64, 0, len(p.hosts))
	for _, h := range p.hosts {
		last = append(last, h.last)
	}
	slices.Sort(last)
	oldest := min(last[len(last)/10], at-quiet)
	for key, h := range p.hosts {
		if h.last <= oldest && p.trialOf(key) == nil {
			delete(p.hosts, key)
		}
	}
	if len(p.hosts) < maxHosts {
		return true
	}
	p.full = at
	return false
}

// Recently says since when a host is as it is now, if that is less than a window
// ago; bucket is the present one. What was counted before says nothing of it.
func (p *Planner) Recently(key breaker.Key, bucket int64, window time.Duration) (since time.Duration, changed bool) {
	h := p.hosts[key]
	if h == nil {
		return 0, false
	}
	at, _, ok := h.memory.ChangedAt()
	ago := time.Duration(bucket-at) * bucketWidth
	return ago, ok && ago > 0 && ago < window
}

// Advise looks at what was seen of hosts in a window, and learns from it how long
// their outages last. policy says what is in force.
func (p *Planner) Advise(metrics []tuner.HostMetrics, policy func(breaker.Key) *breaker.Policy) []tuner.HostAdvice {
	list := make([]tuner.HostAdvice, len(metrics))
	for i := range metrics {
		m := &metrics[i]
		var memory *tuner.Memory
		if h := p.hosts[m.Key]; h != nil {
			h.learn(m.Opens)
			memory = h.memory
		}
		list[i] = tuner.Advise(m, policy(m.Key), memory, p.settings.Tuner)
	}
	return list
}

// learn takes note of outages, of each end once: windows overlap.
func (h *host) learn(opens []tuner.Open) {
	for _, o := range opens {
		const limited = 429 // the host was up
		if !o.Began.After(h.told) || o.Status == limited || o.Ended && !o.Recovered {
			continue // if an operator ended it nobody knows when the host came back
		}
		if !o.Ended {
			h.memory.Outage(o.LastFailed, 0) // a good probe is not the end while it takes more of them
			continue
		}
		h.memory.Outage(o.LastFailed, o.FirstGood)
		h.told = o.Began
	}
}
