package cluster

import (
	"errors"
	"slices"
	"strings"
	"sync"
)

// A Missed is a configured peer that did not answer when it was tried last.
type Missed struct {
	Address string // as configured
	Why     string
}

// misses remembers why addresses were not joined. Addresses are those of seeds,
// so there are few.
type misses struct {
	mu  sync.Mutex
	why map[string]string
}

// note takes the end of a try: nil if the address answered, is this node's own or
// is that of a member.
func (m *misses) note(target string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err == nil {
		delete(m.why, target)
		return
	}
	if m.why == nil || len(m.why) > 2*maxSeeds {
		m.why = map[string]string{}
	}
	m.why[target] = whyMissed(err)
}

// of lists the peers that were missed, in their order.
func (m *misses) of(peers []string) (list []Missed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, p := range peers {
		if why, ok := m.why[p]; ok && !slices.Contains(peers[:i], p) {
			list = append(list, Missed{p, why})
		}
	}
	return list
}

// strangers are what memberlist says of a peer that is there and does not fit, and
// what to do about it.
var strangers = []struct{ said, means string }{
	{"no installed keys could decrypt", "its gossip is encrypted with none of this node's keys: is --cluster.keyring-file the same?"},
	{"encryption is not configured", "its gossip is encrypted, this node's is not: give --cluster.keyring-file"},
	{"remote state is not encrypted", "its gossip is not encrypted, this node's is: give it the same --cluster.keyring-file"},
	{"EOF", "it hung up: is that its gossip port, and --cluster.label the same?"},
	{"connection reset", "it hung up: is that its gossip port, and --cluster.label the same?"},
}

// whyMissed is an error of a try for people. memberlist hands on texts only.
func whyMissed(err error) string {
	if first := errors.Unwrap(err); first != nil {
		err = first // of a list of one
	}
	text := err.Error()
	for _, s := range strangers {
		if strings.Contains(text, s.said) {
			return s.means
		}
	}
	if rest, ok := strings.CutPrefix(text, "failed to join "); ok {
		_, text, _ = strings.Cut(rest, ": ")
	}
	return text
}

// Missed lists the configured peers that did not answer when they were tried last.
func (c *Cluster) Missed() []Missed { return c.membership.misses.of(c.membership.seeds.peers) }
