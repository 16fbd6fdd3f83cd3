package node

import (
	"strings"
	"time"

	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/redis"
	"fleetfuse/cooldownstore/sqlite"
)

// How long a Redis may take to connect and to answer. Nobody waits for it, so a
// slow one is used rather than given up.
const (
	placeDial   = 2 * time.Second
	placeAnswer = 5 * time.Second
)

// OpenShared opens the place that --cooldown-store names by URL. It does no
// I/O: a place that is away makes a node degraded. The error is for a URL that
// names none, and does not repeat its secrets.
func OpenShared(url string) (cooldownstore.Shared, error) {
	if file, ok := strings.CutPrefix(url, "sqlite://"); ok {
		s, err := sqlite.OpenShared(file)
		if err != nil {
			return nil, err
		}
		return s, nil
	}
	s, err := redis.Open(url, redis.Timeouts(placeDial, placeAnswer))
	if err != nil {
		return nil, err
	}
	return s, nil
}
