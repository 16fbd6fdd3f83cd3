package telemetry_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/telemetry"
	"fleetfuse/telemetry/rollup"
	"fleetfuse/tuner"
)

// A diary writes down what an owner does, as a node does. Every step takes a second.
type diary struct {
	*owner
	t      *testing.T
	asked  uint64
	events []api.Event
}

func newDiary(t *testing.T, change func(*breaker.Policy)) *diary {
	return &diary{owner: newOwner(change), t: t}
}

func wall(i breaker.Instant) time.Time { return at.Add(i.Sub(breaker.Instant(time.Hour))) }

// after is a time so long after the diary began.
func after(d time.Duration) time.Time { return at.Add(d) }

func (d *diary) add(e breaker.Effects) {
	if e.Announce == nil {
		return
	}
	for _, tr := range e.Announce.Transitions {
		x := telemetry.EventOf(key, tr, e.Announce.Snapshot)
		x.Time = wall(tr.At)
		d.events = append(d.events, x.API())
	}
}

func (d *diary) tick(later time.Duration) { d.add(d.Tick(d.moment(later))) }

// trips ends two seconds later with an open breaker.
func (d *diary) trips() {
	d.add(d.fail(time.Second, "a"))
	d.add(d.fail(time.Second, "a"))
}

// probe asks for a permit, and reports a second later.
func (d *diary) probe(later time.Duration, kind breaker.Kind) {
	d.t.Helper()
	d.asked++
	answer, e := d.Ask(d.moment(later), breaker.Question{ID: d.asked, Node: "a"})
	d.add(e)
	if answer.Permit == 0 {
		d.t.Fatalf("no permit %v later: %+v", later, answer)
	}
	mo := d.moment(time.Second)
	ends := map[breaker.Kind]string{breaker.Success: "success", breaker.Failure: "failure", breaker.Neutral: "neutral"}
	x := telemetry.Event{Kind: telemetry.KindProbe, Key: key, Node: "a", To: ends[kind], Time: wall(mo.Now), Stamp: mo.Stamp}
	d.events = append(d.events, x.API())
	d.add(d.Report(mo, breaker.Outcome{Node: "a", Kind: kind, Permit: answer.Permit, Began: mo.Now, Ended: mo.Now}))
}

// opens are those found in a window that ends now, in whatever order the events
// come and however often.
func (d *diary) opens(window time.Duration, now time.Time) []tuner.Open {
	d.t.Helper()
	of := func(events []api.Event) []tuner.Open {
		list := telemetry.HostMetrics(rollup.Fleet{}, events, window, now)
		if len(list) == 0 {
			return nil
		}
		return list[0].Opens
	}
	found, r := of(d.events), rand.New(rand.NewPCG(1, 2))
	for range 20 {
		mixed := slices.Concat(d.events, d.events[:r.IntN(len(d.events)+1)])
		r.Shuffle(len(mixed), func(i, k int) { mixed[i], mixed[k] = mixed[k], mixed[i] })
		if diff := cmp.Diff(found, of(mixed)); diff != "" {
			d.t.Fatalf("in another order (-want +got):\n%s", diff)
		}
	}
	return found
}

func (d *diary) want(window time.Duration, now time.Time, want ...tuner.Open) {
	d.t.Helper()
	if diff := cmp.Diff(want, d.opens(window, now)); diff != "" {
		d.t.Errorf("opens (-want +got):\n%s", diff)
	}
}

const s = time.Second

var tripped = tuner.Open{Reason: "consecutive-failures", Status: 503, Began: after(2 * s)}

func TestAnOpenWithItsReopens(t *testing.T) {
	d := newDiary(t, nil)
	d.trips()
	d.want(time.Hour, after(32*s), with(tripped, func(o *tuner.Open) { o.Lasted = 30 * s }))
	d.probe(60*s, breaker.Neutral)
	d.probe(1*s, breaker.Failure) // at 65 s
	d.probe(60*s, breaker.Failure)
	d.probe(70*s, breaker.Success) // at 197 s
	recovered := with(tripped, func(o *tuner.Open) {
		o.Lasted, o.Ended, o.Recovered, o.ProbesFailed, o.LastFailed, o.FirstGood = 195*s, true, true, 2, 124*s, 195*s
	})
	d.want(time.Hour, after(time.Hour), recovered)
	d.want(60*s, after(250*s), recovered) // it began before the window
	d.want(50*s, after(250*s))
	d.trips()
	d.want(time.Hour, after(300*s), recovered, with(tripped, func(o *tuner.Open) { o.Began, o.Lasted = after(199*s), 101*s }))
}

func with(o tuner.Open, change func(*tuner.Open)) tuner.Open {
	change(&o)
	return o
}

// A host that answers one probe and fails the next had not come back.
func TestAGoodProbeBeforeABadOne(t *testing.T) {
	d := newDiary(t, func(p *breaker.Policy) { p.SuccessThreshold = 2 })
	d.trips()
	d.probe(60*s, breaker.Success) // at 63 s
	d.want(time.Hour, after(70*s), with(tripped, func(o *tuner.Open) { o.Lasted, o.FirstGood = 68*s, 61*s }))
	d.probe(s, breaker.Failure) // at 65 s
	d.probe(60*s, breaker.Success)
	d.probe(s, breaker.Success) // at 128 s
	d.want(time.Hour, after(time.Hour), with(tripped, func(o *tuner.Open) {
		o.Lasted, o.Ended, o.Recovered, o.ProbesFailed, o.LastFailed, o.FirstGood = 126*s, true, true, 1, 63*s, 124*s
	}))
}

func TestAnOpenThatAnOperatorEnded(t *testing.T) {
	d := newDiary(t, nil)
	d.trips()
	d.probe(60*s, breaker.Failure)
	d.add(d.Close(d.moment(s), "ann", "it works"))
	d.want(time.Hour, after(time.Hour), with(tripped, func(o *tuner.Open) {
		o.Lasted, o.Ended, o.ProbesFailed, o.LastFailed = 62*s, true, 1, 61*s
	}))
}

func TestAnOpenThatWasForgotten(t *testing.T) {
	d := newDiary(t, nil)
	d.trips()
	d.tick(60 * s)
	d.tick(11 * time.Minute)
	d.want(time.Hour, after(time.Hour), with(tripped, func(o *tuner.Open) { o.Lasted, o.Ended = 12*time.Minute, true }))
}

// A deadline that a host or an operator set opens nothing that was counted, and
// what fails after it belongs to it. One that comes while the breaker is open
// changes nothing.
func TestCooldownsAreNoOpens(t *testing.T) {
	d := newDiary(t, nil)
	mo := d.moment(s)
	d.add(d.Cool(mo, cooldown(mo, "a", time.Minute)))
	d.probe(61*s, breaker.Failure)
	d.probe(61*s, breaker.Success)
	d.add(d.OpenUntil(d.moment(s), "a", time.Minute, "ann", "maintenance"))
	d.probe(61*s, breaker.Success)
	d.want(time.Hour, after(time.Hour))

	begin := d.now
	d.trips()
	mo = d.moment(s)
	d.add(d.Cool(mo, cooldown(mo, "a", 2*time.Minute)))
	d.probe(121*s, breaker.Success)
	d.want(time.Hour, after(time.Hour), with(tripped, func(o *tuner.Open) {
		o.Began, o.Lasted, o.Ended, o.Recovered, o.FirstGood = wall(begin).Add(2*s), 123*s, true, true, 123*s
	}))
}

// What is down since nobody knows when is no open, but its probes failed because it was
// down; those that are late when it is back did not.
func TestAnOpenWithoutABegin(t *testing.T) {
	d := newDiary(t, nil)
	d.trips()
	d.events = nil // too long ago
	d.probe(61*s, breaker.Failure)
	first := d.now
	d.probe(61*s, breaker.Failure)
	d.probe(61*s, breaker.Success)
	back := d.now
	d.events = append(d.events, api.Event{Kind: "probe", Key: string(key), To: "failure", Time: wall(back).Add(s)})
	d.want(time.Hour, after(time.Hour))
	f := rollup.Fleet{Rows: []rollup.Row{{Series: rollup.Series{Key: key}, Counts: rollup.Counts{ProbesFailed: 3}}}}
	m := telemetry.HostMetrics(f, d.events, time.Hour, after(time.Hour))[0]
	span := back.Sub(first)
	want := []tuner.Open{{Began: wall(first), Lasted: span, Ended: true, Recovered: true, ProbesFailed: 2, LastFailed: 62 * s, FirstGood: span}}
	if diff := cmp.Diff(want, m.Earlier); diff != "" || len(m.Opens) > 0 {
		t.Errorf("opens %+v, earlier (-want +got):\n%s", m.Opens, diff)
	}
	d.trips()
	d.want(time.Hour, after(time.Hour), with(tripped, func(o *tuner.Open) { o.Began, o.Lasted = wall(back).Add(2*s), time.Hour-wall(back).Sub(at)-2*s }))
	if old := telemetry.HostMetrics(f, d.events, time.Second, after(time.Hour))[0].Earlier; len(old) > 0 {
		t.Errorf("over before the window: %+v", old)
	}
}

// In shadow mode calls are probes without a permit, of which no event tells.
func TestOpensInShadow(t *testing.T) {
	d := newDiary(t, func(p *breaker.Policy) { p.Mode = breaker.ModeShadow })
	d.trips()
	d.add(d.fail(61*s, "a"))
	mo := d.moment(62 * s)
	d.add(d.Report(mo, breaker.Outcome{Node: "a", Kind: breaker.Success, Began: mo.Now, Ended: mo.Now}))
	d.want(time.Hour, after(time.Hour), with(tripped, func(o *tuner.Open) {
		o.Lasted, o.Ended, o.Recovered, o.ProbesFailed, o.LastFailed, o.FirstGood = 123*s, true, true, 1, 61*s, 123*s
	}))
}

func TestTheRoleOfAnOpen(t *testing.T) {
	for reason, want := range map[breaker.Reason]string{breaker.ReasonConsecutive: "metadata", breaker.ReasonRolling: "", breaker.ReasonFailureRate: ""} {
		e := api.Event{Kind: "transition", Key: string(key), From: "closed", To: "open", Role: "metadata", Reason: string(reason), Time: after(0)}
		d := diary{t: t, events: []api.Event{e}}
		d.want(time.Hour, after(s), tuner.Open{Role: want, Reason: string(reason), Began: after(0), Lasted: s})
	}
}

// Events of which the begin is missing, or that make no sense, give no open, and
// clocks that differ none that is shorter than nothing.
func TestOddEvents(t *testing.T) {
	event := func(kind, from, to, reason string, later time.Duration) api.Event {
		return api.Event{Kind: kind, Key: string(key), From: from, To: to, Reason: reason, Time: after(later)}
	}
	d := diary{t: t, events: []api.Event{
		event("transition", "half_open", "open", "probe-failed", 0), event("probe", "", "success", "", s), event("transition", "half_open", "closed", "", s),
		event("transition", "closed", "open", "probe-failed", 2*s), event("transition", "closed", "half_open", "consecutive-failures", 3*s),
		event("local", "closed", "open", "consecutive-failures", 4*s), {Kind: "transition", To: "open", From: "closed", Reason: "rolling-window"},
		{Kind: "nonsense", Key: "no key", Stamp: "no number"}, {Kind: "transition", Key: "no key", Stamp: "no number"},
	}}
	d.want(time.Hour, after(time.Minute))
	d.events = []api.Event{event("transition", "closed", "open", "consecutive-failures", s)}
	d.want(time.Hour, after(0), tuner.Open{Reason: "consecutive-failures", Began: after(s)})
	d.want(-time.Hour, after(0), tuner.Open{Reason: "consecutive-failures", Began: after(s)})
}
