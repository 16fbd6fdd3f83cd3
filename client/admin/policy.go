package admin

import (
	"context"
	"net/http"
	"net/url"

	"fleetfuse/api"
	"fleetfuse/breaker"
)

// maxHistoryBytes bounds the answer about the overlays of one breaker: each
// member may remember others, of some kilobytes.
const maxHistoryBytes = 16 << 20

// PolicyOptions say how a policy is changed.
type PolicyOptions struct {
	// Whole makes the overlay what the change sets, instead of merging both.
	Whole bool
	// Match is the version the change must be made from, "" for any. Another
	// one is a Problem of status 412 with the Version in force.
	Match string
	// DryRun asks what would change, and changes nothing.
	DryRun bool
}

// Policy returns the policy of a breaker, field by field. Where no owner
// answered it says so in its Note.
func (c *Client) Policy(ctx context.Context, key breaker.Key) (api.PolicyResponse, error) {
	var a api.PolicyResponse
	path := policyPath(key)
	err := c.call(ctx, exchange{method: http.MethodGet, path: path, answer: &a, limit: maxAnswerBytes})
	if err == nil && (a.Key == "" || a.Version == "") {
		err = c.strange(path, "it names no key or no version")
	}
	return a, err
}

// ChangePolicy changes the operator's overlay of a breaker.
func (c *Client) ChangePolicy(ctx context.Context, key breaker.Key, change api.PolicyChange, o PolicyOptions) (api.PolicyChanged, error) {
	method := http.MethodPatch
	if o.Whole {
		method = http.MethodPut
	}
	return c.changePolicy(ctx, method, key, change, o)
}

// ResetPolicy removes the operator's overlay of a breaker, and the tuner's. Whole
// makes no difference.
func (c *Client) ResetPolicy(ctx context.Context, key breaker.Key, author, reason string, o PolicyOptions) (api.PolicyChanged, error) {
	return c.changePolicy(ctx, http.MethodDelete, key, api.PolicyChange{Author: author, Reason: reason}, o)
}

func (c *Client) changePolicy(ctx context.Context, method string, key breaker.Key, change api.PolicyChange, o PolicyOptions) (api.PolicyChanged, error) {
	x := exchange{method: method, path: policyPath(key), body: change, limit: maxAnswerBytes}
	if o.DryRun {
		x.path += "?dry_run=true"
		x.harmless = true
	}
	if o.Match != "" {
		x.match = `"` + o.Match + `"`
	}
	var a api.PolicyChanged
	x.answer = &a
	err := c.call(ctx, x)
	switch {
	case err != nil:
	case a.Key == "" || a.Version == "":
		err = c.strange(x.path, "it names no key or no version")
	case o.DryRun && !a.DryRun:
		err = c.strange(x.path, "it is not about a dry run, so that the change may have been made")
	case a.DryRun && !o.DryRun:
		err = c.strange(x.path, "it is about a dry run, so that nothing was changed")
	}
	return a, err
}

// PolicyHistory lists the overlays of a breaker that the fleet remembers, the
// latest first.
func (c *Client) PolicyHistory(ctx context.Context, key breaker.Key) (api.PolicyHistory, error) {
	var a api.PolicyHistory
	path := policyPath(key) + "/history"
	err := c.call(ctx, exchange{method: http.MethodGet, path: path, answer: &a, limit: maxHistoryBytes})
	if err == nil && a.Key == "" {
		err = c.strange(path, "it names no key")
	}
	return a, err
}

// Config returns the node's configuration, with the policy of a key, or with
// the defaults if key is "".
func (c *Client) Config(ctx context.Context, key breaker.Key) (api.ConfigResponse, error) {
	path := "/v1/config"
	if key != "" {
		path += "?key=" + url.QueryEscape(string(key))
	}
	var a api.ConfigResponse
	err := c.call(ctx, exchange{method: http.MethodGet, path: path, answer: &a, limit: maxAnswerBytes})
	if err == nil && a.Node == "" {
		err = c.strange(path, "it names no node")
	}
	return a, err
}

// Reload makes the node read its configuration again. One with errors changes
// nothing: it is a Problem of status 422 that lists them.
func (c *Client) Reload(ctx context.Context) (api.ReloadResponse, error) {
	var a api.ReloadResponse
	err := c.call(ctx, exchange{method: http.MethodPost, path: "/v1/config/reload", body: struct{}{}, answer: &a, limit: maxAnswerBytes})
	if err == nil && a.Node == "" {
		err = c.strange("/v1/config/reload", "it names no node")
	}
	return a, err
}

func policyPath(key breaker.Key) string { return keyPath(key) + "/policy" }
