//go:build bubble

package bubbles

import (
	"context"
	"math/rand/v2"
	"strconv"
	"time"

	"fleetfuse/api"
)

// operator opens and closes hosts and lays a policy, at some node.
func (l *life) operator(ctx context.Context, random *rand.Rand) {
	for turn := 1; ctx.Err() == nil; turn++ {
		wait(ctx, time.Duration(1000+random.IntN(12000))*time.Millisecond)
		i, host := random.IntN(len(l.seats)), l.hosts[random.IntN(len(l.hosts))]
		l.mu.Lock()
		away := l.away[i]
		l.mu.Unlock()
		if away || ctx.Err() != nil {
			continue
		}
		whole := context.WithoutCancel(ctx)
		switch random.IntN(4) {
		case 0:
			_, _ = l.Say(whole, l.seats[i], i, host, time.Duration(10+random.IntN(60))*time.Second)
		case 1:
			_, _ = l.Say(whole, l.seats[i], i, host, 0)
		case 2:
			l.lay(whole, i, turn)
		case 3:
			l.read(whole, i)
		}
	}
}

// laidPath is a policy that is laid and read and otherwise not used.
const laidPath = "/v1/breakers/host/laid.example.org/policy"

// lay replaces a field of the policy.
func (l *life) lay(ctx context.Context, i, turn int) {
	e := Laid{Node: i, Host: laidPath}
	e.From = l.Now()
	c, err := ask[api.PolicyChanged](ctx, l.seats[i], "PATCH", laidPath, api.PolicyChange{Set: map[string]any{"fail_max": 10 + turn}})
	e.To, e.OK, e.Version = l.Now(), err == nil, version(c.Version)
	l.Add(e)
}

// read takes down which version of the policy a node shows.
func (l *life) read(ctx context.Context, i int) {
	from := l.Now()
	p, err := ask[api.PolicyResponse](ctx, l.seats[i], "GET", laidPath, nil)
	if err == nil {
		l.Add(Read{Asked: Span{from, l.Now()}, Node: i, Host: laidPath, Version: version(p.Version)})
	}
}

func version(text string) uint64 {
	n, _ := strconv.ParseUint(text, 10, 64)
	return n
}
