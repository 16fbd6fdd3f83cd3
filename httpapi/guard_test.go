package httpapi_test

import (
	"net/http"
	"testing"
)

// A browser and a proxy write a Host as they like; the list is in one spelling.
func TestHostsAreComparedInOneSpelling(t *testing.T) {
	r := newRig(t, "Node1.Internal.", "10.0.0.1", "2001:DB8::1")
	for host, want := range map[string]int{
		"node1.internal": 200, "NODE1.internal:7140": 200, "node1.internal.": 200, "10.0.0.1:7140": 200, "[2001:db8::1]:7140": 200, "[2001:db8:0::1]": 200,
		"localhost": 200, "LocalHost:7140": 200, "127.0.0.1": 200, "127.8.8.8:1": 200, "[::1]:7140": 200, "::1": 200,
		"evil.example": 403, "10.0.0.2": 403, "localhost.evil.example": 403, "node1.internal.evil.example:7140": 403, "127.1": 403, "a..b": 403,
	} {
		if status, text := r.request("GET", "/healthz", "", http.Header{"Host": {host}}, nil); status != want {
			t.Errorf("Host %s: %d, want %d: %s", host, status, want, text)
		}
		if status, text := r.request("GET", "/healthz", "", http.Header{"Origin": {"http://" + host}}, nil); status != want && host != "::1" {
			t.Errorf("Origin %s: %d, want %d: %s", host, status, want, text)
		}
	}
}
