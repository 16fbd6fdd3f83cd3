package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

const (
	operators     = 6 // talkers that open and close
	operatorHosts = 60
	sightings     = 3 // talkers that report Retry-Afters
	coolHosts     = 600
	coolBatch     = 10

	wordLimit = 20 * time.Second // only stops hangs: a node's own limits are shorter
	pace      = 2 * time.Millisecond
	askEvery  = 10 * time.Millisecond
	longest   = 20 * time.Hour // of a Retry-After; a day is the cap
)

// talking is the load: talkers that say things to nodes, and what they said.
type talking struct {
	crew *crew
	stop context.CancelFunc
	done sync.WaitGroup

	quiet sync.RWMutex // each talker reads it while it says a word; a check writes
	hosts []*host

	mu               sync.Mutex // of what follows, and of hosts' words
	words, cooldowns tally
}

// A talker says things about hosts of its own.
type talker struct {
	*talking
	rnd   *rand.Rand
	hosts []*host
}

// talk starts talkers, until end.
func talk(ctx context.Context, c *crew, seed uint64) *talking {
	ctx, stop := context.WithCancel(ctx)
	t := &talking{crew: c, stop: stop}
	for i := range operators {
		x := t.talker(seed, fmt.Sprint("op", i), operatorHosts)
		t.done.Go(func() { x.run(ctx, x.operate) })
	}
	for i := range sightings {
		x := t.talker(seed, fmt.Sprint("cool", i), coolHosts)
		t.done.Go(func() { x.run(ctx, x.cool) })
	}
	return t
}

func (t *talking) end() {
	t.stop()
	t.done.Wait()
}

func (t *talking) talker(seed uint64, word string, many int) *talker {
	x := &talker{talking: t, rnd: rand.New(rand.NewPCG(seed, uint64(len(t.hosts)+1)))}
	for i := range many {
		x.hosts = append(x.hosts, &host{name: fmt.Sprintf("%s-%d.example.org", word, i)})
	}
	t.hosts = append(t.hosts, x.hosts...)
	return x
}

// run says one word after the other, and nothing while a check listens or no
// node runs.
func (x *talker) run(ctx context.Context, say func(context.Context, *fleet.Node)) {
	t := time.NewTicker(pace)
	defer t.Stop()
	for ctx.Err() == nil {
		x.quiet.RLock()
		if n := x.crew.up(x.rnd); n != nil && ctx.Err() == nil {
			limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), wordLimit)
			say(limited, n)
			cancel()
		}
		x.quiet.RUnlock()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
}

// operate opens or closes a host as an operator does, or reports a Retry-After
// of it that a close ends too. After a word of unknown outcome it closes.
func (x *talker) operate(ctx context.Context, n *fleet.Node) {
	list := x.pick(1)
	if len(list) == 0 {
		return
	}
	h := list[0]
	switch dice := x.rnd.IntN(10); {
	case h.loose || dice < 4:
		x.close(ctx, n, h)
	case dice < 8:
		x.open(ctx, n, h, x.length(time.Hour))
	default:
		x.retryAfter(ctx, n, list, x.length(time.Hour))
	}
}

// cool reports Retry-Afters, each longer than all before of its host, as far as
// that goes.
func (x *talker) cool(ctx context.Context, n *fleet.Node) {
	length := x.length(5 * time.Minute)
	var list []*host
	for _, h := range x.pick(coolBatch) {
		more := time.Until(h.ceiling).Truncate(time.Second) + time.Minute
		if more < longest {
			list = append(list, h)
			length = max(length, more)
		}
	}
	if len(list) > 0 {
		x.retryAfter(ctx, n, list, length)
	}
}

// pick picks hosts of which something may be said.
func (x *talker) pick(many int) []*host {
	list := map[*host]bool{}
	for range many {
		if h := x.hosts[x.rnd.IntN(len(x.hosts))]; !h.interrupted {
			list[h] = true
		}
	}
	var sorted []*host // maps have no order, and a seed is to mean something
	for _, h := range x.hosts {
		if list[h] {
			sorted = append(sorted, h)
		}
	}
	return sorted
}

// length is of whole seconds, as a Retry-After is, and from an hour on: nothing
// runs out meanwhile.
func (x *talker) length(spread time.Duration) time.Duration {
	return time.Hour + time.Duration(x.rnd.Int64N(int64(spread))).Truncate(time.Second)
}

func (x *talker) open(ctx context.Context, n *fleet.Node, h *host, length time.Duration) {
	sent := time.Now()
	r, err := n.Open(ctx, h.name, length)
	h.mayOpen(time.Now().Add(length))
	x.mu.Lock()
	defer x.mu.Unlock()
	if err != nil || !r.Durable {
		h.unknown(&x.words)
		return
	}
	h.opened(sent.Add(length))
	h.acknowledged(word{tally: &x.words, text: fmt.Sprintf("open for %v at %s", length, n.Name), at: time.Now()})
}

func (x *talker) close(ctx context.Context, n *fleet.Node, h *host) {
	h.mayClose()
	r, err := n.Close(ctx, h.name)
	x.mu.Lock()
	defer x.mu.Unlock()
	if err != nil || !r.Durable {
		h.unknown(&x.words)
		return
	}
	h.closed()
	h.acknowledged(word{tally: &x.words, text: "close at " + n.Name, at: time.Now()})
}

// retryAfter reports a Retry-After of some hosts in one batch, and asks until
// the node lists each as durable: only then it is acknowledged.
func (x *talker) retryAfter(ctx context.Context, n *fleet.Node, hosts []*host, length time.Duration) {
	var outcomes []api.Outcome
	for _, h := range hosts {
		outcomes = append(outcomes, api.Outcome{Host: h.name, Status: 429, RetryAfter: length.Seconds()})
	}
	sent := time.Now()
	err := n.Report(ctx, outcomes...)
	until, latest := sent.Add(length), time.Now().Add(length)
	for _, h := range hosts {
		h.mayOpen(latest)
		if err == nil {
			err = awaitDurable(ctx, n, h, until)
		}
		x.mu.Lock()
		if err != nil {
			h.unknown(&x.cooldowns)
		} else {
			h.opened(until)
			h.acknowledged(word{tally: &x.cooldowns, text: fmt.Sprintf("Retry-After %v at %s", length, n.Name), at: time.Now()})
		}
		x.mu.Unlock()
	}
}

// awaitDurable asks a node about a host until it lists a deadline as durable.
func awaitDurable(ctx context.Context, n *fleet.Node, h *host, until time.Time) error {
	t := time.NewTicker(askEvery)
	defer t.Stop()
	for {
		b, err := n.Breaker(ctx, h.name)
		if err != nil {
			return err
		}
		if b.Durable && !believed(b).Before(until.Add(-maxSooner)) {
			return nil
		}
		select {
		case <-t.C:
		case <-n.Exited():
			return fmt.Errorf("node %s was killed", n.Name)
		case <-ctx.Done():
			return fmt.Errorf("node %s never listed %s as durable: %+v", n.Name, h.name, b)
		}
	}
}

// believed is until when a node holds a host open for the fleet; zero if not.
func believed(b api.Breaker) time.Time {
	if b.State != "open" || b.Local || b.Until == nil {
		return time.Time{}
	}
	return *b.Until
}

// fresh counts the words that were acknowledged within a time before a moment.
func (t *talking) fresh(moment time.Time, within time.Duration) (n int) {
	for _, h := range t.hosts {
		if h.last != nil && !h.last.held && moment.Sub(h.last.at) < within && !h.last.at.After(moment) {
			n++
		}
	}
	return n
}

// wrong are the hosts that a node's list does not show as they must be. sooner
// and later are how far the deadlines of the others are off at most.
func (t *talking) wrong(list []api.Breaker) (found map[*host]string, sooner, later time.Duration) {
	until := map[string]time.Time{}
	for _, b := range list {
		until[b.Name] = believed(b)
	}
	found = map[*host]string{}
	for _, h := range t.hosts {
		at := until[h.name]
		if why := h.wrong(at); why != "" {
			found[h] = why
			continue
		}
		if !at.IsZero() {
			s, l := h.off(at)
			sooner, later = max(sooner, s), max(later, l)
		}
	}
	return found, sooner, later
}
