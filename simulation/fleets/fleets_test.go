package fleets

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"fleetfuse/simulation/bubbles"
)

func TestKillsAndPauses(t *testing.T) {
	live(t, 1, scenario{faults: []bubbles.FaultKind{bubbles.Killed, bubbles.Paused}})
}

func TestPartitions(t *testing.T) {
	live(t, 2, scenario{faults: []bubbles.FaultKind{bubbles.Parted, bubbles.Parted, bubbles.Killed}, network: true})
}

func TestStoresFail(t *testing.T) {
	live(t, 3, scenario{faults: []bubbles.FaultKind{bubbles.RedisDown, bubbles.DiskFull}, redis: true, disk: 2})
}

// live lives through a scenario, and holds its history to the promises.
func live(t *testing.T, usual uint64, s scenario) {
	if testing.Short() {
		t.Skip("a fleet takes most of a minute")
	}
	length, seed := fleetLength(t), seed(t, usual)
	w := start(t, s, seed, length)
	w.linearizable("register.example.org", 20)
	ctx, end := context.WithCancel(t.Context())
	for i := range 2 * size {
		random := rand.New(rand.NewPCG(seed, uint64(100+i)))
		w.work.Go(func() { w.worker(ctx, i%size, random) })
	}
	random := rand.New(rand.NewPCG(seed, 1))
	w.work.Go(func() { w.operator(ctx, random) })
	w.faults(length)
	w.agree("after the last fault")
	end()
	w.work.Wait()
	if s.network {
		w.storms()
	}
	t.Logf("seed %d: %v in %v", seed, w.History, w.Now())
	judge(t, w.History)
}

// judge checks a history and says how to live it again.
func judge(t *testing.T, h *bubbles.History) {
	t.Helper()
	covered := bubbles.Cover(h, bubbles.Usual)
	t.Log(covered)
	if covered.Deadlines == 0 || covered.Closes == 0 {
		t.Errorf("seed %d: the history shows too little: %v", h.Seed, covered)
	}
	found := bubbles.Check(h, bubbles.Usual)
	for _, v := range found {
		t.Errorf("seed %d: %v", h.Seed, v)
	}
	if !t.Failed() {
		return
	}
	for _, f := range h.Faults {
		t.Logf("fault %v %s of %v", f.Span, f.Kind, f.Nodes)
	}
	path := filepath.Join(os.TempDir(), fmt.Sprintf("fleet-%s-%d.json", t.Name(), h.Seed))
	t.Logf("again: FLEET_SEED=%d go test -run %s ./simulation/fleets; the history: %s (%v)", h.Seed, t.Name(), path, h.Save(path))
}
