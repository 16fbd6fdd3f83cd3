package redis_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/redis"
	"fleetfuse/cooldownstore/sharetest"
)

// contract runs the contract against a server, each test under a prefix of its
// own, which patterns would take for something else.
func contract(t *testing.T, raw func(t *testing.T, args ...any) any, url string, opts ...redis.Option) {
	var n atomic.Int64
	sharetest.Run(t, func(*testing.T) sharetest.Place {
		prefix := fmt.Sprintf("t%d[*]?^\\:", n.Add(1))
		key := func(name string) string { return prefix + "breaker:cooldown:" + name }
		return sharetest.Place{
			Open: func(t *testing.T) cooldownstore.Shared {
				s, err := redis.Open(url+"?key_prefix="+escape(prefix), opts...)
				if err != nil {
					t.Fatalf("Open: %v", err)
				}
				return s
			},
			Set: func(t *testing.T, name, value string, ttl time.Duration) {
				if ttl > 0 {
					raw(t, "SET", key(name), value, "PX", ttl.Milliseconds())
				} else {
					raw(t, "SET", key(name), value)
				}
			},
			Value: func(t *testing.T, name string) (string, time.Duration, bool) {
				value, ok := raw(t, "GET", key(name)).(string)
				ttl, _ := raw(t, "PTTL", key(name)).(int64)
				return value, time.Duration(ttl) * time.Millisecond, ok
			},
		}
	})
}

func TestShared(t *testing.T) {
	s := start(t)
	contract(t, func(t *testing.T, args ...any) any { return s.do(t, args...) }, s.url(), redis.Timeouts(5*time.Second, 20*time.Second))
}
