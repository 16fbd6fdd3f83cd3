package bubbles

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"fleetfuse/api"
)

// A scripted port answers as it is told.
type scripted struct {
	allow    api.AllowResponse
	err      error
	reported []api.Outcome
}

func (s *scripted) Allow(context.Context, string) (api.AllowResponse, error) { return s.allow, s.err }
func (s *scripted) Report(_ context.Context, o ...api.Outcome) error {
	s.reported = append(s.reported, o...)
	return s.err
}
func (s *scripted) Open(context.Context, string, time.Duration) (api.OperatorResponse, error) {
	return api.OperatorResponse{}, s.err
}
func (s *scripted) Close(context.Context, string) (api.OperatorResponse, error) {
	return api.OperatorResponse{}, s.err
}

// What a worker does is taken down as it was.
func TestDrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := Begin(1, 2)
		p := &scripted{allow: api.AllowResponse{Allowed: true, State: "half_open", Permit: "x", DelayMS: 1000}}
		limiting := func(context.Context, string) (int, time.Duration) {
			time.Sleep(2 * time.Second)
			return 429, 7 * time.Second
		}
		if err := h.Call(t.Context(), p, 1, "a", limiting); err != nil {
			t.Fatal(err)
		}
		p.allow = api.AllowResponse{State: "open", Reason: "cli-open"}
		if err := h.Call(t.Context(), p, 0, "b", limiting); err != nil {
			t.Fatal(err)
		}
		p.err = errors.New("away")
		if err := h.Call(t.Context(), p, 0, "b", limiting); err == nil {
			t.Error("a node that does not answer is no error")
		}
		_, _ = h.Say(t.Context(), p, 0, "b", time.Minute)
		p.err = nil
		_, _ = h.Say(t.Context(), p, 0, "b", 0)

		if c, want := h.Calls[0], (Call{Node: 1, Host: "a", Permit: "x", HalfOpen: true, Began: time.Second, Ended: 3 * time.Second, Status: 429}); len(h.Calls) != 1 || c != want {
			t.Errorf("calls %+v, want one: %+v", h.Calls, want)
		}
		if o := p.reported[0]; o.Status != 429 || o.RetryAfter != "7" || o.Permit != "x" || o.LatencyMS != 2000 {
			t.Errorf("reported %+v, want the 429 with its permit", o)
		}
		if r := h.Reports[0]; !r.OK || !r.Failed || r.RetryAfter != 7*time.Second || r.Permit != "x" || r.Node != 1 || r.From != 3*time.Second {
			t.Errorf("the report is %+v", r)
		}
		if len(h.Rejections) != 1 || h.Rejections[0].Host != "b" || h.Rejections[0].Reason != "cli-open" {
			t.Errorf("rejections %+v, want one of b", h.Rejections)
		}
		if w := h.Words; w[0].OK || w[0].Close || w[0].To != forever || !w[1].OK || !w[1].Close {
			t.Errorf("words %+v, want an open that was not answered and a close that was", w)
		}
	})
}
