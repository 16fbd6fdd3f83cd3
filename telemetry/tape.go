package telemetry

import (
	"cmp"
	"slices"

	"fleetfuse/breaker"
	"fleetfuse/telemetry/rollup"
	"fleetfuse/tuner/replay"
)

// A NodeLog is what one node remembers of a key. Its instants are already the
// reader's own (rollup.DecodeLog).
type NodeLog struct {
	Node string
	Log  *rollup.Log
}

// Tape puts the logs of several nodes in the order of the ends of their calls,
// which is nearly that of their arrival at the owner, for a replay. A second log
// of one node is left out. Who calls it adds what was blocked meanwhile and how
// many calls there were (replay.Tape): logs do not have that.
func Tape(logs []NodeLog) (t replay.Tape) {
	var told []string
	for _, n := range logs {
		if n.Log == nil || slices.Contains(told, n.Node) {
			continue
		}
		told = append(told, n.Node)
		t.Outcomes = append(t.Outcomes, n.Log.Outcomes(n.Node)...)
	}
	t.Members = len(told)
	slices.SortStableFunc(t.Outcomes, func(a, b breaker.Outcome) int {
		return cmp.Or(cmp.Compare(a.Ended, b.Ended), cmp.Compare(a.Node, b.Node))
	})
	return t
}
