package node

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/internal/clock"
	"fleetfuse/telemetry"
	"fleetfuse/telemetry/eventlog"
	"fleetfuse/tuner/planner"
)

// chronicle writes down what happens on this node: the event log, as the node's
// parts see it. No call of it waits for a disk.
type chronicle struct {
	log   *eventlog.Log
	clock *clock.Clock
	node  string                 // this node's display name
	name  func(id string) string // of a node
}

// openEvents opens the event log. A disk that takes nothing keeps no node from
// starting.
func (n *Node) openEvents(ctx context.Context) error {
	dir := n.opt.DataDir
	if n.opt.Memory {
		dir = ""
	}
	log, err := eventlog.Open(ctx, dir, eventlog.Options{MaxAge: n.opt.EventAge, MaxBytes: n.opt.EventBytes, OnHealth: n.eventsHealth})
	if err != nil {
		return err
	}
	n.events = &chronicle{
		log: log, clock: n.clock, node: n.opt.Name,
		name: func(id string) string { return fleet{board: n.board}.Name(id) },
	}
	n.standing.begin(n.events.part)
	h := log.Health()
	if h.SetAside != "" {
		n.opt.Logger.Error("the event log was corrupt; a fresh one was made and the old one set aside", slog.String("file", h.SetAside))
	}
	if !h.OK {
		n.eventsHealth(h)
	}
	n.onStop(func() {
		ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
		defer cancel()
		n.logFailure("write the last events", log.Close(ctx))
	})
	return nil
}

// eventsHealth logs that the event log fails or works again, or gave events up.
func (n *Node) eventsHealth(h eventlog.Health) {
	n.part(partEvents, h.OK, errorText(h.Err))
	if h.OK {
		n.opt.Logger.Info("the event log is written", slog.Uint64("dropped", h.Dropped))
		return
	}
	n.opt.Logger.Error("the event log is not written; events go on in memory", slog.Any("err", h.Err), slog.Int("pending", h.Pending), slog.Uint64("dropped", h.Dropped))
}

// watch hands what actors do to metrics and event log (actors.Observer).
type watch struct {
	*telemetry.Keys
	events *chronicle
}

// Probed implements actors.Observer.
func (w watch) Probed(key breaker.Key, o breaker.Outcome) { w.events.probed(key, o) }

// add writes an event of this node down.
func (c *chronicle) add(e telemetry.Event) {
	if e.Time.IsZero() {
		_, e.Time = c.clock.Both()
	}
	e.Owner = c.node
	c.log.Append(e)
}

// takenOver is for how long after a word an owner that takes it over writes it down
// too, for the owner of then may have been dead already. Older ones were written,
// and a member that joins must not have a third of the breakers told again.
const takenOver = time.Minute

// announced writes down how a breaker owned here moved.
func (c *chronicle) announced(key breaker.Key, a breaker.Announcement) {
	for _, t := range a.Transitions {
		e := telemetry.EventOf(key, t, a.Snapshot)
		if t.Stamp != 0 && t.Stamp.Wall().Sub(e.Stamp.Wall()) > takenOver {
			continue
		}
		e.Time = c.clock.Wall(t.At)
		e.Node = c.nameOf(e.Node)
		e.Evidence.Witnesses = nil
		for _, id := range t.Nodes {
			e.Evidence.Witnesses = append(e.Evidence.Witnesses, c.nameOf(id))
		}
		c.add(e)
	}
}

func (c *chronicle) nameOf(id string) string {
	if id == "" {
		return ""
	}
	return c.name(id)
}

// probed writes down how a probe ended.
func (c *chronicle) probed(key breaker.Key, o breaker.Outcome) {
	end := "success"
	switch {
	case o.Kind == breaker.Failure || o.Strict:
		end = "failure"
	case o.Kind == breaker.Neutral:
		end = "neutral"
	}
	c.add(telemetry.Event{
		Kind: telemetry.KindProbe, Key: key, Node: c.nameOf(o.Node), Role: o.Role, To: end, Time: c.clock.Wall(o.Ended), Stamp: c.clock.Stamp(),
		Evidence: telemetry.Evidence{Status: o.Evidence.Status, Error: o.Evidence.Error, RetryAfter: o.Evidence.RetryAfter},
	})
}

// ring writes down what became of this node's ring of a breaker.
func (c *chronicle) ring(key breaker.Key, from breaker.State, to breaker.Status) {
	e := telemetry.Event{
		Kind: telemetry.KindLocal, Key: key, Node: c.node, From: from.String(), To: to.State.String(), Reason: to.Reason, Stamp: c.clock.Stamp(),
	}
	if to.State == breaker.Open {
		e.Length = to.Until.Sub(c.clock.Now())
	}
	c.add(e)
}

// laid writes down that an overlay is in force.
func (c *chronicle) laid(key breaker.Key, o breaker.Overlay) {
	what, fields := "replaced", o.Fields
	if o.Fields == "" && o.Temporary == "" {
		what = "reset"
	}
	if o.Temporary != "" {
		fields = strings.TrimSpace(fields + " for " + o.Length.String() + ": " + o.Temporary)
	}
	detail := fields
	switch {
	case o.Reason != "" && fields != "":
		detail = o.Reason + " (" + fields + ")"
	case o.Reason != "": // nothing stays replaced
		detail = o.Reason
	}
	c.add(telemetry.Event{
		Kind: telemetry.KindPolicy, Key: key, To: o.Register.String() + " " + what, Author: o.Author, Detail: detail,
		Length: o.Length, Stamp: o.Stamp, PolicyVersion: o.Stamp,
	})
}

// suggested writes down what the tuner proposes.
func (c *chronicle) suggested(key breaker.Key, plan string, x *api.SuggestedChange) {
	c.add(telemetry.Event{
		Kind: telemetry.KindAdvice, Key: key, Node: c.node, To: "suggested", Stamp: c.clock.Stamp(),
		Detail: fmt.Sprintf("%s %v to %v (%s): %s", x.Field, x.From, x.To, plan, x.Why),
	})
}

// promoted writes down that a change did well where it was tried.
func (c *chronicle) promoted(r *planner.Record) {
	c.add(telemetry.Event{Kind: telemetry.KindAdvice, Key: r.Key, Node: c.node, To: "promoted", Stamp: c.clock.Stamp(), Author: r.Author, Detail: r.Plan + ": " + r.Why})
}

// expired writes down that temporary fields of a policy ended.
func (c *chronicle) expired(key breaker.Key, s breaker.Snapshot) {
	for _, o := range s.Overlays {
		if o.Temporary != "" && o.Until <= c.clock.Now() {
			c.add(telemetry.Event{
				Kind: telemetry.KindPolicy, Key: key, To: o.Register.String() + " expired", Detail: o.Temporary, Stamp: o.Stamp, PolicyVersion: o.Stamp,
			})
		}
	}
}

// member writes down what became of a member. Every node notices, within seconds:
// the minute and the member's epoch make one event of that.
func (c *chronicle) member(name string, epoch uint64, from, to string) {
	_, wall := c.clock.Both()
	c.add(telemetry.Event{
		Kind: telemetry.KindMember, Node: name, From: from, To: to, Time: wall,
		Stamp: breaker.StampAt(wall.Truncate(time.Minute)) + breaker.Stamp(epoch%1000),
	})
}

// part writes down that a part of this node failed, or works again.
func (c *chronicle) part(name string, works bool, detail string) {
	kind := telemetry.KindDegraded
	if works {
		kind = telemetry.KindRecovered
	}
	c.add(telemetry.Event{Kind: kind, Node: c.node, To: name, Detail: detail})
}

// observeEvents is the name by which members ask for events.
const observeEvents = "events"

// read answers a question for events of this node.
func (c *chronicle) read(ctx context.Context, q api.EventQuery) (api.EventPage, error) {
	if q.Last {
		return api.EventPage{Through: c.log.Last(), Events: []api.Event{}}, nil
	}
	if q.WaitMS > 0 {
		return c.await(ctx, q)
	}
	f := eventlog.Filter{Key: breaker.Key(q.Key), Since: q.Since, After: q.After, Limit: q.Limit, Newest: q.Newest}
	for _, k := range q.Kinds {
		f.Kinds = append(f.Kinds, telemetry.Kind(k))
	}
	p, err := c.log.Query(ctx, f)
	if err != nil {
		return api.EventPage{}, err
	}
	page := api.EventPage{Through: p.Through, More: p.More, Events: shownEvents(p.Events)}
	for _, g := range p.Gaps {
		page.Gaps = append(page.Gaps, g.API())
	}
	return page, nil
}

// maxEventWait bounds how long a question waits for an event here.
const maxEventWait = 5 * time.Second

// await waits for what follows a position.
func (c *chronicle) await(ctx context.Context, q api.EventQuery) (api.EventPage, error) {
	limit, cancel := context.WithTimeout(ctx, min(time.Duration(q.WaitMS)*time.Millisecond, maxEventWait))
	defer cancel()
	b, err := c.log.Follow(q.After).Next(limit)
	page := api.EventPage{Through: b.Position, Events: shownEvents(b.Events)}
	switch {
	case err != nil && limit.Err() != nil && ctx.Err() == nil:
		return api.EventPage{Through: q.After, Events: page.Events}, nil
	case err != nil:
		return api.EventPage{}, err
	case b.Gap != nil:
		page.Gaps = []api.EventGap{b.Gap.API()}
	}
	if q.Limit > 0 && len(page.Events) > q.Limit {
		page.Events, page.More = page.Events[:q.Limit], true
		page.Through = page.Events[q.Limit-1].Seq
	}
	return page, nil
}

func shownEvents(list []telemetry.Event) []api.Event {
	shown := make([]api.Event, len(list))
	for i := range list {
		shown[i] = list[i].API()
	}
	return shown
}

// answer answers a member.
func (c *chronicle) answer(ctx context.Context, query []byte) (spread.Observed, error) {
	var q api.EventQuery
	if err := json.Unmarshal(query, &q); err != nil {
		return spread.Observed{}, fmt.Errorf("a question for events: %w", err)
	}
	body, err := c.readSome(ctx, q)
	return spread.Observed{Body: body}, err
}

// maxObserved bounds an answer to a member: beside it others must find room in
// what goes to a member at once.
const maxObserved = 4 << 20

// readSome is read for an answer that is not too large: it has as many events as
// fit, and says that there is more.
func (c *chronicle) readSome(ctx context.Context, q api.EventQuery) ([]byte, error) {
	for {
		page, err := c.read(ctx, q)
		if err != nil {
			return nil, err
		}
		body, err := json.Marshal(page)
		if err != nil || len(body) <= maxObserved || len(page.Events) < 2 {
			return body, err
		}
		q.Limit = len(page.Events) / 2
	}
}
