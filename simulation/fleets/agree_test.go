package fleets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
	"fleetfuse/simulation/bubbles"
)

// agree waits until the nodes differ in nothing.
func (w *world) agree(what string) {
	a := bubbles.Agreement{What: what}
	a.From = w.Healed()
	err := w.node(0).AwaitFor(w.t.Context(), 3*bubbles.Usual.Repair, what, func() (bool, error) {
		why := w.differ(w.t.Context())
		if why != "" {
			return false, errors.New(why)
		}
		return true, nil
	})
	a.To, a.OK = w.Now(), err == nil
	w.t.Logf("%s: %v", what, a.To-a.From)
	if err != nil {
		a.What += ": " + firstLine(err.Error())
	}
	w.Add(a)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// differ says in what the nodes differ: members, views, owners, the policy.
func (w *world) differ(ctx context.Context) string {
	var first string
	for i := range size {
		n := w.node(i)
		members, err := n.Members(ctx)
		if err != nil {
			return err.Error()
		}
		alive := slices.DeleteFunc(members, func(m api.Member) bool { return m.State != api.MemberAlive })
		if len(alive) != size {
			return fmt.Sprintf("n%d sees %d of %d members", i+1, len(alive), size)
		}
		says, err := w.beliefs(ctx, n)
		if err != nil {
			return err.Error()
		}
		if i == 0 {
			first = says
		}
		if says != first {
			return fmt.Sprintf("n1 believes %s; n%d %s", first, i+1, says)
		}
	}
	return ""
}

// beliefs are the entries of a node's view, without its own rings, the owners
// of all hosts, and the version of the policy.
func (w *world) beliefs(ctx context.Context, n *fleet.Node) (string, error) {
	v, err := n.View(ctx)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, x := range v.Exceptions {
		if !x.Local {
			lines = append(lines, fmt.Sprintf("%s %s %s %d", x.Key, x.State, cmp.Or(x.Reason, "-"), x.Stamp))
		}
	}
	slices.Sort(lines)
	for _, host := range w.hosts {
		o, err := n.Owner(ctx, host)
		if err != nil {
			return "", err
		}
		lines = append(lines, cmp.Or(o.Owner, "nobody")+" owns "+host)
	}
	p, err := n.Policy(ctx, laidHost)
	return strings.Join(append(lines, "policy "+p.Version), "; "), err
}
