package telemetry

import (
	"maps"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"fleetfuse/breaker"
)

// DefaultMaxKeys is how many keys a node serves series of their own for.
const DefaultMaxKeys = 1000

// otherKeys is the key of all that have none. It is no key itself: it has no scope.
const otherKeys = "_other"

// Keys are the breakers of this node that have series of their own: those with an
// actor, as long as they have one, up to a limit. Which they are changes only
// when actors come and go, so that no series moves between its own name and
// "_other" while it counts. It is safe for concurrent use.
type Keys struct {
	limit int

	mu    sync.Mutex
	named map[breaker.Key]*series
	rest  map[breaker.Key]int // actors of keys that found no room
	other map[move]uint64
}

// series is what is counted of one key while it has an actor.
type series struct {
	actors int // more than one only while one takes over from another
	moves  map[move]uint64
}

type move struct{ from, to, reason string }

func newKeys(limit int) *Keys {
	return &Keys{limit: limit, named: map[breaker.Key]*series{}, rest: map[breaker.Key]int{}, other: map[move]uint64{}}
}

// Entered says that a key has an actor here, Left that an actor ended: they come
// in pairs.
func (k *Keys) Entered(key breaker.Key) {
	k.mu.Lock()
	defer k.mu.Unlock()
	x := k.named[key]
	switch {
	case x != nil:
		x.actors++
	case len(k.named) < k.limit:
		k.named[key] = &series{actors: 1}
	default:
		k.rest[key]++
	}
}

// Left says that an actor of a key ended. Its series go with the last one.
func (k *Keys) Left(key breaker.Key) {
	k.mu.Lock()
	defer k.mu.Unlock()
	x := k.named[key]
	if x == nil {
		if k.rest[key]--; k.rest[key] <= 0 {
			delete(k.rest, key)
		}
		return
	}
	if x.actors--; x.actors <= 0 {
		delete(k.named, key)
	}
}

// Moved counts a transition that a key's actor made.
func (k *Keys) Moved(key breaker.Key, t breaker.Transition) {
	m := move{t.From.String(), t.To.String(), reasonOf(t)}
	k.mu.Lock()
	defer k.mu.Unlock()
	x := k.named[key]
	if x == nil {
		k.other[m]++
		return
	}
	if x.moves == nil {
		x.moves = map[move]uint64{}
	}
	x.moves[m]++
}

// A Standing is a breaker that is not closed.
type Standing struct {
	Key   breaker.Key
	State breaker.State
	Until time.Time // while it is open
}

// Sample tells the series of keys. standing are the breakers of this node that
// are not closed; owned reports whether a key is this node's.
func (k *Keys) Sample(s *Sample, standing []Standing, owned func(breaker.Key) bool) {
	named, rest, others := k.copy(standing)
	var byState [3]int // of the rest
	open := make(map[breaker.Key]struct{}, len(named))
	for _, x := range standing {
		if _, ok := named[x.Key]; !ok {
			byState[x.State]++
			continue
		}
		open[x.Key] = struct{}{}
		label := labelOf(x.Key)
		tellState(s, label, x.State)
		if x.State == breaker.Open {
			s.Set("breaker_open_until_timestamp_seconds", float64(x.Until.UnixMilli())/1000, label)
		}
	}
	for key, moves := range named {
		if !owned(key) { // its actor is about to end
			continue
		}
		label := labelOf(key)
		if _, not := open[key]; !not {
			tellState(s, label, breaker.Closed)
		}
		tellMoves(s, label, moves)
	}
	byState[breaker.Closed] = max(rest-byState[breaker.HalfOpen]-byState[breaker.Open], 0)
	if byState != [3]int{} {
		for state, n := range byState {
			s.Set("breaker_state", float64(n), otherKeys, breaker.State(state).String())
		}
	}
	tellMoves(s, otherKeys, others)
}

// copy is what to tell: actors must not wait until it is told.
func (k *Keys) copy(standing []Standing) (named map[breaker.Key]map[move]uint64, rest int, others map[move]uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.promote(standing)
	named = make(map[breaker.Key]map[move]uint64, len(k.named))
	for key, x := range k.named {
		named[key] = maps.Clone(x.moves)
	}
	return named, len(k.rest), maps.Clone(k.other)
}

// promote gives breakers that are not closed and found no room the room that
// there is by now.
func (k *Keys) promote(standing []Standing) {
	for _, x := range standing {
		if len(k.rest) == 0 || len(k.named) >= k.limit {
			return
		}
		if actors := k.rest[x.Key]; actors > 0 {
			k.named[x.Key] = &series{actors: actors}
			delete(k.rest, x.Key)
		}
	}
}

func tellState(s *Sample, label string, is breaker.State) {
	for _, state := range []breaker.State{breaker.Closed, breaker.HalfOpen, breaker.Open} {
		s.Truth("breaker_state", state == is, label, state.String())
	}
}

func tellMoves(s *Sample, label string, moves map[move]uint64) {
	for m, n := range moves {
		s.Count("breaker_transitions_total", n, label, m.from, m.to, m.reason)
	}
}

// labelOf is a key as a label. Names come from other programs too: what a
// terminal or a page could obey, and what is no UTF-8, is written like %1B, and
// so is the percent sign, so that no two keys share a label.
func labelOf(key breaker.Key) string {
	if strings.IndexFunc(string(key), unsafeInLabel) < 0 {
		return string(key)
	}
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i, n := 0, 0; i < len(key); i += n {
		var r rune
		if r, n = utf8.DecodeRuneInString(string(key[i:])); !unsafeInLabel(r) {
			b.WriteString(string(key[i : i+n]))
			continue
		}
		for _, c := range []byte(key[i : i+n]) {
			b.WriteString(string([]byte{'%', hex[c>>4], hex[c&15]}))
		}
	}
	return b.String()
}

func unsafeInLabel(r rune) bool {
	return r == utf8.RuneError || !unicode.IsPrint(r) || strings.ContainsRune("%<>&\"'`\\ ", r)
}
