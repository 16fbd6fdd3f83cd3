package main

import (
	"context"
	"sync"
	"time"

	"fleetfuse/api"
	"fleetfuse/client/admin"
)

// topEvery is how often the node is asked.
const topEvery = time.Second

// shownEvents is how many events are asked for at first and kept at most.
const shownEvents = 50

// A reading is one answer of the node, or why there was none.
type reading struct {
	at       time.Time // of the answer, or when the question was asked
	status   api.StatusResponse
	breakers api.BreakersResponse
	err      error
}

// readLimit is how long the node may take before the picture says that it does
// not answer.
const readLimit = 3 * time.Second

// read asks the node.
func read(ctx context.Context, client *admin.Client, now func() time.Time) (r reading) {
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	r.at = now()
	if r.status, r.err = client.Status(ctx); r.err != nil {
		return r
	}
	if r.breakers, r.err = client.Breakers(ctx, ""); r.err == nil {
		r.at = now()
	}
	return r
}

// A feed brings what a picture shows.
type feed struct {
	readings chan reading
	events   chan api.EventsResponse
	loops    sync.WaitGroup
}

// startFeed asks until ctx ends.
func startFeed(ctx context.Context, client *admin.Client, now func() time.Time) *feed {
	f := &feed{readings: make(chan reading), events: make(chan api.EventsResponse)}
	f.loops.Go(func() { f.readOn(ctx, client, now) })
	f.loops.Go(func() { f.followOn(ctx, client) })
	return f
}

// wait returns when nothing asks any more.
func (f *feed) wait() { f.loops.Wait() }

func (f *feed) readOn(ctx context.Context, client *admin.Client, now func() time.Time) {
	tick := time.NewTicker(topEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		select {
		case <-ctx.Done():
			return
		case f.readings <- read(ctx, client, now):
		}
	}
}

// followOn tells the latest events and follows those after them. The client tries
// again by itself, unless there was no stream yet; the readings say that the node
// does not answer.
func (f *feed) followOn(ctx context.Context, client *admin.Client) {
	var q admin.EventsQuery
	got := func(r api.EventsResponse) error {
		q.After = r.Position
		select {
		case f.events <- r:
		case <-ctx.Done():
		}
		return nil
	}
	for ctx.Err() == nil {
		if q.After == "" {
			if r, err := client.Events(ctx, admin.EventsQuery{Limit: shownEvents}); err == nil {
				_ = got(r)
			}
		}
		if q.After != "" {
			_ = client.FollowEvents(ctx, q, got, func(error) {})
		}
		select {
		case <-ctx.Done():
		case <-time.After(topEvery):
		}
	}
}

// A picture is what is known at a time. Pictures share nothing that is changed.
type picture struct {
	at       time.Time // of the last answer
	status   api.StatusResponse
	breakers api.BreakersResponse
	events   []api.Event
	gaps     []api.MemberGap
	missing  []string
	since    time.Time // when the node stopped answering, zero if it answers
	err      error
}

// with is the picture with a reading. Without an answer the last one stays.
func (p picture) with(r reading) picture {
	if r.err != nil {
		if p.err = r.err; p.since.IsZero() {
			p.since = r.at
		}
		return p
	}
	p.at, p.status, p.breakers, p.err, p.since = r.at, r.status, r.breakers, nil, time.Time{}
	return p
}

// told is the picture with more events, the latest last.
func (p picture) told(r api.EventsResponse) picture {
	p.events = append(p.events[:len(p.events):len(p.events)], r.Events...)
	p.events = p.events[max(0, len(p.events)-shownEvents):]
	p.gaps = append(p.gaps[:len(p.gaps):len(p.gaps)], withinShown(r)...)
	p.missing = r.Missing
	return p
}

// A pictureLine is a picture as JSON.
type pictureLine struct {
	At          time.Time          `json:"at"` // of the node's last answer
	Status      api.StatusResponse `json:"status"`
	Breakers    []api.Breaker      `json:"breakers"`
	Partial     []string           `json:"partial,omitempty"`
	Events      []api.Event        `json:"events"`
	Gaps        []api.MemberGap    `json:"gaps,omitempty"`
	Missing     []string           `json:"missing,omitempty"`
	Unreachable *unreachable       `json:"unreachable,omitempty"`
}

// unreachable says that the node does not answer.
type unreachable struct {
	Since time.Time `json:"since"`
	Error string    `json:"error"`
}

func (p picture) document() pictureLine {
	l := pictureLine{
		At: p.at.UTC(), Status: p.status, Breakers: ranked(p.breakers.Breakers), Partial: p.breakers.Partial,
		Events: p.events, Gaps: p.gaps, Missing: p.missing,
	}
	if l.Events == nil {
		l.Events = []api.Event{}
	}
	if p.err != nil {
		l.Unreachable = &unreachable{p.since.UTC(), p.err.Error()}
	}
	return l
}
