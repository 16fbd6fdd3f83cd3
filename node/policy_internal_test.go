package node

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/cluster"
	"fleetfuse/cluster/spread"
	"fleetfuse/httpapi"
)

// alone is a fleet of one node.
func alone(t *testing.T) *Node {
	t.Helper()
	n, err := Start(t.Context(), Options{
		Name: "n", DataDir: t.TempDir(), HTTPListen: "127.0.0.1:0", Gossip: cluster.Gossip{Listen: "127.0.0.1:0"}, Actor: cluster.Actor{Listen: "127.0.0.1:0"}, Version: "test",
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Stop)
	return n
}

// A reset undoes what an operator and the tuner replaced; each alone, or both; a
// dry run says the same and does nothing.
func TestResetUndoesTheTunersWordToo(t *testing.T) {
	n := alone(t)
	type set map[breaker.Register]string
	for _, tt := range []struct {
		what string
		key  breaker.Key
		set  set
		want []api.PolicyDifferent
	}{
		{"nothing", "host:a.org", nil, nil},
		{"an operator's word", "host:b.org", set{breaker.RegisterOperator: "fail_max:3"}, []api.PolicyDifferent{{Field: "fail_max", From: 3, To: 5}}},
		{"the tuner's word", "host:c.org", set{breaker.RegisterTuner: "trial_calls:2"}, []api.PolicyDifferent{{Field: "trial_calls", From: 2, To: 1}}},
		{"both", "host:d.org", set{breaker.RegisterOperator: "fail_max:3", breaker.RegisterTuner: "fail_max:7,trial_calls:2"},
			[]api.PolicyDifferent{{Field: "fail_max", From: 3, To: 5}, {Field: "trial_calls", From: 2, To: 1}}},
	} {
		for register, fields := range tt.set {
			if x, err := n.board.lay(t.Context(), tt.key, spread.Lay{Register: register, Whole: true, Set: fields}); err != nil || len(x.Refused) > 0 {
				t.Fatal(x, err)
			}
		}
		_, tuned := tt.set[breaker.RegisterTuner]
		for _, dry := range []bool{true, false} {
			a, err := n.Change(t.Context(), tt.key, httpapi.PolicyRequest{Whole: true, Reset: true, DryRun: dry})
			if err != nil {
				t.Fatal(tt.what, err)
			}
			if d := cmp.Diff(append([]api.PolicyDifferent{}, tt.want...), a.Changes); d != "" || a.TunerReset != tuned || a.Durable == dry && tt.set != nil {
				t.Errorf("%s, dry %v: tuner reset %v, durable %v, changes (-want +got):\n%s", tt.what, dry, a.TunerReset, a.Durable, d)
			}
		}
		if p := n.policies.of(tt.key); p.FailMax != 5 || p.TrialCalls != 1 {
			t.Errorf("%s: in force is still fail_max %d, trial_calls %d", tt.what, p.FailMax, p.TrialCalls)
		}
	}
}

// Who expected another version resets neither.
func TestResetOfAnotherVersion(t *testing.T) {
	n := alone(t)
	key, version := breaker.HostKey("a.org"), "7"
	if _, err := n.board.lay(t.Context(), key, spread.Lay{Register: breaker.RegisterTuner, Whole: true, Set: "fail_max:7"}); err != nil {
		t.Fatal(err)
	}
	var conflict *httpapi.ConflictError
	if _, err := n.Change(t.Context(), key, httpapi.PolicyRequest{Whole: true, Reset: true, Match: &version}); !errors.As(err, &conflict) {
		t.Errorf("got %v, want a conflict", err)
	}
	if p := n.policies.of(key); p.FailMax != 7 {
		t.Errorf("the tuner's word is gone: fail_max %d", p.FailMax)
	}
}
