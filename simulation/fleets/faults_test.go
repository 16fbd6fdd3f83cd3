package fleets

import (
	"os"
	"path/filepath"
	"time"

	"fleetfuse/simulation/bubbles"
)

// quietStart is the time at the begin in which nothing is broken.
const quietStart = 8 * time.Second

// faults breaks things one after the other until a time, one at least, and puts all
// right.
func (w *world) faults(end time.Duration) {
	ctx := w.t.Context()
	pause(ctx, quietStart)
	first := w.random.IntN(len(w.scenario.faults))
	for k := first; ; k++ {
		gap, lasts := time.Duration(1+w.random.IntN(3))*time.Second, time.Duration(2+w.random.IntN(6))*time.Second
		if k > first && w.Now()+gap+lasts > end || ctx.Err() != nil { // the start may have taken long
			return
		}
		pause(ctx, gap)
		i := w.random.IntN(size)
		switch kind := w.scenario.faults[k%len(w.scenario.faults)]; kind {
		case bubbles.Killed:
			w.kill(i, lasts)
		case bubbles.Paused:
			over := w.Fault(kind, i)
			w.must(w.node(i).Pause())
			pause(ctx, lasts)
			w.must(w.node(i).Resume())
			over()
		case bubbles.Parted:
			away := w.random.Perm(size)[:1+w.random.IntN(2)]
			over := w.Fault(kind, away...)
			w.must(w.network.Split(away...))
			pause(ctx, lasts)
			w.must(w.network.Heal(away...))
			over()
		case bubbles.RedisDown: // and a node is killed meanwhile
			over := w.Fault(kind)
			w.redis.Kill()
			pause(ctx, lasts/2)
			w.kill(i, lasts/2)
			w.must(w.redis.Restart(ctx))
			over()
		case bubbles.DiskFull:
			w.fillDisk(lasts)
		}
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Errorf("seed %d: %v", w.Seed, err)
	}
}

// kill is kill -9, and a start with the same data.
func (w *world) kill(i int, lasts time.Duration) {
	over := w.Fault(bubbles.Killed, i)
	n := w.node(i)
	w.seat(i, nil)
	n.Kill()
	pause(w.t.Context(), lasts)
	w.must(w.again(i))
	over()
}

// fillDisk leaves no room on the small disk for a while. Its node must go on.
func (w *world) fillDisk(lasts time.Duration) {
	i := w.scenario.disk - 1
	filler := filepath.Join(w.dataDir(i), "filler")
	over := w.Fault(bubbles.DiskFull, i)
	f, err := os.Create(filler)
	w.must(err)
	for size := 1 << 16; size > 0 && err == nil; size /= 2 {
		for _, full := f.Write(make([]byte, size)); full == nil; _, full = f.Write(make([]byte, size)) {
		}
	}
	f.Close()
	pause(w.t.Context(), lasts)
	w.must(os.Remove(filler))
	over()
}
