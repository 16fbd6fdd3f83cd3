package simulation

import (
	"fmt"
	"time"

	"fleetfuse/breaker"
)

// A Violation is a promise that was not kept.
type Violation struct {
	Check string
	At    time.Duration
	Node  string // "" if it is about the whole fleet
	Text  string
}

func (v Violation) String() string {
	return fmt.Sprintf("%.3fs %s: %s: %s", v.At.Seconds(), v.Node, v.Check, v.Text)
}

// maxViolations bounds those that are kept: the first tell most.
const maxViolations = 20

// checks watch the world and hold it to the promises.
type checks struct {
	world      *World
	violations []Violation

	lifting   map[string]int             // words under way that end holds, by host
	closeSaid map[string]time.Duration   // when a close was said last, by host
	madeFrom  map[madeFrom]made          // changes that were acknowledged
	closeMade map[string]breaker.Stamp   // the latest stamp that an owner gave to one, by host
	holds     []hold                     // deadlines that must be kept, of all hosts
	closes    map[string]closeWord       // the latest acknowledged close, by host
	laid      map[string]laidWord        // the latest acknowledged policy, by host
	seen      map[seenKey]seenView       // what a node believed last
	permits   map[uint64][]permit        // that are out, by activation
	changed   map[uint64]breaker.Instant // the last transition, by activation
	probes    map[int]int                // calls with an owner's permit, by host
	heals     map[uint64]time.Duration   // when an activation last asked about another's circuit
	rounds    map[uint64][]time.Duration // of witnesses, by activation
	disturbs  []time.Duration            // of each node, when something last happened to it
	network   time.Duration              // when the network was last not whole
	unnoticed time.Duration              // when members last lost messages that take each other for live
	broken    int                        // faults of the network under way
	owners    map[string]uint64          // the activation that last moved a key
	truth     truth                      // how calls really went
	measures  measures

	set      map[cooldownID]deadlineSeen        // when each cooldown ends
	disks    map[seenKey]onDisk                 // what each disk holds
	wipes    [][]time.Duration                  // of each node, when its disk was replaced
	started  []time.Duration                    // each node, the last time
	arrivals map[breaker.PermitID]time.Duration // of permits, at their holders
	flights  map[[2]int]flown                   // batches that are not acknowledged, by sender and receiver
	won      map[uint64]*won                    // by probes, by activation
	over     map[string]hold                    // the latest hold of a host, also when it is over
	whole    map[closedBefore]bool              // before the network was split
	trips    map[breaker.Key]breaker.Stamp      // the last of each
	shared   *sharedChecks                      // nil: nothing is shared
}

func newChecks(w *World) checks {
	c := checks{
		world: w, lifting: map[string]int{}, closeSaid: map[string]time.Duration{}, closeMade: map[string]breaker.Stamp{}, madeFrom: map[madeFrom]made{}, closes: map[string]closeWord{}, laid: map[string]laidWord{}, seen: map[seenKey]seenView{},
		permits: map[uint64][]permit{}, changed: map[uint64]breaker.Instant{}, probes: map[int]int{}, rounds: map[uint64][]time.Duration{}, heals: map[uint64]time.Duration{},
		disturbs: make([]time.Duration, w.plan.Nodes), owners: map[string]uint64{}, network: never, unnoticed: never,
		truth: newTruth(&w.plan), measures: newMeasures(),
		set: map[cooldownID]deadlineSeen{}, disks: map[seenKey]onDisk{}, wipes: make([][]time.Duration, w.plan.Nodes),
		started: make([]time.Duration, w.plan.Nodes), won: map[uint64]*won{}, arrivals: map[breaker.PermitID]time.Duration{}, flights: map[[2]int]flown{}, over: map[string]hold{}, whole: map[closedBefore]bool{}, trips: map[breaker.Key]breaker.Stamp{},
	}
	c.shared = newSharedChecks(w)
	for i := range c.disturbs {
		c.disturbs[i] = never
	}
	return c
}

// never is before every moment of the world.
const never = -time.Hour

// fail notes that a promise was not kept.
func (w *World) fail(check string, n *node, format string, args ...any) {
	v := Violation{Check: check, At: w.now, Text: fmt.Sprintf(format, args...)}
	if n != nil {
		v.Node = n.id
	}
	w.story("VIOLATION %s", v)
	if len(w.checks.violations) < maxViolations {
		w.checks.violations = append(w.checks.violations, v)
	}
}

// Violations are the promises that were not kept, the first ones.
func (w *World) Violations() []Violation { return w.checks.violations }

// disturbed notes that something happened to a node.
func (c *checks) disturbed(n *node) { c.disturbs[n.index] = c.world.now }

// calm reports whether nothing happened to the network, or to any of the nodes,
// since a moment.
func (c *checks) calm(since time.Duration, nodes ...*node) bool {
	if c.broken > 0 || c.network >= since {
		return false
	}
	for _, n := range nodes {
		if c.disturbs[n.index] >= since || !n.up || n.paused {
			return false
		}
	}
	return true
}

// faulty notes that a fault begins, or is over.
func (c *checks) faulty(f Fault, begins bool) {
	switch {
	case f.Kind == Wipe && begins:
		c.wiped(c.world.nodes[f.Node])
	case f.Kind == Split && begins:
		c.split()
	case f.Kind == Split:
		c.joins(f)
	}
	switch f.Kind {
	case StoreFails, StoreSlow, StoreHangs, StoreLies, StoreCut:
		// no promise among nodes allows anything for it
	case Split, OneWay, Cut, Lossy:
		c.network = c.world.now
		if f.Kind != Split || f.For < noticeGone+noticeSpread {
			c.unnoticed = c.world.now
		}
		if begins {
			c.broken++
		} else {
			c.broken--
		}
	default:
		c.disturbed(c.world.nodes[f.Node])
	}
}

func (c *checks) killed(n *node)    { c.shared.killed(n); c.disturbed(n); c.forgetViews(n) }
func (c *checks) restarted(n *node) { c.disturbed(n) }
func (c *checks) stepped(n *node) {
	c.world.sometimes(SawClockStep)
	c.disturbed(n)
}
