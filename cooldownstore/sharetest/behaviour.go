package sharetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// patience is how long a test waits for what should take milliseconds.
const patience = 20 * time.Second

// listener runs Hints until its end.
type listener struct {
	keys  chan breaker.Key
	ended chan error
	stop  context.CancelFunc
}

func listen(t *testing.T, s cooldownstore.Shared) listener {
	ctx, stop := context.WithCancel(t.Context())
	l := listener{make(chan breaker.Key, 100), make(chan error, 1), stop}
	go func() {
		l.ended <- s.Hints(ctx, func(key breaker.Key) { l.keys <- key })
	}()
	t.Cleanup(stop)
	l.await(t, "")
	return l
}

func (l listener) await(t *testing.T, want breaker.Key) {
	t.Helper()
	for {
		select {
		case key := <-l.keys:
			if key == want {
				return
			}
		case err := <-l.ended:
			t.Fatalf("Hints ended: %v", err)
		case <-time.After(patience):
			t.Fatalf("no hint of %q", want)
		}
	}
}

func (l listener) end(t *testing.T, want error) {
	t.Helper()
	select {
	case err := <-l.ended:
		if !errors.Is(err, want) {
			t.Errorf("Hints ended with %v, want %v", err, want)
		}
	case <-time.After(patience):
		t.Fatal("Hints does not end")
	}
}

func hints(t *testing.T, b bench) {
	mine, theirs := listen(t, b.a), listen(t, b.b)
	for i, key := range []breaker.Key{"host:a b", "resolver:crossref", "host:雪"} {
		if err := b.a.Put(t.Context(), []cooldownstore.SharedWord{b.word(key, b.set(i, time.Hour))}); err != nil {
			t.Fatalf("Put: %v", err)
		}
		mine.await(t, key)
		theirs.await(t, key)
	}
	again := b.word("host:a b", b.set(0, time.Hour))
	for _, w := range []cooldownstore.SharedWord{again, b.word("host:last", b.set(0, time.Hour))} {
		if err := b.b.Put(t.Context(), []cooldownstore.SharedWord{w}); err != nil {
			t.Fatalf("Put: %v", err)
		}
	}
	if key := <-mine.keys; key != "host:last" {
		t.Errorf("a hint of %q, want none of a word that changed nothing", key)
	}
	mine.stop()
	theirs.stop()
	mine.end(t, context.Canceled)
	theirs.end(t, context.Canceled)
}

func hintsEnd(t *testing.T, b bench) {
	s := b.Open(t)
	l := listen(t, s)
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	l.end(t, cooldownstore.ErrClosed)
}

// callAll calls every method that can fail and returns what each said.
func (b bench) callAll(ctx context.Context, s cooldownstore.Shared) map[string]error {
	_, _, loadErr := s.Load(ctx, key)
	_, checkErr := s.Check(ctx)
	return map[string]error{
		"Load":  loadErr,
		"Put":   s.Put(ctx, []cooldownstore.SharedWord{b.word(key, b.set(1, time.Hour))}),
		"Each":  s.Each(ctx, func(cooldownstore.SharedWord) bool { return true }),
		"Check": checkErr,
	}
}

func cancelled(t *testing.T, b bench) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	said := b.callAll(ctx, b.a)
	said["Hints"] = b.a.Hints(ctx, func(breaker.Key) {})
	for name, err := range said {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, want context.Canceled", name, err)
		}
		if (name == "Load" || name == "Put") && !strings.Contains(fmt.Sprint(err), string(key)) {
			t.Errorf("%s: %v, want the key in it", name, err)
		}
	}
	if got := all(t, b.b); len(got) != 0 {
		t.Errorf("after cancelled calls: %v, want nothing", got)
	}
	for name, err := range b.callAll(t.Context(), b.a) {
		if err != nil {
			t.Errorf("%s after a cancelled one: %v", name, err)
		}
	}
}

func closed(t *testing.T, b bench) {
	s := b.Open(t)
	for range 2 {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	}
	said := b.callAll(t.Context(), s)
	said["Hints"] = s.Hints(t.Context(), func(breaker.Key) {})
	for name, err := range said {
		if !errors.Is(err, cooldownstore.ErrClosed) {
			t.Errorf("%s: %v, want ErrClosed", name, err)
		}
	}
	if s.Kind() == "" {
		t.Error("Kind after Close is empty")
	}
}
