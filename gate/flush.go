package gate

import (
	"time"

	"fleetfuse/breaker"
)

// BeatEvery is how often successes on failing keys are sent. sweepEvery is how
// often all failing keys are looked at, in beats.
const (
	BeatEvery  = 50 * time.Millisecond
	sweepEvery = 20
)

func (g *Gate) run() {
	t := time.NewTicker(BeatEvery)
	defer t.Stop()
	for {
		select {
		case <-g.stop:
			return
		case <-t.C:
			g.Beat()
		}
	}
}

// Beat does what is due every BeatEvery. It is called by one goroutine.
func (g *Gate) Beat() {
	g.flush()
	if g.beats++; g.beats%sweepEvery == 0 {
		g.sweep()
	}
}

// touch makes the next flush look at an entry. The entry is locked.
func (g *Gate) touch(e *entry) {
	if e.failing.touched {
		return
	}
	e.failing.touched = true
	g.mu.Lock()
	g.touched = append(g.touched, e)
	g.mu.Unlock()
}

// flush sends waiting successes and returns permits nobody came for.
func (g *Gate) flush() {
	g.mu.Lock()
	list := g.touched
	g.touched = nil
	g.mu.Unlock()
	for _, e := range list {
		send, stale := g.flushEntry(e)
		if len(send) > 0 {
			g.opt.Owner.Report(e.key, send)
		}
		g.returnPermits(e.key, stale)
	}
}

func (g *Gate) flushEntry(e *entry) (send []breaker.Outcome, stale []breaker.PermitID) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f := e.failing
	if f == nil {
		return nil, nil
	}
	f.touched = false
	if mo := g.opt.Clock.Moment(1); f.run.Count > 0 || e.reporting(mo.Now) {
		f.settle(e, mo)
	}
	send, f.outbox = f.outbox, nil
	stale, waiting := g.unstash(e, false)
	if waiting {
		g.touch(e)
	}
	g.refresh(e, viewOf(e))
	return send, stale
}

// sweep forgets keys that have been quiet for long.
func (g *Gate) sweep() {
	for _, e := range g.failingEntries() {
		e.mu.Lock()
		if g.settled(e) {
			f := e.failing
			e.recent.before, e.recent.half = max(e.recent.before, f.reported), max(e.recent.half, f.reported)
			e.failing = nil
			e.publish(nil)
			g.mu.Lock()
			delete(g.failing, e)
			g.mu.Unlock()
		}
		e.mu.Unlock()
	}
}

// settled reports whether nothing is left to remember of a failing key. The
// entry is locked.
func (g *Gate) settled(e *entry) bool {
	f := e.failing
	if f == nil || f.touched || f.asking() {
		return false
	}
	if x := e.exception.Load(); x != nil && !x.view.Empty() {
		return false
	}
	now := g.opt.Clock.Now()
	if now < f.reportUntil {
		return false
	}
	ring := f.ring.Snapshot()
	return ring.At(now).State == breaker.Closed
}
