package fleet_test

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/internal/fleet"
)

// startNetwork starts nodes n1, n2, ... of one cluster, each on a machine of
// its own. The test is skipped where no network can be made.
func startNetwork(t *testing.T, size int, args ...string) (*fleet.Network, []*fleet.Node) {
	t.Helper()
	w := newNetwork(t, size)
	nodes, err := w.StartCluster(t.Context(), fleet.Program{Binary: program, Dir: t.TempDir()}, append([]string{"--insecure"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fleet.KillAll(nodes) })
	return w, nodes
}

func newNetwork(t *testing.T, size int) *fleet.Network {
	t.Helper()
	w, err := fleet.NewNetwork(size)
	succeed(t, err)
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

// succeed fails the test for an error, and skips it if that says that there can
// be no network.
func succeed(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, fleet.ErrNoNetwork) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// length is how long something lasts: as the environment says, or as given.
func length(t *testing.T, name string, usual time.Duration) time.Duration {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return d
}

// pass waits until so much time has passed since an instant.
func pass(t *testing.T, d time.Duration, since time.Time) {
	t.Helper()
	select {
	case <-time.After(time.Until(since.Add(d))):
	case <-t.Context().Done():
	}
}

// awaitLost waits until each of some nodes has lost each of some others.
func awaitLost(t *testing.T, nodes, lost []*fleet.Node) time.Duration {
	t.Helper()
	began := time.Now()
	for _, n := range nodes {
		for _, l := range lost {
			awaitMember(t, n, l.Name, api.MemberLost)
		}
	}
	return time.Since(began)
}

// awaitAgreement waits until nodes differ in nothing, which must not take more
// than 15 seconds (DESIGN 10), and returns how long it took.
func awaitAgreement(t *testing.T, nodes []*fleet.Node, hosts []string) time.Duration {
	t.Helper()
	const limit = 15 * time.Second
	began := time.Now()
	err := nodes[0].AwaitFor(t.Context(), 2*limit, "agreement", func() (bool, error) {
		if why := differ(t, nodes, hosts); why != "" {
			return false, errors.New(why)
		}
		return true, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(began)
	if took > limit {
		t.Errorf("the nodes agreed after %v; want at most %v", took, limit)
	}
	return took
}

// differ says in what nodes differ: members that are not alive, entries of the
// view, owners of hosts. It is "" if in nothing.
func differ(t *testing.T, nodes []*fleet.Node, hosts []string) string {
	t.Helper()
	for _, n := range nodes {
		members, err := n.Members(t.Context())
		if err != nil {
			return err.Error()
		}
		alive := slices.DeleteFunc(members, func(m api.Member) bool { return m.State != api.MemberAlive })
		if len(alive) != len(nodes) {
			return fmt.Sprintf("%s sees %d of %d members alive", n.Name, len(alive), len(nodes))
		}
	}
	if why := differInView(t, nodes); why != "" {
		return why
	}
	for _, host := range hosts {
		var first api.OwnerResponse
		for i, n := range nodes {
			o, err := n.Owner(t.Context(), host)
			if err != nil {
				return err.Error()
			}
			if i == 0 {
				first = o
			}
			if o.Owner != first.Owner || o.Owner == "" {
				return fmt.Sprintf("%s: owned by %q for %s, by %q for %s", host, first.Owner, nodes[0].Name, o.Owner, n.Name)
			}
		}
	}
	return ""
}

func differInView(t *testing.T, nodes []*fleet.Node) string {
	t.Helper()
	var first []string
	for i, n := range nodes {
		lines, err := beliefs(t, n)
		if err != nil {
			return err.Error()
		}
		if i == 0 {
			first = lines
		}
		if !slices.Equal(lines, first) {
			return fmt.Sprintf("views differ:\n%s: %s\n%s: %s", nodes[0].Name, strings.Join(first, "; "), n.Name, strings.Join(lines, "; "))
		}
	}
	return ""
}

// beliefs are the entries of a node's view, without its own rings.
func beliefs(t *testing.T, n *fleet.Node) ([]string, error) {
	v, err := n.View(t.Context())
	var lines []string
	for _, x := range v.Exceptions {
		if !x.Local {
			lines = append(lines, fmt.Sprintf("%s %s %s %d", x.Key, x.State, cmp.Or(x.Reason, "-"), x.Stamp))
		}
	}
	slices.Sort(lines)
	return lines, err
}
