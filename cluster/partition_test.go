package cluster

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fleetfuse/wire"
)

func TestPartitionHeals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric()
		all := fleet(t, f, 5, nil)
		f.split(map[string]int{all[3].port.addr: 1, all[4].port.addr: 1})
		until(t, 10*time.Second, "each side is alone", func() bool {
			return all[0].sees("n1#1", "n2#1", "n3#1") && all[4].sees("n4#1", "n5#1")
		})
		time.Sleep(3 * time.Minute)
		f.split(nil)
		took := until(t, 15*time.Second, "the sides agree again", func() bool { return agree(all) })
		t.Logf("healed after %v", took)
		time.Sleep(time.Minute)
		if !agree(all) {
			t.Error("a minute later they do not agree any more")
		}
		for _, n := range all {
			if e := n.epoch.Load(); e < 2 {
				t.Errorf("%s has epoch %d; want a later one than the one that was given up", n.nodeID, e)
			}
		}
		end(all...)
	})
}

// agree says that all nodes have all nodes as members, with the same epochs.
func agree(all []*fellow) bool {
	var want []string
	for _, n := range all {
		want = append(want, memberID(n.nodeID, n.epoch.Load()))
	}
	return !slices.ContainsFunc(all, func(n *fellow) bool { return !n.sees(want...) })
}

// A node that was cut off, as a paused process is, learns that it was given up
// and is a member again with a later epoch.
func TestEvictedNodeReturns(t *testing.T) {
	for _, away := range []time.Duration{4 * time.Second, 20 * time.Second, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			f := newFabric()
			all := fleet(t, f, 3, nil)
			f.split(map[string]int{all[2].port.addr: 1})
			time.Sleep(away)
			f.split(nil)
			took := until(t, 10*time.Second, "the node is back", func() bool { return agree(all) })
			t.Logf("away %v: back after %v", away, took)
			n := all[2]
			if len(n.told().evicted) == 0 || n.told().evicted[0] != 2 {
				t.Errorf("Evicted was told %v, want 2 first", n.told().evicted)
			}
			if got := n.counts.read().Evictions; got != uint64(len(n.told().evicted)) {
				t.Errorf("Evictions = %d, want %d", got, len(n.told().evicted))
			}
			end(all...)
		})
	}
}

func TestLeftAndLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric()
		all := fleet(t, f, 4, nil)
		home, leaver, stopper, dead := all[0], all[1], all[2], all[3]
		if err := leaver.leave(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := home.told().live[1]; got.ID != "n2" || !got.Draining {
			t.Errorf("after Leave the others see %+v, want n2 draining", got)
		}
		leaver.stop()
		stopper.drain()
		stopper.stop()
		dead.port.kill()
		until(t, 10*time.Second, "one is left", func() bool { return home.count() == 1 })
		if !slices.Equal(slices.Sorted(slices.Values(home.told().left)), []string{"n2", "n3"}) || home.told().lost != 1 {
			t.Errorf("left = %v, lost = %d, want n2 and n3 and one lost", home.told().left, home.told().lost)
		}
		if want := []string{dead.port.addr}; !slices.Equal(home.told().seeds, want) {
			t.Errorf("seeds = %v, want %v: who left is forgotten, who is lost is not", home.told().seeds, want)
		}
		end(home, dead)
	})
}

// A process that was killed and started again supersedes the first: its node is
// never lost.
func TestRestartSupersedes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric()
		all := fleet(t, f, 3, nil)
		all[2].port.kill()
		again := f.fellow(t, "n3", 2, nil)
		until(t, time.Second, "the new process is a member", func() bool { return all[0].sees("n1#1", "n2#1", "n3#2") })
		time.Sleep(time.Minute) // the old one is found dead meanwhile
		if !all[1].sees("n1#1", "n2#1", "n3#2") || all[0].told().lost+all[1].told().lost > 0 {
			t.Errorf("live = %v, lost = %d, want n3#2 among them and nobody lost", all[1].told().live, all[1].told().lost)
		}
		end(append(all, again)...)
	})
}

// A node that lost its persisted epoch is told which one was given up.
func TestRestartWithAnOldEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric()
		all := fleet(t, f, 2, nil)
		old := f.fellow(t, "x", 41, nil)
		until(t, time.Second, "x is a member", func() bool { return all[0].sees("n1#1", "n2#1", "x#41") })
		old.port.kill()
		until(t, 10*time.Second, "x is lost", func() bool { return all[0].sees("n1#1", "n2#1") })
		again := f.fellow(t, "x", 3, nil)
		until(t, 10*time.Second, "x is back", func() bool { return all[0].sees("n1#1", "n2#1", "x#42") && all[1].sees("n1#1", "n2#1", "x#42") })
		if !slices.Equal(again.told().evicted, []uint64{42}) {
			t.Errorf("Evicted was told %v, want 42", again.told().evicted)
		}
		end(append(all, old, again)...)
	})
}

// Frames that go along with memberlist's state come after their sender.
func TestStateIsExchanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := fleet(t, newFabric(), 2, nil)
		for _, n := range all {
			until(t, time.Second, "a digest came along", func() bool { return len(n.told().merged) > 0 })
			if f := n.told().merged[0]; f.GetEpoch() != 1 || f.GetFrom() == n.nodeID || f.GetStamp() != 7 || f.GetDigest().GetSync() != 1 {
				t.Errorf("%s got %v, want the other's digest", n.nodeID, f)
			}
		}
		end(all...)
	})
}

func TestMetaIsSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := fleet(t, newFabric(), 3, func(o *Options) { o.Version, o.ConfigHash = "v9", 12 })
		all[1].tell(func(m *wire.Meta) { m.ApiAddress, m.Apart = "127.0.0.1:7140", true })
		until(t, time.Second, "the others know", func() bool {
			m := memberAt(all[0], 1)
			return m.APIAddress == "127.0.0.1:7140" && m.Apart && m.Version == "v9" && m.ConfigHash == 12 && m.Name == "same"
		})
		all[1].tell(func(m *wire.Meta) { m.ApiAddress = fmt.Sprintf("%0600d", 1) })
		until(t, time.Second, "what does not fit is left out", func() bool { return memberAt(all[0], 1).APIAddress == "" })
		if !agree(all) {
			t.Error("the members do not agree any more")
		}
		end(all...)
	})
}

func memberAt(n *fellow, i int) Member {
	return n.told().live[i]
}
