package gate

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"fleetfuse/breaker"
)

const host = "api.example.org"

var hostKey = breaker.HostKey(host)

func TestAMillionSuccessesSendNothing(t *testing.T) {
	w := newWorld(t)
	for range 1_000_000 {
		d := w.allow(host)
		if !d.Allowed() {
			t.Fatal("call rejected")
		}
		d.Success()
	}
	equal(t, "messages", w.messages, 0)
	equal(t, "questions", w.asks, 0)
	equal(t, "successes counted", w.g.hosts.find(host).total(), 1_000_000)
}

func TestNeutralOnQuietKeySendsNothing(t *testing.T) {
	w := newWorld(t)
	for range 100 {
		d := w.allow(host)
		d.Report(failed(404))
	}
	equal(t, "messages", w.messages, 0)
	equal(t, "failing", w.g.Counts().Failing, 0)
	equal(t, "neutral", w.g.Counts().Neutral, 100)
}

func TestFailuresRejectByRingThenByView(t *testing.T) {
	w := newWorld(t)
	w.set(func() { w.members = 2 }) // one witness is missing, so the owner does not trip
	for range 5 {
		d := w.allow(host)
		wantAllowed(t, d)
		d.Report(failed(500))
	}
	d := w.allow(host)
	wantRejected(t, d, breaker.Open, breaker.ReasonLocalEvidence)
	equal(t, "local", d.Rejection().Local, true)
	equal(t, "open rings", len(w.g.OpenRings()), 1)
	for range 5 {
		now := w.clock.Now()
		w.Report(hostKey, []breaker.Outcome{{Node: "n2", Kind: breaker.Failure, Began: now, Ended: now}})
	}
	w.step(hostKey, func(m *breaker.Machine, mo breaker.Moment) breaker.Effects {
		return m.EndRound(mo, w.round)
	})
	d = w.allow(host)
	wantRejected(t, d, breaker.Open, breaker.ReasonConsecutive)
	equal(t, "local", d.Rejection().Local, false)
}

func TestAnnouncedOpenGivesItsReason(t *testing.T) {
	w := newWorld(t)
	w.trip(t, host)
	d := w.allow(host)
	r := d.Rejection()
	equal(t, "key", r.Key, hostKey)
	equal(t, "local", r.Local, false)
	wantRejected(t, d, breaker.Open, breaker.ReasonConsecutive)
	equal(t, "open rings", len(w.g.OpenRings()), 0)
	if r.RetryAfter <= 59*time.Second || r.RetryAfter > 60*time.Second {
		t.Errorf("retry after %v, want about 60s", r.RetryAfter)
	}
}

func TestAnnouncedCloseEmptiesTheRing(t *testing.T) {
	w := newWorld(t)
	w.set(func() { w.members = 2 })
	for range 5 {
		d := w.allow(host)
		d.Report(failed(500))
	}
	d := w.allow(host)
	wantRejected(t, d, breaker.Open, breaker.ReasonLocalEvidence)
	w.close(hostKey)
	wantAllowed(t, w.allow(host))
	equal(t, "open rings", len(w.g.OpenRings()), 0)
}

// Who asked to be told hears when a ring begins to reject and when it ends, once
// each, and nothing while the view decides.
func TestRingsAreTold(t *testing.T) {
	var mu sync.Mutex
	var told []string
	w := newWorld(t, func(_ *breaker.Policy, o *Options) {
		o.Ring = func(key breaker.Key, from breaker.State, to breaker.Status) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, fmt.Sprint(key, " ", from, " ", to.State, " ", to.Reason))
		}
	})
	w.set(func() { w.members = 2 })
	for range 5 {
		d := w.allow(host)
		d.Report(failed(500))
	}
	w.close(hostKey)
	w.allow(host)
	mu.Lock()
	defer mu.Unlock()
	want := fmt.Sprint([]string{"host:" + host + " closed open consecutive-failures", "host:" + host + " open closed "})
	equal(t, "told", fmt.Sprint(told), want)
}

// A machine whose wall clock is ahead stamps what it does later than it was: a
// close that came after its ring had opened empties it all the same, one that
// came before does not.
func TestACloseEmptiesARingWhoseClockIsAhead(t *testing.T) {
	for after, want := range map[time.Duration]bool{time.Second: true, -time.Second: false} {
		w := newWorld(t)
		w.set(func() { w.members = 2 })
		for range 5 {
			d := w.allow(host)
			d.Report(failed(500))
		}
		wantRejected(t, w.allow(host), breaker.Open, breaker.ReasonLocalEvidence)
		at := w.clock.Now().Add(after)
		w.g.Apply(hostKey, breaker.Snapshot{Clear: 1, ClearKept: at.Add(breaker.KeepClear)})
		if d := w.allow(host); d.Allowed() != want {
			t.Errorf("a close %v after the ring opened: allowed %v, want %v", after, d.Allowed(), want)
		}
	}
}

// TestACloseEmptiesAHalfOpenRing: it counts when the ring opened, not when that ran
// out, before the close was heard.
func TestACloseEmptiesAHalfOpenRing(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		w.set(func() { w.members = 2 })
		for range 5 {
			d := w.allow(host)
			d.Report(failed(500))
		}
		closed := w.clock.Now().Add(time.Second)
		pass(w.policy.ResetTimeout + time.Millisecond)
		probe := w.allow(host)
		wantRejected(t, w.allow(host), breaker.HalfOpen, breaker.ReasonLocalEvidence)
		w.g.Apply(hostKey, breaker.Snapshot{Clear: 1, ClearKept: closed.Add(breaker.KeepClear)})
		for i := range 3 {
			if d := w.allow(host); !d.Allowed() || d.Probe() {
				t.Errorf("call %d after a close from when it was open: %+v, probe %v", i, d.Rejection(), d.Probe())
			}
		}
		probe.Success()
	})
}

func TestRepeatedCloseKeepsWhatFollowedIt(t *testing.T) {
	w := newWorld(t)
	w.set(func() { w.members = 2 })
	var closed breaker.Snapshot
	w.step(hostKey, func(m *breaker.Machine, mo breaker.Moment) breaker.Effects {
		eff := m.Close(mo, "ann", "")
		closed = eff.Announce.Snapshot
		return eff
	})
	for range 5 {
		d := w.allow(host)
		d.Report(failed(500))
	}
	w.g.Apply(hostKey, closed)
	wantRejected(t, w.allow(host), breaker.Open, breaker.ReasonLocalEvidence)
}

func TestRetryAfterRejectsAtOnce(t *testing.T) {
	w := newWorld(t)
	inFlight := w.allow(host)
	d := w.allow(host)
	d.Report(Result{Evidence: breaker.Evidence{Status: 429, RetryAfter: "120"}})
	wantRejected(t, w.allow(host), breaker.Open, breaker.ReasonRetryAfter)
	inFlight.Success()
	d = w.allow(host)
	wantRejected(t, d, breaker.Open, breaker.ReasonRetryAfter)
	if r := d.Rejection(); r.RetryAfter < 119*time.Second || r.Local {
		t.Errorf("rejection = %+v, want 120 s from the view", r)
	}
}

func TestRetryAfterOfNodeScopeStaysHere(t *testing.T) {
	w := newWorld(t, func(p *breaker.Policy, _ *Options) { p.RetryAfterScope = breaker.RetryAfterNode })
	d := w.allow(host)
	d.Report(Result{Evidence: breaker.Evidence{Status: 429, RetryAfter: "120"}})
	d = w.allow(host)
	wantRejected(t, d, breaker.Open, breaker.ReasonRetryAfter)
	equal(t, "local", d.Rejection().Local, true)
	equal(t, "owner's state", w.state(hostKey), breaker.Closed)
}

func TestRetryAfterOfResolverCallCoolsTheHostOnly(t *testing.T) {
	w := newWorld(t)
	d := w.g.Allow(t.Context(), Call{Host: host, Resolver: "crossref"})
	d.Report(Result{Evidence: breaker.Evidence{Status: 429, RetryAfter: "120"}})
	wantRejected(t, w.allow(host), breaker.Open, breaker.ReasonRetryAfter)
	wantAllowed(t, w.g.Allow(t.Context(), Call{Resolver: "crossref"}))
}

func TestCachedRetryAfterDoesNotCount(t *testing.T) {
	w := newWorld(t)
	r := Result{Evidence: breaker.Evidence{Status: 429, RetryAfter: "120"}, FromCache: true}
	w.g.ReportCall(Call{Host: host}, "forged", r)
	w.g.ReportCall(Call{Host: host}, "", r)
	wantAllowed(t, w.allow(host))
	equal(t, "from cache", w.g.Counts().FromCache, 2)
}

func TestModesNeverReject(t *testing.T) {
	for _, mode := range []breaker.Mode{breaker.ModeShadow, breaker.ModeOff} {
		t.Run(string(mode), func(t *testing.T) {
			w := newWorld(t, func(p *breaker.Policy, _ *Options) { p.Mode = mode })
			for range 10 {
				d := w.allow(host)
				wantAllowed(t, d)
				d.Report(Result{Evidence: breaker.Evidence{Status: 503, RetryAfter: "60"}})
			}
			wantAllowed(t, w.allow(host))
		})
	}
}

func TestReplaceSwitchesEnforcementOff(t *testing.T) {
	w := newWorld(t)
	w.trip(t, host)
	off := *w.policy
	off.Mode = breaker.ModeOff
	w.policy = &off
	w.g.Replace()
	wantAllowed(t, w.allow(host))
}

func TestEvictionKeepsRejectingEntries(t *testing.T) {
	w := newWorld(t, func(_ *breaker.Policy, o *Options) { o.MaxHosts = 64 })
	w.trip(t, host)
	for i := range 1000 {
		d := w.allow(fmt.Sprintf("h%d.example.org", i))
		d.Success()
	}
	if n := w.g.Counts().Hosts; n > 64 {
		t.Errorf("hosts = %d, want at most 64", n)
	}
	wantRejected(t, w.allow(host), breaker.Open, breaker.ReasonConsecutive)
}

func TestEvictionTakesTheLongestIdle(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t, func(_ *breaker.Policy, o *Options) { o.MaxHosts = 10 })
		for i := range 10 {
			d := w.allow(fmt.Sprintf("h%d", i))
			d.Success()
			pass(20 * time.Millisecond)
		}
		d := w.allow("h0")
		d.Success()
		w.allow("new")
		if w.g.hosts.find("h0") == nil || w.g.hosts.find("h1") != nil {
			t.Error("h0 was used last and h1 is the longest idle; want h1 evicted")
		}
	})
}

func TestOldTimeoutsDoNotTripARecoveredHost(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		var old []Decision
		for range 20 {
			old = append(old, w.allow(host))
		}
		w.halfOpen(t, host)
		d := w.allow(host)
		wantProbe(t, d)
		d.Success()
		equal(t, "owner's state", w.state(hostKey), breaker.Closed)
		for i := range old {
			old[i].Report(Result{Evidence: breaker.Evidence{Error: "timeout"}})
		}
		wantAllowed(t, w.allow(host))
		equal(t, "owner's state", w.state(hostKey), breaker.Closed)
	})
}

func TestQuietKeyIsForgotten(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		w := newWorld(t)
		d := w.allow(host)
		d.Report(failed(500))
		equal(t, "failing", w.g.Counts().Failing, 1)
		pass(w.policy.MemoryOf("") + 2*time.Second)
		equal(t, "failing", w.g.Counts().Failing, 0)
		equal(t, "exception gone", w.g.hosts.find(host).exception.Load() == nil, true)
	})
}
