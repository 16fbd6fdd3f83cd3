package client

import (
	"net"
	"net/http"
	"time"

	"fleetfuse/internal/nodeaddr"
)

// DefaultAddr is where a node listens unless it is told otherwise.
const DefaultAddr = nodeaddr.Default

// dialLimit bounds a connection attempt to the node beside us.
const dialLimit = time.Second

// connectTo returns the base of every URL of a node and a transport to it. No
// proxy: one configured for the worker's traffic may itself be behind a breaker.
func connectTo(addr string) (string, *http.Transport, error) {
	target, err := nodeaddr.Parse(addr)
	if err == nil && target.Secure {
		err = nodeaddr.Bad(addr, "it is https, and a worker asks the node beside it, in the clear")
	}
	if err != nil {
		return "", nil, err
	}
	dial := target.Dial(&net.Dialer{Timeout: dialLimit})
	return target.Base, &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 8, IdleConnTimeout: 30 * time.Second}, nil
}
