package fleets

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
	"fleetfuse/simulation/bubbles"
)

// laidHost is the host whose policy is a register, of its own.
const laidHost = "laid.example.org"

// lay replaces a policy or reads it, and takes that down.
func (w *world) lay(ctx context.Context, n *fleet.Node, i, turn int) {
	from := w.Now()
	if turn%3 == 0 {
		l := bubbles.Laid{Node: i, Host: laidHost}
		c, err := n.ChangePolicy(ctx, laidHost, api.PolicyChange{Set: map[string]any{"fail_max": 100 + turn}}, "")
		l.Span, l.OK = bubbles.Span{From: from, To: w.Now()}, err == nil
		l.Version = version(c.Version)
		w.Add(l)
		return
	}
	p, err := n.Policy(ctx, laidHost)
	if err == nil {
		w.Add(bubbles.Read{Asked: bubbles.Span{From: from, To: w.Now()}, Node: i, Host: laidHost, Version: version(p.Version)})
	}
}

func version(text string) uint64 {
	n, _ := strconv.ParseUint(text, 10, 64)
	return n
}

// A register is a policy: its version, and the fail_max that came with it.
type register struct {
	version string
	value   float64
}

// registerOp reads (value 0) or writes, from a version or from any ("");
// registerAnswer is what came back: a conflict says which version is in force.
type registerOp struct {
	match string
	value float64
}
type registerAnswer struct {
	register
	base     string
	conflict bool
}

var registerModel = porcupine.Model{
	Init: func() any { return register{version: "0", value: 5} },
	Step: func(state, input, output any) (bool, any) {
		was, op, got := state.(register), input.(registerOp), output.(registerAnswer)
		switch {
		case op.value == 0:
			return got.register == was, was
		case got.conflict:
			return op.match != was.version && got.version == was.version, was
		case op.match != "" && op.match != was.version:
			return false, was
		}
		return got.base == was.version, register{got.version, op.value}
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
}

// linearizable has a client at each node read and replace one policy while
// nothing is wrong, and checks the history.
func (w *world) linearizable(host string, rounds int) {
	var mu sync.Mutex
	var history []porcupine.Operation
	var clients sync.WaitGroup
	for i := range size {
		clients.Go(func() {
			seen := "0"
			for r := range rounds {
				op := registerOp{}
				if (r+i)%3 > 0 {
					op.value = float64(10 + i*rounds + r)
				}
				if (r+i)%3 == 2 {
					op.match = seen
				}
				call := w.Now()
				got, err := operate(w.t.Context(), w.node(i), host, op)
				if err != nil {
					w.t.Errorf("n%d: %+v: %v", i+1, op, err)
					return
				}
				seen = got.version
				mu.Lock()
				history = append(history, porcupine.Operation{ClientId: i, Input: op, Call: int64(call), Output: got, Return: int64(w.Now())})
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	if result := porcupine.CheckOperationsTimeout(registerModel, history, 20*time.Second); result != porcupine.Ok {
		w.t.Errorf("seed %d: %d operations on the policy of %s are not linearizable: %v", w.Seed, len(history), host, result)
	}
}

func operate(ctx context.Context, n *fleet.Node, host string, op registerOp) (registerAnswer, error) {
	if op.value == 0 {
		p, err := n.Policy(ctx, host)
		return registerAnswer{register: register{p.Version, failMax(p)}}, err
	}
	c, err := n.ChangePolicy(ctx, host, api.PolicyChange{Set: map[string]any{"fail_max": op.value}}, op.match)
	var problem *api.Problem
	if errors.As(err, &problem) && problem.Status == http.StatusPreconditionFailed {
		return registerAnswer{register: register{version: problem.Version}, conflict: true}, nil
	}
	return registerAnswer{register: register{version: c.Version}, base: c.Base}, err
}

func failMax(p api.PolicyResponse) float64 {
	for _, v := range p.Values {
		if x, ok := v.Value.(float64); ok && v.Field == "fail_max" {
			return x
		}
	}
	return 0
}
