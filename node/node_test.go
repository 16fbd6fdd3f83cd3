package node_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fleetfuse/cluster"
	"fleetfuse/node"
)

func TestMain(m *testing.M) {
	// protoactor's throttles end by themselves, up to a minute later.
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("time.Sleep"),
		goleak.IgnoreAnyFunction("github.com/asynkron/protoactor-go/actor.NewThrottleWithLogger.func1"),
	)
}

func start(t *testing.T, dir string) *node.Node {
	t.Helper()
	n, err := node.Start(t.Context(), node.Options{
		Name: "n", DataDir: dir, HTTPListen: "127.0.0.1:0", Gossip: cluster.Gossip{Listen: "127.0.0.1:0"}, Actor: cluster.Actor{Listen: "127.0.0.1:0"}, Version: "test",
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Stop(); http.DefaultClient.CloseIdleConnections() })
	return n
}

func TestHygiene(t *testing.T) {
	n := start(t, t.TempDir())
	for _, x := range []struct {
		what, method, path, body string
		header                   http.Header
		want                     int
	}{
		{"a foreign Host", "GET", "/v1/status", "", http.Header{"Host": {"evil.example"}}, 403},
		{"a foreign Origin", "GET", "/v1/status", "", http.Header{"Origin": {"https://evil.example"}}, 403},
		{"an Origin of ours", "GET", "/v1/status", "", http.Header{"Origin": {"http://localhost:7140"}}, 200},
		{"a form", "POST", "/v1/allow", "host=a", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, 415},
		{"a mutation by GET", "GET", "/v1/breakers/host/a/close", "", nil, 405},
		{"nothing there", "GET", "/v2", "", nil, 404},
		{"healthz", "GET", "/healthz", "", nil, 200},
		{"readyz", "GET", "/readyz?verbose", "", nil, 200},
		{"metrics", "GET", "/metrics", "", nil, 200},
		{"openapi", "GET", "/openapi.json", "", nil, 200},
		{"the gate", "GET", "/v1/gate?host=a.example", "", nil, 204},
		{"the gate with a bad status", "GET", "/v1/gate?host=a.example&deny=200", "", nil, 204},
		{"the gate about nobody", "GET", "/v1/gate?role=metadata", "", nil, 400},
		{"the view, once", "GET", "/v1/view", "", nil, 200},
	} {
		req, err := http.NewRequestWithContext(t.Context(), x.method, "http://"+n.Addresses().HTTP+x.path, strings.NewReader(x.body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header = x.header.Clone()
		req.Host = x.header.Get("Host")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != x.want {
			t.Errorf("%s: %d, want %d", x.what, resp.StatusCode, x.want)
		}
	}
}

func TestGateRejectsWithTheChosenStatus(t *testing.T) {
	n := start(t, t.TempDir())
	base := "http://" + n.Addresses().HTTP
	resp, err := http.Post(base+"/v1/report", "application/json", strings.NewReader(`{"outcomes":[{"host":"a.example","status":429,"retry_after":20}]}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	resp, err = http.Get(base + "/v1/gate?host=a.example&deny=503")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if got := resp.Header.Get("Retry-After"); resp.StatusCode != 503 || got != "20" {
		t.Errorf("gate: %d, Retry-After %q; want 503 and 20, rounded up", resp.StatusCode, got)
	}
}

func TestStopTwiceAndStartAgain(t *testing.T) {
	dir := t.TempDir()
	n := start(t, dir)
	n.Stop()
	n.Stop()
	start(t, dir)
}

// eventually waits until something holds; the limit only stops hangs.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("in vain: ", what)
		}
	}
}
