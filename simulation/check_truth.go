package simulation

import (
	"slices"
	"time"

	"fleetfuse/breaker"
)

// truth is how calls really went, whoever heard of it when.
type truth struct {
	hosts    map[string]int // by name
	ends     [][]end        // of each host, in the order they were reported in
	failures []uint64       // that the process of each node was told
	counted  map[teller]time.Duration
	asked    map[uint64]question // the latest witness round of each activation
}

// end is how a call ended.
type end struct {
	node         *node
	role         string // that it was called with
	began, ended time.Duration
	kind         breaker.Kind
}

// teller is whose failures of a role an activation counts.
type teller struct {
	life uint64
	node string
	role string // budget role
}

// question is a witness round of a trip, in true time.
type question struct {
	at, from, to time.Duration
	totals       bool // it gathers totals for the rate rule
}

func newTruth(p *Plan) truth {
	t := truth{
		hosts: map[string]int{}, ends: make([][]end, len(p.Hosts)), failures: make([]uint64, p.Nodes),
		counted: map[teller]time.Duration{}, asked: map[uint64]question{},
	}
	for i, h := range p.Hosts {
		t.hosts[h.Name] = i
	}
	return t
}

// moment is when an instant of the node was, or will be.
func (m *machine) moment(i breaker.Instant) time.Duration {
	run, lost := i.Sub(m.origin), m.lost
	for _, s := range m.sleeps {
		if i <= s.at {
			lost -= s.lost
		}
	}
	return run - time.Duration(int64(run)/(1_000_000+m.ppm)*m.ppm) + lost
}

// callEnded notes how a call went that a process hears of.
func (c *checks) callEnded(n *node, x *call) {
	kind := x.answer.kind()
	if kind == breaker.Failure {
		c.truth.failures[n.index]++
	}
	e := &c.truth.ends[x.host]
	*e = append(*e, end{n, x.role, x.began, c.world.now, kind})
}

// travel bounds how long messages are under way where none is lost: what took
// longer, or was repeated, tells nothing here.
func (c *checks) travel() time.Duration {
	most := c.world.plan.Network.Most
	if c.world.plan.Network.Slow > 0 {
		most *= 100
	}
	return 2*most + 5*time.Millisecond
}

// toldOf notes which failure an activation was told of: how long a call took
// tells it from others, where it does not the first one that fits.
func (c *checks) toldOf(a *actor, o breaker.Outcome) {
	if o.Kind != breaker.Failure || o.Permit != 0 {
		return
	}
	p := a.machine.Policy()
	k := teller{a.life, o.Node, p.BudgetRole(o.Role)}
	last, known := c.truth.counted[k]
	fits := last
	for _, e := range slices.Backward(c.truth.ends[c.truth.hosts[a.key.Name()]]) {
		if known && e.ended <= last {
			break
		}
		if e.node.id == o.Node && e.kind == breaker.Failure && e.ended-e.began == o.Ended.Sub(o.Began) && p.BudgetRole(e.role) == k.role {
			fits = e.ended
		}
	}
	c.truth.counted[k] = fits
}

// happened counts the failures that a run of an activation may hold: of a role,
// of calls that began after a moment; and the nodes that saw any. A gate tells
// an owner of its successes before the failures that follow, so a success
// removes what that node saw before. Ages count from when a report arrives: two
// reports may be further apart there, or closer, by as much as they travelled.
func (c *checks) happened(a *actor, role string, since time.Duration) (failures int, nodes map[string]int) {
	nodes = map[string]int{}
	p, ends := a.machine.Policy(), c.truth.ends[c.truth.hosts[a.key.Name()]]
	told, success, floor := map[string]bool{}, map[string]time.Duration{}, map[string]time.Duration{}
	for _, e := range slices.Backward(ends) {
		id := e.node.id
		if p.BudgetRole(e.role) != role {
			continue
		}
		switch {
		case e.kind == breaker.Failure:
			told[id] = told[id] || e.ended <= c.truth.counted[teller{a.life, id, role}]
			if success[id]-e.ended < p.MemoryOf(role) { // else it was not reported with its role
				floor[id] = max(floor[id], success[id])
			}
			if e.began >= since && e.ended >= floor[id]-c.travel() {
				failures++
				nodes[id]++
			}
		case e.kind == breaker.Success && told[id]:
			success[id] = max(success[id], e.began)
		}
	}
	return failures, nodes
}

// saw counts the nodes that saw a failure of a host lately.
func (c *checks) saw(host string, since time.Duration) int {
	nodes := map[int]bool{}
	for _, e := range slices.Backward(c.truth.ends[c.truth.hosts[host]]) {
		if e.ended < since {
			break
		}
		if e.kind == breaker.Failure {
			nodes[e.node.index] = true
		}
	}
	return len(nodes)
}
