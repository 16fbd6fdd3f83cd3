package cluster_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"fleetfuse/cluster"
	"fleetfuse/wire"
)

var pause = flag.Duration("pause", 0, "how long TestPausedProcessReturns pauses, beyond being given up")

// childPeer is the environment variable that makes this binary a node, and
// names its peer.
const childPeer = "FLEETFUSE_TEST_CHILD"

// child is a node in a process of its own until its input ends.
func child(peer string) {
	c, err := cluster.Start(context.Background(), cluster.Options{
		NodeID: "child", Epoch: 1, Gossip: cluster.Gossip{Peers: []string{peer}}, Logger: slog.New(slog.DiscardHandler),
	}, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	c.Stop()
}

// seen passes on the epochs of the child: 0 while it is no member.
type seen chan uint64

func (s seen) Members(live []cluster.Member, _ []string) {
	epoch := uint64(0)
	for _, m := range live {
		if m.ID == "child" {
			epoch = m.Epoch
		}
	}
	s <- epoch
}
func (seen) Receive(*wire.Frame)   {}
func (seen) State() *wire.Frame    { return nil }
func (seen) Evicted(uint64)        {}
func (seen) SeedsChanged([]string) {}

// until waits for a child that ok says yes to.
func (s seen) until(t *testing.T, what string, limit time.Duration, ok func(epoch uint64) bool) {
	t.Helper()
	end := time.After(limit)
	for {
		select {
		case epoch := <-s:
			if ok(epoch) {
				return
			}
		case <-end:
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

func TestPausedProcessReturns(t *testing.T) {
	events := make(seen, 100)
	opt := options("127.0.0.1:0")
	opt.Events = events
	c, err := cluster.Start(t.Context(), opt, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), childPeer+"="+c.GossipAddress())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	events.until(t, "the child is a member", 10*time.Second, func(e uint64) bool { return e == 1 })
	if err := cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	events.until(t, "the paused child is given up", 10*time.Second, func(e uint64) bool { return e == 0 })
	t.Logf("given up after %v", time.Since(began))
	time.Sleep(*pause)
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	began = time.Now()
	events.until(t, "the child is back with a later epoch", 5*time.Second, func(e uint64) bool { return e >= 2 })
	t.Logf("back after %v", time.Since(began))
}
