package memory

import (
	"maps"
	"sync"
	"time"

	"fleetfuse/breaker"
)

// A Place is memory that several Shared have in common, as they would a server:
// for tests of clusters that share cooldowns. It holds what other adapters hold.
type Place struct {
	mu     sync.Mutex
	values map[string]placed
	ears   map[*ear]bool
}

type placed struct {
	text    string
	expires time.Time // zero: never
}

// NewPlace returns an empty place.
func NewPlace() *Place {
	return &Place{values: make(map[string]placed), ears: make(map[*ear]bool)}
}

// Open returns another handle on the place.
func (p *Place) Open() *Shared { return &Shared{place: p, closed: make(chan struct{})} }

// Set writes a value as another program would, without announcing it. A ttl of
// 0 is for ever.
func (p *Place) Set(name, value string, ttl time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set(name, value, ttl)
}

// Flush forgets everything, without announcing it.
func (p *Place) Flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.values)
}

// Value reads a value as another program would, and its time to live: negative
// if it has none; false if there is no value.
func (p *Place) Value(name string) (value string, ttl time.Duration, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.find(name)
}

func (p *Place) set(name, value string, ttl time.Duration) {
	v := placed{text: value}
	if ttl > 0 {
		v.expires = time.Now().Add(ttl)
	}
	p.values[name] = v
}

func (p *Place) find(name string) (value string, ttl time.Duration, ok bool) {
	v, ok := p.values[name]
	if !ok || v.expires.IsZero() {
		return v.text, -1, ok
	}
	ttl = time.Until(v.expires)
	if ttl <= 0 {
		delete(p.values, name)
		return "", 0, false
	}
	return v.text, ttl, true
}

// all is what is there now.
func (p *Place) all() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	texts := make(map[string]string, len(p.values))
	for name := range maps.Clone(p.values) {
		if text, _, ok := p.find(name); ok {
			texts[name] = text
		}
	}
	return texts
}

// An ear hears of changes for one Hints.
type ear struct {
	pending map[breaker.Key]bool // guarded by the place's lock
	rang    chan struct{}        // holds a token while something is pending
}

func (p *Place) announce(key breaker.Key) {
	for e := range p.ears {
		e.pending[key] = true
		select {
		case e.rang <- struct{}{}:
		default:
		}
	}
}

func (p *Place) listen() *ear {
	p.mu.Lock()
	defer p.mu.Unlock()
	e := &ear{pending: make(map[breaker.Key]bool), rang: make(chan struct{}, 1)}
	p.ears[e] = true
	return e
}

func (p *Place) leave(e *ear) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.ears, e)
}

// take empties what an ear has pending.
func (p *Place) take(e *ear) map[breaker.Key]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	pending := e.pending
	e.pending = make(map[breaker.Key]bool)
	return pending
}
