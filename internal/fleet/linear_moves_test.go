package fleet_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// TestPolicyIsLinearizableWhileItMoves: clients at two nodes replace the policies
// of keys whose owner is killed, and of keys that a node which joins takes over.
// Whoever owns a key by then decides: no two changes are made from one version.
func TestPolicyIsLinearizableWhileItMoves(t *testing.T) {
	dir := t.TempDir()
	nodes := startClusterIn(t, dir, 3)
	var hosts []string
	for _, word := range []string{"move-a", "move-b", "move-c"} {
		hosts = append(hosts, must(nodes[2].OwnHost(t.Context(), word))(t), must(nodes[0].OwnHost(t.Context(), word))(t))
	}
	r := startRegisters(t, hosts, nodes[:2])
	r.await(t, 300)
	nodes[2].Kill()
	r.await(t, 300)
	fourth := startNode(t, dir, "n4", "--cluster.peer", nodes[0].Gossip)
	awaitMembers(t, []*fleet.Node{nodes[0], nodes[1], fourth})
	r.await(t, 300)
	must(fourth.Leave(t.Context()))(t)
	<-fourth.Exited()
	r.await(t, 300)
	r.check(t)
}

// registers are clients that work on the policies of some hosts, and what they
// saw.
type registers struct {
	stop atomic.Bool
	done atomic.Int64 // operations that were answered
	wait sync.WaitGroup

	mu      sync.Mutex
	history map[string][]porcupine.Operation // by host
}

func startRegisters(t *testing.T, hosts []string, nodes []*fleet.Node) *registers {
	t.Helper()
	r := &registers{history: map[string][]porcupine.Operation{}}
	began := time.Now()
	client := 0
	for _, host := range hosts {
		for _, n := range nodes {
			client++
			id := client
			r.wait.Go(func() {
				seen := "0"
				for i := 0; !r.stop.Load(); i++ {
					op := policyOp{value: float64(1 + (id*1000+i)%9999)}
					if rand.IntN(3) > 0 {
						op.match = seen
					}
					seen = r.operate(t, n, host, id, op, began)
				}
			})
		}
	}
	t.Cleanup(func() { r.stop.Store(true); r.wait.Wait() })
	return r
}

// operate makes one change and notes it. One without an answer may have been
// made, at any time from then on.
func (r *registers) operate(t *testing.T, n *fleet.Node, host string, client int, op policyOp, began time.Time) (version string) {
	call := time.Since(began)
	c, err := n.ChangePolicy(t.Context(), host, api.PolicyChange{Set: map[string]any{"fail_max": op.value}}, op.match)
	end := int64(time.Since(began))
	var answer policyAnswer
	var problem *api.Problem
	switch {
	case err == nil && c.Copies < 2: // no other member could hold it: it is not acknowledged
		answer, end = policyAnswer{unknown: true}, math.MaxInt64
	case err == nil:
		answer = policyAnswer{register: register{version: c.Version}, base: c.Base}
	case errors.As(err, &problem) && problem.Status == http.StatusPreconditionFailed:
		answer = policyAnswer{register: register{version: problem.Version}, conflict: true}
	default:
		answer, end = policyAnswer{unknown: true}, math.MaxInt64
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history[host] = append(r.history[host], porcupine.Operation{ClientId: client, Input: op, Call: int64(call), Output: answer, Return: end})
	if answer.unknown {
		return op.match
	}
	r.done.Add(1)
	return answer.version
}

// await waits for so many more answers.
func (r *registers) await(t *testing.T, more int64) {
	t.Helper()
	want := r.done.Load() + more
	for end := time.Now().Add(hang); r.done.Load() < want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d of %d answers", r.done.Load(), want)
		}
	}
}

func (r *registers) check(t *testing.T) {
	t.Helper()
	r.stop.Store(true)
	r.wait.Wait()
	for host, history := range r.history {
		unknown := 0
		for _, op := range history {
			if op.Output.(policyAnswer).unknown {
				unknown++
			}
		}
		result, info := porcupine.CheckOperationsVerbose(policyModel, history, hang)
		t.Logf("%s: %d operations, %d without an answer: %v", host, len(history), unknown, result)
		sayGaps(t, history)
		if result != porcupine.Ok {
			t.Errorf("the history of %s is not linearizable: %v; %d partial linearizations", host, result, len(info.PartialLinearizations()))
			sayForks(t, history)
		}
	}
}

// sayGaps logs the answers that name a version that no answer says was made.
func sayGaps(t *testing.T, history []porcupine.Operation) {
	t.Helper()
	made := map[string]bool{"0": true}
	for _, x := range history {
		if a := x.Output.(policyAnswer); !a.conflict {
			made[a.version] = true
		}
	}
	for _, x := range history {
		a := x.Output.(policyAnswer)
		if !a.conflict && !made[a.base] || a.conflict && !made[a.version] {
			t.Logf("nobody was told of the version in %+v", x)
		}
	}
}

// sayForks logs the changes that were made from one version, and those that were
// answered before the change that they were made from had begun.
func sayForks(t *testing.T, history []porcupine.Operation) {
	t.Helper()
	made, from := map[string]porcupine.Operation{}, map[string][]porcupine.Operation{}
	for _, x := range history {
		if a := x.Output.(policyAnswer); !a.conflict && !a.unknown {
			made[a.version] = x
			from[a.base] = append(from[a.base], x)
		}
	}
	for version, list := range from {
		if len(list) > 1 {
			t.Logf("from %s, made by %+v: %+v", version, made[version], list)
		}
		for _, x := range list {
			if y, ok := made[version]; ok && x.Return < y.Call {
				t.Logf("%+v was made from %+v", x, y)
			}
		}
	}
	for _, x := range history {
		a := x.Output.(policyAnswer)
		if y, ok := made[a.version]; ok && a.conflict && x.Return < y.Call {
			t.Logf("%+v told of %+v before it was begun", x, y)
		}
		for _, next := range from[a.version] {
			if a.conflict && next.Return < x.Call {
				t.Logf("%+v told of a version that %+v had replaced", x, next)
			}
		}
	}
}
