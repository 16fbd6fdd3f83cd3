package telemetry

import (
	"cmp"
	"slices"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/tuner"
)

// opensOf finds the times that breakers opened for counted failures and that were
// not over before from; the earliest of a key comes first. Those of earlier lasted
// too, but no event tells how they began.
func opensOf(events []api.Event, from, now time.Time) (found, earlier map[breaker.Key][]tuner.Open) {
	tales := map[breaker.Key]*tale{}
	for _, e := range inOrder(events) {
		key := breaker.Key(e.Key)
		if tales[key] == nil {
			tales[key] = &tale{}
		}
		tales[key].add(e)
	}
	found, earlier = map[breaker.Key][]tuner.Open{}, map[breaker.Key][]tuner.Open{}
	young := func(list []tuner.Open) (young []tuner.Open) {
		for _, o := range list {
			if !o.Ended || o.Began.Add(o.Lasted).After(from) {
				young = append(young, o)
			}
		}
		return young
	}
	for key, t := range tales {
		if t.runs {
			t.running.Lasted = max(now.Sub(t.running.Began), 0)
			t.note()
		}
		if list := young(t.opens); len(list) > 0 {
			found[key] = list
		}
		if list := young(t.earlier); len(list) > 0 {
			earlier[key] = list
		}
	}
	return found, earlier
}

// inOrder lists the events that opens are made of in the order in which they
// happened, each once: by time, as stamps of deadlines that ran out are those of
// the words that set them. At one time a probe comes first, for it moved the
// breaker.
func inOrder(events []api.Event) []*api.Event {
	var list []*api.Event
	for i := range events {
		switch e := &events[i]; Kind(e.Kind) {
		case KindTransition, KindOperator, KindProbe:
			if e.Key != "" {
				list = append(list, e)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b *api.Event) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(rank(a), rank(b)), cmp.Compare(stampOf(a), stampOf(b)), cmp.Compare(a.ID, b.ID))
	})
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(e *api.Event) bool {
		again := e.ID != "" && seen[e.ID]
		seen[e.ID] = true
		return again
	})
}

func rank(e *api.Event) int {
	if Kind(e.Kind) == KindProbe {
		return 0
	}
	return 1
}

// stampOf is an event's stamp, zero for none.
func stampOf(e *api.Event) breaker.Stamp {
	stamp, err := parseStamp(e.Stamp)
	if err != nil {
		return 0
	}
	return stamp
}

// tale is what events tell of one breaker.
type tale struct {
	opens   []tuner.Open
	earlier []tuner.Open // of which no event tells how they began
	running tuner.Open
	runs    bool
	unbegun bool          // what runs is one of earlier
	up      bool          // it closed last: probes that fail then are late
	word    breaker.Stamp // of what opened it last
	failed  int           // probes that failed since it opened last
}

func (t *tale) add(e *api.Event) {
	opened, closed := e.To == breaker.Open.String(), e.To == breaker.Closed.String()
	if t.up = closed || t.up && !opened; t.unbegun && begins(e) {
		t.note()
		t.runs = false
	}
	switch kind := Kind(e.Kind); {
	case !t.runs && begins(e):
		t.begin(e)
	case !t.runs && !t.up && downs(e):
		t.running, t.runs, t.unbegun, t.word, t.failed = tuner.Open{Began: e.Time}, true, true, stampOf(e), 0
		if kind == KindProbe {
			t.probe(e)
		} else {
			t.reopen(e)
		}
	case !t.runs:
	case kind == KindProbe:
		t.probe(e)
	case closed:
		t.end(e)
	case kind == KindTransition && opened && breaker.Reason(e.Reason) == breaker.ReasonProbeFailed:
		t.reopen(e)
	}
}

// begins reports whether a breaker opened for counted failures.
func begins(e *api.Event) bool {
	return Kind(e.Kind) == KindTransition && e.To == breaker.Open.String() && e.From == breaker.Closed.String() && counted(e)
}

// downs reports whether an event tells that a host was down before: a probe failed.
func downs(e *api.Event) bool {
	if Kind(e.Kind) == KindProbe {
		return e.To == "failure"
	}
	return Kind(e.Kind) == KindTransition && e.To == breaker.Open.String() && e.From != breaker.Closed.String() &&
		breaker.Reason(e.Reason) == breaker.ReasonProbeFailed
}

// note takes note of what ran.
func (t *tale) note() {
	if t.unbegun {
		t.earlier = append(t.earlier, t.running)
	} else {
		t.opens = append(t.opens, t.running)
	}
}

// counted reports whether failures of calls opened a breaker: no probe, no
// deadline that a host or an operator set.
func counted(e *api.Event) bool {
	switch breaker.Reason(e.Reason) {
	case breaker.ReasonConsecutive, breaker.ReasonRolling, breaker.ReasonFailureRate:
		return true
	}
	return false
}

func (t *tale) begin(e *api.Event) {
	t.running, t.runs, t.unbegun, t.word, t.failed = tuner.Open{Reason: e.Reason, Began: e.Time}, true, false, stampOf(e), 0
	if breaker.Reason(e.Reason) == breaker.ReasonConsecutive { // the other rules count all roles
		t.running.Role = e.Role
	}
	if e.Evidence != nil {
		t.running.Status = e.Evidence.Status
	}
}

// since is how long after the begin an event was; clocks of nodes may differ, and
// zero would say that it was not.
func (t *tale) since(e *api.Event) time.Duration { return max(e.Time.Sub(t.running.Began), 1) }

// probe takes note of a probe's end. A host that fails again after a good probe had
// not come back.
func (t *tale) probe(e *api.Event) {
	switch e.To {
	case "failure":
		t.running.ProbesFailed++
		t.running.LastFailed, t.running.FirstGood = t.since(e), 0
		t.failed++
	case "success":
		if t.running.FirstGood == 0 {
			t.running.FirstGood = t.since(e)
		}
	}
}

// reopen takes note that it opened again. Where no probe is known to have failed,
// as in shadow mode, whose probes are calls like others, the re-open itself tells.
func (t *tale) reopen(e *api.Event) {
	if t.failed == 0 {
		n := 1
		if e.Evidence != nil {
			n = max(n, e.Evidence.Failures)
		}
		t.running.ProbesFailed += n
		t.running.LastFailed, t.running.FirstGood = t.since(e), 0
	}
	t.word, t.failed = max(t.word, stampOf(e)), 0
}

// end takes note that it closed: by an operator's word, by good probes, or because
// nobody asked for so long that it was forgotten. A recovery has a stamp of its own
// and what is forgotten that of the word that ran out.
func (t *tale) end(e *api.Event) {
	o := &t.running
	o.Ended, o.Lasted = true, max(e.Time.Sub(o.Began), 0)
	if stamp := stampOf(e); Kind(e.Kind) == KindTransition {
		o.Recovered = stamp > t.word || stamp == 0 && o.FirstGood > 0
	}
	if o.Recovered && o.FirstGood == 0 { // what was good had no permit: in shadow mode, or seen by another member
		o.FirstGood = max(o.Lasted, 1)
	}
	t.note()
	t.runs = false
}
