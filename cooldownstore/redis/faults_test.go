package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/redis"
)

const short = 300 * time.Millisecond

// use calls everything that talks to the server and returns what each said.
func use(ctx context.Context, s *redis.Store) map[string]error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second) // Hints may succeed
	defer cancel()
	_, _, loadErr := s.Load(ctx, "host:a")
	_, checkErr := s.Check(ctx)
	return map[string]error{
		"Put":   s.Put(ctx, fill(10, 0)),
		"Load":  loadErr,
		"Each":  s.Each(ctx, func(cooldownstore.SharedWord) bool { return true }),
		"Hints": s.Hints(ctx, func(breaker.Key) {}),
		"Check": checkErr,
	}
}

// says fails unless every error says all of the texts and no secret.
func says(t *testing.T, said map[string]error, texts ...string) {
	t.Helper()
	for name, err := range said {
		if err == nil {
			t.Errorf("%s succeeds, want an error that says %q", name, texts)
			continue
		}
		for _, text := range texts {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v; want it to say %q", name, err, text)
			}
		}
		if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "wr0ng") {
			t.Errorf("%s: %v tells a password", name, err)
		}
	}
}

func TestRefused(t *testing.T) {
	says(t, use(t.Context(), open(t, "redis://:s3cret@127.0.0.1:"+freePort(t))), "--cooldown-store", "refused", "xxxxx")
	says(t, use(t.Context(), open(t, "redis+cluster://:s3cret@127.0.0.1:"+freePort(t))), "--cooldown-store", "xxxxx")
	says(t, use(t.Context(), open(t, "redis+sentinel://:s3cret@127.0.0.1:"+freePort(t)+"/main")), "--cooldown-store", "xxxxx")
}

func TestPasswordsAndDatabases(t *testing.T) {
	server := start(t, "--requirepass", "s3cret")
	says(t, use(t.Context(), open(t, "redis://"+server.address)), "--cooldown-store", "name a user and password")
	says(t, use(t.Context(), open(t, "redis://:wr0ng@"+server.address)), "--cooldown-store", "correct the user and password")
	says(t, use(t.Context(), open(t, "redis://nobody:s3cret@"+server.address)), "--cooldown-store", "correct the user and password")
	says(t, use(t.Context(), open(t, "redis://:s3cret@"+server.address+"/99")), "--cooldown-store", "fewer databases")
	says(t, use(t.Context(), open(t, "redis+cluster://:s3cret@"+server.address)), "--cooldown-store", "no cluster: use redis://")
	s := open(t, "redis://:s3cret@"+server.address+"/3")
	if err := s.Put(t.Context(), fill(10, 0)); err != nil {
		t.Errorf("Put with the right password: %v", err)
	}
	if warnings, err := s.Check(t.Context()); err != nil || len(warnings) != 0 {
		t.Errorf("Check: %q, %v; want nothing", warnings, err)
	}
}

func TestUnknownUser(t *testing.T) {
	server := start(t)
	says(t, use(t.Context(), open(t, "redis://nobody:s3cret@"+server.address)), "--cooldown-store", "correct the user and password")
}

func TestEviction(t *testing.T) {
	server := start(t)
	s := open(t, server.url())
	for _, test := range []struct {
		limit, policy string
		want          string
	}{
		{"0", "allkeys-lru", ""},
		{"100mb", "noeviction", ""},
		{"100mb", "allkeys-lru", "noeviction"},
		{"100mb", "volatile-ttl", "noeviction"},
	} {
		server.do(t, "CONFIG", "SET", "maxmemory", test.limit)
		server.do(t, "CONFIG", "SET", "maxmemory-policy", test.policy)
		warnings, err := s.Check(t.Context())
		if got := strings.Join(warnings, " "); err != nil || (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s %s: %q, %v; want %q", test.limit, test.policy, got, err, test.want)
		}
	}
	server.do(t, "CONFIG", "SET", "maxmemory-policy", "noeviction")
	server.do(t, "CONFIG", "SET", "maxmemory", "1")
	says(t, map[string]error{"Put": s.Put(t.Context(), fill(1, 0))}, "raise its maxmemory")
}

func TestReplica(t *testing.T) {
	server := start(t)
	replica := start(t, append([]string{"--replicaof"}, strings.Split(server.address, ":")...)...)
	s := open(t, replica.url())
	_, err := s.Check(t.Context())
	deadline := time.Now().Add(20 * time.Second)
	var put error
	for { // until it has synchronised
		put = s.Put(t.Context(), fill(1, 0))
		if strings.Contains(put.Error(), "READONLY") || time.Now().After(deadline) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	says(t, map[string]error{"Check": err, "Put": put}, "--cooldown-store", "name the primary")
}

// A server that is stopped keeps nobody longer than the timeouts, or than the
// context, and a listener notices.
func TestHanging(t *testing.T) {
	server := start(t)
	s := open(t, server.url(), redis.Timeouts(short, short))
	if err := s.Put(t.Context(), fill(10, 0)); err != nil {
		t.Fatal(err)
	}
	heard := make(chan breaker.Key, 1)
	ended := make(chan error, 1)
	go func() { ended <- s.Hints(t.Context(), func(k breaker.Key) { heard <- k }) }()
	<-heard
	server.process.Signal(syscall.SIGSTOP)
	defer server.process.Signal(syscall.SIGCONT)
	for name, call := range map[string]func(context.Context) error{
		"Put":  func(ctx context.Context) error { return s.Put(ctx, fill(10, 1)) },
		"Load": func(ctx context.Context) error { _, _, err := s.Load(ctx, "host:a"); return err },
		"Each": func(ctx context.Context) error {
			return s.Each(ctx, func(cooldownstore.SharedWord) bool { return true })
		},
		"Check": func(ctx context.Context) error { _, err := s.Check(ctx); return err },
	} {
		began := time.Now()
		err := call(t.Context())
		if took := time.Since(began); err == nil || took > 10*short {
			t.Errorf("%s: %v after %v, want an error in about %v", name, err, took, short)
		}
		says(t, map[string]error{name: err}, "in time")
		ctx, cancel := context.WithTimeout(t.Context(), short/3)
		began = time.Now()
		err = call(ctx)
		cancel()
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 9*short {
			t.Errorf("%s with a context of %v: %v after %v", name, short/3, err, took)
		}
	}
	select {
	case err := <-ended:
		says(t, map[string]error{"Hints": err}, "in time")
	case <-time.After(20 * time.Second):
		t.Error("Hints does not notice")
	}
	server.process.Signal(syscall.SIGCONT)
	if err := s.Put(t.Context(), fill(10, 2)); err != nil {
		t.Errorf("Put when the server goes on: %v", err)
	}
}

// A server that was restarted is another: empty, and without the script.
func TestRestarted(t *testing.T) {
	server := start(t)
	s := open(t, server.url())
	if err := s.Put(t.Context(), fill(3000, 0)); err != nil {
		t.Fatal(err)
	}
	heard := make(chan breaker.Key, 10_000)
	ended := make(chan error, 1)
	go func() { ended <- s.Hints(t.Context(), func(k breaker.Key) { heard <- k }) }()
	<-heard
	server.do(t, "FLUSHALL")
	server.do(t, "SCRIPT", "FLUSH")
	for i := range 2 {
		if err := s.Put(t.Context(), fill(3000, i)); err != nil {
			t.Errorf("Put after a flush: %v", err)
		}
	}
	server.kill()
	if err := <-ended; err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("Hints when the server is killed: %v, want why", err)
	}
	if err := s.Put(t.Context(), fill(1, 3)); err == nil {
		t.Error("Put to a killed server succeeds")
	}
}

func TestOddities(t *testing.T) {
	server := start(t)
	s := open(t, server.url())
	if err := s.Put(t.Context(), fill(5, 0)); err != nil {
		t.Fatal(err)
	}
	server.do(t, "LPUSH", "breaker:cooldown:list", "x")
	server.do(t, "HSET", "breaker:cooldown:hash", "x", "y")
	server.do(t, "SET", "breaker:cooldown:long", strings.Repeat("x", 1<<20))
	server.do(t, "SET", "breaker:cooldown:junk", "junk")
	server.do(t, "SET", "breaker:cooldown:", "no name")
	got := 0
	err := s.Each(t.Context(), func(cooldownstore.SharedWord) bool { got++; return true })
	if err != nil || got != 5 {
		t.Errorf("Each: %d words, %v; want 5", got, err)
	}
	warnings, err := s.Check(t.Context())
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "5 values are passed over") {
		t.Errorf("Check: %q, %v; want to be told of the 5", warnings, err)
	}
	var words []cooldownstore.SharedWord
	for i, name := range []breaker.Key{"host:list", "host:hash", "host:long", "host:junk"} {
		w := fill(4, 0)[i]
		w.Key = name
		words = append(words, w)
		if _, ok, err := s.Load(t.Context(), name); ok || err != nil {
			t.Errorf("Load of %s: %v, %v; want nothing", name, ok, err)
		}
	}
	if err := s.Put(t.Context(), words); err != nil {
		t.Errorf("Put over them: %v", err)
	}
	got = 0
	err = s.Each(t.Context(), func(cooldownstore.SharedWord) bool { got++; return true })
	if err != nil || got != 9 {
		t.Errorf("Each after that: %d words, %v; want 9", got, err)
	}
}

// TestTooManyKeys: other programs need not tidy up, and a node must not read without
// an end.
func TestTooManyKeys(t *testing.T) {
	server := start(t)
	s := open(t, server.url())
	s.ListAtMost(10)
	for i := range 10 {
		server.do(t, "SET", fmt.Sprintf("breaker:cooldown:%d.example", i), "1000") // is over, and says nothing
	}
	each := func() error { return s.Each(t.Context(), func(cooldownstore.SharedWord) bool { return true }) }
	if err := each(); err != nil {
		t.Errorf("Each of as many keys as may be: %v", err)
	}
	server.do(t, "SET", "breaker:cooldown:one.more", "1000")
	err := each()
	says(t, map[string]error{"Each": err}, "more than 10 keys", `"breaker:cooldown:"`, "TTL", "--cooldown-store")
	if !errors.Is(err, cooldownstore.ErrTooMany) {
		t.Errorf("Each: %v, want cooldownstore.ErrTooMany", err)
	}
	server.do(t, "DEL", "breaker:cooldown:one.more")
	if err := each(); err != nil {
		t.Errorf("Each when one is deleted: %v", err)
	}
}
