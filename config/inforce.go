package config

import (
	"fmt"
	"slices"

	"fleetfuse/breaker"
)

// InForce are the policies that one node obeys: what is configured, with the
// overlays of its view laid over it. It is not safe for concurrent use.
type InForce struct {
	breakers *Breakers
	laid     map[breaker.Key]laid
}

// laid is the policy of a key that has overlays.
type laid struct {
	policy   *breaker.Policy
	overlays []breaker.Overlay
	until    breaker.Instant // when temporary fields end; zero: there are none
	invalid  error           // why the overlays are not obeyed
}

// maxOverlaid bounds the keys with overlays: beyond it no other gets one.
const maxOverlaid = 50_000

// NewInForce obeys a configuration.
func NewInForce(b *Breakers) *InForce {
	return &InForce{breakers: b, laid: map[breaker.Key]laid{}}
}

// Of is the policy of a key, the same pointer until it is replaced.
func (f *InForce) Of(key breaker.Key) *breaker.Policy {
	if len(f.laid) > 0 {
		if l, ok := f.laid[key]; ok {
			return l.policy
		}
	}
	return f.breakers.Policy(key)
}

// Knows reports whether the overlays of a key are those that are obeyed, or
// known not to fit: Set would change nothing.
func (f *InForce) Knows(key breaker.Key, overlays []breaker.Overlay) bool {
	l, had := f.laid[key]
	return had == (len(overlays) > 0) && slices.Equal(l.overlays, overlays)
}

// Set takes the overlays of a key. Those that do not fit what is configured are
// not obeyed: the error says why. They are another node's, which has another
// configuration, or another version's.
func (f *InForce) Set(key breaker.Key, overlays []breaker.Overlay, now breaker.Instant) error {
	if len(overlays) == 0 {
		delete(f.laid, key)
		return nil
	}
	l := f.lay(f.breakers, key, overlays, now)
	f.laid[key] = l
	return l.invalid
}

// lay makes the policy of a key.
func (f *InForce) lay(b *Breakers, key breaker.Key, overlays []breaker.Overlay, now breaker.Instant) laid {
	l := laid{overlays: slices.Clone(overlays)}
	layers, err := Layers(overlays, now)
	if err == nil {
		l.policy, err = b.Overlaid(key, layers...)
	}
	if err != nil {
		l.policy, l.invalid = b.Policy(key), err
	}
	for i := range overlays {
		if o := &overlays[i]; o.Temporarily(now) != "" && (l.until == 0 || o.Until < l.until) {
			l.until = o.Until
		}
	}
	return l
}

// Expire ends temporary fields and returns the keys whose policy that replaced,
// sorted.
func (f *InForce) Expire(now breaker.Instant) (keys []breaker.Key) {
	for k, l := range f.laid {
		if l.until != 0 && l.until <= now {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	for _, k := range keys {
		f.laid[k] = f.lay(f.breakers, k, f.laid[k].overlays, now)
	}
	return keys
}

// Replace obeys another configuration.
func (f *InForce) Replace(b *Breakers, now breaker.Instant) {
	f.breakers = b
	for k, l := range f.laid {
		f.laid[k] = f.lay(b, k, l.overlays, now)
	}
}

// Misfits says which overlays that are obeyed would not fit another
// configuration.
func (f *InForce) Misfits(b *Breakers, now breaker.Instant) (problems []error) {
	for _, k := range f.Keys() {
		l := f.laid[k]
		if next := f.lay(b, k, l.overlays, now); next.invalid != nil && l.invalid == nil {
			problems = append(problems, fmt.Errorf("%s: with the overlay in force: %w", k, next.invalid))
		}
	}
	return problems
}

// Keys lists the keys with overlays, sorted.
func (f *InForce) Keys() []breaker.Key {
	keys := make([]breaker.Key, 0, len(f.laid))
	for k := range f.laid {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// Invalid lists the keys whose overlays are not obeyed, sorted.
func (f *InForce) Invalid() []breaker.Key {
	return slices.DeleteFunc(f.Keys(), func(k breaker.Key) bool { return f.laid[k].invalid == nil })
}

// Overlaid counts the keys with an overlay that says something.
func (f *InForce) Overlaid(now breaker.Instant) (n int) {
	for _, l := range f.laid {
		if slices.ContainsFunc(l.overlays, func(o breaker.Overlay) bool { return o.Fields != "" || o.Temporarily(now) != "" }) {
			n++
		}
	}
	return n
}

// Amend is the overlay that an amendment makes of what is known of a key. The
// error joins all that is wrong.
func (f *InForce) Amend(key breaker.Key, s breaker.Snapshot, a Amendment, mo breaker.Moment) (next breaker.Overlay, err error) {
	if _, has := f.laid[key]; !has && len(f.laid) >= maxOverlaid {
		return next, fmt.Errorf("%d breakers have an overlay, which is the most; reset some, or set the policy in a file", maxOverlaid)
	}
	was := s.Overlay(a.Register)
	lasting, err := ParseOverlay(was.Fields)
	if err != nil {
		return next, fmt.Errorf("the overlay in force: %w", err)
	}
	temporary, err := ParseOverlay(was.Temporarily(mo.Now))
	if err != nil {
		return next, fmt.Errorf("the overlay in force: %w", err)
	}
	lasting, temporary, restarts, err := a.apply(lasting, temporary)
	if err != nil {
		return next, err
	}
	until, length := was.Until, was.Length
	if restarts {
		until, length = mo.Now.Add(a.Length), a.Length
	}
	next = breaker.NewOverlay(mo, a.Register, was.Stamp, lasting.String(), temporary.String(), until, length)
	next.Author, next.Reason = a.Author, a.Reason
	s.Merge(breaker.Snapshot{Overlays: []breaker.Overlay{next}})
	layers, err := Layers(s.Overlays, mo.Now)
	if err == nil {
		_, err = f.breakers.Overlaid(key, layers...)
	}
	return next, err
}

// Layers are overlays as the policies know them, the weakest first: the
// operator's word is stronger than the tuner's, and for a while stronger than
// for good.
func Layers(overlays []breaker.Overlay, now breaker.Instant) (layers []Layer, err error) {
	for _, r := range []breaker.Register{breaker.RegisterTuner, breaker.RegisterOperator} {
		for i := range overlays {
			o := &overlays[i]
			if o.Register != r {
				continue
			}
			for _, x := range []struct{ text, name string }{
				{o.Fields, r.String() + " overlay"},
				{o.Temporarily(now), r.String() + " overlay, temporary"},
			} {
				set, err := ParseOverlay(x.text)
				if err != nil {
					return nil, err
				}
				layers = append(layers, Layer{Name: x.name, Overlay: set})
			}
		}
	}
	return layers, nil
}
