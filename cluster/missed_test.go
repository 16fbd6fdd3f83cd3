package cluster

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A node says of each configured peer why it is not reached, until it is.
func TestMissedPeersAreKnown(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
	writeKeys(t, one, 1)
	writeKeys(t, two, 2)
	synctest.Test(t, func(t *testing.T) {
		f := newFabric()
		first := f.fellow(t, "n1", 1, func(o *Options) { o.Gossip.KeyringFile = one })
		peers := []string{"10.0.0.1:7141", "10.0.0.9:7141"}
		other := f.fellow(t, "n2", 1, func(o *Options) {
			o.Gossip.KeyringFile, o.Gossip.Peers = two, peers
		})
		plain := f.fellow(t, "n3", 1, func(o *Options) { o.Gossip.Peers = peers[:1] })
		time.Sleep(20 * time.Second)
		if got := first.misses.of([]string{"10.0.0.1:7141"}); len(got) > 0 {
			t.Errorf("its own address: %v", got)
		}
		for who, x := range map[string]struct {
			got  []Missed
			want string
		}{
			"another key": {other.misses.of(peers), "none of this node's keys"},
			"no key":      {plain.misses.of(peers), "this node's is not"},
		} {
			if len(x.got) == 0 || x.got[0].Address != peers[0] || !strings.Contains(x.got[0].Why, x.want) {
				t.Errorf("%s: %v; want %q", who, x.got, x.want)
			}
		}
		if got := other.misses.of(peers); len(got) != 2 || got[1].Why != "i/o timeout" {
			t.Errorf("a peer that is not there: %v", got)
		}
		writeKeys(t, two, 1)
		until(t, 20*time.Second, "with the right key the peer is reached", func() bool { return len(other.misses.of(peers[:1])) == 0 })
		end(first, other, plain)
	})
}

func TestWhyAPeerIsMissed(t *testing.T) {
	for said, want := range map[string]string{
		"failed to join 10.0.0.1:7141: dial tcp 10.0.0.1:7141: connect: connection refused": "dial tcp 10.0.0.1:7141: connect: connection refused",
		"failed to join 10.0.0.1:7141: EOF":                                                 "it hung up: is that its gossip port, and --cluster.label the same?",
		"lookup nowhere.invalid: no such host":                                              "lookup nowhere.invalid: no such host",
	} {
		if got := whyMissed(errors.New(said)); got != want {
			t.Errorf("%s: %s; want %s", said, got, want)
		}
	}
}
