package breaker

import (
	"math"
	"time"

	"pgregory.net/rapid"
)

// act is one step, to be taken on any machine.
type act func(*Machine) (Effects, Answer)

func plain(step func(*Machine) Effects) act {
	return func(m *Machine) (Effects, Answer) { return step(m), Answer{} }
}

// draw draws a step.
func (w *walk) draw(t *rapid.T, mo Moment) (string, act) {
	switch name := rapid.SampledFrom([]string{
		"report", "report", "report", "report", "report", "ask", "ask", "ask", "probe", "probe", "tick", "return",
		"cool", "open", "close", "replace", "gap", "witness", "witness", "end", "adopt", "joined", "members",
	}).Draw(t, "step"); name {
	case "report":
		o := w.outcome(t)
		return name, plain(func(m *Machine) Effects { return m.Report(mo, o) })
	case "probe":
		o := w.outcome(t)
		o.Permit = w.permit(t)
		return name, plain(func(m *Machine) Effects { return m.Report(mo, o) })
	case "ask":
		q := Question{ID: uint64(rapid.IntRange(0, 5).Draw(t, "question")), Node: node(t), Role: role(t)}
		return name, func(m *Machine) (Effects, Answer) {
			a, e := m.Ask(mo, q)
			return e, a
		}
	case "return":
		id := w.permit(t)
		return name, plain(func(m *Machine) Effects { return m.Return(mo, id) })
	case "cool":
		d := w.length(t)
		c := Cooldown{Setter: node(t), Stamp: mo.Stamp, Until: mo.Now.Add(d), Length: d, Reason: ReasonRetryAfter}
		return name, plain(func(m *Machine) Effects { return m.Cool(mo, c) })
	case "open":
		d := w.length(t)
		return name, plain(func(m *Machine) Effects { return m.OpenUntil(mo, "n1", d, "alice", "") })
	case "close":
		return name, plain(func(m *Machine) Effects { return m.Close(mo, "alice", "") })
	case "replace":
		p := w.policy(t)
		return name, plain(func(m *Machine) Effects { return m.Replace(mo, p) })
	case "adopt":
		s := w.heard(t, mo)
		return name, plain(func(m *Machine) Effects { return m.Adopt(mo, s.Clone()) })
	case "members":
		w.members = rapid.IntRange(0, 4).Draw(t, "members")
	default:
		return name, w.drawRound(t, name, mo)
	}
	return "tick", plain(func(m *Machine) Effects { return m.Tick(mo) })
}

func (w *walk) drawRound(t *rapid.T, name string, mo Moment) act {
	switch name {
	case "gap":
		n := node(t)
		return plain(func(m *Machine) Effects { m.Gap(n); return m.Tick(mo) })
	case "joined":
		return plain(func(m *Machine) Effects { return m.Joined(mo) })
	}
	if w.round == nil || name == "tick" {
		return plain(func(m *Machine) Effects { return m.Tick(mo) })
	}
	id := w.round.Round
	if name == "end" {
		return plain(func(m *Machine) Effects { return m.EndRound(mo, id) })
	}
	a := WitnessAnswer{Round: id, Node: node(t)}
	if rapid.Bool().Draw(t, "saw") {
		a.Success = mo.Now - Instant(rapid.IntRange(0, 5000).Draw(t, "ago"))*Instant(time.Millisecond)
		a.Successes = rapid.SampledFrom([]int{0, 1, 10, -1, math.MaxInt}).Draw(t, "successes")
	}
	return plain(func(m *Machine) Effects { return m.Witness(mo, a) })
}

func node(t *rapid.T) string {
	return rapid.SampledFrom([]string{"n1", "n2", "n3", ""}).Draw(t, "node")
}

func role(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "x", RoleArtifact, "invented"}).Draw(t, "role")
}

func (w *walk) length(t *rapid.T) time.Duration {
	return rapid.SampledFrom([]time.Duration{
		-time.Second, 0, 1, time.Second, 30 * time.Second, time.Minute, time.Hour, MaxOpen, math.MaxInt64 / 2,
	}).Draw(t, "length")
}

func (w *walk) permit(t *rapid.T) PermitID {
	return rapid.SampledFrom(append([]PermitID{0, 77}, w.permits...)).Draw(t, "permit")
}

func (w *walk) outcome(t *rapid.T) Outcome {
	ms := func(label string) Instant {
		return Instant(rapid.SampledFrom([]int{0, 0, 0, 1, 500, 20_000, 4_000_000, -1000}).Draw(t, label)) * Instant(time.Millisecond)
	}
	o := Outcome{
		Node: node(t), Role: role(t), Slow: rapid.Bool().Draw(t, "slow"), Strict: rapid.IntRange(0, 5).Draw(t, "strict") == 0,
		Kind:  rapid.SampledFrom([]Kind{Failure, Failure, Failure, Success, Neutral}).Draw(t, "kind"),
		Count: rapid.SampledFrom([]int{0, 1, 1, 3, -5, math.MaxInt}).Draw(t, "count"),
	}
	o.Ended = max(w.now-ms("age"), w.began)
	o.Began = max(o.Ended-ms("latency"), w.began)
	return o
}

// heard draws what another owner, a view or a store may say.
func (w *walk) heard(t *rapid.T, mo Moment) Snapshot {
	var s Snapshot
	at := func(label string) Instant {
		return max(1, mo.Now+Instant(rapid.IntRange(-1500, 1500).Draw(t, label))*Instant(time.Second))
	}
	w.stamp += 2
	newer := rapid.SampledFrom([]Stamp{mo.Stamp - 1, mo.Stamp / 2, w.stamp}).Draw(t, "stamp")
	if rapid.Bool().Draw(t, "circuit") {
		s.Circuit = Circuit{
			State: rapid.SampledFrom([]State{Closed, Open}).Draw(t, "state"), Stamp: newer, Until: at("until"), Opens: 1,
			FirstTrip: max(0, at("first trip")-Instant(20*time.Minute)), Keep: mo.Now.Add(keepAfterDeadline), Reason: ReasonConsecutive,
		}
	}
	if rapid.Bool().Draw(t, "cooldown") {
		s.Merge(Snapshot{Cooldowns: []Cooldown{{Setter: "n9", Stamp: w.stamp, Until: at("until"), Reason: ReasonStore}}})
	}
	if rapid.IntRange(0, 4).Draw(t, "clear") == 0 {
		s.Clear, s.ClearKept = newer, mo.Now.Add(KeepClear)
	}
	return s
}
