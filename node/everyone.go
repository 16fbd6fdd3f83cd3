package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/telemetry/follow"
)

// everyone is how this node reads the event logs of all members (follow.Source).
type everyone struct{ *Node }

// Members implements follow.Source.
func (n everyone) Members() []follow.Member {
	b := n.board
	b.mu.Lock()
	defer b.mu.Unlock()
	list := make([]follow.Member, 0, len(b.members.live)+len(b.members.gone))
	for _, m := range b.members.live {
		list = append(list, follow.Member{ID: m.ID, Name: m.Name, Live: true})
	}
	_, wall := b.clock.Both()
	for _, d := range b.members.gone {
		if !d.left && wall.Sub(d.at) <= rememberGone {
			list = append(list, follow.Member{ID: d.ID, Name: d.Name})
		}
	}
	return list
}

// Read implements follow.Source.
func (n everyone) Read(ctx context.Context, member string, q api.EventQuery) (api.EventPage, error) {
	return ofMember(ctx, n.Node, member, observeEvents, q, time.Duration(q.WaitMS)*time.Millisecond, func() (api.EventPage, error) {
		return n.events.read(ctx, q)
	})
}

// askAll asks members at once, and returns what each answered, in their order, and
// the names of those that did not answer.
func askAll[T any](members []follow.Member, ask func(follow.Member) (T, error)) (answers []answered[T], silent []string) {
	list := make([]answered[T], len(members))
	var asked sync.WaitGroup
	for i, m := range members {
		if list[i] = (answered[T]{Member: m, err: errNotLive}); m.Live {
			asked.Go(func() { list[i].answer, list[i].err = ask(m) })
		}
	}
	asked.Wait()
	for _, a := range list {
		if a.err != nil {
			silent = append(silent, a.Name)
			continue
		}
		answers = append(answers, a)
	}
	return answers, silent
}

// answered is what a member answered.
type answered[T any] struct {
	follow.Member
	answer T
	err    error
}

// errNotLive says that a member was not asked.
var errNotLive = errors.New("it is not live")

// observe answers a member that asks for some of this node's telemetry.
func (b *board) observe(ctx context.Context, o spread.Observe) (spread.Observed, error) {
	switch o.What {
	case observeEvents:
		return b.events.answer(ctx, o.Query)
	case observeUsage:
		return answerTo(o, func(q usageQuery) ([]usageRow, error) { return b.usage.answer(ctx, q) })
	case observeBelief:
		return answerTo(o, func(q api.BeliefQuery) (api.Belief, error) { return b.belief(breaker.Key(q.Key)), nil })
	case observeBuckets:
		return b.usage.answerBuckets(o.Query)
	case observeOutcomes:
		return answerTo(o, func(q outcomesQuery) (outcomesTold, error) { return b.usage.outcomes(q.Key), nil })
	case observeSound:
		return answerTo(o, func(struct{}) ([]string, error) { return b.tuning.node.unsound(), nil })
	case observeRecords:
		return answerTo(o, func(q recordsQuery) (recordsTold, error) { return b.tuning.answerRecords(ctx, q) })
	case observeTuner:
		return answerTo(o, func(q tunerQuery) (tunerAnswer, error) { return b.tuning.answerMember(ctx, q) })
	}
	return spread.Observed{}, fmt.Errorf("%s has no telemetry called %q: is it of an older version?", b.events.node, o.What)
}

// answerTo reads a member's question and writes what it is answered.
func answerTo[Q, A any](o spread.Observe, answer func(Q) (A, error)) (spread.Observed, error) {
	var q Q
	if err := json.Unmarshal(o.Query, &q); err != nil {
		return spread.Observed{}, fmt.Errorf("a question for %s: %w", o.What, err)
	}
	a, err := answer(q)
	if err != nil {
		return spread.Observed{}, err
	}
	body, err := json.Marshal(a)
	return spread.Observed{Body: body}, err
}

// observeLimit is how long a member may take, beside what it is to wait for.
const observeLimit = 2 * time.Second

// ofMember is some telemetry of a member: this node's own, or what another one
// answers, which may take so much longer.
func ofMember[A any](ctx context.Context, n *Node, member, what string, query any, wait time.Duration, own func() (A, error)) (A, error) {
	if member == n.id {
		return own()
	}
	return observed[A](ctx, n, member, what, query, wait)
}

// observed asks a member for some of its telemetry.
func observed[T any](ctx context.Context, n *Node, member, what string, query any, wait time.Duration) (answer T, err error) {
	text, err := json.Marshal(query)
	if err != nil {
		return answer, err
	}
	o, err := request[spread.Observed](ctx, n.board, func(s *spread.Node, now breaker.Instant) (uint64, spread.Effects) {
		return s.RequestFrom(now, member, "", spread.Observe{What: what, Query: text}, wait+observeLimit)
	})
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal(o.Body, &answer); err != nil {
		return answer, fmt.Errorf("the %s of %s: %w", what, n.fleet().Name(member), err)
	}
	return answer, nil
}
