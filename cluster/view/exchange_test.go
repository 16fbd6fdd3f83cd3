package view_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fleetfuse/breaker"
	"fleetfuse/cluster/view"
)

// machine is a view on a machine with a clock of its own.
type machine struct {
	name  string
	v     *view.View
	ahead time.Duration // of the world's time
	first map[string]breaker.Instant
	gone  map[string]bool // identities that were forgotten
}

// message is an entry under way, its deadlines as they travel: what remained
// when it was sent.
type message struct {
	to     *machine
	key    breaker.Key
	snap   breaker.Snapshot
	arrive time.Duration
}

// exchange is two machines and what is under way between them.
type exchange struct {
	now      time.Duration
	machines [2]*machine
	under    []message
	stood    bool // a clock stood still once
	words    int
}

func newExchange(t *rapid.T, limit int) *exchange {
	x := &exchange{}
	for i := range x.machines {
		x.machines[i] = &machine{
			name: fmt.Sprint("n", i), v: view.New(limit), first: map[string]breaker.Instant{}, gone: map[string]bool{},
			ahead: time.Hour + time.Duration(rapid.IntRange(0, 1000).Draw(t, "origin"))*time.Minute,
		}
	}
	return x
}

func (x *exchange) at(m *machine) breaker.Instant { return breaker.Instant(x.now + m.ahead) }

// shifted is a snapshot with its deadlines moved: out to what remains, in to
// the receiver's clock.
func shifted(s breaker.Snapshot, by breaker.Instant) breaker.Snapshot {
	s = s.Clone()
	for i := range s.Cooldowns {
		s.Cooldowns[i].Until += by
	}
	if s.Circuit.Stamp != 0 {
		s.Circuit.Until, s.Circuit.Keep, s.Circuit.FirstTrip = s.Circuit.Until+by, s.Circuit.Keep+by, s.Circuit.FirstTrip+by
	}
	if s.Clear != 0 {
		s.ClearKept += by
	}
	return s
}

// say makes a machine set something new. Deadlines of one key are more than
// the lag of any machine apart: which of two closer ones is redundant depends
// on who is asked.
func (x *exchange) say(t *rapid.T) {
	if x.words == 12 {
		return
	}
	x.words++
	m := x.machines[rapid.IntRange(0, 1).Draw(t, "setter")]
	stamp := breaker.Stamp(x.words)
	until := breaker.Instant(time.Duration(x.words*7%13)*5*time.Minute+time.Hour) + breaker.Instant(m.ahead)
	var s breaker.Snapshot
	switch rapid.IntRange(0, 5).Draw(t, "what") {
	case 0:
		s.Circuit = breaker.Circuit{State: breaker.Open, Stamp: stamp, Until: until, Opens: 1}
	case 1:
		s.Circuit = breaker.Circuit{Stamp: stamp, Keep: until}
	case 2:
		s.Clear, s.ClearKept = stamp, until
	default:
		s.Cooldowns = []breaker.Cooldown{{Setter: m.name, Stamp: stamp, Until: until}}
	}
	x.merge(t, m, breaker.HostKey(fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "key"))), s)
}

// merge gives a snapshot to a machine and checks what became of its deadlines.
func (x *exchange) merge(t *rapid.T, m *machine, key breaker.Key, s breaker.Snapshot) {
	for id, until := range deadlines(key, s) {
		if _, heard := m.first[id]; !heard {
			m.first[id] = until
		}
	}
	if _, _, evicted := m.v.Merge(key, s); evicted != "" { // it is news when it is heard again
		maps.DeleteFunc(m.first, func(id string, _ breaker.Instant) bool { return strings.HasPrefix(id, string(evicted)+" ") })
	}
	for id, until := range deadlines(key, m.v.Of(key)) {
		if until > m.first[id] {
			t.Fatalf("%s: the deadline of %s moved by %v", m.name, id, until.Sub(m.first[id]))
		}
		if m.gone[id] {
			t.Fatalf("%s adopted %s again, which it had forgotten", m.name, id)
		}
	}
}

// deadlines are those of what a snapshot identifies.
func deadlines(key breaker.Key, s breaker.Snapshot) map[string]breaker.Instant {
	list := map[string]breaker.Instant{}
	for _, c := range s.Cooldowns {
		list[fmt.Sprint(key, " cooldown ", c.Setter, c.Stamp)] = c.Until
	}
	if c := s.Circuit; c.Stamp != 0 {
		list[fmt.Sprint(key, " circuit ", c.Stamp)] = max(c.Until, c.Keep)
	}
	if s.Clear != 0 {
		list[fmt.Sprint(key, " clear ", s.Clear)] = s.ClearKept
	}
	return list
}

// send puts a machine's entry of a key under way.
func (x *exchange) send(from int, key breaker.Key, delay time.Duration) {
	m := x.machines[from]
	if s := m.v.Of(key); !s.Empty() {
		x.under = append(x.under, message{x.machines[1-from], key, shifted(s, -x.at(m)), x.now + delay})
	}
}

// deliver hands over what has arrived, each message up to three times.
func (x *exchange) deliver(t *rapid.T) {
	x.under = slices.DeleteFunc(x.under, func(w message) bool {
		if w.arrive > x.now {
			return false
		}
		for range rapid.IntRange(1, 3).Draw(t, "copies") {
			now := x.at(w.to)
			x.merge(t, w.to, w.key, w.to.v.Hear(now, w.key, shifted(w.snap, now)))
		}
		return true
	})
}

// pass lets time pass in small steps; one clock may stand still for a minute,
// once.
func (x *exchange) pass(t *rapid.T, d time.Duration) {
	for end := x.now + d; x.now < end; x.now += 10 * time.Second {
		x.deliver(t)
		for _, m := range x.machines {
			x.forget(t, m)
		}
	}
	if !x.stood && rapid.IntRange(0, 9).Draw(t, "stands still") == 0 {
		x.stood = true
		x.machines[rapid.IntRange(0, 1).Draw(t, "whose")].ahead -= time.Minute
	}
}

func (x *exchange) forget(t *rapid.T, m *machine) {
	before := all(m.v)
	for _, key := range forget(m.v, x.at(m)) {
		now := deadlines(key, m.v.Of(key))
		for id := range deadlines(key, before[key]) {
			if _, there := now[id]; !there {
				m.gone[id] = true
			}
		}
	}
}

// settle exchanges everything until nothing is under way.
func (x *exchange) settle(t *rapid.T) {
	for range 2 {
		for i, m := range x.machines {
			for _, k := range slices.Sorted(maps.Keys(all(m.v))) {
				x.send(i, k, 0)
			}
		}
		x.pass(t, 2*time.Minute)
	}
}

func (x *exchange) step(t *rapid.T) {
	switch rapid.IntRange(0, 2).Draw(t, "step") {
	case 0:
		x.say(t)
	case 1:
		key := breaker.HostKey(fmt.Sprint(rapid.IntRange(0, 2).Draw(t, "key")))
		x.send(rapid.IntRange(0, 1).Draw(t, "from"), key, time.Duration(rapid.IntRange(0, 60).Draw(t, "delay"))*time.Second)
	case 2:
		x.pass(t, time.Duration(rapid.IntRange(1, 12).Draw(t, "time"))*10*time.Second)
	}
}

// Two machines that exchange their entries in any order, repeatedly and late,
// come to believe the same; no deadline moves when it is heard again; and what
// one forgot the other cannot bring back.
func TestMachinesAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := newExchange(t, view.MaxExceptions)
		for range rapid.IntRange(0, 40).Draw(t, "steps") {
			x.step(t)
		}
		x.settle(t)
		a, b := x.machines[0].v, x.machines[1].v
		if !slices.Equal(a.Digest(), b.Digest()) {
			t.Fatalf("the digests differ:\n%+v\n%+v", all(a), all(b))
		}
		for range rapid.IntRange(60, 200).Draw(t, "minutes") { // the last deadline is after 2 h
			for i, m := range x.machines {
				for _, k := range slices.Sorted(maps.Keys(all(m.v))) {
					x.send(i, k, time.Duration(rapid.IntRange(0, 60).Draw(t, "delay"))*time.Second)
				}
			}
			x.pass(t, time.Minute)
		}
		x.pass(t, 3*time.Hour)
		if a.Len()+b.Len() != 0 || !slices.Equal(a.Digest(), b.Digest()) {
			t.Fatalf("not forgotten: %+v %+v", all(a), all(b))
		}
	})
}

func TestMachinesKeepTheirLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := newExchange(t, 2)
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			x.step(t)
			for _, m := range x.machines {
				if m.v.Len() > 2 || m.v.Full() != (m.v.Len() == 2) {
					t.Fatalf("%d entries, full: %v", m.v.Len(), m.v.Full())
				}
			}
		}
	})
}
