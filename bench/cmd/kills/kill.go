package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fleetfuse/internal/fleet"
)

const (
	killWithin = 500 * time.Millisecond // of the moment all are there
	justBefore = 20 * time.Millisecond  // a kill

	oneIn       = 4 // kills is followed by one of the node that starts, one by an absence
	startWithin = 100 * time.Millisecond
	givenUp     = 3 * time.Second // more than members take to give one up

	// healLimit is how long nodes may take to tell each other what one of them
	// has on its disk.
	healLimit = 5 * time.Second
	healEvery = 50 * time.Millisecond
	maxShown  = 20 // losses told in full
)

// killing is the loop, and what it found.
type killing struct {
	*crew
	talk *talking
	rnd  *rand.Rand
	wipe bool
	many int // kills

	restarts []time.Duration
	starting int           // further kills, of nodes that started
	fresh    int           // words acknowledged just before a kill
	late     int           // first answers that were wrong, and right soon after
	healed   time.Duration // the longest of those

	sooner, later time.Duration // deadlines are off, at most
	shown         int
}

// once kills a node at a random moment, starts it again and checks all.
func (k *killing) once(ctx context.Context) error {
	if err := k.whole(ctx); err != nil {
		return err
	}
	select {
	case <-time.After(time.Duration(k.rnd.Int64N(int64(killWithin)))):
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	victim := k.rnd.IntN(len(k.nodes))
	killed := time.Now()
	k.kill(victim)
	if k.wipe {
		if err := removeState(k.nodes[victim].DataDir); err != nil {
			return err
		}
	}
	if len(k.nodes) > 1 && k.rnd.IntN(oneIn) == 0 {
		time.Sleep(givenUp) // others own its breakers until it is back
	}
	if err := k.startAndKill(ctx); err != nil {
		return err
	}
	began := time.Now()
	n, err := k.restart(ctx)
	if err != nil {
		return err
	}
	k.restarts = append(k.restarts, time.Since(began))
	k.talk.quiet.Lock() // words under way end first
	defer k.talk.quiet.Unlock()
	k.fresh += k.talk.fresh(killed, justBefore)
	if len(k.restarts) == k.many {
		k.talk.stop() // what is said after the last check nobody would check
	}
	return k.check(ctx, n, killed)
}

// startAndKill starts the node that is down and kills it before it is ready,
// now and then, unless it is ready sooner: what its start does to its data is to
// survive kills too.
func (k *killing) startAndKill(ctx context.Context) error {
	if k.rnd.IntN(oneIn) > 0 {
		return nil
	}
	short, cancel := context.WithTimeout(ctx, time.Duration(k.rnd.Int64N(int64(startWithin))))
	defer cancel()
	n, err := k.boot(short)
	switch {
	case err == nil:
		n.Kill()
	case !errors.Is(err, context.DeadlineExceeded) || ctx.Err() != nil:
		return err
	}
	k.starting++
	return nil
}

// check asks every node what it believes, the one that was killed first.
func (k *killing) check(ctx context.Context, restarted *fleet.Node, killed time.Time) error {
	lost := map[*host]string{}
	nodes := k.all()
	limit := healLimit
	if len(nodes) == 1 { // nobody else can tell it
		limit = 0
	}
	others := slices.DeleteFunc(nodes, func(n *fleet.Node) bool { return n == restarted })
	for _, n := range append([]*fleet.Node{restarted}, others...) {
		wrong, err := k.ask(ctx, n, limit)
		if err != nil {
			return err
		}
		for h, why := range wrong {
			lost[h] = fmt.Sprintf("%s: %s", n.Name, why)
		}
	}
	for _, h := range k.talk.hosts {
		why, gone := lost[h]
		if !gone {
			h.held()
			continue
		}
		said := h.lost(&k.talk.words)
		if k.shown++; k.shown <= maxShown {
			fmt.Printf("lost at kill %d, %v, of %s: %s lists %s; last word: %s\n", len(k.restarts), clock(killed), restarted.Name, h.name, why, said)
		}
	}
	return nil
}

// ask is what a node believes wrongly, and does not get right within a limit.
func (k *killing) ask(ctx context.Context, n *fleet.Node, limit time.Duration) (map[*host]string, error) {
	began := time.Now()
	for first := true; ; first = false {
		list, err := n.Breakers(ctx)
		if err != nil {
			return nil, err
		}
		wrong, sooner, later := k.talk.wrong(list.Breakers)
		k.sooner, k.later = max(k.sooner, sooner), max(k.later, later)
		if first {
			k.late += len(wrong)
		}
		if took := time.Since(began); len(wrong) == 0 || took > limit {
			k.late -= len(wrong) // those are lost
			if !first && len(wrong) == 0 {
				k.healed = max(k.healed, took)
			}
			return wrong, nil
		}
		time.Sleep(healEvery)
	}
}

// removeState deletes what a node remembers.
func removeState(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "state.db*"))
	for _, file := range files {
		err = errors.Join(err, os.Remove(file))
	}
	return err
}

// print prints what was found.
func (k *killing) print(took time.Duration) {
	t := k.talk
	fmt.Printf("\n%-16s %12s %10s %8s %6s %16s\n", "", "acknowledged", "superseded", "survived", "lost", "unknown outcome")
	for _, row := range []struct {
		name string
		tally
	}{{"operator's words", t.words}, {"cooldowns", t.cooldowns}} {
		fmt.Printf("%-16s %12d %10d %8d %6d %16d\n", row.name, row.acknowledged, row.superseded, row.survived, row.lost, row.unknown)
	}
	slices.Sort(k.restarts)
	fmt.Printf("\n%d kills in %v, and %d while the node started again\n", len(k.restarts), took.Round(time.Second), k.starting)
	fmt.Printf("words acknowledged in the %v before a kill: %d\n", justBefore, k.fresh)
	fmt.Printf("restart until ready: p50 %v, max %v\n", round(k.restarts[len(k.restarts)/2]), round(k.restarts[len(k.restarts)-1]))
	fmt.Printf("first answers that were wrong and then right: %d, the last after %v\n", k.late, round(k.healed))
	fmt.Printf("deadlines: at most %v sooner and %v later than said\n", round(k.sooner), round(k.later))
	fmt.Printf("load %s after\n", load())
	if lost := t.words.lost + t.cooldowns.lost; lost > 0 {
		fmt.Println("lost", lost)
		return
	}
	fmt.Println("survived")
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Fields(string(text))[0]
}
