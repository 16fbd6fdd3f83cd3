package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/gate"
	"fleetfuse/httpapi"
	"fleetfuse/internal/clock"
	"fleetfuse/telemetry"
	"fleetfuse/telemetry/follow"
	"fleetfuse/telemetry/rollup"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A rig is a server on fakes, node n1 of three.
type rig struct {
	t         *testing.T
	url       string
	clock     *clock.Clock
	gate      *gate.Gate
	policy    breaker.Policy
	wildcards map[string]*breaker.Policy
	named     []breaker.Key
	fleet     fleet
	owners    owners
	board     board
	words     words
	beliefs   []api.Belief
	adviser   adviser
	used      counted
	settled   bool
	status    api.StatusResponse
	log       strings.Builder
}

func newRig(t *testing.T, allowedHosts ...string) *rig {
	t.Helper()
	r := &rig{t: t, clock: clock.New(), policy: breaker.DefaultPolicy(), board: board{}, used: counted{}, fleet: fleet{
		members: []api.Member{
			{ID: "id3", Name: "n3", State: api.MemberLost},
			{ID: "id2", Name: "n2", State: api.MemberAlive, Address: "10.0.0.2:7142", APIAddress: "10.0.0.2:7140"},
			{ID: "id1", Name: "n1", State: api.MemberAlive, Owned: 4, Self: true},
		},
		owner: "id2",
	}}
	policy := func(breaker.Key) *breaker.Policy { return &r.policy }
	g := gate.New(gate.Options{Node: "id1", Owner: nobody{}, Policy: policy, Clock: r.clock})
	r.gate = g
	srv := httptest.NewServer(httpapi.New(httpapi.Options{
		Gate: g, Breakers: &r.owners, Fleet: &r.fleet, Board: r.board, Events: follow.NewHub(&log{more: make(chan struct{})}, follow.Options{}), Clock: r.clock, Metrics: telemetry.New("test", telemetry.DefaultMaxKeys),
		Logger: slog.New(slog.NewTextHandler(&r.log, nil)), Node: "n1", Policy: policy, Policies: &r.words, Beliefs: r.believed, Tuner: &r.adviser, Usage: r.used, Named: func() []breaker.Key { return r.named }, Wildcards: func() map[string]*breaker.Policy { return r.wildcards },
		AllowedHosts: allowedHosts, MaxStreams: 2, Settle: func(context.Context) { r.settled = true }, Durable: func(breaker.Key) bool { return r.settled }, Status: func() api.StatusResponse { r.status.Node, r.status.Members = "n1", r.fleet.members; return r.status },
	}).Handler())
	r.url = srv.URL
	t.Cleanup(func() {
		srv.Close()
		http.DefaultClient.CloseIdleConnections()
		g.Stop()
		r.clock.Stop()
	})
	return r
}

// counted is what workers' own gates told (httpapi.Usage).
type counted map[rollup.Series]rollup.Counts

func (c counted) Used(s rollup.Series, x *rollup.Counts) {
	sum := c[s]
	sum.Add(x)
	c[s] = sum
}

func (c counted) Usage(context.Context, breaker.Key, time.Duration) rollup.Fleet {
	return rollup.Fleet{}
}

// believed implements httpapi.Beliefs.
func (r *rig) believed(ctx context.Context, key breaker.Key) (beliefs []api.Belief, missing []string) {
	if _, ok := ctx.Deadline(); !ok {
		return nil, []string{"a question without a deadline"}
	}
	return r.beliefs, r.fleet.silent
}

// in is an instant that much from now.
func (r *rig) in(d time.Duration) breaker.Instant { return r.clock.Now().Add(d) }

// request sends a request and reads what is in the answer, if into is not nil.
func (r *rig) request(method, path, body string, header http.Header, into any) (status int, text string) {
	r.t.Helper()
	resp, text := r.exchange(method, path, body, header, into)
	return resp.StatusCode, text
}

// exchange is request for those who look at the answer's header too.
func (r *rig) exchange(method, path, body string, header http.Header, into any) (*http.Response, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	for name := range header {
		req.Header[name] = header[name]
	}
	req.Host = header.Get("Host")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && into != nil && resp.StatusCode < 300 {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		r.t.Fatalf("%s %s: %v in %s", method, path, err, b)
	}
	return resp, string(b)
}

var asJSON = http.Header{"Content-Type": {"application/json"}}

// get reads an answer that has to be a 200.
func get[T any](r *rig, path string) T {
	r.t.Helper()
	var v T
	if status, text := r.request("GET", path, "", nil, &v); status != http.StatusOK {
		r.t.Fatalf("%s: %d %s", path, status, text)
	}
	return v
}

// nobody is the owner no test here asks.
type nobody struct{ gate.Owner }

// fleet implements httpapi.Fleet.
type fleet struct {
	members []api.Member
	owner   string // id of the member that owns every key
	rings   []httpapi.Ring
	silent  []string
	left    int
}

func (f *fleet) Members() []api.Member { return f.members }

func (f *fleet) Owner(breaker.Key) (api.Member, bool) {
	for _, m := range f.members {
		if m.ID == f.owner {
			return m, true
		}
	}
	return api.Member{}, false
}

func (f *fleet) Rings(ctx context.Context, key breaker.Key) (rings []httpapi.Ring, silent []string) {
	if _, ok := ctx.Deadline(); !ok {
		return nil, []string{"a question without a deadline"}
	}
	for _, ring := range f.rings {
		if key == "" || key == ring.Key {
			rings = append(rings, ring)
		}
	}
	return rings, f.silent
}

func (f *fleet) Name(id string) string {
	for _, m := range f.members {
		if m.ID == id {
			return m.Name
		}
	}
	return id[:min(len(id), 8)]
}

func (f *fleet) Leave() { f.left++ }

var errSilent = errors.New("n2 did not answer in time")

// owners implements httpapi.Breakers.
type owners struct {
	in             breaker.Inspection
	result         spread.OperatorResult
	err            error
	author, detail string // of the last word
}

func (o *owners) Open(_ context.Context, _ breaker.Key, _ time.Duration, author, detail string) (spread.OperatorResult, error) {
	o.author, o.detail = author, detail
	return o.result, o.err
}

func (o *owners) Close(_ context.Context, _ breaker.Key, author, detail string) (spread.OperatorResult, error) {
	o.author, o.detail = author, detail
	return o.result, o.err
}

func (o *owners) Inspect(context.Context, breaker.Key) (breaker.Inspection, error) {
	return o.in, o.err
}

// board implements httpapi.Board.
type board map[breaker.Key]breaker.Snapshot

func (b board) Of(k breaker.Key) breaker.Snapshot { s := b[k]; return s.Clone() }

func (b board) Each(yield func(breaker.Key, breaker.Snapshot) bool) {
	for k, s := range b {
		if !yield(k, s) {
			return
		}
	}
}

func (b board) Watch() httpapi.Subscription { return silence{} }

// silence is a subscription to nothing.
type silence struct{}

func (silence) Ready() <-chan struct{} { return nil }
func (silence) Changed() []breaker.Key { return nil }
func (silence) Close()                 {}
