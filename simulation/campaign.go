package simulation

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"
)

// A Result is what a campaign came to. But for Took it does not depend on how
// many workers there were.
type Result struct {
	From, Seeds uint64
	Counts      Counts // of all worlds
	Measures    Measures
	Hash        uint64    // of all worlds
	Broken      []Failure // in order of the seeds
	Took        time.Duration
	saw         [sometimesCount]uint64
}

// A Failure is a seed whose world did not keep a promise.
type Failure struct {
	Seed       uint64
	Violations []Violation
}

// maxBroken bounds the failing seeds that are kept; Broken tells the first.
const maxBroken = 1000

// RunSeeds is a campaign: it runs a world of each of some seeds, several at a time.
// progress, if it is not nil, is told of each world that failed, and now and then
// how many are done.
func RunSeeds(world func(seed uint64) Plan, from, seeds uint64, workers int, progress func(done uint64, failed *Failure)) Result {
	began := time.Now()
	r := Result{From: from, Seeds: seeds}
	next := make(chan uint64)
	var mu sync.Mutex
	var work sync.WaitGroup
	done := uint64(0)
	for range max(workers, 1) {
		work.Go(func() {
			for seed := range next {
				one := runSeed(world, seed)
				mu.Lock()
				r.add(one)
				done++
				switch {
				case progress == nil:
				case len(one.Broken) > 0:
					progress(done, &one.Broken[0])
				case done%1000 == 0:
					progress(done, nil)
				}
				mu.Unlock()
			}
		})
	}
	for seed := from; seed < from+seeds; seed++ {
		next <- seed
	}
	close(next)
	work.Wait()
	slices.SortFunc(r.Broken, func(a, b Failure) int { return int(int64(a.Seed) - int64(b.Seed)) })
	r.Measures.sort()
	r.Took = time.Since(began)
	return r
}

// noPanic is the promise that a world broke that panicked.
const noPanic = "no panic"

// runSeed runs one world. A panic is a failure of its seed and must not end a
// night's campaign.
func runSeed(world func(seed uint64) Plan, seed uint64) (r Result) {
	defer func() {
		if p := recover(); p != nil {
			where := make([]byte, 4096)
			where = where[:runtime.Stack(where, false)]
			r.Broken = []Failure{{seed, []Violation{{Check: noPanic, Text: fmt.Sprintf("%v\n%s", p, where)}}}}
		}
	}()
	w := New(world(seed))
	w.Run()
	r.Counts, r.Measures, r.saw = w.Counts(), w.Measures(), w.saw
	r.Hash = mix(w.sum(), seed)
	if len(w.Violations()) > 0 {
		r.Broken = []Failure{{seed, w.Violations()}}
	}
	return r
}

// add takes a world into account, in any order.
func (r *Result) add(one Result) {
	r.Counts.add(one.Counts)
	r.Measures.add(one.Measures)
	r.Hash ^= one.Hash
	if len(r.Broken) < maxBroken {
		r.Broken = append(r.Broken, one.Broken...)
	}
	for i, n := range one.saw {
		r.saw[i] += n
	}
}

func (c *Counts) add(d Counts) {
	c.Wanted += d.Wanted
	c.Called += d.Called
	c.Rejected += d.Rejected
	c.Local += d.Local
	c.Probes += d.Probes
	c.Failed += d.Failed
	c.Wasted += d.Wasted
	c.Spared += d.Spared
	c.Denied += d.Denied
	c.Trips += d.Trips
	c.Rounds += d.Rounds
	c.Messages += d.Messages
}

// Saw is how often each interesting state was reached.
func (r *Result) Saw(s Sometimes) uint64 { return r.saw[s] }
