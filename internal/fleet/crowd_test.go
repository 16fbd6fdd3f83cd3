package fleet_test

import (
	"fmt"
	"testing"
	"time"

	"fleetfuse/api"
)

// TestHundredThousandExceptions reports a Retry-After of 100,000 hosts at once:
// every node lists them all, decides by them, and none falls over.
func TestHundredThousandExceptions(t *testing.T) {
	hosts := 100_000
	if testing.Short() {
		hosts = 20_000
	}
	const batch = api.MaxOutcomes
	nodes := startCluster(t, 3)
	name := func(i int) string { return fmt.Sprintf("h%d.example.org", i) }
	began := time.Now()
	for first := 0; first < hosts; first += batch {
		outcomes := make([]api.Outcome, batch)
		for i := range outcomes {
			outcomes[i] = retryAfter(name(first+i), "600")
		}
		if err := nodes[0].Report(t.Context(), outcomes...); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d Retry-Afters reported in %v", hosts, time.Since(began))
	began = time.Now()
	for _, n := range nodes {
		asked := time.Time{}
		await(t, "a long list of open breakers", n, func() (bool, error) {
			if time.Since(asked) < 250*time.Millisecond { // counting them is work
				return false, nil
			}
			asked = time.Now()
			st, err := n.Status(t.Context())
			return st.Open == hosts, err
		})
	}
	t.Logf("all listed by all %v later", time.Since(began))
	for _, n := range nodes {
		for i := 0; i < hosts; i += hosts / 100 {
			expect(t, "one of many", n, name(i), rejectedFor("retry-after"))
		}
		asked := time.Now()
		if list := must(n.Breakers(t.Context()))(t); len(list.Breakers) != hosts {
			t.Errorf("%s lists %d breakers; want %d", n.Name, len(list.Breakers), hosts)
		}
		t.Logf("%s lists them in %v", n.Name, time.Since(asked))
		expect(t, "a host nobody complained about", n, "well.example.org", closed)
	}
	awaitMembers(t, nodes)
}
