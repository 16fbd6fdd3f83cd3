package node_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/cluster"
	"fleetfuse/cooldownstore"
	"fleetfuse/cooldownstore/memory"
	"fleetfuse/node"
)

// away is a place that can be away.
type away struct {
	cooldownstore.Shared
	mu  sync.Mutex
	err error
}

func (a *away) set(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.err = err
}

func (a *away) get() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err
}

func (a *away) Put(ctx context.Context, words []cooldownstore.SharedWord) error {
	if err := a.get(); err != nil {
		return err
	}
	return a.Shared.Put(ctx, words)
}

func (a *away) Check(ctx context.Context) ([]string, error) {
	if err := a.get(); err != nil {
		return nil, err
	}
	return a.Shared.Check(ctx)
}

// lone starts a cluster of one node that shares at a place.
func lone(t *testing.T, name, dir string, place cooldownstore.Shared) *node.Node {
	t.Helper()
	n, err := node.Start(t.Context(), node.Options{
		Name: name, DataDir: dir, HTTPListen: "127.0.0.1:0", Gossip: cluster.Gossip{Listen: "127.0.0.1:0", Label: name},
		Actor: cluster.Actor{Listen: "127.0.0.1:0"}, Version: "test", Shared: place,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Stop(); http.DefaultClient.CloseIdleConnections() })
	return n
}

func believed(t *testing.T, n *node.Node, host string) api.Breaker {
	t.Helper()
	return get[api.Breaker](t, n, "/v1/breakers/host/"+host)
}

func isState(t *testing.T, n *node.Node, host, want string) func() bool {
	return func() bool { return believed(t, n, host).State == want }
}

func cool(t *testing.T, n *node.Node, host string, seconds string) {
	t.Helper()
	post(t, n, "/v1/report", `{"outcomes":[{"host":"`+host+`","status":429,"retry_after":"`+seconds+`"}]}`)
}

func TestWhatWaitsWhileThePlaceIsAwayArrives(t *testing.T) {
	place := memory.NewPlace()
	link := &away{Shared: place.Open()}
	dir := t.TempDir()
	a := lone(t, "a", dir, link)
	link.set(errors.New("the place is away"))
	cool(t, a, "kept.example", "120")
	eventually(t, "degraded", func() bool { s := a.Status().Shared; return s != nil && !s.OK && s.Pending == 1 && s.Since != nil })
	if got := a.Status(); len(got.Problems) != 1 || !strings.Contains(got.Problems[0], "degraded: the shared store fails since") {
		t.Errorf("problems %q; want that sharing is degraded, and since when", got.Problems)
	}
	if got := believed(t, a, "kept.example"); got.State != "open" {
		t.Errorf("a believes %+v; want open: decisions go on", got)
	}
	a.Stop() // nobody was told
	link = &away{Shared: place.Open()}
	a = lone(t, "a", dir, link)
	eventually(t, "after a restart it is told", func() bool { _, _, ok := place.Value("kept.example"); return ok })
	eventually(t, "not degraded", func() bool { s := a.Status().Shared; return s.OK && s.Pending == 0 })
}

func TestAFlushedPlaceIsFilledAgain(t *testing.T) {
	place := memory.NewPlace()
	a := lone(t, "a", t.TempDir(), place.Open())
	cool(t, a, "kept.example", "600")
	there := func() bool { _, _, ok := place.Value("kept.example"); return ok }
	eventually(t, "shared", there)
	place.Flush()
	if got := believed(t, a, "kept.example"); got.State != "open" {
		t.Errorf("after the flush a believes %+v; an absent key says nothing", got)
	}
	eventually(t, "filled again", there)
}

// TestWhatAClearEndedStaysEnded: its program says it again while the node is
// off.
func TestWhatAClearEndedStaysEnded(t *testing.T) {
	place, dir := memory.NewPlace(), t.TempDir()
	value := `{"until_wall": ` + epoch(10*time.Minute) + `, "reason": "too many"}`
	place.Set("foreign.example", value, 0)
	a := lone(t, "a", dir, place.Open())
	eventually(t, "the other program is obeyed", isState(t, a, "foreign.example", "open"))
	post(t, a, "/v1/breakers/host/foreign.example/close", `{"author":"o"}`)
	eventually(t, "the place says so", func() bool { v, _, _ := place.Value("foreign.example"); return strings.Contains(v, `"until_wall":0`) })
	asked := time.Now()
	eventually(t, "a looked once more", func() bool { return a.Status().Shared.ListedAt.After(asked) })
	a.Stop()
	place.Set("foreign.example", value, 0)
	a = lone(t, "a", dir, place.Open())
	eventually(t, "the place says so again", func() bool { v, _, _ := place.Value("foreign.example"); return strings.Contains(v, `"until_wall":0`) })
	if got := believed(t, a, "foreign.example"); got.State != "closed" {
		t.Errorf("after a restart a believes %+v; want closed", got)
	}
}

func epoch(left time.Duration) string {
	return strconv.FormatFloat(cooldownstore.EpochSeconds(time.Now().Add(left)), 'f', 3, 64)
}

func get[T any](t *testing.T, n *node.Node, path string) (v T) {
	t.Helper()
	resp, err := http.Get("http://" + n.Addresses().HTTP + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func post(t *testing.T, n *node.Node, path, body string) {
	t.Helper()
	resp, err := http.Post("http://"+n.Addresses().HTTP+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode >= 300 {
		t.Fatalf("%s: %d", path, resp.StatusCode)
	}
}
