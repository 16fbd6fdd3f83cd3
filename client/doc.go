// Package client is the SDK for workers: a gate in the worker's own process,
// fed by the node beside it.
//
//	c, err := client.New(client.Options{Addr: "127.0.0.1:7140"})
//	if err != nil { ... }
//	defer c.Close()
//	web := &http.Client{Transport: c.Transport(http.DefaultTransport)}
//	resp, err := web.Get("https://api.crossref.org/works")
//	var open *client.OpenError
//	if errors.As(err, &open) { ... } // rejected: come back after open.RetryAfter
//
// Decisions are taken from local memory; only a half-open breaker costs a
// question to the node. While the node does not answer, the last known view and
// this process's own ring carry on, and answers are marked stale.
//
// How fast to call is the worker's own business. What the fleet advises is a part
// of its normal rate, to be read before each call or now and then:
//
//	limiter.SetLimit(normal * rate.Limit(c.RateMultiplier(client.Call{Host: host, Role: role})))
package client
