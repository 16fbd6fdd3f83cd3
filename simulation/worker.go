package simulation

import (
	"context"
	"sort"
	"time"

	"fleetfuse/breaker"
	"fleetfuse/gate"
)

// call is one call of a worker.
type call struct {
	decision gate.Decision
	answer   answer
	host     int32
	role     string
	life     int32 // of the node that decided
	began    time.Duration
}

// gone is a caller that does not wait: a question it would have waited for keeps
// its permit for the next one.
var gone = func() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}()

// callers are the workers of all nodes.
type callers struct {
	calls  []call
	free   []int32
	shares []float64 // of the hosts' weights, summed up
}

func newCallers(hosts []Host) callers {
	var c callers
	sum := 0.0
	for _, h := range hosts {
		sum += h.Weight
		c.shares = append(c.shares, sum)
	}
	return c
}

// take finds room for a call.
func (c *callers) take() int32 {
	if last := len(c.free) - 1; last >= 0 {
		i := c.free[last]
		c.free = c.free[:last]
		return i
	}
	c.calls = append(c.calls, call{})
	return int32(len(c.calls) - 1)
}

// nextCall has a worker of the node call after a while, as many independent
// callers do.
func (w *World) nextCall(n *node) {
	if n.rate > 0 {
		wait := time.Duration(w.rand.ExpFloat64() / n.rate * float64(time.Second))
		w.queue.push(event{at: w.now + wait, kind: callStarts, node: int32(n.index)})
	}
}

// roles are those that workers call with, the nameless one most often.
var roles = []string{"", "", breaker.RoleMetadata, breaker.RoleArtifact}

// startCall asks the gate and, if it may, calls.
func (w *World) startCall(n *node) {
	w.nextCall(n)
	if !n.up || !n.ready || n.paused {
		return // nobody to ask
	}
	n.clock.Refresh()
	total := w.callers.shares[len(w.callers.shares)-1]
	h := sort.SearchFloat64s(w.callers.shares, w.rand.Float64()*total)
	host := &w.plan.Hosts[h]
	role := roles[w.rand.IntN(len(roles))]
	w.counts.Wanted++
	d := n.gate.Allow(gone, gate.Call{Host: host.Name, Role: role})
	w.trace.note(codeDecision, uint64(n.index)<<32|uint64(h), uint64(w.now), uint64(d.State()))
	if !d.Allowed() {
		w.rejected(n, h, &d)
		return
	}
	i := w.callers.take()
	c := &w.callers.calls[i]
	*c = call{decision: d, host: int32(h), role: role, life: int32(n.starts), began: w.now + d.Delay()}
	w.called(n, h, c)
	c.answer = w.answerOf(n, host, c.began)
	w.queue.push(event{at: c.began + c.answer.latency, kind: callEnds, node: int32(n.index), call: i})
}

// answerOf is what a call comes to. A machine whose own network is sick reaches
// nobody.
func (w *World) answerOf(n *node, host *Host, at time.Duration) answer {
	if n.sick {
		return answer{latency: 5 * time.Millisecond, result: gate.Result{Evidence: breaker.Evidence{Error: "connect"}}}
	}
	return host.call(at, w.rand)
}

// endCall reports how a call went, to the process that allowed it.
func (w *World) endCall(n *node, i int32) {
	c := w.callers.calls[i]
	w.callers.calls[i] = call{}
	w.callers.free = append(w.callers.free, i)
	w.ended(n, &c)
	n.hear(func() {
		if int(c.life) != n.starts {
			return
		}
		w.checks.callEnded(n, &c)
		w.trace.note(codeOutcome, uint64(n.index)<<32|uint64(c.host), uint64(w.now), uint64(c.answer.result.Status))
		if c.answer.result.Status == 200 && !c.decision.Probe() {
			c.decision.Success()
			return
		}
		c.answer.result.Latency = w.now - c.began
		c.decision.Report(c.answer.result)
	})
}
