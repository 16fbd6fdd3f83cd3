package fleet

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"fleetfuse/api"
)

// Allow asks whether a host may be called.
func (n *Node) Allow(ctx context.Context, host string) (api.AllowResponse, error) {
	return call[api.AllowResponse](ctx, n, "POST", "/v1/allow", api.AllowRequest{Host: host})
}

// Report tells how calls went. Outcomes that are not taken are an error.
func (n *Node) Report(ctx context.Context, outcomes ...api.Outcome) error {
	r, err := call[api.ReportResponse](ctx, n, "POST", "/v1/report", api.ReportRequest{Outcomes: outcomes})
	if err == nil && len(r.Rejected) > 0 {
		err = fmt.Errorf("node %s did not take outcome %d of %d: %s", n.Name, r.Rejected[0].Index, len(outcomes), r.Rejected[0].Detail)
	}
	return err
}

// Open is an operator's open of a host.
func (n *Node) Open(ctx context.Context, host string, length time.Duration) (api.OperatorResponse, error) {
	return call[api.OperatorResponse](ctx, n, "POST", "/v1/breakers/host/"+host+"/open", api.OpenRequest{For: length.String()})
}

// Close is an operator's close of a host.
func (n *Node) Close(ctx context.Context, host string) (api.OperatorResponse, error) {
	return call[api.OperatorResponse](ctx, n, "POST", "/v1/breakers/host/"+host+"/close", api.CloseRequest{})
}

// Leave tells the node to leave.
func (n *Node) Leave(ctx context.Context) (api.LeaveResponse, error) {
	return call[api.LeaveResponse](ctx, n, "POST", "/v1/cluster/leave", api.LeaveRequest{})
}

// Breaker shows a host's breaker, Breakers lists those that are not closed.
func (n *Node) Breaker(ctx context.Context, host string) (api.Breaker, error) {
	return call[api.Breaker](ctx, n, "GET", "/v1/breakers/host/"+host, nil)
}
func (n *Node) Breakers(ctx context.Context) (api.BreakersResponse, error) {
	return call[api.BreakersResponse](ctx, n, "GET", "/v1/breakers", nil)
}

// Status is the node's health.
func (n *Node) Status(ctx context.Context) (api.StatusResponse, error) {
	return call[api.StatusResponse](ctx, n, "GET", "/v1/status", nil)
}

// View is everything the node believes, and its open rings.
func (n *Node) View(ctx context.Context) (api.ViewEvent, error) {
	return call[api.ViewEvent](ctx, n, "GET", "/v1/view", nil)
}

// Metric reads a metric without labels.
func (n *Node) Metric(ctx context.Context, name string) (float64, error) {
	resp, err := n.send(ctx, "GET", "/metrics", nil)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, fmt.Errorf("node %s serves no metric %s: %w", n.Name, name, cmp.Or(lines.Err(), io.EOF))
}

// Owner says who owns a host's breaker.
func (n *Node) Owner(ctx context.Context, host string) (api.OwnerResponse, error) {
	return call[api.OwnerResponse](ctx, n, "GET", "/v1/cluster/owner?key="+host, nil)
}

// OwnHost is a host whose breaker the node owns. Other words are other hosts.
func (n *Node) OwnHost(ctx context.Context, word string) (string, error) {
	const tries = 1000
	for i := range tries {
		host := fmt.Sprintf("%s-%d.example.org", word, i)
		if o, err := n.Owner(ctx, host); err != nil || o.Self {
			return host, err
		}
	}
	return "", fmt.Errorf("node %s owns none of %d hosts", n.Name, tries)
}

// call sends a JSON request and reads the answer. A status beyond 299 is an
// error that says what the node said.
func call[T any](ctx context.Context, n *Node, method, path string, in any) (T, error) {
	var out T
	resp, err := n.send(ctx, method, path, in)
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusMultipleChoices {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		return out, fmt.Errorf("node %s: %s %s: %s: %s", n.Name, method, path, resp.Status, text)
	}
	return out, json.NewDecoder(resp.Body).Decode(&out)
}
