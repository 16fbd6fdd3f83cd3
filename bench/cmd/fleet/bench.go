package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

const (
	size    = 5 // nodes of a fleet
	failMax = 5 // the default, and so are two witnesses
)

// bench is what all rows share.
type bench struct {
	binary, dir string
	row         string // being measured
	fleets      int    // started so far
	missed      int
}

// A verdict says whether a bar was met; beside has none.
type verdict string

const beside verdict = ""

func (b *bench) verdict(met bool) verdict {
	if met {
		return "met"
	}
	b.missed++
	return "MISSED"
}

// say prints a figure.
func (b *bench) say(what, figure, bar string, v verdict) {
	fmt.Printf("%-9s %-58s %-52s %-26s %s\n", b.row, what, figure, bar, v)
}

// fleet starts nodes with further flags; end kills those that run.
func (b *bench) fleet(ctx context.Context, args ...string) (*crew, error) {
	c := &crew{args: args, program: b.program()}
	var err error
	c.nodes, err = c.program.StartCluster(ctx, size, args...)
	return c, err
}

// program starts nodes in a directory that no other fleet uses.
func (b *bench) program() fleet.Program {
	b.fleets++
	return fleet.Program{Binary: b.binary, Dir: filepath.Join(b.dir, fmt.Sprint(b.fleets))}
}

// A crew is the nodes of one fleet. A node that was started again takes the
// place of the one before.
type crew struct {
	program fleet.Program
	args    []string
	nodes   []*fleet.Node
}

func (c *crew) end() { fleet.KillAll(c.nodes) }

// restart starts a killed node again and waits until it is a member.
func (c *crew) restart(ctx context.Context, i int) error {
	args := c.args
	for j, n := range c.nodes {
		if j != i {
			args = append(slices.Clip(args), "--cluster.peer", n.Gossip)
		}
	}
	n, err := c.program.Start(ctx, c.nodes[i].Name, args...)
	if err != nil {
		return err
	}
	c.nodes[i] = n
	for _, n := range c.nodes {
		if err := n.AwaitMembers(ctx, size); err != nil {
			return err
		}
	}
	return nil
}

// others are the nodes but one.
func (c *crew) others(i int) []*fleet.Node {
	return slices.Delete(slices.Clone(c.nodes), i, i+1)
}

// ownedBy makes new host names until a node owns so many.
func (c *crew) ownedBy(ctx context.Context, i, many int, word string) ([]string, error) {
	var hosts []string
	for k := 0; len(hosts) < many; k++ {
		host := fmt.Sprintf("%s-%d.example.org", word, k)
		o, err := c.nodes[i].Owner(ctx, host)
		if err != nil {
			return nil, err
		}
		if o.Self {
			hosts = append(hosts, host)
		}
	}
	return hosts, nil
}

// all does something for every node at once and returns one of the errors.
func all[T any](list []T, do func(int, T) error) error {
	var mu sync.Mutex
	var failed error
	var group sync.WaitGroup
	for i, x := range list {
		group.Go(func() {
			if err := do(i, x); err != nil {
				mu.Lock()
				defer mu.Unlock()
				failed = err
			}
		})
	}
	group.Wait()
	return failed
}

// failures are outcomes of calls that all got a 503.
func failures(host string, n int) []api.Outcome {
	return slices.Repeat([]api.Outcome{{Host: host, Status: 503}}, n)
}

// at is a quantile of durations, which it sorts.
func at(list []time.Duration, q float64) time.Duration {
	slices.Sort(list)
	return list[min(int(q*float64(len(list))), len(list)-1)]
}

// quantiles prints a list.
func quantiles(list []time.Duration) string {
	return fmt.Sprintf("p50 %s  p99 %s  max %s", ms(at(list, 0.5)), ms(at(list, 0.99)), ms(at(list, 1)))
}

func ms(d time.Duration) string {
	if d >= time.Second {
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	return fmt.Sprintf("%.2f ms", d.Seconds()*1000)
}

// machine prints what this was measured on, with what an empty round trip
// costs here.
func (b *bench) machine(ctx context.Context) error {
	fmt.Printf("%s, %d cores, %s %s/%s, load %s before; %d nodes and their callers share the cores\n",
		cpuName(), runtime.NumCPU(), runtime.Version(), runtime.GOOS, runtime.GOARCH, load(), size)
	b.row = "empty"
	c, err := b.fleet(ctx)
	defer c.end()
	if err != nil {
		return err
	}
	var took []time.Duration
	for range 2000 {
		d, err := empty(ctx, c.nodes[0])
		if err != nil {
			return err
		}
		took = append(took, d)
	}
	b.say("GET /healthz on a connection that is kept", quantiles(took), "", beside)
	return nil
}

// empty is how long a request takes that needs nothing.
func empty(ctx context.Context, n *fleet.Node) (time.Duration, error) {
	start := time.Now()
	_, err := n.Call(ctx, "GET", "/healthz", nil, nil)
	return time.Since(start), err
}

func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(text))[0]
}

func cpuName() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown machine"
}
