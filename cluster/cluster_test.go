package cluster_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/goleak"

	"fleetfuse/cluster"
)

func TestMain(m *testing.M) {
	if peer := os.Getenv(childPeer); peer != "" {
		child(peer)
		return
	}
	code := m.Run()
	throttlers := []goleak.Option{ // they sleep up to a minute, then end
		goleak.IgnoreTopFunction("github.com/asynkron/protoactor-go/actor.NewDeadLetter.NewThrottle.func4.1"),
		goleak.IgnoreTopFunction("github.com/asynkron/protoactor-go/cluster.(*Gossiper).StartGossiping.NewThrottle.func3.1"),
		goleak.IgnoreTopFunction("github.com/asynkron/protoactor-go/cluster.NewGossipActor.NewThrottleWithLogger.func2.1"),
	}
	err := goleak.Find(throttlers...)
	for range 5 { // protoactor sleeps 2 s after a dial that failed
		if err != nil {
			err = goleak.Find(throttlers...)
		}
	}
	if code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// start starts a cluster of one and stops it with the test.
func start(t *testing.T, kinds map[string]*actor.Props) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Start(t.Context(), options("127.0.0.1:0"), kinds)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	return c
}

func options(listen string) cluster.Options {
	return cluster.Options{NodeID: "node-1", Epoch: 1, Actor: cluster.Actor{Listen: listen}, Logger: slog.New(slog.DiscardHandler)}
}

func TestStartIsPrompt(t *testing.T) {
	began := time.Now()
	c := start(t, nil)
	if took := time.Since(began); took > 500*time.Millisecond { // the shell's own second is not waited for
		t.Errorf("Start took %v, want less than 500ms", took)
	}
	if _, port, err := net.SplitHostPort(c.Address()); err != nil || port == "0" {
		t.Errorf("Address = %q, want the port that was bound", c.Address())
	}
	if got := c.Owner("host:a"); got != "node-1" {
		t.Errorf("Owner = %q, want node-1", got)
	}
	want := cluster.Member{ID: "node-1", Epoch: 1, ActorAddress: c.Address(), GossipAddress: c.GossipAddress(), Self: true}
	if got := c.Members(); len(got) != 1 || got[0] != want {
		t.Errorf("Members = %v, want this node alone", got)
	}
}

func TestStopIsFast(t *testing.T) {
	c := start(t, nil)
	time.Sleep(1100 * time.Millisecond) // the shell sleeps a second; nothing tells when it ended
	began := time.Now()
	c.Stop()
	if took := time.Since(began); took > 500*time.Millisecond {
		t.Errorf("Stop took %v, want less than 500ms", took)
	}
	c.Stop() // does nothing
}

func TestPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	_, err = cluster.Start(t.Context(), options(taken.Addr().String()), nil)
	if err == nil || !strings.Contains(err.Error(), taken.Addr().String()) {
		t.Fatalf("Start on a taken port: %v, want an error that names %s", err, taken.Addr())
	}
}

func TestGossipPortInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	opt := options("127.0.0.1:0")
	opt.Gossip.Listen = taken.Addr().String()
	_, err = cluster.Start(t.Context(), opt, nil)
	if want := "--cluster.listen-address " + taken.Addr().String(); err == nil || !strings.Contains(err.Error(), want) {
		t.Fatalf("Start on a taken port: %v, want an error with %q", err, want)
	}
}

func TestListenAddresses(t *testing.T) {
	for _, addr := range []string{"127.0.0.1", "127.0.0.1:x", "127.0.0.1:65536", "example.org:0"} {
		if _, err := cluster.Start(t.Context(), options(addr), nil); err == nil || !strings.Contains(err.Error(), "--actor.listen-address") {
			t.Errorf("Start on %q: %v, want an error that names the flag", addr, err)
		}
	}
}

func TestCancelledStart(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c, err := cluster.Start(ctx, options("127.0.0.1:0"), nil)
	if err == nil { // it was up before it looked at the context
		c.Stop()
	}
}

// counter counts the messages its kind gets, and passivates at every third.
type counter struct {
	c    *atomic.Pointer[cluster.Cluster]
	got  *atomic.Int64
	done chan<- struct{}
	n    int
	id   string
	left bool
}

func (a *counter) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case string:
		a.id = m
		if a.left {
			a.c.Load().Deliver("counter", a.id, m, nil)
			return
		}
		if a.got.Add(1); a.n == 2 {
			a.left = true
			a.c.Load().Passivated("counter", a.id, c.Self())
			c.Send(c.Self(), 0)
		}
		a.n++
		a.done <- struct{}{}
	case int:
		c.Stop(c.Self())
	}
}

func TestNoMessageIsLostToPassivation(t *testing.T) {
	const senders, each = 8, 300
	var c atomic.Pointer[cluster.Cluster]
	var got atomic.Int64
	done := make(chan struct{}, senders*each)
	c.Store(start(t, map[string]*actor.Props{
		"counter": actor.PropsFromProducer(func() actor.Actor { return &counter{c: &c, got: &got, done: done} }),
	}))
	for s := range senders {
		go func() {
			for i := range each {
				c.Load().Deliver("counter", fmt.Sprint((s+i)%3), fmt.Sprint((s+i)%3), nil)
			}
		}()
	}
	for n := range senders * each {
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Fatalf("%d of %d messages arrived", n, senders*each)
		}
	}
}

func TestStopRunsMailboxesDry(t *testing.T) {
	const messages = 1000
	var c atomic.Pointer[cluster.Cluster]
	var got atomic.Int64
	done := make(chan struct{}, messages)
	c.Store(start(t, map[string]*actor.Props{
		"counter": actor.PropsFromProducer(func() actor.Actor { return &counter{c: &c, got: &got, done: done, n: 3} }),
	}))
	for range messages {
		c.Load().Deliver("counter", "a", "a", nil)
	}
	c.Load().Stop()
	if got.Load() != messages {
		t.Errorf("%d of %d messages were handled before Stop returned", got.Load(), messages)
	}
	if c.Load().Deliver("counter", "a", "a", nil) {
		t.Error("Deliver after Stop: true, want false")
	}
	if c.Load().Active() != 0 {
		t.Errorf("Active after Stop = %d, want 0", c.Load().Active())
	}
}
