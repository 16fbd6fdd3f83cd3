package redis_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/redis"
)

// A user that may do what the advice for NOPERM says, and no more, can do
// everything, wherever in the server the store is.
func TestRights(t *testing.T) {
	one, cluster := start(t), start(t, "--cluster-enabled", "yes", "--cluster-port", freePort(t))
	cluster.do(t, "CLUSTER", "ADDSLOTSRANGE", 0, 16383)
	until(t, "the cluster of one", func() error {
		if info := cluster.do(t, "CLUSTER", "INFO").(string); !strings.Contains(info, "cluster_state:ok") {
			return errors.New(info)
		}
		return nil
	})
	for name, test := range map[string]struct {
		*server
		url  string
		more []string // rights that are needed here alone
	}{
		"plain":    {one, "redis://USER:s3cret@HOST", nil},
		"database": {one, "redis://USER:s3cret@HOST/3", []string{"+select"}},
		"prefix":   {one, "redis://USER:s3cret@HOST/?key_prefix=" + escape("x[*]:"), nil},
		"both":     {one, "redis://USER:s3cret@HOST/5?key_prefix=x:", []string{"+select"}},
		"cluster":  {cluster, "redis+cluster://USER:s3cret@HOST?key_prefix=x:", []string{"+cluster|slots"}},
	} {
		t.Run(name, func(t *testing.T) {
			url := func(user string) string {
				return strings.NewReplacer("USER", user, "HOST", test.address).Replace(test.url)
			}
			test.do(t, args("ACL SETUSER "+name+" reset on >s3cret resetchannels")...)
			s := open(t, url(name))
			err := s.Put(t.Context(), fill(1, 0))
			says(t, map[string]error{"Put": err}, "--cooldown-store", "breaker:cooldown:*", "+@scripting")
			_, advice, _ := strings.Cut(err.Error(), "ACL SETUSER "+name+" ")
			for _, right := range test.more {
				test.do(t, args("ACL SETUSER "+name+" "+strings.ReplaceAll(advice, right, ""))...)
				says(t, map[string]error{"Put": open(t, url(name)).Put(t.Context(), fill(1, 0))}, "--cooldown-store", right)
			}
			test.do(t, args("ACL SETUSER "+name+" "+advice)...)
			doesAll(t, open(t, url(name)))
		})
	}
}

// doesAll fails unless a store can do everything.
func doesAll(t *testing.T, s *redis.Store) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	said, ended := make(chan breaker.Key, 100), make(chan error, 1)
	go func() { ended <- s.Hints(ctx, func(k breaker.Key) { said <- k }) }()
	select {
	case k := <-said:
		if k != "" {
			t.Errorf("Hints begins with %q", k)
		}
	case err := <-ended:
		t.Fatalf("Hints: %v", err)
	}
	if err := s.Put(ctx, fill(1, 0)); err != nil {
		t.Fatalf("Put: %v", err)
	}
	if k := <-said; k != "host:host0.example.org" {
		t.Errorf("hint of %q", k)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Hints: %v", err)
	}
	if warnings, err := s.Check(t.Context()); err != nil || len(warnings) != 0 {
		t.Errorf("Check: %q, %v; want nothing", warnings, err)
	}
	words := 0
	err := s.Each(t.Context(), func(cooldownstore.SharedWord) bool { words++; return true })
	if err != nil || words != 1 {
		t.Errorf("Each yields %d words, %v; want 1", words, err)
	}
}

func TestFewerRights(t *testing.T) {
	server := start(t)
	const rights = "on >s3cret +@read +@write +@scripting +@pubsub +ping"
	server.do(t, args("ACL SETUSER mute "+rights+" ~x:breaker:cooldown:* resetchannels")...)
	server.do(t, args("ACL SETUSER other "+rights+" ~y:* resetchannels")...)
	at := func(user string) *redis.Store {
		return open(t, "redis://"+user+":s3cret@"+server.address+"?key_prefix=x:")
	}
	mute := at("mute")
	if err := mute.Put(t.Context(), fill(1, 1)); err != nil {
		t.Errorf("Put without the right to publish: %v", err)
	}
	if warnings, err := mute.Check(t.Context()); err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "allow this user INFO") {
		t.Errorf("Check without the right to INFO: %q, %v; want a warning", warnings, err)
	}
	said := use(t.Context(), at("other"))
	delete(said, "Check")
	delete(said, "Each") // the listing finds no key that it may not read
	says(t, said, "--cooldown-store", "ACL SETUSER other ~x:breaker:cooldown:* &x:breaker:cooldown:events", "+@scripting")
}

// Sentinels may ask for a user and a password of their own.
func TestSentinelPassword(t *testing.T) {
	master := start(t, "--requirepass", "s3cret0")
	host, port, _ := strings.Cut(master.address, ":")
	config := filepath.Join(t.TempDir(), "sentinel.conf")
	lines := "sentinel monitor main " + host + " " + port + " 1\nsentinel auth-pass main s3cret0\n" +
		"user default on >s3cret1 ~* &* +@all\nuser few on >s3cret2 &* -@all\nuser fleet on >s3cret2 &* -@all +sentinel +subscribe +ping\n"
	if err := os.WriteFile(config, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	guard := startArgs(t, config, "--sentinel")
	put := func(query string) map[string]error {
		s := open(t, "redis+sentinel://:s3cret0@"+guard.address+"/main"+query, redis.Timeouts(time.Second, 5*time.Second))
		return map[string]error{"Put": s.Put(t.Context(), fill(1, 0))}
	}
	says(t, put(""), "--cooldown-store", "?sentinel_password=PASSWORD")
	says(t, put("?sentinel_password=wr0ng"), "--cooldown-store", "correct sentinel_user and sentinel_password")
	says(t, put("?sentinel_user=few&sentinel_password=s3cret2"), "--cooldown-store", "allow the sentinel_user")
	for _, query := range []string{"?sentinel_password=s3cret1", "?sentinel_user=fleet&sentinel_password=s3cret2"} {
		if err := put(query)["Put"]; err != nil {
			t.Errorf("Put with the right password: %v", err)
		}
	}
}

func args(line string) (args []any) {
	for _, word := range strings.Fields(line) {
		args = append(args, word)
	}
	return args
}
