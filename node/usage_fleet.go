package node

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/telemetry/follow"
	"fleetfuse/telemetry/rollup"
)

// observeUsage is the name by which members ask for counts.
const observeUsage = "usage"

// usageQuery asks a member for the counts of a window.
type usageQuery struct {
	Key      breaker.Key `json:"key,omitempty"`
	WindowMS int64       `json:"window_ms"`
}

// usageRow is a rollup.Row between nodes.
type usageRow struct {
	Key    breaker.Key `json:"key"`
	Role   string      `json:"role,omitempty"`
	Counts []byte      `json:"counts"` // rollup.Counts.Append
}

// answer answers a member.
func (u *usage) answer(ctx context.Context, q usageQuery) ([]usageRow, error) {
	rows, err := u.window(ctx, q.Key, time.Duration(q.WindowMS)*time.Millisecond)
	list := make([]usageRow, len(rows))
	for i := range rows {
		list[i] = usageRow{rows[i].Key, rows[i].Role, rows[i].Append(nil)}
	}
	return list, err
}

// Usage sums up what the callers of all members saw in the last so much time, of
// one key or of all with "". Members that do not answer are missing in it.
func (n *Node) Usage(ctx context.Context, key breaker.Key, window time.Duration) rollup.Fleet {
	return n.usageOfAll(ctx, everyone{n}.Members(), key, window)
}

func (n *Node) usageOfAll(ctx context.Context, members []follow.Member, key breaker.Key, window time.Duration) rollup.Fleet {
	answers, _ := askAll(members, func(m follow.Member) ([]rollup.Row, error) { return n.usageOf(ctx, m.ID, key, window) })
	reports, names := make([]rollup.Report, len(answers)), make([]string, len(members))
	for i, a := range answers {
		reports[i] = rollup.Report{Node: a.Name, Rows: a.answer}
	}
	for i, m := range members {
		names[i] = m.Name
	}
	return rollup.Merge(reports, names, 0)
}

// usageOf asks one member.
func (n *Node) usageOf(ctx context.Context, member string, key breaker.Key, window time.Duration) ([]rollup.Row, error) {
	if member == n.id {
		return n.usage.window(ctx, key, window)
	}
	list, err := observed[[]usageRow](ctx, n, member, observeUsage, usageQuery{key, window.Milliseconds()}, usageWait)
	if err != nil {
		return nil, err
	}
	rows, known := make([]rollup.Row, len(list)), make(map[rollup.Series]bool, len(list))
	for i, x := range list {
		s := rollup.Series{Key: x.Key, Role: x.Role}
		rows[i].Series = s
		_, err := rows[i].AddEncoded(x.Counts)
		if err == nil && (known[s] || !rows[i].Possible()) {
			err = errAbsurd
		}
		if err != nil {
			return nil, fmt.Errorf("the counts of %.300s: %w", x.Key, err)
		}
		known[s] = true
	}
	return rows, nil
}

// errAbsurd says that a member told what it cannot have seen: it is as one that does
// not answer.
var errAbsurd = errors.New("nobody can have counted that")

// usageWait is how long a member may take to read a long window from its disk.
const usageWait = 2 * time.Second
