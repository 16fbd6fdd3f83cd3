package client

import (
	"errors"
	"sync"
	"testing"
	"time"

	"fleetfuse/api"
)

// fedByHand returns a client whose stream the test plays: its feed has ended.
func fedByHand(t *testing.T, opt Options) *Client {
	c := newClient(t, newNode(t, testPolicy()), opt)
	c.cancelFeed()
	c.feeding.Wait()
	c.feed.event(api.ViewEvent{})
	return c
}

// A client that rejects everything once the node was away for long does not do
// so at the moment it goes or comes back.
func TestANodeThatGoesIsNotAwayForLong(t *testing.T) {
	c := fedByHand(t, Options{FailMode: FailClosed})
	lost := errors.New("the stream broke")
	done := make(chan struct{})
	var asking sync.WaitGroup
	for range 4 {
		asking.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if away := c.feed.awayFor(); away > time.Minute {
					t.Errorf("the node has been away for %v", away)
					return
				}
				if _, err := c.Allow(t.Context(), Call{Host: "a.example"}); err != nil {
					t.Errorf("rejected: %v", err)
					return
				}
			}
		})
	}
	for range 20_000 {
		c.feed.away(lost)
		c.feed.event(api.ViewEvent{})
	}
	close(done)
	asking.Wait()
}

// Tries to reach a node that is away do not begin its absence anew.
func TestAnAbsenceIsCountedFromItsBegin(t *testing.T) {
	c := fedByHand(t, Options{})
	if away := c.feed.awayFor(); away != 0 {
		t.Errorf("a node that answers is away for %v", away)
	}
	c.feed.away(errors.New("the stream broke"))
	began := c.feed.since
	c.feed.away(errors.New("it does not listen"))
	if c.feed.since != began || !c.Stale() {
		t.Errorf("away since %v, want %v; stale: %t", c.feed.since, began, c.Stale())
	}
}
