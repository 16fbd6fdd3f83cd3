package fleet_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// keyPrefix is what the documented keys of a Redis start with.
const keyPrefix = "breaker:cooldown:"

// storeAt is the flag that shares cooldowns at a Redis, or at a proxy before it.
func storeAt(address string) []string { return []string{"--cooldown-store", "redis://" + address} }

// startProxy starts a proxy that ends with the test.
func startProxy(t *testing.T, target string) *fleet.Proxy {
	t.Helper()
	p := must(fleet.StartProxy(target))(t)
	t.Cleanup(p.Close)
	return p
}

// awaitShared waits until a node says of its shared store what is wanted.
func awaitShared(t *testing.T, what string, n *fleet.Node, want func(api.SharedHealth) bool) {
	t.Helper()
	await(t, what, n, func() (bool, error) {
		st, err := n.Status(t.Context())
		return err == nil && st.Shared != nil && want(*st.Shared), err
	})
}

func degraded(h api.SharedHealth) bool { return !h.OK && h.Since != nil && h.Error != "" }
func well(h api.SharedHealth) bool     { return h.OK && h.Pending == 0 }

// documented is what other programs read and write of a key.
type documented struct {
	UntilWall float64 `json:"until_wall"`
	Reason    string  `json:"reason"`
}

// inRedis reads a host's key as another program does; false if there is none.
func inRedis(t *testing.T, r *fleet.Redis, host string) (d documented, there bool) {
	t.Helper()
	text, there := redisDo(t, r, "GET", keyPrefix+host).(string)
	if there {
		succeed(t, json.Unmarshal([]byte(text), &d))
	}
	return d, there
}

// awaitInRedis waits until a host's key says what is wanted.
func awaitInRedis(t *testing.T, n *fleet.Node, r *fleet.Redis, host string, want func(documented) bool) {
	t.Helper()
	await(t, host+" in Redis", n, func() (bool, error) {
		d, there := inRedis(t, r, host)
		return there && want(d), nil
	})
}

func runs(d documented) bool    { return d.UntilWall > epoch(0) }
func cleared(d documented) bool { return d.UntilWall == 0 }

// epoch is a moment from now as other programs write it.
func epoch(from time.Duration) float64 { return float64(time.Now().Add(from).UnixMilli()) / 1000 }

func epochText(from time.Duration) string { return strconv.FormatFloat(epoch(from), 'f', 3, 64) }

// thirdSets writes a cooldown as a program does that knows nothing of ours, and
// returns the value.
func thirdSets(t *testing.T, r *fleet.Redis, host string, left time.Duration) (value string) {
	t.Helper()
	value = fmt.Sprintf(`{"until_wall": %s, "reason": "third says so"}`, epochText(left))
	redisDo(t, r, "SET", keyPrefix+host, value, "PX", fmt.Sprint(left.Milliseconds()))
	return value
}

// awaitMetric waits until a node's metric has a value.
func awaitMetric(t *testing.T, n *fleet.Node, name string, want float64) {
	t.Helper()
	await(t, fmt.Sprint(name, " ", want), n, func() (bool, error) {
		got, err := n.Metric(t.Context(), name)
		return got == want, err
	})
}
