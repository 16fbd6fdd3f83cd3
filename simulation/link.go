package simulation

import (
	"cmp"
	"slices"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/view"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/sharing"
	"fleetfuse/internal/clock"
)

// A sharer is who is linked to the place: a node, or the one of another cluster.
type sharer interface {
	name() string
	place() int // its number among those that a fault may cut off from the place; negative: none
	linked() *link
	clocks() *clock.Clock
	hear(do func())
	later(d time.Duration, do func())
	owns(breaker.Key) bool
	believed(breaker.Key) breaker.Snapshot
	own() []spread.Entry
	share([]spread.Shared)
	keepSightings([]cooldownstore.Sighting)
}

// link is what one life of a process has to do with the place: it carries out
// what the rules of package sharing decide, as package node does.
type link struct {
	who       sharer
	at        *place
	values    cooldownstore.SharedValues
	queue     *cooldownstore.Queue
	reader    sharing.Reader
	condition sharing.Condition
	failing   sharing.Backoff // of listening

	started, listed             bool
	writing, reading, listening bool
	wake                        time.Time // when the reader is to be asked; zero: never
	words                       int64     // heard so far
	batches                     int       // that arrived
	waiting                     func()    // for the first listing
}

func newLink(p *place, who sharer) *link {
	_, wall := who.clocks().Both()
	return &link{who: who, at: p, queue: cooldownstore.NewQueue(sharing.OutboxDelay, view.MaxExceptions, wall), condition: sharing.NewCondition(wall)}
}

func (l *link) alive() bool { return l.who.linked() == l }

// now is a time on the process's clock that never steps.
func (l *link) now() time.Time { return time.Unix(0, int64(l.who.clocks().Now())) }

func (l *link) wall() time.Time {
	_, wall := l.who.clocks().Both()
	return wall
}

// start begins to listen and to list, and goes on when the place was listed once
// or the patience is over.
func (l *link) start(ready func()) {
	l.started, l.waiting = true, ready
	l.reader = sharing.NewReader(l.now())
	l.listen()
	l.read()
	patience, look := sharing.NewPatience(l.now())
	l.await(&patience, look)
}

func (l *link) await(p *sharing.Patience, look time.Time) {
	l.who.later(look.Sub(l.now()), func() {
		if l.listed || l.waiting == nil {
			return
		}
		next, more := p.More(l.now(), l.words)
		if more {
			l.await(p, next)
			return
		}
		l.goOn()
	})
}

func (l *link) goOn() {
	if ready := l.waiting; ready != nil {
		l.waiting = nil
		ready()
	}
}

// put shares what the owner of a key believes of it.
func (l *link) put(key breaker.Key, s breaker.Snapshot) {
	part, owed, relist := sharing.Owed(key, s)
	if owed && l.queue.Put(l.now(), key, part) {
		l.write()
	}
	if relist {
		l.relist()
	}
}

// write writes what is due, or waits until it is.
func (l *link) write() {
	due, any := l.queue.Due()
	switch {
	case l.writing || !any:
		return
	case due.After(l.now()):
		l.who.later(due.Sub(l.now()), l.write)
		return
	}
	l.writing = true
	batch := l.queue.Batch(l.who.clocks().Both())
	slices.SortFunc(batch.Records, func(a, b cooldownstore.Record) int { return cmp.Compare(a.Key, b.Key) })
	words := make([]cooldownstore.SharedWord, len(batch.Records))
	for i, r := range batch.Records {
		words[i] = cooldownstore.SharedWord{Record: r}
	}
	l.at.request(l, true, func() { l.at.put(l, words) }, func(err error) {
		l.writing = false
		if err == nil {
			l.batches++
		}
		l.queue.Written(batch, err, l.now(), l.wall())
		l.write()
	})
}

func (l *link) relist() {
	l.reader.Relist()
	l.read()
}

func (l *link) hint(key breaker.Key) {
	l.reader.Hint(key, key != "" && l.who.owns(key))
	l.read()
}

// read reads what the reader wants, or waits until it wants something.
func (l *link) read() {
	if l.reading || !l.started || !l.alive() {
		return
	}
	what, next := l.reader.Next(l.now())
	switch what {
	case sharing.Everything:
		l.list()
	case sharing.Hinted:
		l.load(l.reader.TakeHints())
	default:
		if l.wake.IsZero() || next.Before(l.wake) || l.wake.Before(l.now()) {
			l.wake = next
			l.who.later(next.Sub(l.now()), func() {
				l.wake = time.Time{}
				l.read()
			})
		}
	}
}

// load reads the keys that were hinted at.
func (l *link) load(keys []breaker.Key) {
	l.reading = true
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = cooldownstore.SharedName(key)
	}
	var texts []named
	l.at.request(l, false, func() { texts = l.at.texts(names) }, func(err error) {
		if err == nil {
			l.hear(texts, false)
		}
		l.reading = false
		l.reader.Loaded(err)
		l.read()
	})
}

// list reads everything, and has written what is missing there.
func (l *link) list() {
	l.reading = true
	began := l.now()
	var texts []named
	l.at.request(l, false, func() { texts = l.at.texts(nil) }, func(err error) {
		var seen map[breaker.Key]struct{}
		if err == nil {
			seen = l.hear(texts, true)
		}
		_, wall := l.who.clocks().Both()
		l.who.keepSightings(l.values.Sightings(wall, func(key breaker.Key) bool { s := l.who.believed(key); return s.Clear != 0 }))
		if err == nil {
			for _, x := range sharing.Missing(seen, l.who.own(), l.who.clocks().Now()) {
				l.put(x.Key, x.Snapshot)
			}
		}
		l.condition.Read(wall, err, nil, len(seen))
		l.listed = true
		l.goOn()
		l.reading = false
		l.reader.Listed(l.now(), l.now().Sub(began), err)
		l.read()
	})
}

// hear obeys what the place holds of keys of this node, and answers with what it
// lacks. Whole is after a listing.
func (l *link) hear(texts []named, whole bool) (seen map[breaker.Key]struct{}) {
	now, wall := l.who.clocks().Both()
	seen = map[breaker.Key]struct{}{}
	var words []cooldownstore.SharedWord
	for _, v := range texts {
		key, ok := cooldownstore.FromSharedName(v.name)
		if !ok {
			continue
		}
		if w, _ := l.values.Read(key, v.text, wall); !w.Silent() { // what cannot be read says nothing
			words = append(words, w)
			seen[key] = struct{}{}
		}
	}
	l.words += int64(len(words))
	heard := sharing.Hear(words, now, wall, l.who.owns, l.who.clocks().Observe)
	before := l.at.world.checks.shared.beforeHearing(l, heard.Entries, texts)
	l.who.share(heard.Entries)
	l.at.world.checks.shared.heard(l, before)
	for _, x := range heard.Answer(now, whole, l.who.believed) {
		l.put(x.Key, x.Snapshot)
	}
	return seen
}

// listen hears what others changed, until the connection is lost.
func (l *link) listen() {
	l.at.request(l, false, func() { l.at.ears = append(l.at.ears, l) }, func(err error) {
		if err != nil {
			l.at.ears = slices.DeleteFunc(l.at.ears, func(x *link) bool { return x == l })
			l.condition.Deaf(err)
			l.who.later(l.failing.Failed(), l.listen)
			return
		}
		l.listening = true
		l.failing.Worked()
		l.condition.Deaf(nil)
		l.hint("")
	})
}

// deafened is when the connection is found lost.
func (l *link) deafened(err error) {
	if !l.listening || !l.alive() {
		return
	}
	l.listening = false
	l.condition.Deaf(err)
	l.relist()
	l.who.later(l.failing.Failed(), l.listen)
}

// cover notes deadlines of other programs that a clear ended, as members told.
func (l *link) cover(list []spread.Cooled) {
	for _, x := range list {
		l.values.Cover(x.Key, l.who.clocks().Wall(x.Cooldown.Until))
	}
	if len(list) > 0 {
		l.relist()
	}
}

// verdict is what the process says of the place.
func (l *link) verdict() sharing.Verdict { return l.condition.Judge(l.queue.Health()) }
