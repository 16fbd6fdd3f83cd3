package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/cluster/travel"
	"fleetfuse/cluster/words"
	"fleetfuse/wire"
)

// Limits of requests, beside what the protocol allows for the way.
const (
	inspectLimit = time.Second
	ringsLimit   = 300 * time.Millisecond
	maxServing   = 256 // requests of members under way
)

// stepAll tells the actors, before a member can answer what is sent.
func (b *board) stepAll(e spread.Effects) {
	for _, k := range e.Evicted {
		b.breakers.Drop(k)
	}
	for _, s := range e.Steps {
		b.step(s)
	}
	b.wakeLater(e.Steps)
}

// carry does what of the effects needs no lock.
func (b *board) carry(e spread.Effects) {
	for _, s := range e.Sends {
		b.send(s)
	}
	for _, s := range e.Serve {
		b.serve(s)
	}
	for _, x := range e.Again {
		x.Cooldown.Stamp = b.clock.Stamp()
		b.Cool(x.Key, x.Cooldown)
	}
	if b.sharing != nil {
		b.sharing.cover(e.Covered)
	}
	if e.Apart != nil {
		b.tellApart()
	}
}

func (b *board) send(s spread.Send) {
	f, err := travel.Depart(s.Message, b.clock.Now())
	if err != nil { // a message of ours without a wire form is a bug
		b.logger.Error("a message could not be sent", slog.String("to", s.To), slog.Any("err", err))
		return
	}
	f.Stamp = uint64(b.clock.Stamp())
	b.metrics.Sent(kindOf(s.Message))
	b.cluster.Send(s.To, f)
}

// kindOf names a message in the metrics.
func kindOf(m spread.Message) string {
	switch m.(type) {
	case spread.Push:
		return "push"
	case spread.Ack:
		return "ack"
	case spread.Batch:
		return "batch"
	case spread.BatchAck:
		return "batch_ack"
	case spread.Settle:
		return "settle"
	case spread.WitnessAsk:
		return "witness_ask"
	case spread.WitnessReply:
		return "witness_reply"
	case spread.Digest:
		return "digest"
	case spread.Want:
		return "want"
	case spread.Synced:
		return "synced"
	case spread.Request:
		return "request"
	case spread.Reply:
		return "reply"
	case spread.Refusal:
		return "refusal"
	}
	return "other"
}

// step tells an actor of this node.
func (b *board) step(s spread.Step) {
	switch do := s.Do.(type) {
	case spread.Count:
		b.breakers.Report(s.Key, do.Node, do.Gap, do.Outcomes)
	case spread.Cool:
		b.breakers.Cool(s.Key, do.Cooldown)
	case spread.Adopt:
		b.breakers.Adopt(s.Key, do.Snapshot, do.Wake)
	case spread.Joined:
		b.breakers.Joined(s.Key)
	case breaker.WitnessAnswer:
		b.breakers.Witness(s.Key, do)
	case spread.EndRound:
		b.breakers.EndRound(s.Key, do.Round)
	}
}

// Receive implements cluster.Events. A frame whose stamp is days ahead is not
// taken: its sender's clock is off, or ours.
func (b *board) Receive(f *wire.Frame) {
	if !b.joined() {
		return // whatever it says comes again
	}
	stamp := breaker.Stamp(f.Stamp)
	if err := b.clock.Observe(stamp); err != nil {
		_, wall := b.clock.Both()
		b.do(func(n *spread.Node, now breaker.Instant) spread.Effects {
			b.refused++
			return n.Refuse(now, f.From, stamp.Wall().Sub(wall))
		})
		return
	}
	m, err := arrive(f, b.clock.Now())
	if err != nil {
		b.mu.Lock()
		b.refused++
		b.mu.Unlock()
		b.logger.Debug("a frame makes no sense", slog.String("from", f.From), slog.Any("err", err))
		return
	}
	b.do(func(n *spread.Node, now breaker.Instant) spread.Effects { return n.Receive(now, f.From, m) })
}

// arrive reads a frame. Another node's nonsense must not end this one.
func arrive(f *wire.Frame, now breaker.Instant) (m spread.Message, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("reading it panicked: %v", r)
		}
	}()
	return travel.Arrive(f, now)
}

func (b *board) joined() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cluster != nil
}

// State implements cluster.Events.
func (b *board) State() *wire.Frame {
	m := read(b, (*spread.Node).Summary)
	f, err := travel.Depart(m, b.clock.Now())
	if err != nil {
		return nil
	}
	f.Stamp = uint64(b.clock.Stamp())
	return f
}

// serve answers a request of a member.
func (b *board) serve(s spread.Serve) {
	room, limit := b.serving, words.WordLimit
	if o, ok := s.Request.Body.(spread.Observe); ok {
		room = b.observing
		if o.What == observeTuner {
			limit = enforceWait // the longest of its questions
		}
	}
	if s.Until != 0 {
		limit = min(limit, s.Until.Sub(b.clock.Now()))
	}
	select {
	case room <- struct{}{}:
	default:
		b.reply(s, errors.New("too many requests of members are under way"))
		return
	}
	begun := b.work(func() {
		defer func() { <-room }()
		ctx, cancel := context.WithTimeout(b.life, limit)
		defer cancel()
		body, err := b.answer(ctx, s)
		if err != nil {
			body = err
		}
		b.reply(s, body)
	})
	if !begun {
		<-room
	}
}

func (b *board) answer(ctx context.Context, s spread.Serve) (any, error) {
	key := s.Request.Key
	switch q := s.Request.Body.(type) {
	case spread.Ask:
		return b.breakers.Ask(ctx, key, q.Question)
	case spread.Inspect:
		return b.breakers.Inspect(ctx, key)
	case spread.Word:
		if q.Length == 0 {
			return b.breakers.Close(ctx, key, q.Author, q.Detail)
		}
		return b.breakers.Open(ctx, key, q.Length, q.Author, q.Detail)
	case spread.Hold:
		return b.hold(ctx, s.From, key, q.Snapshot)
	case spread.ListRings:
		return b.rings(key), nil
	case spread.Lay:
		return b.breakers.Lay(ctx, key, q)
	case spread.ListOverlays:
		return b.pastOverlays(ctx, key)
	case spread.Observe:
		return b.observe(ctx, q)
	}
	return nil, fmt.Errorf("a request for a %T is not served", s.Request.Body)
}

func (b *board) reply(s spread.Serve, body any) {
	b.do(func(n *spread.Node, now breaker.Instant) spread.Effects {
		return n.Reply(now, s.From, s.Request.ID, body)
	})
}

// request sends a request and waits for its reply.
func request[T any](ctx context.Context, b *board, send func(*spread.Node, breaker.Instant) (uint64, spread.Effects)) (T, error) {
	var zero T
	var id uint64
	reply := make(chan any, 1)
	b.do(func(n *spread.Node, now breaker.Instant) (e spread.Effects) {
		id, e = send(n, now)
		b.waits[id] = reply
		return e
	})
	select {
	case body := <-reply:
		return taken[T](body)
	case <-ctx.Done():
	}
	b.do(func(n *spread.Node, now breaker.Instant) spread.Effects {
		delete(b.waits, id)
		return n.Abandon(now, id)
	})
	select {
	case body := <-reply: // it came at the last moment, perhaps with a permit
		return taken[T](body)
	default:
		return zero, fmt.Errorf("%w: %w", spread.ErrNoOwner, context.Cause(ctx))
	}
}

// taken takes a reply apart.
func taken[T any](body any) (T, error) {
	var zero T
	switch body := body.(type) {
	case T:
		return body, nil
	case error:
		return zero, body
	}
	return zero, fmt.Errorf("a member answered with a %T", body)
}
