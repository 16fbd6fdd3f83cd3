package fleet_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// followAt follows the events at a node until the test ends; it returns when the
// first batch came, from when on nothing is missed.
func followAt(t *testing.T, n *fleet.Node, lastID string) *fleet.Follower {
	t.Helper()
	return begun(t, must(n.Follow(t.Context(), "", lastID))(t))
}

// followBy is followAt by another address, on a connection of its own.
func followBy(t *testing.T, base, lastID string) *fleet.Follower {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(c.CloseIdleConnections)
	return begun(t, must(fleet.FollowEvents(t.Context(), c, base, "", lastID))(t))
}

func begun(t *testing.T, f *fleet.Follower) *fleet.Follower {
	t.Helper()
	t.Cleanup(func() { f.Close() })
	awaitTold(t, f, "the first batch", func(x fleet.Told) bool { return x.Position != "" })
	return f
}

// awaitTold waits until what a follower was told is as wanted.
func awaitTold(t *testing.T, f *fleet.Follower, what string, holds func(fleet.Told) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), hang)
	defer cancel()
	if err := f.Await(ctx, what, holds); err != nil {
		t.Fatalf("%v\n%s", err, lines(f.Told().Events))
	}
}

// awaitEvent waits until an event is told and returns it.
func awaitEvent(t *testing.T, f *fleet.Follower, what string, is func(api.Event) bool) (found api.Event) {
	t.Helper()
	awaitTold(t, f, what, func(x fleet.Told) bool {
		i := slices.IndexFunc(x.Events, is)
		if i >= 0 {
			found = x.Events[i]
		}
		return i >= 0
	})
	return found
}

// awaitMissing waits until a follower is told that these members, and no others,
// do not answer.
func awaitMissing(t *testing.T, f *fleet.Follower, names ...string) {
	t.Helper()
	awaitTold(t, f, fmt.Sprintf("that %v are missing", names), func(x fleet.Told) bool { return slices.Equal(x.Missing, names) })
}

// isEvent tells events of one kind about a host.
func isEvent(kind, host string) func(api.Event) bool {
	return func(e api.Event) bool { return e.Kind == kind && e.Key == "host:"+host }
}

// once fails the test unless each event that a member wrote was told once. Two
// members may have written one thing, each with the same id, if the owner died: of
// these one stream tells the first, as admin.Client does over many.
func once(t *testing.T, told ...fleet.Told) {
	t.Helper()
	times := map[string]int{}
	for _, x := range told {
		for _, e := range x.Events {
			if times[e.ID+e.Owner]++; times[e.ID+e.Owner] == 2 {
				t.Errorf("told twice: %s", lines([]api.Event{e}))
			}
		}
	}
}

// countEvents counts events of one kind about a host.
func countEvents(events []api.Event, kind, host string) (n int) {
	for _, e := range events {
		if isEvent(kind, host)(e) {
			n++
		}
	}
	return n
}

func lines(events []api.Event) string {
	var t strings.Builder
	for _, e := range events {
		fmt.Fprintf(&t, "%s %s: %s %s %s > %s %s (%s), by %s\n", e.Owner, e.Time.Format("15:04:05.000"), e.Kind, e.Key, e.From, e.To, e.Node, e.Detail, e.ID)
	}
	return t.String()
}

// eventsAt asks a node for all events since it began.
func eventsAt(t *testing.T, n *fleet.Node) api.EventsResponse {
	t.Helper()
	var r api.EventsResponse
	if code, err := n.Call(t.Context(), "GET", "/v1/events?since=24h&limit=10000", nil, &r); err != nil || code != http.StatusOK {
		t.Fatalf("events: %d, %v", code, err)
	}
	return r
}
