package gate

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"fleetfuse/breaker"
)

func fresh(key breaker.Key) *entry { return &entry{key: key} }

// TestEvictionLooksAtASample: what a full table does while nobody gets past does not
// grow with it. Here all entries but the sample's are locked.
func TestEvictionLooksAtASample(t *testing.T) {
	table := newTable(breaker.ScopeHost, 16*lookAtOnce)
	for i := range table.limit {
		table.findOrAdd(strconv.Itoa(i), fresh)
	}
	slots := *table.slots.Load()
	for i := lookAtOnce; i < len(slots); i++ {
		if e := slots[i].Load(); e != nil {
			e.mu.Lock()
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		table.findOrAdd("one more", fresh)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("an eviction looks at more than its sample")
	}
	if table.count >= table.limit {
		t.Errorf("%d entries of at most %d: none was evicted", table.count, table.limit)
	}
}

// TestATableWhoseHostsChange is a full one for long: what is in it is found, what
// is not is not, and its slots do not become more.
func TestATableWhoseHostsChange(t *testing.T) {
	const limit, names = 3000, 6000
	rng := rand.New(rand.NewPCG(1, 2))
	table, model := newTable(breaker.ScopeHost, limit), map[string]*entry{}
	table.evicted = func(gone []*entry) {
		for _, e := range gone {
			if model[e.name] != e || e.name == "0" {
				t.Fatalf("%q was evicted", e.name)
			}
			delete(model, e.name)
		}
	}
	stays := table.findOrAdd("0", fresh)
	stays.exception.Store(&exception{denial: denial{status: breaker.Status{State: breaker.Open}}})
	model["0"] = stays
	var readers sync.WaitGroup
	stop := make(chan struct{})
	readers.Go(func() { // what rejects is found all the time
		for {
			select {
			case <-stop:
				return
			default:
			}
			if table.find("0") != stays || !slices.Contains(slices.Collect(table.each), stays) {
				t.Error("an entry that stays was not found")
				return
			}
		}
	})
	for range 100_000 {
		name := strconv.Itoa(rng.IntN(names))
		model[name] = table.findOrAdd(name, fresh)
	}
	close(stop)
	readers.Wait()
	for i := range names {
		if name := strconv.Itoa(i); table.find(name) != model[name] {
			t.Fatalf("%q: found %v, want %v", name, table.find(name), model[name])
		}
	}
	all := slices.Collect(table.each)
	if len(all) != len(model) || table.count != len(model) || len(model) > limit {
		t.Errorf("%d entries are listed, %d counted; want %d and at most %d", len(all), table.count, len(model), limit)
	}
	if n := len(*table.slots.Load()); n > 8192 {
		t.Errorf("%d slots for %d entries", n, limit)
	}
}

// TestAFullTableOfHostsThatReject grows, rather than forget one.
func TestAFullTableOfHostsThatReject(t *testing.T) {
	table := newTable(breaker.ScopeHost, 10)
	rejecting := func(key breaker.Key) *entry {
		e := fresh(key)
		e.exception.Store(&exception{denial: denial{status: breaker.Status{State: breaker.Open}}})
		return e
	}
	for i := range 1000 {
		table.findOrAdd(strconv.Itoa(i), rejecting)
	}
	for i := range 1000 {
		if table.find(strconv.Itoa(i)) == nil {
			t.Fatalf("host %d of 1000 was forgotten", i)
		}
	}
}
