//go:build cgo

package eventlog_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"fleetfuse/telemetry/eventlog"
)

// A thousand followers from positions of all ages see everything once, in order,
// while events come; a thousand more never read and are in nobody's way.
func TestThousandFollowers(t *testing.T) {
	const past, total, followers = 3000, 8000, 1000
	l := open(t, t.TempDir(), eventlog.Options{Buffer: 2048})
	for from := 0; from < past; from += 1000 {
		fill(t, l, from, from+1000)
		flush(t, l)
	}
	first := l.Last() - past + 1
	var idle []*eventlog.Reader
	errs := make(chan error, followers)
	for i := range followers {
		after := rand.IntN(past)
		r := l.Follow(first + uint64(after) - 1)
		idle = append(idle, l.Follow(first+uint64(after)))
		go func() { errs <- follow(t.Context(), r, after, total, i%10 == 0) }()
	}
	for from := past; from < total; from += 1000 {
		fill(t, l, from, from+1000)
		flush(t, l) // so that nothing is dropped
	}
	for range followers {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if h := l.Health(); h.Dropped != 0 || h.Waiting != 0 {
		t.Errorf("health %+v", h)
	}
	if b, err := idle[0].Next(t.Context()); err != nil || b.Gap != nil {
		t.Errorf("who comes late gets %+v, %v", b, err)
	}
}

// follow reads from one number up to another. A slow follower takes a breath
// between two batches: other goroutines run.
func follow(ctx context.Context, r *eventlog.Reader, from, to int, slow bool) error {
	for from < to {
		b, err := r.Next(ctx)
		if err != nil {
			return err
		}
		if b.Gap != nil {
			return fmt.Errorf("at %d: the gap %+v", from, *b.Gap)
		}
		for i := range b.Events {
			if n := number(&b.Events[i]); n != from {
				return fmt.Errorf("got %d, want %d", n, from)
			}
			from++
		}
		if slow {
			for range 100 {
				if err := ctx.Err(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Many goroutines append, some followers read, others give up and come again;
// the race detector looks on.
func TestManyAppend(t *testing.T) {
	both(t, func(t *testing.T, dir string) {
		l := open(t, dir, eventlog.Options{})
		const writers, each = 8, 500
		var writing sync.WaitGroup
		for w := range writers {
			writing.Go(func() {
				for i := range each {
					l.Append(opened(w*each + i))
				}
			})
		}
		counts := make(chan int, 4)
		for range cap(counts) {
			go func() { counts <- distinct(t.Context(), l, writers*each) }()
		}
		writing.Wait()
		for range cap(counts) {
			if n := <-counts; n != writers*each {
				t.Errorf("a follower saw %d events of %d", n, writers*each)
			}
		}
	})
}

// distinct reads n events, as a follower whose connection breaks now and then,
// and counts those that differ; -1 after a failure.
func distinct(ctx context.Context, l *eventlog.Log, n int) int {
	seen := map[int]bool{}
	r, position := l.Follow(0), uint64(0)
	for len(seen) < n {
		soon, cancel := context.WithTimeout(ctx, time.Duration(rand.IntN(2000))*time.Microsecond)
		b, err := r.Next(soon)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			r = l.Follow(position)
			continue
		}
		if err != nil || b.Gap != nil {
			return -1
		}
		for i := range b.Events {
			if b.Events[i].Seq <= position || seen[number(&b.Events[i])] {
				return -1
			}
			position = b.Events[i].Seq
			seen[number(&b.Events[i])] = true
		}
	}
	return len(seen)
}
