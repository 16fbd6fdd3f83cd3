package client

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/gate"
	"fleetfuse/hostname"
)

// A Call is what a caller wants to do: call a host, a resolver or both. Names
// may be in any spelling.
type Call struct {
	Host     string
	Resolver string
	Role     string
}

// A Result says how a call ended: by an HTTP status, or by an error class of
// ours ("timeout", "connect", "reset", "dns", "tls", "other" count as failures;
// "cancelled", "no-route", "proxy" are neutral).
type Result struct {
	Status     int
	Error      string // stronger than Status; a class of your own counts as "other"
	RetryAfter string // the raw header
	Date       string // the response's own Date header
	Latency    time.Duration
	FromCache  bool
}

// A Permit is a call that may be made. Report, Success or Cancel it; only the
// first counts.
type Permit struct {
	c       *Client
	d       gate.Decision
	call    gate.Call
	counted bool // false for a host that cannot be spelled
	probe   bool
	stale   bool
	began   breaker.Instant
	done    atomic.Bool
}

// Allow decides about a call. A rejection is an *OpenError. It waits only for
// the node's answer while a breaker is half-open. A host that cannot be spelled
// passes uncounted, with a line in the log once a minute.
func (c *Client) Allow(ctx context.Context, call Call) (*Permit, error) {
	p, err := c.decide(ctx, call)
	c.counts.add(p, err)
	return p, err
}

func (c *Client) decide(ctx context.Context, call Call) (*Permit, error) {
	p := &Permit{c: c, stale: c.Stale()}
	p.call, p.counted = c.spell(call)
	if !p.counted {
		return p, nil
	}
	if p.stale && c.opt.FailMode == FailClosed {
		if away := c.feed.awayFor(); away > 2*c.opt.Heartbeat {
			return nil, &OpenError{
				Key: keyOf(p.call), State: breaker.Open, Reason: ReasonNodeAway, RetryAfter: c.opt.Heartbeat / 5, Stale: true,
				Detail: "the node has been away for " + away.Round(time.Millisecond).String(),
			}
		}
	}
	p.d = c.gate.Allow(ctx, p.call)
	if !p.d.Allowed() {
		return nil, openError(p.d.Rejection(), p.stale)
	}
	p.probe = p.d.Probe()
	p.began = c.clock.Now()
	return p, nil
}

func keyOf(call gate.Call) breaker.Key {
	if call.Host != "" {
		return breaker.HostKey(call.Host)
	}
	return breaker.ResolverKey(call.Resolver)
}

// spell gives each name its one spelling; false if no key is left.
func (c *Client) spell(call Call) (gate.Call, bool) {
	var g gate.Call
	var err error
	if call.Host != "" {
		if g.Host, err = hostname.Normalize(call.Host); err != nil {
			c.odd.say(c.opt.Logger, "a host cannot be spelled; calls to it pass uncounted", call.Host, err)
			g.Host = ""
		}
	}
	if call.Resolver != "" {
		if g.Resolver, err = hostname.Resolver(call.Resolver); err != nil {
			c.odd.say(c.opt.Logger, "a resolver cannot be spelled; calls through it are not counted for it", call.Resolver, err)
			g.Resolver = ""
		}
	}
	if g.Role, err = hostname.Role(call.Role); err != nil {
		c.odd.say(c.opt.Logger, "a role cannot be spelled; its calls count as nameless", call.Role, err)
		g.Role = ""
	}
	return g, g.Host != "" || g.Resolver != ""
}

// complaints are made once a minute.
type complaints struct {
	mu   sync.Mutex
	last time.Time
}

func (o *complaints) say(log *slog.Logger, what, name string, err error) {
	if o.due() {
		log.Warn(what, slog.String("name", breaker.Cut(name)), slog.Any("error", err))
	}
}

// due reports whether the last complaint was a minute ago, and notes this one.
func (o *complaints) due() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if !o.last.IsZero() && now.Sub(o.last) < time.Minute {
		return false
	}
	o.last = now
	return true
}

// Probe reports whether the call is a probe of a half-open breaker.
func (p *Permit) Probe() bool { return p.probe }

// Stale reports whether the decision was taken while the node was away.
func (p *Permit) Stale() bool { return p.stale }

// Delay is how long to wait before a probe.
func (p *Permit) Delay() time.Duration {
	if !p.probe {
		return 0
	}
	return p.d.Delay()
}

// Wait waits for the probe's delay. If ctx ends first it cancels the permit
// and returns ctx's error.
func (p *Permit) Wait(ctx context.Context) error {
	d := p.Delay()
	if d <= 0 {
		return nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		p.began = p.c.clock.Now()
		return nil
	case <-ctx.Done():
		p.Cancel()
		return ctx.Err()
	}
}

// Success reports a success.
func (p *Permit) Success() { p.Report(Result{Status: 200}) }

// Cancel gives the permit back: the call was not made, or its end says nothing
// about the host.
func (p *Permit) Cancel() { p.Report(Result{Error: returnedUnsent}) }

// Report tells how the call went. Only the first report of a permit counts.
func (p *Permit) Report(r Result) {
	if p.counted && p.done.CompareAndSwap(false, true) {
		p.report(r)
	}
}

// policy is what the call's end is judged by.
func (p *Permit) policy() *breaker.Policy { return p.c.view.policy(keyOf(p.call)) }

// report counts a result.
func (p *Permit) report(r Result) {
	r = p.sound(r)
	c := p.c
	now := c.clock.Now()
	latency := r.Latency
	if latency <= 0 {
		latency = now.Sub(p.began)
	}
	evidence := breaker.Evidence{Status: r.Status, Error: r.Error, RetryAfter: breaker.Cut(r.RetryAfter)}
	p.tally(evidence, latency, r.FromCache, now)
	c.node.reports.remember(keyOf(p.call), evidence.RetryAfter, r.Date)
	p.d.Report(gate.Result{Evidence: evidence, Date: r.Date, Latency: latency, FromCache: r.FromCache})
}

// tally counts a success for the node, which is told once a second. What else
// there is the gate sends.
func (p *Permit) tally(e breaker.Evidence, latency time.Duration, fromCache bool, now breaker.Instant) {
	if p.probe {
		return
	}
	began := now.Add(-latency)
	if p.call.Host != "" {
		p.tallyKey(breaker.HostKey(p.call.Host), e, latency, fromCache, began, now)
	}
	if p.call.Resolver != "" {
		p.tallyKey(breaker.ResolverKey(p.call.Resolver), e, latency, fromCache, began, now)
	}
}

func (p *Permit) tallyKey(key breaker.Key, e breaker.Evidence, latency time.Duration, fromCache bool, began, now breaker.Instant) {
	kind, slow, _ := p.c.view.policy(key).ClassifyCall(e, latency, fromCache)
	if kind == breaker.Success && !slow {
		p.c.node.reports.succeeded(key, p.call.Role, 1, began, now)
	}
}

// brokeLater adds a failure to a call whose response head was fine.
func (p *Permit) brokeLater(class string) {
	if p.counted {
		p.report(Result{Error: class})
	}
}
