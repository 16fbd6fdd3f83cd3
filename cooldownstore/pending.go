package cooldownstore

import (
	"container/heap"
	"errors"
	"math"

	"fleetfuse/breaker"
)

var errDropped = errors.New("given up: too many words are pending")

// A word is the latest snapshot of a key that is not on disk yet.
type word struct {
	key      breaker.Key
	snapshot breaker.Snapshot
	version  uint64          // of the queue, when the snapshot was put
	first    uint64          // at most the version of the oldest word on the key that is not on disk
	operator bool            // somebody was promised that it survives power loss
	ends     breaker.Instant // when nothing of it is worth remembering
	index    int             // in the heap
	waiters  []chan<- error  // commits to be told how the write went
}

// pending holds at most one word per key, and knows which ends soonest.
type pending struct {
	words   map[breaker.Key]*word
	soonest soonest
	version uint64
	urgent  map[breaker.Key]*word // those with waiters
}

func newPending() pending {
	return pending{words: make(map[breaker.Key]*word), urgent: make(map[breaker.Key]*word)}
}

// put makes s the word on key. A waiter, if not nil, hears how its write went,
// or that of a later word on the key.
func (p *pending) put(key breaker.Key, s breaker.Snapshot, waiter chan<- error) {
	p.version++
	w := p.words[key]
	if w == nil {
		w = &word{key: key, first: p.version}
		p.words[key] = w
		heap.Push(&p.soonest, w)
	}
	w.snapshot, w.version = s.Clone(), p.version
	if waiter != nil {
		w.operator = true
		w.waiters = append(w.waiters, waiter)
		p.urgent[key] = w
	}
	w.ends = w.snapshot.End()
	if w.operator { // the last to be dropped
		w.ends = math.MaxInt64
	}
	heap.Fix(&p.soonest, w.index)
}

// dropSoonest gives up the word that ends soonest.
func (p *pending) dropSoonest() {
	w := p.soonest[0]
	tell(w.waiters, errDropped)
	p.remove(w)
}

func (p *pending) remove(w *word) {
	heap.Remove(&p.soonest, w.index)
	delete(p.words, w.key)
	delete(p.urgent, w.key)
}

// An attempt is a version of a word on its way to the disk.
type attempt struct {
	word     *word
	snapshot breaker.Snapshot
	version  uint64
	operator bool
	waiters  []chan<- error
}

// take returns at most n words to write, those with waiters alone if there are
// any. They stay pending until settle.
func (p *pending) take(n int) []attempt {
	from := p.words
	if len(p.urgent) > 0 {
		from = p.urgent
	}
	batch := make([]attempt, 0, min(n, len(from)))
	for key, w := range from {
		if len(batch) == n {
			break
		}
		batch = append(batch, attempt{w, w.snapshot, w.version, w.operator, w.waiters})
		w.waiters = nil
		delete(p.urgent, key)
	}
	return batch
}

// settle tells the waiters how the write went, and forgets the words that no
// newer one replaced meanwhile if it went well.
func (p *pending) settle(batch []attempt, err error) {
	for _, a := range batch {
		tell(a.waiters, err)
		w := a.word
		switch {
		case err != nil || p.words[w.key] != w: // dropped meanwhile
		case w.version == a.version:
			p.remove(w)
		default:
			w.first = a.version + 1
		}
	}
}

func tell(waiters []chan<- error, err error) {
	for _, c := range waiters {
		c <- err // has room for it
	}
}

// unwrittenSince reports whether a word of that version or an older one is not
// on disk.
func (p *pending) unwrittenSince(version uint64) bool {
	for _, w := range p.words {
		if w.first <= version {
			return true
		}
	}
	return false
}

// soonest is a heap of words by end.
type soonest []*word

func (h soonest) Len() int           { return len(h) }
func (h soonest) Less(i, j int) bool { return h[i].ends < h[j].ends }
func (h soonest) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].index, h[j].index = i, j }
func (h *soonest) Push(x any)        { w := x.(*word); w.index = len(*h); *h = append(*h, w) }
func (h *soonest) Pop() any {
	last := len(*h) - 1
	w := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return w
}
