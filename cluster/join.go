package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// A round is a set of addresses to join.
type round struct {
	targets []string        // host:port
	live    map[string]bool // ip:port that need not be joined
	first   chan struct{}   // closed at the first answer, or at the end; may be nil
	starts  bool            // belongs to the start: no rejoin
}

const resolveLimit = time.Second

// nextRound picks what to join now. The loop calls it.
func (m *membership) nextRound() round {
	live := map[string]bool{m.own: true}
	m.mu.Lock()
	for _, s := range m.sightings {
		live[s.GossipAddress] = true
	}
	m.mu.Unlock()
	return round{targets: m.seeds.round(live), live: live}
}

func (m *membership) firstRound() round {
	r := m.nextRound()
	r.first, r.starts = make(chan struct{}), true
	return r
}

// joinFirst waits for the first member to answer, so that a node that has peers
// usually knows them when its start returns.
func (m *membership) joinFirst(ctx context.Context, r round) {
	if len(r.targets) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, firstJoin)
	defer cancel()
	select {
	case m.rounds <- r:
	case <-ctx.Done():
		return
	}
	select {
	case <-r.first:
		m.settle(ctx)
	case <-ctx.Done():
	}
}

// joiner joins one round after the other, so that the loop never waits.
func (m *membership) joiner() {
	for {
		select {
		case <-m.ctx.Done():
			return
		case r := <-m.rounds:
			m.join(r)
		}
	}
}

// join tries all targets at once and returns when the slowest is through.
func (m *membership) join(r round) {
	var all sync.WaitGroup
	var answered atomic.Bool
	var once sync.Once
	heard := func() {
		if r.first != nil {
			once.Do(func() { close(r.first) })
		}
	}
	for _, target := range r.targets {
		all.Go(func() {
			if !m.joinOne(target, r) {
				return
			}
			if answered.Store(true); !r.starts {
				m.counts.rejoins.Add(1)
			}
			m.kick()
			heard()
		})
	}
	all.Wait()
	heard()
	if !answered.Load() && m.ctx.Err() == nil {
		m.said.say(m.log, slog.LevelInfo, "join", "some addresses are not reached; they are tried again",
			"addresses", len(r.targets), "one", r.targets[0])
	}
}

// joinOne resolves a target and joins the addresses that are not live. It is
// true if one answered.
func (m *membership) joinOne(target string, r round) bool {
	addrs, err := resolve(m.ctx, target)
	any := false
	for _, addr := range addrs {
		if r.live[addr] {
			continue
		}
		n, e := m.list.Join([]string{addr})
		any = any || n > 0
		if e != nil {
			err = e
		}
	}
	if m.ctx.Err() != nil {
		return any
	}
	if err != nil {
		m.log.Debug("an address was not joined", "address", target, "err", err)
	}
	if any {
		err = nil
	}
	m.misses.note(target, err)
	return any
}

// resolve is a target's addresses as they are now.
func resolve(ctx context.Context, target string) ([]string, error) {
	host, port, err := splitHostPort(target)
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return []string{target}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveLimit)
	defer cancel()
	ips, err := net.DefaultResolver.LookupHost(ctx, host)
	for i, ip := range ips {
		ips[i] = net.JoinHostPort(ip, fmt.Sprint(port))
	}
	return ips, err
}
