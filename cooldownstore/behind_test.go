package cooldownstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/memory"
)

var errDiskFull = errors.New("disk full")

// A save is one call of Save that a flaky store saw.
type save struct {
	at      time.Duration // since the store was made
	n       int
	durable cooldownstore.Durability
	failed  bool
}

// flaky is a memory store that fails or takes time on demand.
type flaky struct {
	*memory.Store
	start time.Time

	mu    sync.Mutex
	err   error
	takes time.Duration
	lost  bool // a save that fails was done: its acknowledgement was lost
	saves []save
}

func newFlaky() *flaky { return &flaky{Store: memory.New(), start: time.Now()} }

func (f *flaky) set(err error, takes time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err, f.takes = err, takes
}

func (f *flaky) seen() []save {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.saves)
}

func (f *flaky) Save(ctx context.Context, records []cooldownstore.Record, d cooldownstore.Durability) error {
	f.mu.Lock()
	f.saves = append(f.saves, save{time.Since(f.start), len(records), d, f.err != nil})
	err, takes, lost := f.err, f.takes, f.lost
	f.mu.Unlock()
	if takes > 0 {
		select {
		case <-time.After(takes):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err != nil && !lost {
		return err
	}
	return errors.Join(err, f.Store.Save(ctx, records, d))
}

func (f *flaky) stamp(t *testing.T, key breaker.Key) breaker.Stamp {
	t.Helper()
	r, _, err := f.Load(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return r.Snapshot.MaxStamp()
}

// word is a snapshot with this stamp that ends after d.
func word(stamp breaker.Stamp, d time.Duration) breaker.Snapshot {
	c := breaker.Cooldown{Setter: "n", Stamp: stamp, Until: now.Add(d), Length: d}
	return breaker.Snapshot{Cooldowns: []breaker.Cooldown{c}}
}

func key(i int) breaker.Key { return breaker.HostKey(fmt.Sprintf("h%d", i)) }

// behind runs a test with a Behind in a bubble of fake time.
func behind(t *testing.T, opt cooldownstore.BehindOptions, test func(*testing.T, *cooldownstore.Behind, *flaky)) {
	synctest.Test(t, func(t *testing.T) {
		f := newFlaky()
		opt.Clock = func() (breaker.Instant, time.Time) {
			return now.Add(time.Since(f.start)), time.Now()
		}
		b := cooldownstore.NewBehind(f, opt)
		test(t, b, f)
		f.set(nil, 0)
		if err := b.Close(context.Background()); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

func TestPutWritesWithinDelay(t *testing.T) {
	behind(t, cooldownstore.BehindOptions{}, func(t *testing.T, b *cooldownstore.Behind, f *flaky) {
		for round := range 3 {
			for i := range 10 {
				b.Put(key(i%5), word(breaker.Stamp(10*round+i+1), time.Hour))
			}
			if !b.Pending(key(0)) || b.Durable(key(0)) || b.Health().Pending != 5 {
				t.Errorf("at once: pending %v, health %+v, want 5 pending", b.Pending(key(0)), b.Health())
			}
			time.Sleep(50 * time.Millisecond)
			synctest.Wait()
			if b.Pending(key(0)) || b.Health().Pending != 0 || f.stamp(t, key(4)) != breaker.Stamp(10*round+10) {
				t.Errorf("after the delay: health %+v, stamp %d", b.Health(), f.stamp(t, key(4)))
			}
		}
		for i, s := range f.seen() {
			if s.n != 5 || s.durable != cooldownstore.SurvivesKill || len(f.seen()) != 3 {
				t.Errorf("save %d of %d has %d records, durability %d; want one batch of 5 for each round", i, len(f.seen()), s.n, s.durable)
			}
		}
		if b.Lasting() {
			t.Error("a memory store is lasting")
		}
	})
}

// A word that comes while an older one is being written is written in its turn.
func TestPutDuringWrite(t *testing.T) {
	behind(t, cooldownstore.BehindOptions{}, func(t *testing.T, b *cooldownstore.Behind, f *flaky) {
		f.set(nil, 20*time.Millisecond)
		b.Put("host:a", word(1, time.Hour))
		time.Sleep(30 * time.Millisecond)
		b.Put("host:a", word(2, time.Hour))
		time.Sleep(16 * time.Millisecond)
		if got := f.stamp(t, "host:a"); got != 1 || !b.Pending("host:a") {
			t.Errorf("after the first write: stamp %d, pending %v; want 1, and the second pending", got, b.Pending("host:a"))
		}
		time.Sleep(49 * time.Millisecond)
		if got := f.stamp(t, "host:a"); got != 2 || b.Pending("host:a") {
			t.Errorf("after the second write: stamp %d, pending %v; want 2 and none", got, b.Pending("host:a"))
		}
	})
}

func TestBatches(t *testing.T) {
	behind(t, cooldownstore.BehindOptions{}, func(t *testing.T, b *cooldownstore.Behind, f *flaky) {
		for i := range 2500 {
			b.Put(key(i), word(1, time.Hour))
		}
		time.Sleep(50 * time.Millisecond)
		synctest.Wait()
		got := f.seen()
		if len(got) != 3 || got[0].n != 1000 || got[1].n != 1000 || got[2].n != 500 {
			t.Errorf("2500 words are written as %+v, want 1000, 1000, 500", got)
		}
	})
}

// While the disk is full nothing is lost, and it is tried again soon, then
// every 5 s.
func TestFullDisk(t *testing.T) {
	var told []cooldownstore.Health
	opt := cooldownstore.BehindOptions{OnHealth: func(h cooldownstore.Health) { told = append(told, h) }}
	behind(t, opt, func(t *testing.T, b *cooldownstore.Behind, f *flaky) {
		f.set(errDiskFull, 0)
		for i := range 1500 {
			b.Put(key(i), word(1, time.Hour))
		}
		time.Sleep(time.Minute)
		b.Put(key(0), word(2, time.Hour))
		synctest.Wait()
		h := b.Health()
		if h.OK || !errors.Is(h.Err, errDiskFull) || h.Pending != 1500 || time.Since(h.Since) < 59*time.Second {
			t.Errorf("health after a minute: %+v", h)
		}
		saves := f.seen()
		for i, s := range saves[1:] {
			if gap := s.at - saves[i].at; gap > 5*time.Second || gap < 50*time.Millisecond {
				t.Errorf("attempt %d comes %v after the one before, want 50 ms to 5 s", i+1, gap)
			}
		}
		if n := len(saves); n < 12 || n > 30 {
			t.Errorf("%d attempts in a minute", n)
		}
		f.set(nil, 0)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if h := b.Health(); !h.OK || h.Err != nil || h.Pending != 0 || h.Dropped != 0 {
			t.Errorf("health with space again: %+v", h)
		}
		if f.stamp(t, key(0)) != 2 || f.stamp(t, key(1499)) != 1 {
			t.Errorf("with space again the stamps are %d and %d, want the latest words", f.stamp(t, key(0)), f.stamp(t, key(1499)))
		}
	})
	if len(told) != 2 || told[0].OK || !told[1].OK || !told[0].Since.Before(told[1].Since) {
		t.Errorf("OnHealth heard %+v, want not OK, then OK", told)
	}
}

func TestCommit(t *testing.T) {
	behind(t, cooldownstore.BehindOptions{}, func(t *testing.T, b *cooldownstore.Behind, f *flaky) {
		b.Put("host:a", word(1, time.Hour))
		b.Put("host:b", word(1, time.Hour))
		start := time.Now()
		if err := b.Commit(t.Context(), "host:a", word(2, time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := f.stamp(t, "host:a"); got != 2 || b.Pending("host:a") || !b.Pending("host:b") || time.Since(start) != 0 {
			t.Errorf("after Commit: stamp %d after %v", got, time.Since(start))
		}
		if got := f.seen(); len(got) != 1 || got[0].durable != cooldownstore.SurvivesPowerLoss || got[0].n != 1 {
			t.Errorf("Commit saves %+v, want one record, to survive power loss", got)
		}
		time.Sleep(time.Second)
		if got := f.seen(); len(got) != 2 || got[1].n != 1 {
			t.Errorf("later: %+v, want the other key alone: the word before was superseded", got)
		}
	})
}

// Commit waits for a batch under way, so that its older word cannot come last.
func TestCommitDuringWrite(t *testing.T) {
	behind(t, cooldownstore.BehindOptions{}, func(t *testing.T, b *cooldownstore.Behind, f *flaky) {
		f.set(nil, time.Second)
		b.Put("host:a", word(1, time.Hour))
		time.Sleep(100 * time.Millisecond)
		if err := b.Commit(t.Context(), "host:a", word(2, time.Hour)); err != nil {
			t.Fatal(err)
		}
		if got := f.stamp(t, "host:a"); got != 2 || b.Pending("host:a") {
			t.Errorf("after Commit: stamp %d, pending %v, want 2 and no more to come", got, b.Pending("host:a"))
		}
	})
}

// An operator's word that goes through shows that the disk has space again.
func TestCommitEndsWaiting(t *testing.T) {
	behind(t, cooldownstore.BehindOptions{}, func(t *testing.T, b *cooldownstore.Behind, f *flaky) {
		f.set(errDiskFull, 0)
		b.Put("host:a", word(1, time.Hour))
		time.Sleep(time.Minute)
		f.set(nil, 0)
		if err := b.Commit(t.Context(), "host:b", word(2, time.Hour)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
		if b.Pending("host:a") || !b.Health().OK {
			t.Errorf("after a commit that went through: health %+v, want nothing pending", b.Health())
		}
	})
}

// A commit that fails is said to, stays pending, and is still an operator's
// word when it is retried.
func TestCommitFails(t *testing.T) {
	behind(t, cooldownstore.BehindOptions{}, func(t *testing.T, b *cooldownstore.Behind, f *flaky) {
		f.set(errDiskFull, 0)
		if err := b.Commit(t.Context(), "host:a", word(2, time.Hour)); !errors.Is(err, errDiskFull) || !b.Pending("host:a") {
			t.Errorf("Commit on a full disk: %v, pending %v", err, b.Pending("host:a"))
		}
		f.set(nil, 0)
		time.Sleep(time.Second)
		synctest.Wait()
		got := f.seen()
		if last := got[len(got)-1]; f.stamp(t, "host:a") != 2 || last.durable != cooldownstore.SurvivesPowerLoss {
			t.Errorf("with space again: stamp %d, saves %+v", f.stamp(t, "host:a"), got)
		}

		f.set(nil, time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := b.Commit(ctx, "host:b", word(3, time.Hour)); !errors.Is(err, context.DeadlineExceeded) || !b.Pending("host:b") {
			t.Errorf("Commit on a disk that hangs: %v, pending %v", err, b.Pending("host:b"))
		}
		time.Sleep(time.Minute)
		if f.stamp(t, "host:b") != 3 {
			t.Error("the word of a commit that nobody waited for is lost")
		}
	})
}
