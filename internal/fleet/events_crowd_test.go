package fleet_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
	"fleetfuse/telemetry/follow"
)

// crowd follows the events at a node as so many do.
func crowd(t *testing.T, n *fleet.Node, size int) []*fleet.Follower {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{}}
	t.Cleanup(c.CloseIdleConnections)
	followers, errs := make([]*fleet.Follower, size), make([]error, size)
	var all sync.WaitGroup
	const atOnce = 50
	room := make(chan struct{}, atOnce)
	for i := range size {
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			followers[i], errs[i] = fleet.FollowEvents(t.Context(), c, n.HTTP, "", "")
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for _, f := range followers {
		t.Cleanup(func() { f.Close() })
		awaitTold(t, f, "the first batch", func(x fleet.Told) bool { return x.Position != "" })
	}
	return followers
}

// TestAThousandFollowers on one node are all told what another one saw. Beyond its
// limit a node says so, and what to do.
func TestAThousandFollowers(t *testing.T) {
	nodes := startCluster(t, 3)
	const many = 1000
	followers := crowd(t, nodes[0], many)
	for word := range 3 {
		began := time.Now()
		hosts := said(t, fmt.Sprint("crowd-", word), nodes...)
		for _, f := range followers {
			awaitTold(t, f, "what three nodes saw", toldAll(hosts))
		}
		t.Logf("all %d followers were told by all nodes %v after the first word", many, time.Since(began))
	}
	awaitMetric(t, nodes[0], "fleetfuse_event_followers", many)
	followers = append(followers, crowd(t, nodes[0], follow.DefaultFollowers-many)...)
	_, err := nodes[0].Follow(t.Context(), "", "")
	if r, ok := errors.AsType[*fleet.Refused](err); !ok || r.Status != http.StatusServiceUnavailable || !strings.Contains(r.Body, "another node") {
		t.Errorf("one too many: %v; want 503 that says what to do", err)
	}
	f := followAt(t, nodes[1], "")
	f.Close()
	for _, f := range followers {
		f.Close()
	}
	awaitMetric(t, nodes[0], "fleetfuse_event_followers", 0)
}

// TestAFollowerThatDoesNotRead is cut off; the others, and the decisions, do not
// wait for it.
func TestAFollowerThatDoesNotRead(t *testing.T) {
	nodes := startCluster(t, 2)
	c := must(net.Dial("tcp", strings.TrimPrefix(nodes[0].HTTP, "http://")))(t)
	defer c.Close()
	_ = c.(*net.TCPConn).SetReadBuffer(4 << 10)
	must(fmt.Fprintf(c, "GET /v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"))(t)
	awaitMetric(t, nodes[0], "fleetfuse_event_followers", 1)
	f := followAt(t, nodes[0], "")
	const hosts, batch = 40_000, api.MaxOutcomes
	began := time.Now()
	var slowest time.Duration
	for first := 0; first < hosts; first += batch {
		outcomes := make([]api.Outcome, batch)
		for i := range outcomes {
			outcomes[i] = retryAfter(fmt.Sprintf("unread-%d.example.org", first+i), "600")
		}
		succeed(t, nodes[1].Report(t.Context(), outcomes...))
		asked := time.Now()
		expect(t, "a decision meanwhile", nodes[0], "well.example.org", closed)
		slowest = max(slowest, time.Since(asked))
	}
	awaitTold(t, f, "all of it", func(x fleet.Told) bool { return len(x.Events) >= hosts })
	t.Logf("another follower was told %d events within %v; the slowest decision took %v", hosts, time.Since(began), slowest)
	awaitMetric(t, nodes[0], "fleetfuse_event_followers_dropped_total", 1)
	t.Logf("the one that did not read was cut off after %v", time.Since(began))
	awaitMetric(t, nodes[0], "fleetfuse_event_followers", 1)
	once(t, f.Close())
}
