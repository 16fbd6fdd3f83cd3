package node

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/config"
)

// policies are those in force: what is configured, with the overlays of the view
// laid over it. It is safe for concurrent use.
type policies struct {
	logger *slog.Logger

	mu     sync.RWMutex
	config *config.Config
	sum    uint64 // the config's Hash
	laid   map[breaker.Key]laid
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

func newPolicies(c *config.Config, logger *slog.Logger) *policies {
	return &policies{config: c, sum: c.Hash(), logger: logger, laid: map[breaker.Key]laid{}}
}

// of is the policy of a key, the same pointer until it is replaced.
func (p *policies) of(key breaker.Key) *breaker.Policy {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if l, ok := p.laid[key]; ok {
		return l.policy
	}
	return p.config.Breakers.Policy(key)
}

// current is the configuration.
func (p *policies) current() *config.Config {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.config
}

// hash sums up what members must agree on.
func (p *policies) hash() uint64 {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.sum
}

// named lists the keys with a policy of their own, configured or overlaid.
func (p *policies) named() []breaker.Key {
	p.mu.RLock()
	defer p.mu.RUnlock()
	keys := p.config.Breakers.Keys()
	for k := range p.laid {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// wildcards are the policies of hosts that have none of their own, by pattern.
func (p *policies) wildcards() map[string]*breaker.Policy {
	b := &p.current().Breakers
	byPattern := map[string]*breaker.Policy{}
	for _, pattern := range b.Wildcards() {
		byPattern[pattern] = b.WildcardPolicy(pattern)
	}
	return byPattern
}

// set takes the overlays of a key and reports whether that replaced its policy.
func (p *policies) set(key breaker.Key, overlays []breaker.Overlay, now breaker.Instant) bool {
	p.mu.RLock()
	old, had := p.laid[key]
	p.mu.RUnlock()
	if !had && len(overlays) == 0 || had && slices.Equal(old.overlays, overlays) {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(overlays) == 0 {
		delete(p.laid, key)
		return true
	}
	p.laid[key] = p.lay(key, overlays, now)
	return true
}

// lay makes the policy of a key. The lock is held.
func (p *policies) lay(key breaker.Key, overlays []breaker.Overlay, now breaker.Instant) laid {
	l := laid{overlays: slices.Clone(overlays)}
	layers, err := layersOf(overlays, now)
	if err == nil {
		l.policy, err = p.config.Breakers.Overlaid(key, layers...)
	}
	if err != nil {
		// Another node took it, with another configuration or version: what is
		// configured here is the safe half.
		p.logger.Error("an overlay does not fit this node's configuration and is not obeyed; reset it or correct the file",
			slog.String("key", string(key)), slog.Any("err", err))
		l.policy, l.invalid = p.config.Breakers.Policy(key), err
	}
	for i := range overlays {
		if o := &overlays[i]; o.Temporarily(now) != "" && (l.until == 0 || o.Until < l.until) {
			l.until = o.Until
		}
	}
	return l
}

// expire ends temporary fields and returns the keys whose policy that replaced.
func (p *policies) expire(now breaker.Instant) (keys []breaker.Key) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, l := range p.laid {
		if l.until != 0 && l.until <= now {
			p.laid[k] = p.lay(k, l.overlays, now)
			keys = append(keys, k)
		}
	}
	return keys
}

// replace takes another configuration.
func (p *policies) replace(c *config.Config, now breaker.Instant) {
	sum := c.Hash()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.config, p.sum = c, sum
	for k, l := range p.laid {
		p.laid[k] = p.lay(k, l.overlays, now)
	}
}

// misfits checks the overlays in force against another configuration.
func (p *policies) misfits(c *config.Config, now breaker.Instant) (errs []error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for k, l := range p.laid {
		layers, err := layersOf(l.overlays, now)
		if err == nil {
			_, err = c.Breakers.Overlaid(k, layers...)
		}
		if err != nil && l.invalid == nil {
			errs = append(errs, fmt.Errorf("%s: with the overlay in force: %w", k, err))
		}
	}
	return errs
}

// invalid lists the keys whose overlays are not obeyed.
func (p *policies) invalid() (keys []breaker.Key) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for k, l := range p.laid {
		if l.invalid != nil {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// overlaid is the number of keys with an overlay that says something.
func (p *policies) overlaid(now breaker.Instant) (n int) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	for _, l := range p.laid {
		if slices.ContainsFunc(l.overlays, func(o breaker.Overlay) bool { return o.Fields != "" || o.Temporarily(now) != "" }) {
			n++
		}
	}
	return n
}

// full reports whether no key may get its first overlay.
func (p *policies) full(key breaker.Key) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	_, has := p.laid[key]
	return !has && len(p.laid) >= maxOverlaid
}

// layersOf are overlays as the configuration knows them, the weakest first: the
// operator's word is stronger than the tuner's, and for a while stronger than
// for good.
func layersOf(overlays []breaker.Overlay, now breaker.Instant) (layers []config.Layer, err error) {
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
				fields, err := config.ParseOverlay(x.text)
				if err != nil {
					return nil, err
				}
				layers = append(layers, config.Layer{Name: x.name, Overlay: fields})
			}
		}
	}
	return layers, nil
}

// amend implements actors.Options.Amend.
func (p *policies) amend(key breaker.Key, s breaker.Snapshot, change spread.Lay, mo breaker.Moment) (breaker.Overlay, []string) {
	next, err := p.amended(key, s, change, mo)
	if err == nil && p.full(key) {
		err = fmt.Errorf("%d breakers have an overlay, which is the most; reset some, or set the policy in a file", maxOverlaid)
	}
	if err != nil {
		return breaker.Overlay{}, textsOf(err)
	}
	return next, nil
}

func (p *policies) amended(key breaker.Key, s breaker.Snapshot, change spread.Lay, mo breaker.Moment) (next breaker.Overlay, err error) {
	was := s.Overlay(change.Register)
	lasting, err := config.ParseOverlay(was.Fields)
	if err != nil {
		return next, fmt.Errorf("the overlay in force: %w", err)
	}
	temporary, err := config.ParseOverlay(was.Temporarily(mo.Now))
	if err != nil {
		return next, fmt.Errorf("the overlay in force: %w", err)
	}
	set, err := config.ParseOverlay(change.Set)
	if err != nil {
		return next, err
	}
	lasting, temporary, restarts, err := config.Amend(lasting, temporary, config.Amendment{
		Whole: change.Whole, Set: set, Unset: change.Unset, Temporary: change.Length > 0,
	})
	if err != nil {
		return next, err
	}
	until, length := was.Until, was.Length
	if restarts {
		until, length = mo.Now.Add(change.Length), change.Length
	}
	next = breaker.NewOverlay(mo, change.Register, was.Stamp, lasting.String(), temporary.String(), until, length)
	next.Author, next.Reason = change.Author, change.Reason
	s.Merge(breaker.Snapshot{Overlays: []breaker.Overlay{next}})
	layers, err := layersOf(s.Overlays, mo.Now)
	if err == nil {
		_, err = p.current().Breakers.Overlaid(key, layers...)
	}
	return next, err
}

// textsOf takes apart an error that joins several.
func textsOf(err error) []string {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var texts []string
		for _, e := range joined.Unwrap() {
			texts = append(texts, textsOf(e)...)
		}
		return texts
	}
	return []string{err.Error()}
}
