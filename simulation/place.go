package simulation

import (
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// place is the simulated shared store: it holds what a Redis holds, and its
// scripts keep the later stamp. What a request does to it happens at one moment
// between the request and its answer, or not at all.
type place struct {
	world  *World
	rand   *rand.Rand
	plan   SharedStore
	values map[string]placed
	log    []change // the last writes: what a failover may forget
	ears   []*link

	fails, slow, hangs, lies int     // how many faults
	part                     float64 // of the writes that it takes and denies
	cut                      []int   // of each node, how many faults cut it off
}

type placed struct {
	text    string
	expires time.Duration // of the world; 0: never
}

// change is a write, and what it replaced.
type change struct {
	at   time.Duration
	name string
	was  placed
}

// Times of the link to a place (package cooldownstore/redis).
const (
	answerLimit = 2 * time.Second // of one request
	deafAfter   = 3 * answerLimit // a connection that is silent counts as lost
	longestTail = time.Minute
)

var (
	errRefused  = errors.New("the shared store answers with an error")
	errSilent   = errors.New("the shared store does not answer")
	errDenied   = errors.New("the connection was lost before the answer")
	errListener = errors.New("the connection was lost")
)

func newPlace(w *World) *place {
	if !w.plan.Shared.There {
		return nil
	}
	return &place{
		world: w, rand: rand.New(rand.NewPCG(w.plan.Seed, 0x9ace)), plan: w.plan.Shared, values: map[string]placed{}, cut: make([]int, w.plan.Nodes),
	}
}

func (p *place) delay() time.Duration {
	d := p.plan.Least + time.Duration(p.rand.Int64N(int64(max(p.plan.Most-p.plan.Least, 0))+1))
	if p.slow > 0 {
		d += 100*time.Millisecond + time.Duration(p.rand.Int64N(int64(1900*time.Millisecond)))
	}
	return d
}

// reaches reports whether anything passes between a node and the place.
func (p *place) reaches(l *link) bool {
	return p.hangs == 0 && (l.who.place() < 0 || p.cut[l.who.place()] == 0)
}

// request asks the place to do something. The answer may be an error although it
// was done: a write that is taken and denied, or one that is under way for too
// long.
func (p *place) request(l *link, write bool, do func(), answer func(error)) {
	answered, done := false, false
	finish := func(err error) {
		if !answered && l.alive() {
			answered = true
			if write && done && err != nil {
				p.world.sometimes(SawPlaceUnknownOutcome)
			}
			answer(err)
		}
	}
	l.who.later(answerLimit, func() { finish(errSilent) })
	if !p.reaches(l) {
		return
	}
	p.world.after(p.delay(), func() {
		if !p.reaches(l) {
			return
		}
		err := error(nil)
		switch {
		case p.fails > 0:
			err = errRefused
		default:
			do()
			done = true
			if write && p.lies > 0 && p.rand.Float64() < p.part {
				err = errDenied
			}
		}
		p.world.after(p.delay(), func() {
			if p.reaches(l) {
				l.who.hear(func() { finish(err) })
			}
		})
	})
}

// find is what lies under a name, and how long it has to live: 0 if nothing
// does, negative for ever.
func (p *place) find(name string) (text string, left time.Duration) {
	v, ok := p.values[name]
	switch {
	case !ok:
		return "", 0
	case v.expires == 0:
		return v.text, -1
	case v.expires <= p.world.now:
		delete(p.values, name)
		return "", 0
	}
	return v.text, v.expires - p.world.now
}

func (p *place) set(name, text string, ttl time.Duration) {
	p.find(name) // what expired is gone
	p.log = slices.DeleteFunc(p.log, func(c change) bool { return c.at < p.world.now-longestTail })
	p.log = append(p.log, change{p.world.now, name, p.values[name]})
	v := placed{text: text}
	if ttl > 0 {
		v.expires = p.world.now + ttl
	}
	p.values[name] = v
}

// put is what the script of the adapter does with words: each is joined into what
// is there.
func (p *place) put(l *link, words []cooldownstore.SharedWord) {
	_, wall := l.who.clocks().Both()
	for _, w := range words {
		name := cooldownstore.SharedName(w.Key)
		text, left := p.find(name)
		value, ttl, err := l.values.Write(w, cooldownstore.SharedPlace{Value: text, Left: left}, wall)
		if err != nil {
			p.world.fail("a word can be shared", nil, "%s: %v", w.Key, err)
		}
		if value == "" || err != nil {
			continue
		}
		p.world.sometimes(SawPlaceWritten)
		p.world.trace.note(codePlace, uint64(l.who.place()), uint64(len(value)), uint64(p.world.now))
		p.set(name, value, ttl)
		p.world.checks.shared.wrote(l, w.Key, value)
		p.announce(w.Key)
	}
}

// texts are the values of some names, of all if that is nil, in order.
func (p *place) texts(names []string) (list []named) {
	if names == nil {
		names = slices.Sorted(maps.Keys(p.values))
	}
	for _, name := range names {
		if text, left := p.find(name); left != 0 {
			list = append(list, named{name, text})
		}
	}
	return list
}

type named struct{ name, text string }

// announce tells who listens.
func (p *place) announce(key breaker.Key) {
	for _, l := range p.ears {
		if !p.reaches(l) {
			continue
		}
		p.world.after(p.delay(), func() {
			if p.reaches(l) && l.listening && l.alive() {
				l.who.hear(func() { l.hint(key) })
			}
		})
	}
}

// drop ends the connections of listeners that nothing reaches, or of all.
func (p *place) drop(after time.Duration, lost func(*link) bool) {
	p.ears = slices.DeleteFunc(slices.Clone(p.ears), func(l *link) bool {
		if !lost(l) {
			return false
		}
		l.who.later(after, func() { l.deafened(errListener) })
		return true
	})
}
