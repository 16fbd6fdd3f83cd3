package cooldownstore_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

func TestLimit(t *testing.T) {
	behind(t, cooldownstore.BehindOptions{Limit: 10}, func(t *testing.T, b *cooldownstore.Behind, f *flaky) {
		f.set(errDiskFull, 0)
		if err := b.Commit(t.Context(), "host:operator", word(1, time.Second)); err == nil {
			t.Error("Commit on a full disk succeeds")
		}
		for _, i := range rand.Perm(30) { // key i ends after i minutes
			b.Put(key(i), word(1, time.Duration(i)*time.Minute))
		}
		b.Put(key(29), word(2, time.Minute)) // now the first to go
		b.Put("host:clear", breaker.Snapshot{Clear: 1, ClearKept: now.Add(breaker.KeepClear)})
		for i := range 30 {
			if got, want := b.Pending(key(i)), i >= 21 && i < 29; got != want {
				t.Errorf("the key that ends after %d min is pending: %v, want %v", i, got, want)
			}
		}
		if h := b.Health(); h.Pending != 10 || h.Dropped != 22 || !b.Pending("host:operator") || !b.Pending("host:clear") {
			t.Errorf("health %+v, want 10 pending with the operator's words, 22 dropped", h)
		}
	})
}

func TestFlush(t *testing.T) {
	behind(t, cooldownstore.BehindOptions{Delay: time.Hour}, func(t *testing.T, b *cooldownstore.Behind, f *flaky) {
		flush := func() error { return b.Flush(t.Context()) }
		if err := flush(); err != nil || len(f.seen()) != 0 {
			t.Errorf("Flush of nothing: %v, saves %+v", err, f.seen())
		}
		for i := range 2500 {
			b.Put(key(i), word(1, time.Hour))
		}
		start := time.Now()
		if err := flush(); err != nil || b.Health().Pending != 0 || time.Since(start) != 0 {
			t.Errorf("Flush: %v after %v, health %+v", err, time.Since(start), b.Health())
		}
		f.set(errDiskFull, 0)
		b.Put(key(0), word(2, time.Hour))
		if err := flush(); !errors.Is(err, errDiskFull) || !b.Pending(key(0)) {
			t.Errorf("Flush on a full disk: %v, pending %v", err, b.Pending(key(0)))
		}
		f.set(nil, 0)
		if err := flush(); err != nil || f.stamp(t, key(0)) != 2 {
			t.Errorf("Flush with space again: %v, stamp %d", err, f.stamp(t, key(0)))
		}
		f.set(nil, time.Second)
		b.Put(key(0), word(3, time.Hour))
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := b.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Flush on a slow disk: %v, want its deadline", err)
		}
	})
}

// A save may have been done although its acknowledgement was lost: its words
// stay pending, and written again they or later ones are there once.
func TestLostAcknowledgement(t *testing.T) {
	behind(t, cooldownstore.BehindOptions{}, func(t *testing.T, b *cooldownstore.Behind, f *flaky) {
		f.set(errDiskFull, 0)
		f.lost = true // nobody writes yet
		if err := b.Commit(t.Context(), "host:a", word(1, time.Hour)); !errors.Is(err, errDiskFull) || !b.Pending("host:a") || b.Health().OK {
			t.Errorf("Commit whose acknowledgement is lost: %v, pending %v, health %+v", err, b.Pending("host:a"), b.Health())
		}
		b.Put("host:b", word(1, time.Hour))
		time.Sleep(time.Minute)
		synctest.Wait()
		if f.stamp(t, "host:a") != 1 || f.stamp(t, "host:b") != 1 || b.Health().Pending != 2 {
			t.Errorf("written, but not acknowledged: stamps %d and %d, health %+v", f.stamp(t, "host:a"), f.stamp(t, "host:b"), b.Health())
		}
		b.Put("host:b", word(2, time.Hour))
		f.set(nil, 0)
		if err := b.Flush(t.Context()); err != nil || b.Health().Pending != 0 {
			t.Errorf("Flush: %v, health %+v", err, b.Health())
		}
		for key, want := range map[breaker.Key]breaker.Stamp{"host:a": 1, "host:b": 2} {
			r, _, err := f.Load(t.Context(), key)
			if err != nil || len(r.Snapshot.Cooldowns) != 1 || r.Snapshot.MaxStamp() != want {
				t.Errorf("%s: %+v, %v; want the last word, once", key, r, err)
			}
		}
	})
}

// Flush waits for the words there were, not for those that keep coming.
func TestFlushEnds(t *testing.T) {
	behind(t, cooldownstore.BehindOptions{}, func(t *testing.T, b *cooldownstore.Behind, f *flaky) {
		f.set(nil, 10*time.Millisecond)
		stop := make(chan struct{})
		var group sync.WaitGroup
		group.Go(func() {
			for i := 1; ; i++ {
				b.Put("host:a", word(breaker.Stamp(i), time.Hour))
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
				}
			}
		})
		time.Sleep(100 * time.Millisecond)
		start := time.Now()
		if err := b.Flush(t.Context()); err != nil || time.Since(start) > 100*time.Millisecond {
			t.Errorf("Flush beside a busy writer: %v after %v", err, time.Since(start))
		}
		if want := breaker.Stamp(start.Sub(f.start) / time.Millisecond); f.stamp(t, "host:a") < want {
			t.Errorf("after Flush the stamp is %d, want at least %d, the last word before it", f.stamp(t, "host:a"), want)
		}
		close(stop)
		group.Wait()
	})
}

func TestClose(t *testing.T) {
	behind(t, cooldownstore.BehindOptions{}, func(t *testing.T, b *cooldownstore.Behind, f *flaky) {
		b.Put("host:a", word(1, time.Hour))
		for range 2 {
			if err := b.Close(t.Context()); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if f.stamp(t, "host:a") != 1 {
			t.Error("Close did not flush")
		}
		b.Put("host:a", word(2, time.Hour))
		if h := b.Health(); h.Dropped != 1 || h.Pending != 0 {
			t.Errorf("Put after Close: %+v, want it counted as dropped", h)
		}
		for name, err := range map[string]error{
			"Commit": b.Commit(t.Context(), "host:a", word(3, time.Hour)), "Flush": b.Flush(t.Context()),
		} {
			if !errors.Is(err, cooldownstore.ErrClosed) {
				t.Errorf("%s after Close: %v, want ErrClosed", name, err)
			}
		}
		if _, _, err := f.Load(t.Context(), "host:a"); err != nil {
			t.Errorf("the store after Close: %v, want it open", err)
		}
	})
}

func TestCloseWhileFailing(t *testing.T) {
	for name, takes := range map[string]time.Duration{"full disk": 0, "hanging disk": time.Hour} {
		behind(t, cooldownstore.BehindOptions{}, func(t *testing.T, b *cooldownstore.Behind, f *flaky) {
			f.set(errDiskFull, takes)
			b.Put("host:a", word(1, time.Hour))
			b.Put("host:b", word(1, time.Hour))
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			commit := make(chan error, 1)
			go func() { commit <- b.Commit(t.Context(), "host:c", word(1, time.Hour)) }()
			synctest.Wait()
			err := b.Close(ctx)
			if err == nil || !strings.Contains(err.Error(), "3 not written") {
				t.Errorf("%s: Close: %v, want how many words were not written", name, err)
			}
			if err := <-commit; err == nil {
				t.Errorf("%s: a commit that was waiting succeeds", name)
			}
		})
	}
}

// TestManyWriters races everything, in real time: the last word on each key
// must be on disk in the end.
func TestManyWriters(t *testing.T) {
	f := newFlaky()
	b := cooldownstore.NewBehind(f, cooldownstore.BehindOptions{
		Delay: time.Millisecond,
		Clock: func() (breaker.Instant, time.Time) { return now, time.Now() },
	})
	const keys, rounds = 8, 300
	var group sync.WaitGroup
	for i := range keys {
		group.Go(func() {
			for n := breaker.Stamp(1); n <= rounds; n++ {
				switch n % 50 {
				case 10:
					f.set(errDiskFull, 0)
				case 12:
					f.set(nil, 0)
				case 20:
					_ = b.Commit(t.Context(), key(i), word(n, time.Hour)) // fails while the disk is full
				case 30:
					_ = b.Flush(t.Context())
				default:
					b.Put(key(i), word(n, time.Hour))
				}
				b.Health()
				b.Pending(key(i))
			}
		})
	}
	group.Wait()
	f.set(nil, 0)
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range keys {
		if got := f.stamp(t, key(i)); got != rounds {
			t.Errorf("%s has stamp %d on disk, want the last word, %d", key(i), got, rounds)
		}
	}
}
