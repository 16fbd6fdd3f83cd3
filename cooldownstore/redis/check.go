package redis

import (
	"context"
	"fmt"
	"strings"

	"github.com/redis/go-redis/v9"
)

// Check implements cooldownstore.Shared. It warns of servers that may evict
// keys, or do not say whether they do, and of what the last listing passed
// over. A server that refuses writes is an error.
func (s *Store) Check(ctx context.Context) (warnings []string, err error) {
	const op = "check"
	masters, err := s.masters(ctx)
	if err != nil {
		return nil, s.fail(ctx, op, err)
	}
	for _, m := range masters {
		if err := m.Ping(ctx).Err(); err != nil {
			return nil, s.fail(ctx, op, err)
		}
		info, err := m.Info(ctx).Result()
		switch {
		case isAnswer(err):
			warnings = append(warnings, fmt.Sprintf("%s does not say whether it evicts keys (%v): allow this user INFO", s.of(m), err))
			continue
		case err != nil:
			return nil, s.fail(ctx, op, err)
		}
		if field(info, "role") == "slave" {
			return nil, s.fail(ctx, op, errReplica)
		}
		if w := eviction(info); w != "" {
			warnings = append(warnings, s.of(m)+" "+w)
		}
	}
	if odd := s.odd.Warning("values"); odd != "" {
		warnings = append(warnings, s.String()+": "+odd)
	}
	return warnings, nil
}

// of names one server of the store.
func (s *Store) of(m *redis.Client) string {
	if s.address.shape == cluster {
		return fmt.Sprintf("%s of %s", m.Options().Addr, s)
	}
	return s.String()
}

// eviction says whether a server that tells this of itself may evict keys; ""
// if not. All policies but noeviction take keys with a time to live, which ours
// have.
func eviction(info string) string {
	limit, policy := field(info, "maxmemory"), field(info, "maxmemory_policy")
	switch {
	case limit == "0" || policy == "noeviction":
		return ""
	case limit == "" || policy == "":
		return "does not say whether it evicts keys: INFO has no maxmemory and maxmemory_policy"
	}
	return fmt.Sprintf("may evict cooldowns: maxmemory is %s bytes and maxmemory-policy %s; set it to noeviction, or name a Redis of its own in %s",
		limit, policy, setting)
}

// field is a line of INFO.
func field(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
