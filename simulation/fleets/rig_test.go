package fleets

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"fleetfuse/internal/fleet"
	"fleetfuse/simulation/bubbles"
)

// size is how many nodes a fleet here has.
const size = 5

// A scenario is what can go wrong in a fleet.
type scenario struct {
	faults  []bubbles.FaultKind
	network bool // each node on a machine of its own
	redis   bool // cooldowns are shared
	disk    int  // the node on a small disk of its own, counted from 1
}

// A world is a fleet with its workers and upstreams.
type world struct {
	*bubbles.History
	t        *testing.T
	scenario scenario
	random   *rand.Rand
	dir      string
	args     []string
	network  *fleet.Network
	redis    *fleet.Redis
	hosts    []string
	up       *upstreams

	mu    sync.Mutex
	nodes []*fleet.Node // nil while there is none
	work  sync.WaitGroup
}

// start starts the fleet of a scenario.
func start(t *testing.T, s scenario, seed uint64, length time.Duration) *world {
	t.Helper()
	w := &world{t: t, scenario: s, dir: t.TempDir(), random: rand.New(rand.NewPCG(seed, 0)), args: []string{"--breaker-defaults", "reset_timeout:3s,half_open.jitter:20ms"}}
	if s.disk > 0 {
		w.smallDisk(s.disk)
	}
	if s.redis {
		r, err := fleet.StartRedis(t.Context(), w.dir)
		succeed(t, err)
		t.Cleanup(r.Kill)
		w.redis, w.args = r, append(w.args, "--cooldown-store", "redis://"+r.Address)
	}
	var err error
	if s.network {
		w.network, err = fleet.NewNetwork(size)
		succeed(t, err)
		t.Cleanup(func() {
			if err := w.network.Close(); err != nil {
				t.Error(err)
			}
		})
		w.args = append(w.args, "--insecure")
		w.nodes, err = w.network.StartCluster(t.Context(), w.program(), w.args...)
	} else {
		w.nodes, err = w.program().StartCluster(t.Context(), size, w.args...)
	}
	succeed(t, err)
	t.Cleanup(func() { fleet.KillAll(w.nodes) })
	w.History = bubbles.Begin(seed, size)
	script := map[string][]mood{}
	for i := range 4 {
		host := fmt.Sprintf("up%d.example.org", i)
		w.hosts, script[host] = append(w.hosts, host), moods(w.random, length)
	}
	w.up = startUpstreams(t, w.hosts, script, w.Now)
	return w
}

func (w *world) program() fleet.Program { return fleet.Program{Binary: program, Dir: w.dir} }

// dataDir is where node i keeps what it knows.
func (w *world) dataDir(i int) string { return filepath.Join(w.dir, fmt.Sprint("n", i+1), "data") }

func (w *world) smallDisk(n int) {
	dir := w.dataDir(n - 1)
	succeed(w.t, os.MkdirAll(dir, 0o700))
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		w.t.Skipf("a disk of its own needs root: mount: %v", err)
	}
	w.t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
}

// node is the process in seat i; nil while there is none.
func (w *world) node(i int) *fleet.Node {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.nodes[i]
}

func (w *world) seat(i int, n *fleet.Node) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.nodes[i] = n
}

// again starts a node in seat i again.
func (w *world) again(i int) error {
	var n *fleet.Node
	var err error
	if w.network != nil {
		n, err = w.network.Start(w.t.Context(), w.program(), i, append([]string{"--cluster.peer", w.network.Gossip((i + 1) % size)}, w.args...)...)
	} else {
		peer := w.node((i + 1) % size).Gossip
		n, err = w.program().Start(w.t.Context(), fmt.Sprint("n", i+1), append([]string{"--cluster.peer", peer}, w.args...)...)
	}
	if n != nil {
		w.seat(i, n)
	}
	return err
}

// patience is how long a worker waits for its node.
const patience = 3 * time.Second

// worker calls upstreams by way of one node.
func (w *world) worker(ctx context.Context, i int, random *rand.Rand) {
	for ctx.Err() == nil {
		pause(ctx, time.Duration(10+random.IntN(60))*time.Millisecond)
		if n := w.node(i); n != nil && ctx.Err() == nil {
			limited, done := context.WithTimeout(context.WithoutCancel(ctx), patience)
			_ = w.Call(limited, n, i, w.hosts[random.IntN(len(w.hosts))], w.up.call)
			done()
		}
	}
}

// operator opens and closes hosts, and lays policies.
func (w *world) operator(ctx context.Context, random *rand.Rand) {
	for turn := 1; ctx.Err() == nil; turn++ {
		pause(ctx, time.Duration(100+random.IntN(700))*time.Millisecond)
		i, host := random.IntN(size), w.hosts[random.IntN(len(w.hosts))]
		n := w.node(i)
		if n == nil || ctx.Err() != nil {
			continue
		}
		limited, done := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		switch random.IntN(4) {
		case 0:
			_, _ = w.Say(limited, n, i, host, time.Duration(3+random.IntN(12))*time.Second)
		case 1:
			_, _ = w.Say(limited, n, i, host, 0)
		default:
			w.lay(limited, n, i, turn)
		}
		done()
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// seed is the scenario's, or the one that the environment asks for.
func seed(t *testing.T, usual uint64) uint64 {
	t.Helper()
	text := os.Getenv("FLEET_SEED")
	if text == "" {
		return usual
	}
	n, err := strconv.ParseUint(text, 10, 32)
	succeed(t, err)
	return n
}
