//go:build !race

// Several nodes in one process: protoactor's Remote.Start sets grpc's logger
// while another node's connections use it.

package node_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"fleetfuse/api"
	"fleetfuse/cluster"
	"fleetfuse/internal/clock"
	"fleetfuse/node"
)

// member starts a node whose wall clock is ahead by so much.
func member(t *testing.T, name string, ahead time.Duration, peers ...string) *node.Node {
	t.Helper()
	n, err := node.Start(t.Context(), node.Options{
		Name: name, Memory: true, HTTPListen: "127.0.0.1:0", Clock: clock.Skewed(ahead),
		Gossip: cluster.Gossip{Listen: "127.0.0.1:0", Peers: peers}, Actor: cluster.Actor{Listen: "127.0.0.1:0"},
		Logger: slog.New(slog.DiscardHandler), Version: "test",
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Stop(); http.DefaultClient.CloseIdleConnections() })
	return n
}

func call(t *testing.T, n *node.Node, path string, in, out any) {
	t.Helper()
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post("http://"+n.Addresses().HTTP+path, "application/json", bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		t.Fatal(err)
	}
}

func fails(t *testing.T, n *node.Node, host string, times int) {
	t.Helper()
	var r api.ReportResponse
	call(t, n, "/v1/report", api.ReportRequest{Outcomes: slices.Repeat([]api.Outcome{{Host: host, Status: 503}}, times)}, &r)
}

func allows(t *testing.T, n *node.Node, host string) api.AllowResponse {
	t.Helper()
	var a api.AllowResponse
	call(t, n, "/v1/allow", api.AllowRequest{Host: host}, &a)
	return a
}

func state(n *node.Node, name string) string {
	for _, m := range n.Status().Members {
		if m.Name == name {
			return m.State
		}
	}
	return ""
}

// degraded reports whether a node tells that a part fails.
func degraded(n *node.Node, part string) func() bool {
	return func() bool {
		var r api.EventsResponse
		resp, err := http.Get("http://" + n.Addresses().HTTP + "/v1/events?kind=degraded")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		return json.NewDecoder(resp.Body).Decode(&r) == nil && slices.ContainsFunc(r.Events, func(e api.Event) bool { return e.To == part })
	}
}

// TestClockAnHourOff: stamps order words whatever the clocks say.
func TestClockAnHourOff(t *testing.T) {
	a := member(t, "a", 0)
	b := member(t, "b", time.Hour, a.Addresses().Gossip)
	c := member(t, "c", -time.Hour, a.Addresses().Gossip)
	all := []*node.Node{a, b, c}
	for _, n := range all {
		eventually(t, "three members", func() bool { return len(n.Status().Members) == 3 })
	}
	for i := range 8 { // whoever owns them
		host := fmt.Sprintf("h%d.example.org", i)
		fails(t, b, host, 3)
		fails(t, c, host, 3)
		eventually(t, "open everywhere", func() bool {
			return !slices.ContainsFunc(all, func(n *node.Node) bool { return allows(t, n, host).Allowed })
		})
		if left := allows(t, a, host).RetryAfterMS; left > 60_000 || left < 50_000 {
			t.Errorf("open for another %d ms on a; want a minute, whatever the clocks say", left)
		}
	}
	for _, n := range all {
		if p := n.Status().Problems; len(p) > 0 {
			t.Errorf("problems: %q; an hour is none", p)
		}
	}
}

// TestClockDaysOff: a node whose clock is three days off says so, owns nothing
// and decides by its own ring; the others go on.
func TestClockDaysOff(t *testing.T) {
	for _, ahead := range []time.Duration{72 * time.Hour, -72 * time.Hour} {
		t.Run(ahead.String(), func(t *testing.T) {
			a := member(t, "a", 0)
			b := member(t, "b", 0, a.Addresses().Gossip)
			odd := member(t, "odd", ahead, a.Addresses().Gossip)
			eventually(t, "the odd one is apart", func() bool { return state(a, "odd") == api.MemberApart && state(b, "odd") == api.MemberApart })
			text := strings.Join(odd.Status().Problems, "; ")
			if !strings.Contains(text, "this node's clock is 72h") {
				t.Errorf("the odd node's problems: %q; want that its clock is 72 h off", text)
			}
			eventually(t, "an event of the odd node's clock", degraded(odd, "clock"))
			for _, n := range []*node.Node{a, b} {
				eventually(t, "an event of the odd clock", degraded(n, "clock of odd"))
			}
			for i := range 8 {
				host := fmt.Sprintf("h%d.example.org", i)
				fails(t, odd, host, 6)
				if d := allows(t, odd, host); d.Allowed || d.Reason != "local-evidence" {
					t.Errorf("the odd node after 6 failures of its own: %+v; want its ring to reject", d)
				}
				if d := allows(t, a, host); !d.Allowed {
					t.Errorf("the odd node opened %s for a: %+v", host, d)
				}
				fails(t, a, host, 3)
				fails(t, b, host, 3)
				eventually(t, "a and b trip", func() bool { return !allows(t, a, host).Allowed && !allows(t, b, host).Allowed })
			}
		})
	}
}
