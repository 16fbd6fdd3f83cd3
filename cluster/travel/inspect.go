package travel

import (
	"fleetfuse/breaker"
	"fleetfuse/wire"
)

func inspectionOut(in breaker.Inspection, now breaker.Instant) *wire.InspectReply {
	w := &wire.InspectReply{
		Status: statusOut(in.Status, now), ChangedAge: behind(in.Changed, now), Snapshot: snapshotOut(in.Snapshot, now),
		Burst: int64(in.Burst), Calls: int64(in.Calls), Failures: int64(in.Failures),
	}
	for _, r := range in.Runs {
		w.Runs = append(w.Runs, &wire.Run{
			Role: r.Role, Failures: int64(r.Failures), Nodes: r.Nodes, ProbeSuccesses: int64(r.ProbeSuccesses),
		})
	}
	for _, p := range in.Permits {
		w.Permits = append(w.Permits, &wire.Permit{Role: p.Role, Node: p.Node, ExpiresIn: int64(p.ExpiresIn)})
	}
	if t := in.LastTransition; t != nil {
		w.LastTransition = transitionOut(t, now)
	}
	if t := in.LastOpen; t != nil {
		w.LastOpen = transitionOut(t, now)
	}
	if f := in.LastFailure; f != nil {
		w.LastFailure = &wire.LastFailure{
			AtAge: behind(f.At, now), Node: f.Node, Role: f.Role, Evidence: evidenceOut(f.Evidence),
		}
	}
	return w
}

func inspectionIn(w *wire.InspectReply, now breaker.Instant) breaker.Inspection {
	in := breaker.Inspection{
		Status: statusIn(w.Status, now), Changed: ago(w.ChangedAge, now), Snapshot: snapshotIn(w.Snapshot, now),
		Burst: count(w.Burst), Calls: count(w.Calls), Failures: count(w.Failures),
	}
	for _, r := range w.Runs {
		in.Runs = append(in.Runs, breaker.RunSeen{
			Role: breaker.Cut(r.GetRole()), Failures: count(r.GetFailures()), Nodes: nodesIn(r.GetNodes()), ProbeSuccesses: count(r.GetProbeSuccesses()),
		})
	}
	for _, p := range w.Permits {
		in.Permits = append(in.Permits, breaker.PermitSeen{
			Role: breaker.Cut(p.GetRole()), Node: breaker.Cut(p.GetNode()), ExpiresIn: span(p.GetExpiresIn()),
		})
	}
	if t := w.LastTransition; t != nil {
		in.LastTransition = transitionIn(t, now)
	}
	if t := w.LastOpen; t != nil {
		in.LastOpen = transitionIn(t, now)
	}
	if f := w.LastFailure; f != nil {
		in.LastFailure = &breaker.FailureSeen{
			At: ago(f.AtAge, now), Node: breaker.Cut(f.Node), Role: breaker.Cut(f.Role), Evidence: evidenceIn(f.Evidence),
		}
	}
	return in
}

func transitionOut(t *breaker.Transition, now breaker.Instant) *wire.Transition {
	w := &wire.Transition{
		AtAge: behind(t.At, now), Stamp: uint64(t.Stamp), Of: uint64(t.Of), From: wire.State(t.From), To: wire.State(t.To),
		Reason: string(t.Reason), Role: t.Role, Author: t.Author, Detail: t.Detail,
		Failures: int64(t.Failures), Nodes: t.Nodes, Evidence: evidenceOut(t.Evidence),
	}
	for _, c := range t.Counted {
		w.Counted = append(w.Counted, &wire.Counted{AtAge: behind(c.At, now), Node: c.Node, Count: int64(c.Count)})
	}
	return w
}

func transitionIn(w *wire.Transition, now breaker.Instant) *breaker.Transition {
	t := &breaker.Transition{
		At: ago(w.AtAge, now), Stamp: breaker.Stamp(w.Stamp), Of: breaker.Stamp(w.Of), From: stateIn(w.From), To: stateIn(w.To),
		Reason: breaker.Reason(breaker.Cut(w.Reason)), Role: breaker.Cut(w.Role), Author: breaker.Cut(w.Author), Detail: breaker.Cut(w.Detail),
		Failures: count(w.Failures), Nodes: nodesIn(w.Nodes), Evidence: evidenceIn(w.Evidence),
	}
	for _, c := range w.Counted[:min(len(w.Counted), breaker.MaxCounted)] {
		t.Counted = append(t.Counted, breaker.Counted{Node: breaker.Cut(c.GetNode()), At: ago(c.AtAge, now), Count: count(c.GetCount())})
	}
	return t
}

func nodesIn(list []string) []string {
	var nodes []string
	for _, n := range list[:min(len(list), maxNodes)] {
		nodes = append(nodes, breaker.Cut(n))
	}
	return nodes
}

// maxNodes bounds the nodes that are named as witnesses; more than a policy
// can ask for.
const maxNodes = 64
