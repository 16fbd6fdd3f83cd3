// Package admin holds the operator's calls to a node: what ctl asks for, typed,
// over the node's HTTP API.
package admin

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/internal/nodeaddr"
)

// DefaultTimeout bounds a call whose context has no deadline. WordTimeout bounds
// one that changes something: a node may wait six seconds for an owner, then
// three for the disks.
const (
	DefaultTimeout = 5 * time.Second
	WordTimeout    = 12 * time.Second
)

// StateAll lists closed breakers too.
const StateAll = "all"

// Limits of an answer. A listing holds up to 200,000 breakers (max_exceptions)
// of some 600 bytes.
const (
	maxAnswerBytes  = 1 << 20
	maxListingBytes = 128 << 20
)

// A Client calls one node. Every method returns an *api.Problem when the node
// says no, an error that is ErrUnreachable when it says nothing, and one that
// is ErrAnswer when what it says is not a node's answer. It is safe for
// concurrent use.
type Client struct {
	addr string // as messages name it
	base string // scheme and authority of every URL
	http *http.Client
}

// Secure reports whether an address is one for NewTLS: whether it begins with
// https.
func Secure(addr string) bool {
	scheme, _, ok := strings.Cut(addr, "://")
	return ok && strings.EqualFold(scheme, "https")
}

// New returns a client of the node at addr: "host:port", "http://host:port" or
// "unix:///path/to/socket". It does not connect.
func New(addr string) (*Client, error) {
	target, err := nodeaddr.Parse(addr)
	if err == nil && target.Secure {
		err = nodeaddr.Bad(addr, "it is https, which New is not for (NewTLS is)")
	}
	if err != nil {
		return nil, err
	}
	return newClient(target, nil), nil
}

// NewTLS returns a client of a node that other machines can reach, at
// "https://host:port". TLSFiles reads a configuration such a node accepts. It
// does not connect.
func NewTLS(addr string, secure *tls.Config) (*Client, error) {
	target, err := nodeaddr.Parse(addr)
	if err == nil && !target.Secure {
		err = nodeaddr.Bad(addr, "it is not https, the only one NewTLS is for")
	}
	if err != nil {
		return nil, err
	}
	return newClient(target, secure), nil
}

func newClient(target nodeaddr.Target, secure *tls.Config) *Client {
	transport := &http.Transport{
		// No Proxy: an operator asks this node, and a proxy configured for the
		// workers' traffic may itself be behind a breaker.
		DialContext:         target.Dial(new(net.Dialer)),
		TLSClientConfig:     secure.Clone(),
		MaxIdleConnsPerHost: 4,
		IdleConnTimeout:     30 * time.Second,
	}
	return &Client{
		addr: target.Name,
		base: target.Base,
		http: &http.Client{
			Transport: transport,
			// A node never redirects. Following would show somebody else's answer.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Addr is the address as messages name it.
func (c *Client) Addr() string { return c.addr }

// Status returns the node's health in one page.
func (c *Client) Status(ctx context.Context) (api.StatusResponse, error) {
	var a api.StatusResponse
	err := c.call(ctx, exchange{method: http.MethodGet, path: "/v1/status", answer: &a, limit: maxAnswerBytes})
	if err == nil && a.Node == "" {
		err = c.strange("/v1/status", "it names no node")
	}
	return a, err
}

// Breakers lists the breakers in a state: "open", "half_open", "closed",
// StateAll, or "" for all that are not plainly closed.
func (c *Client) Breakers(ctx context.Context, state string) (api.BreakersResponse, error) {
	path := "/v1/breakers"
	if state != "" {
		path += "?state=" + url.QueryEscape(state)
	}
	var a api.BreakersResponse
	err := c.call(ctx, exchange{method: http.MethodGet, path: path, answer: &a, limit: maxListingBytes})
	if err == nil && a.Node == "" {
		err = c.strange(path, "it names no node")
	}
	return a, err
}

// Breaker returns one breaker. A valid key nobody complained about is closed.
// Where no owner answered it says so in its Note.
func (c *Client) Breaker(ctx context.Context, key breaker.Key) (api.Breaker, error) {
	var a api.Breaker
	path := keyPath(key)
	err := c.call(ctx, exchange{method: http.MethodGet, path: path, answer: &a, limit: maxAnswerBytes})
	if err == nil && (a.Key == "" || a.State == "") {
		err = c.strange(path, "it names no key or no state")
	}
	return a, err
}

// Beliefs returns what each member believes of a breaker.
func (c *Client) Beliefs(ctx context.Context, key breaker.Key) (api.BeliefsResponse, error) {
	var a api.BeliefsResponse
	path := keyPath(key) + "/beliefs"
	err := c.call(ctx, exchange{method: http.MethodGet, path: path, answer: &a, limit: maxAnswerBytes})
	if err == nil && a.Key == "" {
		err = c.strange(path, "it names no key")
	}
	return a, err
}

// Open rejects calls to the key for the time asked, or longer where a longer
// cooldown is already there.
func (c *Client) Open(ctx context.Context, key breaker.Key, r api.OpenRequest) (api.OperatorResponse, error) {
	return c.operate(ctx, keyPath(key)+"/open", r)
}

// Close clears the key's cooldowns, closes its circuit and forgets its
// failures.
func (c *Client) Close(ctx context.Context, key breaker.Key, r api.CloseRequest) (api.OperatorResponse, error) {
	return c.operate(ctx, keyPath(key)+"/close", r)
}

func (c *Client) operate(ctx context.Context, path string, body any) (api.OperatorResponse, error) {
	var a api.OperatorResponse
	err := c.call(ctx, exchange{method: http.MethodPost, path: path, body: body, answer: &a, limit: maxAnswerBytes})
	if err == nil && (a.Key == "" || a.State == "") {
		err = c.strange(path, "it names no key or no state")
	}
	return a, err
}

// Cluster lists the members of the node's cluster.
func (c *Client) Cluster(ctx context.Context) (api.ClusterResponse, error) {
	var a api.ClusterResponse
	err := c.call(ctx, exchange{method: http.MethodGet, path: "/v1/cluster", answer: &a, limit: maxAnswerBytes})
	if err == nil && a.Node == "" {
		err = c.strange("/v1/cluster", "it names no node")
	}
	return a, err
}

// Owner says which member owns a key.
func (c *Client) Owner(ctx context.Context, key breaker.Key) (api.OwnerResponse, error) {
	var a api.OwnerResponse
	path := "/v1/cluster/owner?key=" + url.QueryEscape(string(key))
	err := c.call(ctx, exchange{method: http.MethodGet, path: path, answer: &a, limit: maxAnswerBytes})
	if err == nil && a.Key == "" {
		err = c.strange(path, "it names no key")
	}
	return a, err
}

// Leave makes the node drain, hand over what it owns and end. It returns when
// the node has accepted, not when it has ended.
func (c *Client) Leave(ctx context.Context, r api.LeaveRequest) (api.LeaveResponse, error) {
	var a api.LeaveResponse
	err := c.call(ctx, exchange{method: http.MethodPost, path: "/v1/cluster/leave", body: r, answer: &a, limit: maxAnswerBytes})
	if err == nil && a.Node == "" {
		err = c.strange("/v1/cluster/leave", "it names no node")
	}
	return a, err
}

// Healthz returns nil if the node's process serves requests.
func (c *Client) Healthz(ctx context.Context) error {
	return c.call(ctx, exchange{method: http.MethodGet, path: "/healthz", limit: maxAnswerBytes})
}

func keyPath(key breaker.Key) string {
	return "/v1/breakers/" + key.Scope() + "/" + url.PathEscape(key.Name())
}
