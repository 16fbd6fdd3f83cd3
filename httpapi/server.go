package httpapi

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/cluster/spread"
	"fleetfuse/gate"
	"fleetfuse/hostname"
	"fleetfuse/internal/clock"
	"fleetfuse/telemetry"
)

// Breakers are the owners' actors, here or on other nodes.
type Breakers interface {
	Open(ctx context.Context, key breaker.Key, d time.Duration, author, detail string) (spread.OperatorResult, error)
	Close(ctx context.Context, key breaker.Key, author, detail string) (spread.OperatorResult, error)
	Inspect(ctx context.Context, key breaker.Key) (breaker.Inspection, error)
}

// A Board is the node's view, as a stream of changes.
type Board interface {
	// Of is the view's entry of a key.
	Of(key breaker.Key) breaker.Snapshot
	// Each visits every entry.
	Each(yield func(breaker.Key, breaker.Snapshot) bool)
	// Watch reports changed keys on the subscription until it is closed.
	Watch() Subscription
}

// A Subscription tells which keys changed.
type Subscription interface {
	// Ready is signalled when Changed has something.
	Ready() <-chan struct{}
	// Changed returns the keys that changed since the last call.
	Changed() []breaker.Key
	Close()
}

// Options of a Server. All are required but the last two.
type Options struct {
	Gate         *gate.Gate
	Breakers     Breakers
	Fleet        Fleet
	Board        Board
	Events       Events
	Usage        Usage
	Clock        *clock.Clock
	Metrics      *telemetry.Metrics
	Logger       *slog.Logger
	Node         string // this node's display name
	Policy       func(breaker.Key) *breaker.Policy
	Policies     Policies
	Beliefs      Beliefs
	Tuner        Tuner
	Named        func() []breaker.Key              // keys with a policy of their own
	Wildcards    func() map[string]*breaker.Policy // by "*.SUFFIX", for hosts without one
	Settle       func(context.Context)             // has written what waits for its turn
	Durable      func(breaker.Key) bool
	Status       func() api.StatusResponse
	AllowedHosts []string // Host headers accepted beside loopback, without ports
	MaxStreams   int      // of the view at once; zero: maxStreams
}

// Server is the HTTP API of one node.
type Server struct {
	opt     Options
	streams chan struct{} // holds one for each stream of the view
	stop    chan struct{} // ends streams
}

// New returns a server.
func New(opt Options) *Server {
	opt.AllowedHosts = slices.Clone(opt.AllowedHosts)
	for i, name := range opt.AllowedHosts {
		if host, err := hostname.Normalize(name); err == nil {
			opt.AllowedHosts[i] = host
		}
	}
	return &Server{opt: opt, streams: make(chan struct{}, cmp.Or(opt.MaxStreams, maxStreams)), stop: make(chan struct{})}
}

// EndStreams ends the streams that would otherwise outlive a graceful shutdown.
func (s *Server) EndStreams() { close(s.stop) }

//go:embed openapi.json
var openapi []byte

// Handler is the whole API behind its hygiene.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	// Workers and proxies are refused only what names no valid key.
	mux.HandleFunc("POST /v1/allow", s.allow)
	mux.HandleFunc("POST /v1/report", s.report)
	mux.HandleFunc("GET /v1/gate", s.gate)
	mux.HandleFunc("GET /v1/view", bare(s.view))
	mux.HandleFunc("GET /v1/breakers", s.breakers)
	mux.HandleFunc("GET /v1/breakers/{scope}/{name}", bare(s.breaker))
	mux.HandleFunc("GET /v1/breakers/{scope}/{name}/beliefs", bare(s.beliefs))
	mux.HandleFunc("POST /v1/breakers/{scope}/{name}/open", bare(s.open))
	mux.HandleFunc("POST /v1/breakers/{scope}/{name}/close", bare(s.close))
	mux.HandleFunc("GET /v1/breakers/{scope}/{name}/policy", bare(s.policy))
	for _, method := range []string{http.MethodPatch, http.MethodPut, http.MethodDelete} {
		mux.HandleFunc(method+" /v1/breakers/{scope}/{name}/policy", s.changePolicy)
	}
	mux.HandleFunc("GET /v1/breakers/{scope}/{name}/policy/history", bare(s.policyHistory))
	mux.HandleFunc("GET /v1/config", s.config)
	mux.HandleFunc("POST /v1/config/reload", bare(s.reload))
	mux.HandleFunc("GET /v1/events", s.events)
	mux.HandleFunc("GET /v1/summary", s.summary)
	mux.HandleFunc("GET /v1/advice", s.advise)
	mux.HandleFunc("GET /v1/advice/explain", s.explain)
	mux.HandleFunc("POST /v1/advice/{id}/enforce", bare(s.enforce))
	mux.HandleFunc("GET /v1/cluster", bare(s.cluster))
	mux.HandleFunc("GET /v1/cluster/owner", s.owner)
	mux.HandleFunc("POST /v1/cluster/leave", bare(s.leave))
	mux.HandleFunc("GET /v1/status", bare(func(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, s.opt.Status()) }))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		write(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	mux.HandleFunc("GET /readyz", s.ready)
	mux.HandleFunc("GET /openapi.json", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(openapi)
	})
	mux.HandleFunc("GET /{$}", s.page)
	mux.Handle("GET /metrics", plain(s.opt.Metrics.Handler()))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { unknown(mux, w, r) })
	return s.guard(mux)
}

// plain keeps a browser from taking text for a page: names in it may be anybody's.
func plain(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// unknown answers a path nobody serves, or one that wants another method.
func unknown(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	var takes []string
	for _, method := range append([]string{http.MethodGet}, mutations...) {
		other := &http.Request{Method: method, URL: r.URL, Host: r.Host}
		if _, pattern := mux.Handler(other); pattern != "/" {
			takes = append(takes, method)
		}
	}
	if len(takes) == 0 {
		fail(w, http.StatusNotFound, "there is no "+breaker.Cut(r.URL.Path), "GET /openapi.json lists what there is")
		return
	}
	w.Header().Set("Allow", strings.Join(takes, ", "))
	fail(w, http.StatusMethodNotAllowed, breaker.Cut(r.URL.Path)+" does not take "+breaker.Cut(r.Method), "use "+strings.Join(takes, " or "))
}

// ready answers 503 while the node starts or drains. A store that fails makes
// the node degraded, not unready: decisions go on.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	values, ok := query(w, r, "verbose")
	if !ok {
		return
	}
	st := s.opt.Status()
	code := http.StatusOK
	if !st.Ready {
		code = http.StatusServiceUnavailable
	}
	if values.Has("verbose") {
		write(w, code, st)
		return
	}
	write(w, code, map[string]any{"ready": st.Ready, "degraded": len(st.Problems) > 0})
}

func write(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // the caller is gone: nobody to tell
}
