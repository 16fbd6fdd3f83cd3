package bench

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// A Scenario is one row of the table.
type Scenario struct {
	Name      string
	Keys      int
	Cores     int
	Open      bool // every call is rejected
	Handle    bool // the breaker is resolved once, not by each call
	FailEvery int  // every n-th call fails; 0 is none
}

// A Subject is a breaker under test. Start returns a loop of n calls by one of
// the workers over names, and stop.
type Subject struct {
	Name  string
	Start func(s Scenario, names []string) (loop func(worker, n int), stop func())
}

// Subjects are the gate and its peers, the gate first.
var Subjects = []Subject{{"gate", startGate}, {"gobreaker Execute", startGobreaker}, {"failsafe-go", startFailsafe}}

// Scenarios are the cells with their names.
var Scenarios = []Scenario{
	{Name: "closed, 1 key, 1 core", Keys: 1, Cores: 1},
	{Name: "closed, 1 key, 2 cores", Keys: 1, Cores: 2},
	{Name: "closed, 10000 keys, 1 core", Keys: 10_000, Cores: 1},
	{Name: "closed, 10000 keys, 2 cores", Keys: 10_000, Cores: 2},
	{Name: "closed, 1 key, 1 core, handle", Keys: 1, Cores: 1, Handle: true},
	{Name: "rejected, 1 key, 1 core", Keys: 1, Cores: 1, Open: true},
	{Name: "rejected, 1 key, 2 cores", Keys: 1, Cores: 2, Open: true},
	{Name: "1 % failures, 1 key, 1 core", Keys: 1, Cores: 1, FailEvery: 100},
	{Name: "1 % failures, 10000 keys, 1 core", Keys: 10_000, Cores: 1, FailEvery: 100},
}

// Names makes host names of 31 bytes in random order.
func Names(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("api-%07d.svc.example.com.net", i)
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(i, j int) { names[i], names[j] = names[j], names[i] })
	return names
}

// clone copies strings, so that a look-up never matches by pointer.
func clone(names []string) []string {
	c := make([]string, len(names))
	for i, n := range names {
		c[i] = string([]byte(n))
	}
	return c
}

// A Measure is the cost of one call in nanoseconds.
type Measure struct {
	Wall   float64 // in the best of the slices, so that losing the core does not count
	CPU    float64 // of the whole process, over all slices and what they left to do
	Allocs float64
}

// slices is how many parts a measurement has.
const slices = 12

// Run measures a subject in a scenario for about a time.
func Run(sub Subject, s Scenario, about time.Duration) Measure {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(s.Cores))
	loop, stop := sub.Start(s, Names(s.Keys))
	all := func(n int) {
		var workers sync.WaitGroup
		for w := range s.Cores {
			workers.Go(func() { loop(w, n/s.Cores) })
		}
		workers.Wait()
	}
	all(max(2*s.Keys, 20_000)) // warm
	began := time.Now()
	all(50_000)
	n := max(50_000, int(float64(50_000)*float64(about)/float64(time.Since(began))))
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, wall := processCPU(), time.Duration(1<<62)
	for range slices {
		began := time.Now()
		all(n / slices)
		wall = min(wall, time.Since(began))
	}
	stop() // drains: what the calls left to do counts
	cpu = processCPU() - cpu
	runtime.ReadMemStats(&after)
	per := float64(n)
	return Measure{float64(wall) * slices / per, float64(cpu) / per, float64(after.Mallocs-before.Mallocs) / per}
}

func processCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// IdleHostBytes is the memory of one idle host in a gate that knows n.
func IdleHostBytes(n int) float64 {
	g, o := newGate(2 * n)
	names := Names(n)
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	callAll(g, names)
	bytes := float64(heap()-before) / float64(n)
	runtime.KeepAlive(names)
	o.stop()
	return bytes
}
