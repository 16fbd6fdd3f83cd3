//go:build bubble

package bubbles

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"fleetfuse/api"
)

// differ says in what the nodes differ: members, views, owners of keys; "" if
// in nothing.
func differ(ctx context.Context, seats []*seat, hosts []string) string {
	var views, owners []string
	for _, s := range seats {
		c, err := ask[api.ClusterResponse](ctx, s, "GET", "/v1/cluster", nil)
		if err != nil {
			return err.Error()
		}
		alive := slices.DeleteFunc(c.Members, func(m api.Member) bool { return m.State != api.MemberAlive })
		if len(alive) != len(seats) {
			return fmt.Sprintf("n%d sees %d of %d members", s.index+1, len(alive), len(seats))
		}
		view, err := beliefs(ctx, s)
		if err != nil {
			return err.Error()
		}
		var own []string
		for _, host := range hosts {
			o, err := ask[api.OwnerResponse](ctx, s, "GET", "/v1/cluster/owner?key="+host, nil)
			if err != nil {
				return err.Error()
			}
			own = append(own, host+" of "+cmp.Or(o.Owner, "nobody"))
		}
		views, owners = append(views, view), append(owners, strings.Join(own, ", "))
	}
	for i := range seats {
		if views[i] != views[0] {
			return fmt.Sprintf("n1 believes %s; n%d %s", views[0], i+1, views[i])
		}
		if owners[i] != owners[0] || strings.Contains(owners[i], "nobody") {
			return fmt.Sprintf("for n1 the owners are %s; for n%d %s", owners[0], i+1, owners[i])
		}
	}
	return ""
}

// beliefs are the entries of a node's view, without its own rings.
func beliefs(ctx context.Context, s *seat) (string, error) {
	v, err := ask[api.ViewEvent](ctx, s, "GET", "/v1/view", nil)
	var lines []string
	for _, x := range v.Exceptions {
		if !x.Local {
			lines = append(lines, fmt.Sprintf("%s %s %s %d", x.Key, x.State, x.Reason, x.Stamp))
		}
	}
	slices.Sort(lines)
	return "[" + strings.Join(lines, "; ") + "]", err
}
