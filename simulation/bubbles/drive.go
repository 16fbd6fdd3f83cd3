package bubbles

import (
	"context"
	"strconv"
	"time"

	"fleetfuse/api"
	"fleetfuse/breaker"
	"fleetfuse/simulation"
)

// A Port is how workers and operators reach one node.
type Port interface {
	Allow(ctx context.Context, host string) (api.AllowResponse, error)
	Report(ctx context.Context, outcomes ...api.Outcome) error
	Open(ctx context.Context, host string, length time.Duration) (api.OperatorResponse, error)
	Close(ctx context.Context, host string) (api.OperatorResponse, error)
}

// An Upstream is called by a worker. It answers with a status, and for how long
// it asks to be left alone. Status 0 is a connection that failed.
type Upstream func(ctx context.Context, host string) (status int, pause time.Duration)

// Call does what a worker does: ask, call, report; and takes all of it down. A
// node that does not answer is an error.
func (h *History) Call(ctx context.Context, port Port, node int, host string, up Upstream) error {
	asked := h.Now()
	a, err := port.Allow(ctx, host)
	span := Span{asked, h.Now()}
	if err != nil {
		return err
	}
	if !a.Allowed {
		h.Add(Rejection{Asked: span, Node: node, Host: host, State: a.State, Reason: a.Reason})
		return nil
	}
	wait(ctx, time.Duration(a.DelayMS)*time.Millisecond)
	c := Call{Asked: span, Node: node, Host: host, Permit: a.Permit, HalfOpen: a.State == "half_open", Began: h.Now()}
	var pause time.Duration
	c.Status, pause = up(ctx, host)
	c.Ended = h.Now()
	h.Add(c)
	o := api.Outcome{Host: host, Status: c.Status, Permit: a.Permit, LatencyMS: (c.Ended - c.Began).Milliseconds()}
	if c.Status == 0 {
		o.Error = "connect"
	}
	if pause > 0 {
		o.RetryAfter = strconv.Itoa(int(pause.Seconds()))
	}
	return h.report(ctx, port, node, o, pause)
}

func (h *History) report(ctx context.Context, port Port, node int, o api.Outcome, pause time.Duration) error {
	r := Report{Node: node, Host: o.Host, RetryAfter: pause, Permit: o.Permit}
	r.Failed = simulation.Failed(breaker.Evidence{Status: o.Status, Error: o.Error})
	r.From = h.Now()
	err := port.Report(ctx, o)
	r.To, r.OK = h.Now(), err == nil
	h.Add(r)
	return err
}

// Say does what an operator does: open a host for so long, or close it if that
// is zero.
func (h *History) Say(ctx context.Context, port Port, node int, host string, length time.Duration) (api.OperatorResponse, error) {
	w := Word{Node: node, Host: host, Close: length == 0, Length: length}
	var r api.OperatorResponse
	var err error
	w.From = h.Now()
	if w.Close {
		r, err = port.Close(ctx, host)
	} else {
		r, err = port.Open(ctx, host, length)
	}
	w.To, w.OK = h.Now(), err == nil
	h.Add(w)
	return r, err
}

func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
