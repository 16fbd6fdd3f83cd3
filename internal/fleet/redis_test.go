package fleet_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetfuse/internal/fleet"
)

// startRedis starts a redis-server that ends with the test, which is skipped
// where none is installed.
func startRedis(t *testing.T, settings ...string) *fleet.Redis {
	t.Helper()
	r, err := fleet.StartRedis(t.Context(), t.TempDir(), settings...)
	if errors.Is(err, fleet.ErrNoRedis) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Kill)
	return r
}

// redisDo sends a command that must be taken.
func redisDo(t *testing.T, r *fleet.Redis, words ...string) any {
	t.Helper()
	return must(r.Do(t.Context(), words...))(t)
}

// expectRedis sends a command and compares the answer.
func expectRedis(t *testing.T, r *fleet.Redis, want any, words ...string) {
	t.Helper()
	if got := redisDo(t, r, words...); !reflect.DeepEqual(got, want) {
		t.Errorf("%q: %#v; want %#v", words, got, want)
	}
}

func TestRedisAnswers(t *testing.T) {
	r := startRedis(t)
	text := strings.Repeat("ä\r\n\x00", 50_000)
	expectRedis(t, r, "OK", "SET", "k", text)
	expectRedis(t, r, text, "GET", "k")
	expectRedis(t, r, nil, "GET", "no")
	expectRedis(t, r, int64(-1), "PTTL", "k")
	expectRedis(t, r, []any{text, nil}, "MGET", "k", "no")
	var refused fleet.RedisError
	if _, err := r.Do(t.Context(), "INCR", "k"); !errors.As(err, &refused) {
		t.Errorf("INCR of a text: %v; want a RedisError", err)
	}
	const many = 20_000
	sets := make([][]string, many)
	for i := range sets {
		sets[i] = []string{"SET", fmt.Sprint("many-", i), text[:200]}
	}
	answers := must(fleet.Exchange(t.Context(), r.Address, sets...))(t)
	if slices.ContainsFunc(answers, func(a any) bool { return a != "OK" }) {
		t.Error("not every SET was taken")
	}
	expectRedis(t, r, int64(many+1), "DBSIZE")
	succeed(t, r.Config(t.Context(), "maxmemory-policy", "allkeys-lru"))
	expectRedis(t, r, []any{"maxmemory-policy", "allkeys-lru"}, "CONFIG", "GET", "maxmemory-policy")
	succeed(t, r.Flush(t.Context()))
	expectRedis(t, r, int64(0), "DBSIZE")
}

func TestRedisRestarts(t *testing.T) {
	r := startRedis(t)
	redisDo(t, r, "SET", "k", "v")
	r.Kill()
	if _, err := r.Do(t.Context(), "PING"); err == nil {
		t.Error("it answers after kill -9")
	}
	succeed(t, r.Restart(t.Context()))
	expectRedis(t, r, "v", "GET", "k")
	succeed(t, r.Stop())
	succeed(t, r.Restart(t.Context()))
	expectRedis(t, r, "v", "GET", "k")
	succeed(t, r.RestartEmpty(t.Context()))
	expectRedis(t, r, nil, "GET", "k")
}

func TestRedisPauses(t *testing.T) {
	r := startRedis(t)
	succeed(t, r.Pause())
	answered := make(chan error, 1)
	go func() {
		_, err := r.Do(t.Context(), "PING")
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Errorf("it answers while it is stopped: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	succeed(t, r.Resume())
	succeed(t, <-answered)
}

func TestRedisFollows(t *testing.T) {
	primary, replica := startRedis(t), startRedis(t)
	redisDo(t, primary, "SET", "k", "v")
	succeed(t, replica.Follow(t.Context(), primary.Address))
	if _, err := replica.Do(t.Context(), "SET", "k", "w"); err == nil || !strings.Contains(err.Error(), "READONLY") {
		t.Errorf("a write to a replica: %v; want READONLY", err)
	}
	succeed(t, replica.AwaitReplica(t.Context()))
	expectRedis(t, replica, "v", "GET", "k")
	primary.Kill()
	succeed(t, replica.Promote(t.Context()))
	expectRedis(t, replica, "OK", "SET", "k", "w")
}

func TestRedisWithPassword(t *testing.T) {
	r := startRedis(t, "--requirepass", "open sesame")
	answers := must(fleet.Exchange(t.Context(), r.Address, []string{"AUTH", "open sesame"}, []string{"PING"}))(t)
	if !reflect.DeepEqual(answers, []any{"OK", "PONG"}) {
		t.Errorf("with the password: %q", answers)
	}
}
