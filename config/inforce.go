package config

import (
	"errors"
	"fmt"
	"maps"
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
	l := layOver(f.breakers, key, overlays, now)
	f.laid[key] = l
	return l.invalid
}

// layOver makes the policy of a key.
func layOver(b *Breakers, key breaker.Key, overlays []breaker.Overlay, now breaker.Instant) laid {
	l := laid{overlays: slices.Clone(overlays)}
	layers, err := Layers(overlays, now)
	if err == nil {
		l.policy, err = b.Overlaid(key, layers...)
	}
	if err != nil {
		l.policy, l.invalid = b.Policy(key), err
	}
	for _, until := range ends(overlays, now) {
		if l.until == 0 || until < l.until {
			l.until = until
		}
	}
	return l
}

// ends lists when temporary fields of overlays end.
func ends(overlays []breaker.Overlay, now breaker.Instant) (list []breaker.Instant) {
	for i := range overlays {
		if o := &overlays[i]; o.Temporarily(now) != "" {
			list = append(list, o.Until)
		}
	}
	return list
}

// fits reports what is wrong with overlays on top of what is configured: now, and
// after each end of temporary fields.
func fits(b *Breakers, key breaker.Key, overlays []breaker.Overlay, now breaker.Instant) error {
	for _, at := range append(ends(overlays, now), now) {
		if l := layOver(b, key, overlays, at); l.invalid != nil {
			if at != now {
				return fmt.Errorf("when the temporary fields end: %w", l.invalid)
			}
			return l.invalid
		}
	}
	return nil
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
		f.laid[k] = layOver(f.breakers, k, f.laid[k].overlays, now)
	}
	return keys
}

// Under is f with another configuration; f stays as it is. The error joins the
// overlays that are obeyed and would not fit it, now or when temporary fields
// end.
func (f *InForce) Under(b *Breakers, now breaker.Instant) (*InForce, error) {
	next := NewInForce(b)
	var problems []error
	for _, k := range f.Keys() {
		problems = append(problems, next.follow(k, f.laid[k], now))
	}
	return next, errors.Join(problems...)
}

// Follow takes what became of other meanwhile. The error is as of Under.
func (f *InForce) Follow(other *InForce, now breaker.Instant) error {
	var problems []error
	for k, l := range other.laid {
		if !f.Knows(k, l.overlays) {
			problems = append(problems, f.follow(k, l, now))
		}
	}
	for k := range f.laid {
		if _, there := other.laid[k]; !there {
			delete(f.laid, k)
		}
	}
	return errors.Join(problems...)
}

func (f *InForce) follow(key breaker.Key, was laid, now breaker.Instant) error {
	f.laid[key] = layOver(f.breakers, key, was.overlays, now)
	if was.invalid != nil {
		return nil
	}
	if err := fits(f.breakers, key, was.overlays, now); err != nil {
		return fmt.Errorf("%s: with the overlay in force: %w", key, err)
	}
	return nil
}

// Clone is a copy that shares nothing that is ever changed.
func (f *InForce) Clone() *InForce {
	return &InForce{breakers: f.breakers, laid: maps.Clone(f.laid)}
}

// Keys lists the keys with overlays, sorted.
func (f *InForce) Keys() []breaker.Key { return slices.Sorted(maps.Keys(f.laid)) }

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

// Amend is the overlay that an amendment makes of what is known of a key; what
// is in force, if there is nothing to reset. The error joins all that is wrong.
// A node of a later version may have replaced fields that are unknown here: they
// can be reset, and what another register says of them is left alone.
func (f *InForce) Amend(key breaker.Key, s breaker.Snapshot, a Amendment, mo breaker.Moment) (next breaker.Overlay, err error) {
	was := s.Overlay(a.Register)
	silent := was.Fields == "" && was.Temporarily(mo.Now) == ""
	if a.Whole && a.Set.Empty() && silent {
		return was, nil
	}
	if silent && len(f.laid) >= maxOverlaid && f.Overlaid(mo.Now) >= maxOverlaid {
		return next, fmt.Errorf("%d breakers have an overlay, which is the most; reset some, or set the policy in a file", maxOverlaid)
	}
	var lasting, temporary Overlay
	if !a.Whole {
		lasting, err = ParseOverlay(was.Fields)
		if err == nil {
			temporary, err = ParseOverlay(was.Temporarily(mo.Now))
		}
		if err != nil {
			return next, fmt.Errorf("the overlay in force: %w; reset it first", err)
		}
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
	overlays := slices.DeleteFunc(slices.Clone(s.Overlays), func(o breaker.Overlay) bool {
		_, err := Layers([]breaker.Overlay{o}, mo.Now)
		return o.Register == a.Register || err != nil
	})
	return next, fits(f.breakers, key, append(overlays, next), mo.Now)
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
