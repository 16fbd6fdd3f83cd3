package node

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"fleetfuse/actors"
	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/telemetry"
	"fleetfuse/telemetry/follow"
	"fleetfuse/telemetry/rollup"
	"fleetfuse/tuner"
	"fleetfuse/tuner/planner"
)

// observeBuckets is the name by which the tuner follows what members count.
const observeBuckets = "buckets"

// bucketsQuery asks a member for what it counted after a bucket.
type bucketsQuery struct {
	After rollup.Bucket `json:"after"`
}

// bucketsTold is what a member answers.
type bucketsTold struct {
	Buckets []byte `json:"buckets"` // rollup.AppendBuckets
}

// buckets is what this node counted after a bucket.
func (u *usage) buckets(after rollup.Bucket) []rollup.BucketCounts {
	u.collect(drainPause)
	u.mu.Lock()
	defer u.mu.Unlock()
	list, _ := u.table.Since(after)
	return list
}

// answerBuckets answers a member.
func (u *usage) answerBuckets(query []byte) (spread.Observed, error) {
	var q bucketsQuery
	if err := json.Unmarshal(query, &q); err != nil {
		return spread.Observed{}, fmt.Errorf("a question for buckets: %w", err)
	}
	body, err := bucketsBody(u.buckets(q.After))
	return spread.Observed{Body: body}, err
}

// bucketsBody is an answer that is not too large: of very many hosts the older half
// is left out, and half of that again.
func bucketsBody(list []rollup.BucketCounts) ([]byte, error) {
	for {
		body, err := json.Marshal(bucketsTold{rollup.AppendBuckets(nil, list)})
		if err != nil || len(body) <= maxObserved || len(list) < 2 {
			return body, err
		}
		list = list[len(list)/2:]
	}
}

// late is how many buckets a member may take to close one.
const late = 2

// observe tells the tuner, which is here, what callers saw since the last time. What
// a member that does not answer saw is missing.
func (t *tuning) observe(ctx context.Context) error {
	n := t.node
	if err := t.begin(ctx); err != nil {
		return err
	}
	_, wall := n.clock.Both()
	through := rollup.BucketOf(wall) - late
	after, err := actors.Consult(ctx, t.actor, func(p *planner.Planner) int64 {
		p.Use(t.settings())
		return p.Through()
	})
	if err != nil {
		return err
	}
	since := max(rollup.Bucket(after), rollup.BucketOf(wall.Add(-inMemory)))
	answers, _ := askAll(everyone{n}.Members(), func(m follow.Member) ([]rollup.BucketCounts, error) {
		if m.ID == n.id {
			return n.usage.buckets(since), nil
		}
		told, err := observed[bucketsTold](ctx, n, m.ID, observeBuckets, bucketsQuery{since}, usageWait)
		if err != nil {
			return nil, err
		}
		return rollup.DecodeBuckets(told.Buckets)
	})
	lists := make([][]rollup.BucketCounts, len(answers))
	for i, a := range answers {
		lists[i] = a.answer
	}
	seen := seenOf(rollup.MergeBuckets(lists...), t.opens(ctx, since.Start().Add(rollup.Width)), through)
	_, err = actors.Consult(ctx, t.actor, func(p *planner.Planner) struct{} {
		p.Observe(seen, int64(through))
		return struct{}{}
	})
	return err
}

// spot is a key in a bucket.
type spot struct {
	at  rollup.Bucket
	key breaker.Key
}

// opens counts how often circuits opened since a moment, by bucket.
func (t *tuning) opens(ctx context.Context, since time.Time) map[spot]uint64 {
	told := t.node.hub.Query(ctx, follow.Question{
		Limit: maxTunerEvents, Filter: follow.Filter{Since: since, Kinds: []string{string(telemetry.KindTransition)}},
	})
	if told.More {
		t.node.opt.Logger.Warn("there were more opens than the tuner counts; of the earlier ones a change on trial says nothing", slog.Int("most", maxTunerEvents))
	}
	counts := map[spot]uint64{}
	for i := range told.Events {
		if e := &told.Events[i]; opened(e) {
			counts[spot{rollup.BucketOf(e.Time), breaker.Key(e.Key)}]++
		}
	}
	return counts
}

// maxTunerEvents bounds the events of a window that the tuner looks at.
const maxTunerEvents = 10_000

func opened(e *api.Event) bool { return e.To == breaker.Open.String() && e.From != e.To }

// seenOf are the buckets up to one, as the planner takes them.
func seenOf(list []rollup.BucketCounts, opens map[spot]uint64, through rollup.Bucket) []planner.Seen {
	seen := make([]planner.Seen, 0, len(list))
	for i := range list {
		c := &list[i]
		if c.At > int64(through) {
			continue
		}
		seen = append(seen, planner.Seen{
			Key: c.Key, Bucket: tuner.Bucket(c.BucketSums), Rejected: c.Rejected, ProbesFailed: c.ProbesFailed, Opens: opens[spot{rollup.Bucket(c.At), c.Key}],
		})
	}
	return seen
}

// judge looks at changes on trial.
func (t *tuning) judge(ctx context.Context) {
	t.deciding.Lock()
	defer t.deciding.Unlock()
	extend := len(t.blocked(ctx)) == 0
	type judged struct {
		orders  []planner.Order
		records []planner.Record
	}
	_, wall := t.node.clock.Both()
	j, err := actors.Consult(ctx, t.actor, func(p *planner.Planner) judged {
		orders, records := p.Judge(wall, extend)
		return judged{orders, records}
	})
	if err != nil {
		t.node.logFailure("judge changes on trial", err)
		return
	}
	t.keep(ctx, j.records)
	for i := range j.records {
		t.node.events.promoted(&j.records[i])
	}
	for i, done := range t.carryOut(ctx, j.orders) {
		if done.Error == "" {
			continue
		}
		what := "a change that did well elsewhere could not be made; it will be advised again"
		if j.orders[i].Undo {
			what = "a change on trial could not be undone; it is tried again"
		}
		t.node.opt.Logger.Warn(what, slog.String("key", done.Key), slog.String("err", done.Error))
	}
}
