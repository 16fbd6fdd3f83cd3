package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// page is how many keys a SCAN looks at.
const page = 4000

// Load implements cooldownstore.Shared.
func (s *Store) Load(ctx context.Context, key breaker.Key) (cooldownstore.SharedWord, bool, error) {
	if err := s.usable(ctx); err != nil {
		return cooldownstore.SharedWord{}, false, s.fail(ctx, "load "+string(key), err)
	}
	name := s.keys + cooldownstore.SharedName(key)
	w, err := s.word(name, s.client.GetRange(ctx, name, 0, cooldownstore.MaxSharedBytes), time.Now())
	if err != nil {
		return cooldownstore.SharedWord{}, false, s.fail(ctx, "load "+string(key), err)
	}
	if w.Silent() || w.Key != key {
		return cooldownstore.SharedWord{}, false, nil
	}
	return w, true, nil
}

// Each implements cooldownstore.Shared. What is there during all of the call is
// shown. It fails rather than show a part.
func (s *Store) Each(ctx context.Context, yield func(cooldownstore.SharedWord) bool) error {
	const op = "list shared cooldowns"
	masters, err := s.masters(ctx)
	if err != nil {
		return s.fail(ctx, op, err)
	}
	s.odd.Reset()
	seen := make(map[string]bool) // SCAN may show a key twice
	for _, m := range masters {
		more, err := s.scan(ctx, m, seen, yield)
		if err != nil {
			return s.fail(ctx, op, err)
		}
		if !more {
			return nil
		}
	}
	return nil
}

// masters are the servers that hold keys.
func (s *Store) masters(ctx context.Context) (masters []*redis.Client, err error) {
	if err := s.usable(ctx); err != nil {
		return nil, err
	}
	c, ok := s.client.(*redis.ClusterClient)
	if !ok {
		return []*redis.Client{s.client.(*redis.Client)}, nil
	}
	var mu sync.Mutex
	err = c.ForEachMaster(ctx, func(_ context.Context, m *redis.Client) error {
		mu.Lock()
		defer mu.Unlock()
		masters = append(masters, m)
		return nil
	})
	return masters, err
}

// A fetched page is what was found of some keys, or why nothing was.
type fetched struct {
	keys []string
	cmds []redis.Cmder
	err  error
}

// scan yields what one server holds; more is false if yield said to stop. A
// page is fetched while the one before is read.
func (s *Store) scan(ctx context.Context, m *redis.Client, seen map[string]bool, yield func(cooldownstore.SharedWord) bool) (more bool, err error) {
	pages := make(chan fetched, 1)
	ctx, cancel := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer cancel()
	group.Go(func() {
		defer close(pages)
		s.fetchAll(ctx, m, seen, pages)
	})
	for p := range pages {
		if p.err != nil {
			return false, p.err
		}
		words, err := s.words(p.keys, p.cmds)
		if err != nil {
			return false, err
		}
		for _, w := range words {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			if !yield(w) {
				return false, nil
			}
		}
	}
	return true, ctx.Err()
}

// fetchAll sends the pages of one server until ctx ends. A page's values are
// asked for together with the next page's keys, all over one connection: on
// another, to the server that took over, a cursor would skip keys.
func (s *Store) fetchAll(ctx context.Context, m *redis.Client, seen map[string]bool, pages chan<- fetched) {
	conn := m.Conn()
	defer conn.Close()
	pattern := glob.Replace(s.keys) + "*"
	var keys []string
	for cursor, last := uint64(0), false; !last || len(keys) > 0; {
		pipe := conn.Pipeline()
		get(ctx, pipe, keys)
		var scan *redis.ScanCmd
		if !last {
			scan = pipe.Scan(ctx, cursor, pattern, page)
		}
		p := fetched{keys: keys}
		if p.cmds, p.err = exec(ctx, pipe); p.err == nil {
			s.follow(ctx, keys, p.cmds)
		}
		keys = nil
		if scan != nil && p.err == nil {
			p.cmds = p.cmds[:len(p.keys)]
			keys, cursor, p.err = scan.Result()
			keys = slices.DeleteFunc(keys, func(key string) bool {
				known := seen[key]
				seen[key] = true
				return known
			})
			last = cursor == 0
			if p.err == nil && len(seen) > s.most {
				p.err = s.tooMany()
			}
		}
		select {
		case pages <- p:
		case <-ctx.Done():
			return
		}
		if p.err != nil {
			return
		}
	}
}

// tooMany says that there is more than a listing looks at.
func (s *Store) tooMany() error {
	return fmt.Errorf("more than %d keys begin with %q, and %w: have the program that writes them give them a TTL, and delete those that are over; or give the fleet a key_prefix of its own in %s",
		s.most, s.keys, cooldownstore.ErrTooMany, setting)
}

// get asks for values, but for no more of each than the longest that is read,
// so that a long one costs no more. On a cluster one command for all would be
// refused.
func get(ctx context.Context, pipe redis.Pipeliner, keys []string) {
	for _, key := range keys {
		pipe.GetRange(ctx, key, 0, cooldownstore.MaxSharedBytes)
	}
}

// follow asks again for the values of keys that moved to another server of the
// cluster since they were listed.
func (s *Store) follow(ctx context.Context, keys []string, cmds []redis.Cmder) {
	for i, key := range keys {
		if err := cmds[i].Err(); redis.HasErrorPrefix(err, "MOVED") || redis.HasErrorPrefix(err, "ASK") {
			cmds[i] = s.client.GetRange(ctx, key, 0, cooldownstore.MaxSharedBytes)
		}
	}
}

// glob takes the special meaning from the characters of a prefix.
var glob = strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`, `^`, `\^`)

// words reads what was fetched of keys.
func (s *Store) words(keys []string, cmds []redis.Cmder) (words []cooldownstore.SharedWord, err error) {
	now := time.Now()
	for i, cmd := range cmds {
		w, err := s.word(keys[i], cmd.(*redis.StringCmd), now)
		if err != nil {
			return nil, err
		}
		if !w.Silent() {
			words = append(words, w)
		}
	}
	return words, nil
}

// word reads one value. A word that says nothing stands for one that is
// passed over.
func (s *Store) word(key string, cmd *redis.StringCmd, now time.Time) (w cooldownstore.SharedWord, err error) {
	text, err := cmd.Result()
	name, ok := cooldownstore.FromSharedName(strings.TrimPrefix(key, s.keys))
	switch {
	case redis.HasErrorPrefix(err, "WRONGTYPE"):
		err = errors.New("not a string")
	case err != nil:
		return w, fmt.Errorf("%.300q: %w", key, err)
	case text == "": // it expired meanwhile
	case !ok:
		err = errors.New("its name is no host's")
	default:
		w, err = s.values.Read(name, text, now)
	}
	if err != nil {
		s.odd.Note(key, err)
	}
	return w, nil
}
