package fleet_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// The policy of a breaker as a register: a version, and the fail_max that came
// with it. Versions are compared as text, as If-Match does.
type register struct {
	version string
	value   float64
}

// is reports whether the register is at a version; "" is one nobody knows yet.
func (r register) is(version string) bool { return r.version == "" || r.version == version }

// policyOp is an operation on it: a read (value 0), a write, or a write with a
// version to match.
type policyOp struct {
	match string
	value float64
}

// policyAnswer is what came back: for a read the register, for a write the new
// version and the one it was made from, for a conflict the version in force.
type policyAnswer struct {
	register
	base     string
	conflict bool
	unknown  bool // nothing came back
}

var policyModel = porcupine.Model{
	Init: func() any { return register{version: "0", value: 5} },
	Step: func(state, input, output any) (bool, any) {
		was, op, got := state.(register), input.(policyOp), output.(policyAnswer)
		switch {
		case op.value == 0:
			return got.register == was, was
		case got.unknown: // if it was made, the next answer tells its version
			return true, register{version: "", value: op.value}
		case got.conflict:
			return op.match != got.version && was.is(got.version), register{got.version, was.value}
		case op.match != "" && op.match != got.base:
			return false, was
		}
		return was.is(got.base), register{got.version, op.value}
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
}

// TestPolicyIsLinearizable: nine clients, three at each of three nodes, read and
// replace one policy, with and without a version to match.
func TestPolicyIsLinearizable(t *testing.T) {
	nodes := startCluster(t, 3)
	const clients, rounds = 9, 60
	for _, owner := range nodes {
		host := must(owner.OwnHost(t.Context(), "linear"))(t)
		var mu sync.Mutex
		var history []porcupine.Operation
		var wait sync.WaitGroup
		began := time.Now()
		conflicts := 0
		for c := range clients {
			wait.Go(func() {
				n := nodes[c%len(nodes)]
				seen := "0"
				for i := range rounds {
					op := policyOp{}
					switch rand.IntN(3) {
					case 0:
						op.value = float64(1 + c*rounds + i)
					case 1:
						op.value, op.match = float64(1+c*rounds+i), seen
					}
					call := time.Since(began)
					got, err := operate(t, n, host, op)
					end := time.Since(began)
					if err != nil {
						t.Error(err)
						return
					}
					seen = got.version
					mu.Lock()
					if got.conflict {
						conflicts++
					}
					history = append(history, porcupine.Operation{ClientId: c, Input: op, Call: int64(call), Output: got, Return: int64(end)})
					mu.Unlock()
				}
			})
		}
		wait.Wait()
		if t.Failed() {
			return
		}
		if len(history) != clients*rounds || conflicts == 0 {
			t.Errorf("%d operations, %d conflicts; want %d and some", len(history), conflicts, clients*rounds)
		}
		if result := porcupine.CheckOperationsTimeout(policyModel, history, hang); result != porcupine.Ok {
			t.Errorf("owner %s: the history of %d operations is not linearizable: %v", owner.Name, len(history), result)
		}
		t.Logf("owner %s: %d operations in %v, %d conflicts", owner.Name, len(history), time.Since(began), conflicts)
	}
}

func operate(t *testing.T, n *fleet.Node, host string, op policyOp) (policyAnswer, error) {
	if op.value == 0 {
		p, err := n.Policy(t.Context(), host)
		if err == nil && p.Note != "" {
			err = errors.New(p.Note)
		}
		return policyAnswer{register: register{p.Version, valueOf(p, "fail_max")}}, err
	}
	c, err := n.ChangePolicy(t.Context(), host, api.PolicyChange{Set: map[string]any{"fail_max": op.value}}, op.match)
	var problem *api.Problem
	if errors.As(err, &problem) && problem.Status == http.StatusPreconditionFailed {
		return policyAnswer{register: register{version: problem.Version}, conflict: true}, nil
	}
	if err == nil && (!c.Durable || c.Copies < 2) {
		err = fmt.Errorf("acknowledged with %+v; want it durable on two nodes", c)
	}
	return policyAnswer{register: register{version: c.Version}, base: c.Base}, err
}

// valueOf is a numeric field of a policy.
func valueOf(p api.PolicyResponse, field string) float64 {
	for _, v := range p.Values {
		if x, ok := v.Value.(float64); ok && v.Field == field {
			return x
		}
	}
	return 0
}
