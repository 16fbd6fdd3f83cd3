package node

import (
	"log/slog"
	"slices"
	"sync"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/config"
)

// policies are those in force (config.InForce) behind a lock. It is safe for
// concurrent use.
type policies struct {
	logger *slog.Logger

	mu      sync.RWMutex
	config  *config.Config
	sum     uint64 // the config's Hash
	inForce *config.InForce
}

func newPolicies(c *config.Config, logger *slog.Logger) *policies {
	return &policies{config: c, sum: c.Hash(), logger: logger, inForce: config.NewInForce(&c.Breakers)}
}

// of is the policy of a key, the same pointer until it is replaced.
func (p *policies) of(key breaker.Key) *breaker.Policy {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.inForce.Of(key)
}

// home is the policy of a key without what the tuner changed.
func (p *policies) home(key breaker.Key, overlays []breaker.Overlay, now breaker.Instant) *breaker.Policy {
	others := slices.DeleteFunc(slices.Clone(overlays), func(o breaker.Overlay) bool { return o.Register == breaker.RegisterTuner })
	if len(others) == len(overlays) {
		return p.of(key)
	}
	b := &p.current().Breakers
	layers, err := config.Layers(others, now)
	if err != nil {
		return b.Policy(key)
	}
	home, err := b.Overlaid(key, layers...)
	if err != nil {
		return b.Policy(key)
	}
	return home
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
	keys := append(p.config.Breakers.Keys(), p.inForce.Keys()...)
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
	known := p.inForce.Knows(key, overlays)
	p.mu.RUnlock()
	if known {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.inForce.Set(key, overlays, now); err != nil {
		p.logger.Error("an overlay does not fit this node's configuration and is not obeyed; reset it or correct the file",
			slog.String("key", string(key)), slog.Any("err", err))
	}
	return true
}

// expire ends temporary fields and returns the keys whose policy that replaced.
func (p *policies) expire(now breaker.Instant) []breaker.Key {
	p.mu.Lock()
	defer p.mu.Unlock()
	keys := p.inForce.Expire(now)
	for _, k := range keys {
		p.logger.Info("temporary fields of a policy ended", slog.String("key", string(k)), slog.Bool("obeyed", !slices.Contains(p.inForce.Invalid(), k)))
	}
	return keys
}

// replace takes another configuration, unless an overlay that is obeyed does not
// fit it. What takes long is done beside the lock: decisions need it.
func (p *policies) replace(c *config.Config, now breaker.Instant) error {
	sum := c.Hash()
	p.mu.RLock()
	before := p.inForce.Clone()
	p.mu.RUnlock()
	next, err := before.Under(&c.Breakers, now)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := next.Follow(p.inForce, now); err != nil {
		return err
	}
	p.config, p.sum, p.inForce = c, sum, next
	return nil
}

// invalid lists the keys whose overlays are not obeyed.
func (p *policies) invalid() []breaker.Key {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.inForce.Invalid()
}

// overlaid is the number of keys with an overlay that says something.
func (p *policies) overlaid(now breaker.Instant) int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.inForce.Overlaid(now)
}

// amend implements actors.Options.Amend.
func (p *policies) amend(key breaker.Key, s breaker.Snapshot, change spread.Lay, mo breaker.Moment) (breaker.Overlay, []string) {
	set, err := config.ParseOverlay(change.Set)
	if err != nil {
		return breaker.Overlay{}, textsOf(err)
	}
	if change.Register == breaker.RegisterTuner {
		if problems := outOfBounds(set); len(problems) > 0 {
			return breaker.Overlay{}, problems
		}
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	next, err := p.inForce.Amend(key, s, config.Amendment{
		Register: change.Register, Whole: change.Whole, Set: set, Unset: change.Unset, Length: change.Length,
		Author: change.Author, Reason: change.Reason,
	}, mo)
	if err != nil {
		return breaker.Overlay{}, textsOf(err)
	}
	return next, nil
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
