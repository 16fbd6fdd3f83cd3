//go:build bubble

package bubbles

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestSeeds is run by TestBubbles, which patches the network in.
func TestSeeds(t *testing.T) {
	first, count := number(t, "BUBBLES_FIRST", 1), number(t, "BUBBLES_SEEDS", 1)
	length := time.Duration(number(t, "BUBBLES_MINUTES", 3)) * time.Minute
	for seed := first; seed < first+count; seed++ {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			began := time.Now()
			var h *History
			synctest.Test(t, func(t *testing.T) { h = live(t, seed, length) })
			if h == nil {
				t.Fatalf("seed %d did not end; run it again: BUBBLES_FIRST=%d BUBBLES_SEEDS=1 go test ./simulation/bubbles", seed, seed)
			}
			t.Logf("%d nodes, %v in %v: %v", h.Nodes, length, time.Since(began).Round(time.Millisecond), h)
			judge(t, h)
		})
	}
}

// judge checks a history and says how to live it again.
func judge(t *testing.T, h *History) {
	t.Helper()
	t.Log(Cover(h, Usual))
	found := Check(h, Usual)
	if len(found) == 0 {
		return
	}
	for _, v := range found {
		t.Errorf("seed %d: %v", h.Seed, v)
	}
	for _, f := range h.Faults {
		t.Logf("fault %v %s of %v", f.Span, f.Kind, f.Nodes)
	}
	path := filepath.Join(os.TempDir(), fmt.Sprintf("bubble-%d.json", h.Seed))
	t.Logf("again: BUBBLES_FIRST=%d BUBBLES_SEEDS=1 go test -run TestBubbles ./simulation/bubbles; history: %s (%v)", h.Seed, path, h.Save(path))
}

func number(t *testing.T, name string, usual uint64) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// A life is one fleet in one bubble.
type life struct {
	*History
	t      *testing.T
	random *rand.Rand // of the schedule
	fabric *fabric
	seats  []*seat
	hosts  []string
	phases map[string][]phase
	peers  []string

	mu   sync.Mutex
	away map[int]bool // seats without a node
	work sync.WaitGroup
}

// maxDials is how often a node may connect to the others in a second: each of
// them goes and comes back a few times.
const maxDials = 50

// quietEnd is the time at the end in which everything was put right.
const quietEnd = 45 * time.Second

func live(t *testing.T, seed uint64, length time.Duration) *History {
	random := rand.New(rand.NewPCG(seed, 0))
	size := 3 + random.IntN(3)
	l := &life{History: Begin(seed, size), t: t, random: random, fabric: newFabric(size, rand.New(rand.NewPCG(seed, 1))), phases: map[string][]phase{}, away: map[int]bool{}}
	network = l.fabric
	for i, m := range l.fabric.machines {
		skew := time.Duration(0)
		if seed%2 == 0 {
			skew = time.Duration(random.Int64N(int64(Usual.Skew)))
		}
		l.seats, l.peers = append(l.seats, newSeat(i, m, skew)), append(l.peers, m.ip+":"+gossipPort)
	}
	for i := range 5 {
		host := fmt.Sprintf("h%d.example.org", i)
		l.hosts, l.phases[host] = append(l.hosts, host), script(random, length)
	}
	for _, s := range l.seats {
		if err := s.start(t.Context(), l.peers[:1]); err != nil {
			t.Fatal(err)
		}
	}
	l.agree("after the start")
	ctx, end := context.WithTimeout(t.Context(), length)
	defer end()
	for i := range size {
		workers := rand.New(rand.NewPCG(seed, uint64(100+i)))
		l.work.Go(func() { l.worker(ctx, i, workers) })
	}
	operator := rand.New(rand.NewPCG(seed, 2))
	l.work.Go(func() { l.operator(ctx, operator) })
	l.faults(length - quietEnd)
	l.agree("after the last fault")
	l.work.Wait()
	l.stop()
	if most, m := l.fabric.busiest(); most > maxDials {
		t.Errorf("seed %d: %s connected %d times to others' actors in a second, want at most %d: a storm of reconnections", seed, m.ip, most, maxDials)
	}
	return l.History
}

// agree waits until the nodes differ in nothing.
func (l *life) agree(what string) {
	a := Agreement{What: what}
	a.From = l.Healed()
	why := "not asked"
	for l.Now() < a.From+2*Usual.Repair {
		if why = differ(l.t.Context(), l.seats, l.hosts); why == "" {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	a.To, a.OK = l.Now(), why == ""
	if why != "" {
		a.What += ": " + why
	}
	l.Add(a)
}

// stop stops all nodes at once, and lets protoactor's timers run out.
func (l *life) stop() {
	var all sync.WaitGroup
	for _, s := range l.seats {
		all.Go(s.stop)
	}
	all.Wait()
	time.Sleep(3 * time.Minute)
}

// worker calls hosts by way of one node.
func (l *life) worker(ctx context.Context, i int, random *rand.Rand) {
	for ctx.Err() == nil {
		wait(ctx, time.Duration(50+random.IntN(400))*time.Millisecond)
		l.mu.Lock()
		away := l.away[i]
		l.mu.Unlock()
		if away || ctx.Err() != nil {
			continue
		}
		// Its calls are finished after the end too.
		_ = l.Call(context.WithoutCancel(ctx), l.seats[i], i, l.hosts[random.IntN(len(l.hosts))], l.upstream)
	}
}
