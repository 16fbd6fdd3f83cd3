package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// A sighting is one node's word on its stream.
type sighting struct {
	node int
	at   time.Time
	api.Exception
}

// open says that the fleet rejects, not this node's ring alone.
func (s sighting) open() bool { return s.State == "open" && !s.Local }

// streams follow /v1/view of several nodes. What they say is kept by host until
// the host is forgotten.
type streams struct {
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu    sync.Mutex
	heard map[string][]sighting
	news  chan struct{}
	err   error
}

// follow subscribes to the nodes and returns when all answer.
func follow(ctx context.Context, nodes []*fleet.Node) (*streams, error) {
	ctx, cancel := context.WithCancel(ctx)
	s := &streams{cancel: cancel, heard: map[string][]sighting{}, news: make(chan struct{}, 1)}
	err := all(nodes, func(i int, n *fleet.Node) error {
		resp, err := get(ctx, n, "/v1/view")
		if err != nil {
			return err
		}
		s.done.Go(func() {
			defer resp.Body.Close()
			err := s.read(i, bufio.NewReader(resp.Body))
			if ctx.Err() == nil {
				s.mu.Lock()
				s.err = fmt.Errorf("the stream of node %s ended: %w", n.Name, err)
				s.mu.Unlock()
			}
		})
		return nil
	})
	if err != nil {
		s.end()
	}
	return s, err
}

func (s *streams) end() {
	s.cancel()
	s.done.Wait()
}

func (s *streams) read(node int, r *bufio.Reader) error {
	for {
		line, err := r.ReadBytes('\n')
		now := time.Now()
		if err != nil {
			return err
		}
		text, ok := bytes.CutPrefix(line, []byte("data: "))
		if !ok {
			continue
		}
		var e api.ViewEvent
		if err := json.Unmarshal(text, &e); err != nil {
			return err
		}
		s.mu.Lock()
		for _, x := range e.Exceptions {
			host := strings.TrimPrefix(x.Key, "host:")
			s.heard[host] = append(s.heard[host], sighting{node, now, x})
		}
		s.mu.Unlock()
		select {
		case s.news <- struct{}{}:
		default:
		}
	}
}

// of is what was heard of a host.
func (s *streams) of(host string) ([]sighting, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.heard[host], s.err
}

func (s *streams) forget(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.heard, host)
}

const awaitLimit = 10 * time.Second // only stops hangs

// errNever says that a trip did not come about in time.
var errNever = errors.New("the trip did not come about")

// opened waits until all of the nodes said that the fleet rejects a host, and
// returns when the last did.
func (s *streams) opened(ctx context.Context, host string, nodes ...int) (time.Time, error) {
	limit := time.NewTimer(awaitLimit)
	defer limit.Stop()
	for {
		list, err := s.of(host)
		if err != nil {
			return time.Time{}, err
		}
		var last time.Time
		waits := len(nodes)
		for _, node := range nodes {
			for _, x := range list {
				if x.node == node && x.open() {
					if waits--; x.at.After(last) {
						last = x.at
					}
					break
				}
			}
		}
		if waits == 0 {
			return last, nil
		}
		select {
		case <-s.news:
		case <-limit.C:
			return last, fmt.Errorf("%w: %d of %d nodes did not reject %s within %v: %+v", errNever, waits, len(nodes), host, awaitLimit, list)
		case <-ctx.Done():
			return last, context.Cause(ctx)
		}
	}
}
