package redis

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/redis/go-redis/v9"

	"fleetfuse/breaker"
	"fleetfuse/cooldownstore"
)

// Hints implements cooldownstore.Shared. A connection that is silent is asked
// for a sign of life, so that one that hangs counts as lost within three times
// the timeout of an answer.
func (s *Store) Hints(ctx context.Context, changed func(breaker.Key)) error {
	const op = "listen for changes"
	err := s.usable(ctx)
	if err == nil {
		err = s.listen(ctx, changed)
	}
	return s.fail(ctx, op, err)
}

func (s *Store) listen(ctx context.Context, changed func(breaker.Key)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.closing, cancel)()
	channel := s.client.Subscribe(ctx) // connects with the first subscription
	defer channel.Close()
	defer context.AfterFunc(ctx, func() { channel.Close() })() // which ends Receive
	if err := channel.Subscribe(ctx, s.events); err != nil {
		return err
	}
	asked := true
	for {
		message, err := channel.ReceiveTimeout(ctx, s.timeout)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case isTimeout(err) && !asked:
			asked = true
			if err := channel.Ping(ctx); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		asked = false
		switch m := message.(type) {
		case *redis.Subscription:
			changed("")
		case *redis.Message:
			// Other programs may announce the bare name.
			if key, ok := cooldownstore.FromSharedName(strings.TrimPrefix(m.Payload, s.keys)); ok {
				changed(key)
			}
		}
	}
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
