package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// crew is the worker processes.
type crew struct {
	workers []*worker
	reading sync.WaitGroup
}

type worker struct {
	cmd   *exec.Cmd
	ready chan struct{}

	mu   sync.Mutex
	last tally
	odd  string
}

// leaveLimit is how long a worker may take to leave.
const leaveLimit = 3 * time.Second

// startCrew starts n workers and waits until each has the node's view. They
// end with ctx.
func startCrew(ctx context.Context, n int, pause time.Duration, node, url string) (*crew, error) {
	c := &crew{}
	self, err := os.Executable()
	if err != nil {
		return c, err
	}
	for i := range n {
		w := &worker{cmd: exec.CommandContext(ctx, self), ready: make(chan struct{})}
		w.cmd.Env = append(os.Environ(), fmt.Sprintf("%s=worker-%d", envWorker, i+1), envAddr+"="+node, envUpstream+"="+url,
			envPause+"="+pause.String())
		w.cmd.Stderr = os.Stderr
		w.cmd.Cancel = func() error { return w.cmd.Process.Signal(syscall.SIGTERM) }
		w.cmd.WaitDelay = leaveLimit
		if err := c.start(w); err != nil {
			return c, err
		}
	}
	for _, w := range c.workers {
		select {
		case <-w.ready:
		case <-ctx.Done():
			return c, ctx.Err()
		case <-time.After(10 * time.Second):
			return c, fmt.Errorf("worker %d does not get ready", w.cmd.Process.Pid)
		}
	}
	return c, nil
}

func (c *crew) start(w *worker) error {
	out, err := w.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if _, err := w.cmd.StdinPipe(); err != nil { // its end tells the worker that we are gone
		return err
	}
	if err := w.cmd.Start(); err != nil {
		return err
	}
	c.workers = append(c.workers, w)
	c.reading.Go(func() {
		lines := json.NewDecoder(out)
		for first := true; ; first = false {
			var t tally
			if lines.Decode(&t) != nil {
				break
			}
			w.mu.Lock()
			w.last = t
			if t.Other != "" {
				w.odd = t.Other
			}
			w.mu.Unlock()
			if first {
				close(w.ready)
			}
		}
		_ = w.cmd.Wait()
	})
	return nil
}

// leave ends the workers, who print their last line, and waits for them.
func (c *crew) leave() {
	for _, w := range c.workers {
		_ = w.cmd.Process.Signal(syscall.SIGTERM)
	}
	c.reading.Wait()
}

// total adds up what the workers printed last.
func (c *crew) total() (sum tally) {
	for _, w := range c.workers {
		w.mu.Lock()
		sum.Sent += w.last.Sent
		sum.Rejected += w.last.Rejected
		sum.Probes += w.last.Probes
		if w.odd != "" {
			sum.Other = w.odd
		}
		w.mu.Unlock()
	}
	return sum
}
