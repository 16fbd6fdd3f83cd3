package redis

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"

	"fleetfuse/cooldownstore"
)

// How long a Redis may keep a caller waiting for a connection, and for an
// answer. The context may be shorter.
const (
	dialTimeout = time.Second
	ioTimeout   = 2 * time.Second
)

const (
	keyText   = "breaker:cooldown:"
	eventText = "breaker:cooldown:events"
)

// A Store is a handle on a Redis.
type Store struct {
	address address
	client  redis.UniversalClient
	timeout time.Duration // of an answer
	keys    string        // what every key starts with
	events  string        // the channel of changes
	most    int           // keys that a listing looks at
	values  cooldownstore.SharedValues

	odd cooldownstore.PassedOver

	closing  context.Context // ends with Close
	end      context.CancelFunc
	close    sync.Once
	closeErr error
}

var _ cooldownstore.Shared = (*Store)(nil)

// An Option changes how Open reaches the server.
type Option func(*redis.UniversalOptions)

// TLS sets how a rediss: server is verified and what is shown to it. The
// default trusts the system's certificate authorities (on Linux also
// $SSL_CERT_FILE).
func TLS(config *tls.Config) Option {
	return func(o *redis.UniversalOptions) {
		if o.TLSConfig != nil {
			o.TLSConfig = config.Clone()
		}
	}
}

// Timeouts sets how long to wait for a connection and for an answer. The
// defaults are 1 s and 2 s.
func Timeouts(dial, answer time.Duration) Option {
	return func(o *redis.UniversalOptions) {
		o.DialTimeout, o.ReadTimeout, o.WriteTimeout, o.PoolTimeout = dial, answer, answer, answer
	}
}

// Open reads the URL of a Redis, see parseURL, and returns a handle on it. It
// does not connect: a Redis that is away is found by Check and by use. Its
// errors say what to change and never show a password.
func Open(rawURL string, opts ...Option) (*Store, error) {
	a, err := parseURL(rawURL)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	redis.SetLogger(&logging.VoidLogger{}) // what it would say comes back as errors
	o := a.options()
	for _, opt := range opts {
		opt(o)
	}
	s := &Store{
		address: a, client: redis.NewUniversalClient(o), timeout: o.ReadTimeout,
		keys: a.prefix + keyText, events: a.prefix + eventText, most: cooldownstore.MaxShared,
	}
	s.closing, s.end = context.WithCancel(context.Background())
	return s, nil
}

func (a address) options() *redis.UniversalOptions {
	o := &redis.UniversalOptions{
		Addrs: a.hosts, DB: a.database, Username: a.user, Password: a.password,
		MasterName: a.master, SentinelUsername: a.sentinelUser, SentinelPassword: a.sentinelPassword,
		IsClusterMode: a.shape == cluster,
		// Callers try again, at their own pace.
		MaxRetries: -1, DialerRetries: 1,
		DialTimeout: dialTimeout, ReadTimeout: ioTimeout, WriteTimeout: ioTimeout, PoolTimeout: ioTimeout,
		ContextTimeoutEnabled: true,
		PoolSize:              8,
		PipelinePoolSize:      -1, // none of its own
		// Nothing of what later protocols and clients add is needed.
		Protocol: 2, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	if a.tls {
		o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	return o
}

// Kind implements cooldownstore.Shared.
func (s *Store) Kind() string { return "redis" }

// String is the URL without its passwords.
func (s *Store) String() string { return s.address.String() }

// Close implements cooldownstore.Shared.
func (s *Store) Close() error {
	s.close.Do(func() {
		s.end()
		if err := s.client.Close(); err != nil {
			s.closeErr = fmt.Errorf("close %s: %w", s, err)
		}
	})
	return s.closeErr
}
