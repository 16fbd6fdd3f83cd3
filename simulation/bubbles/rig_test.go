//go:build bubble

package bubbles

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"go.uber.org/goleak"
	"google.golang.org/grpc"

	"fleetfuse/api"
	"fleetfuse/cluster"
	"fleetfuse/internal/clock"
	"fleetfuse/node"
)

// network is that of the bubble that runs; bubbles run one at a time.
var network *fabric

// remote.Listen, remote.DialOptions and node.Listen are there when TestBubbles
// has patched them in.
func init() {
	listen := func(at string) (net.Listener, error) {
		host, port, err := net.SplitHostPort(at)
		if err != nil {
			return nil, err
		}
		return network.byIP[host].listen(port)
	}
	remote.Listen = func(_, at string) (net.Listener, error) { return listen(at) }
	node.Listen = func(_ context.Context, at string) (net.Listener, error) { return listen(at) }
	remote.DialOptions = func(c *remote.Config) []grpc.DialOption {
		m := network.byIP[c.Host]
		return []grpc.DialOption{grpc.WithContextDialer(func(ctx context.Context, to string) (net.Conn, error) {
			m.countDial()
			return m.dial(ctx, to)
		})}
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A seat is a machine and the node that runs on it.
type seat struct {
	index   int
	machine *machine
	node    *node.Node // nil while there is none
	client  *http.Client
	skew    time.Duration // of the machine's wall clock
}

func newSeat(i int, m *machine, skew time.Duration) *seat {
	return &seat{index: i, machine: m, skew: skew, client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, at string) (net.Conn, error) { return m.dial(ctx, at) },
	}}}
}

// start starts a node that remembers nothing.
func (s *seat) start(ctx context.Context, peers []string) error {
	g, err := s.machine.transport()
	if err != nil {
		return err
	}
	s.node, err = node.Start(ctx, node.Options{
		Name: fmt.Sprint("n", s.index+1), Memory: true, Insecure: true, Logger: logger(s.index),
		Clock:      clock.Skewed(s.skew),
		HTTPListen: s.machine.ip + ":7140",
		Gossip:     cluster.Gossip{Transport: g, Peers: peers}, Actor: cluster.Actor{Listen: s.machine.ip + ":7142"},
	})
	return err
}

// crash is as good as kill -9 to all others: the machine goes silent, then its
// node is stopped, and forgets.
func (s *seat) crash() {
	s.machine.switchOff()
	s.stop()
	s.machine.switchOn()
}

func (s *seat) stop() {
	s.node.Stop()
	s.client.CloseIdleConnections()
}

// ask sends a JSON request to the seat's node.
func ask[T any](ctx context.Context, s *seat, method, path string, in any) (out T, err error) {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return out, err
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.machine.ip+":7140"+path, body)
	if err != nil {
		return out, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := s.client.Do(req)
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusMultipleChoices {
		text, _ := io.ReadAll(resp.Body)
		return out, fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	return out, json.NewDecoder(resp.Body).Decode(&out)
}

// Allow, Report, Open and Close make it a Port.
func (s *seat) Allow(ctx context.Context, host string) (api.AllowResponse, error) {
	return ask[api.AllowResponse](ctx, s, "POST", "/v1/allow", api.AllowRequest{Host: host})
}

func (s *seat) Report(ctx context.Context, outcomes ...api.Outcome) error {
	r, err := ask[api.ReportResponse](ctx, s, "POST", "/v1/report", api.ReportRequest{Outcomes: outcomes})
	if err == nil && len(r.Rejected) > 0 {
		err = fmt.Errorf("not taken: %s", r.Rejected[0].Detail)
	}
	return err
}

func (s *seat) Open(ctx context.Context, host string, length time.Duration) (api.OperatorResponse, error) {
	return ask[api.OperatorResponse](ctx, s, "POST", "/v1/breakers/host/"+host+"/open", api.OpenRequest{For: length.String()})
}

func (s *seat) Close(ctx context.Context, host string) (api.OperatorResponse, error) {
	return ask[api.OperatorResponse](ctx, s, "POST", "/v1/breakers/host/"+host+"/close", api.CloseRequest{})
}

// logger is silent, unless BUBBLES_LOG is a file to write to.
func logger(i int) *slog.Logger {
	if logFile == nil {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(logFile, &slog.HandlerOptions{Level: slog.LevelDebug})).With("at", i+1)
}

var logFile = openLog(os.Getenv("BUBBLES_LOG"))

func openLog(path string) *os.File {
	f, err := os.Create(path)
	if err != nil {
		return nil
	}
	return f
}
